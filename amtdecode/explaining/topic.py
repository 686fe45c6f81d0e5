"""One answer."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Facts: TypeAlias = tuple[tuple[str, str], ...]
"""Label and text."""


class Topic(NamedTuple):
    """One thing that can be explained. Facts without a text are left out when shown."""

    kind: str  # "alert", "port", …: a word that people may put in front of it
    title: str
    keys: tuple[str, ...]  # what it is asked for by, any case
    facts: Facts = ()
