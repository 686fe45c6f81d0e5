"""What `preflight` answers: for each way of setup, each prerequisite with pass, fail or unknown.

The shape is exactly the JSON that `preflight -T json` prints.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from amtdecode.diagnosis.circumstances import Way  # noqa: TC001 - msgspec reads annotations
from amtdecode.diagnosis.report import Evidence  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """The answer about a prerequisite."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


GRAVEST = (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL)


class Prerequisite(msgspec.Struct, kw_only=True, frozen=True):
    """One prerequisite, and whether it is met."""

    id: str
    title: str
    outcome: Outcome
    what: str
    """What was found; for "unknown" what is missing."""
    doubt: str = ""
    """What may still go wrong though it passes."""
    fix: str = ""
    """What to do where it fails or is unknown."""
    source: str = ""
    evidence: tuple[Evidence, ...] = ()


class Readiness(msgspec.Struct, kw_only=True, frozen=True):
    """One way of setup, and its prerequisites in the order of the steps."""

    way: Way
    title: str
    outcome: Outcome
    prerequisites: tuple[Prerequisite, ...]


class Preflight(msgspec.Struct, kw_only=True, frozen=True):
    """What `preflight` answers."""

    schema: int = SCHEMA_VERSION
    inputs: tuple[str, ...] = ()
    judged_at: str = ""
    """The time at which certificates are judged, ISO 8601."""
    outcome: Outcome
    """Of the way that is nearest to being ready."""
    ways: tuple[Readiness, ...]


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some; "pass" of none."""
    return max(outcomes, key=GRAVEST.index, default=Outcome.PASS)


def best(outcomes: Iterable[Outcome]) -> Outcome:
    """The best of some; "unknown" of none."""
    return min(outcomes, key=GRAVEST.index, default=Outcome.UNKNOWN)
