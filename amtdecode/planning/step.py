"""What a step of a plan is: declared once, with what proves it beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning.state import Device, Ref

    Proof = tuple[Ref, str]
    Look = Callable[[Case, Device], list[Proof]]
    """What in the story of a machine shows that a step was done; nothing where it was not seen."""


class Phase(StrEnum):
    """The part of a plan, in the order in which they come."""

    PREPARE = "Prepare the site"
    MACHINES = "Prepare the machines"
    HELLO = "First plug-in"
    SETUP = "Setup"
    AFTER = "Afterwards"


class Step(NamedTuple):
    """One step. `title` and `text` may hold `{names}` of `facts.facts_of`."""

    id: str
    phase: Phase
    who: str  # who does it
    title: str
    text: str
    proof: str  # the packets, log lines or files that prove it, in words
    look: Look | None = None
    """`None`: nothing that can be captured shows it."""
    shown_by: str = ""
    """A later step that cannot happen without this one: once that is seen, this was done."""
    when: Callable[[Site], bool] | None = None
    """It is part of the plan only where this holds."""
    source: str = "2007 article on remote configuration"
