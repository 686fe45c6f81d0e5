"""Values by path. Machines of one kind send the same paths over and over: what follows from them is worked out once.

Plain values are a tuple of pairs. A `Listing`, made by a plan, stands for such a tuple, and writes itself as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import msgspec

from amtdecode.protocols.pairs import Pairs
from amtdecode.protocols.soap import tables

Values: TypeAlias = Sequence[tuple[str, str]]
"""Paths of elements (local names joined with `/`) and their texts, in document order; paths repeat."""

Texts = tuple[str, ...]

encode = msgspec.json.encode
_FORMS = 1024  # of the last sequences of paths that were asked for; those of plans live as long as these


class Form:
    """What a sequence of paths settles, whatever the texts."""

    __slots__ = ("choices", "hidden", "parts", "paths")

    def __init__(self, paths: Texts) -> None:
        self.paths = paths
        self.hidden = any(map(tables.is_secret, paths))
        self.choices = tuple([(at, path) for at, path in enumerate(paths) if tables.may_have_name(path)])
        """Places of the values that may be an enumeration's."""
        parts: list[str] = []
        for path in paths:
            parts += ('","' + encode(path).decode()[1:-1] + "=", "")
        if paths:
            parts[0] = '["' + parts[0][3:]
        self.parts = [*parts, '"]']
        """JSON of the list, with room for each text."""


form_of = lru_cache(_FORMS)(Form)


class Listing(Pairs):
    """Values in ASCII, none of which JSON would escape, no path being a secret's. Equal to the tuple of their pairs."""

    __slots__ = ("_json", "form", "texts")

    def __init__(self, form: Form, texts: Texts) -> None:
        self.form = form
        self.texts = texts
        self._json = b""

    def json(self) -> bytes:
        """`["path=text",…]`."""
        if not self._json:
            parts = self.form.parts.copy()
            parts[1::2] = self.texts
            self._json = "".join(parts).encode()
        return self._json

    @property
    def columns(self) -> tuple[Sequence[str], Sequence[str]]:
        """See `Pairs`."""
        return self.form.paths, self.texts


def pairs(form: Form, texts: Texts) -> Values:
    """Make values of any texts."""
    return tuple(zip(form.paths, texts, strict=True))
