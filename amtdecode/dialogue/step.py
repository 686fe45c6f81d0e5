"""One step of a dialogue: a message that a machine sent or got, or how a connection of it ended."""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A message or an outcome, with the packet that completes it.

    `kind` says what it is, without what it says: steps of the same kind are compared field by field. `fields` are
    masked, and name the machine itself by the words of `recording.OWN`, so that two machines can be compared.
    """

    kind: tuple[str, ...]
    sender: str  # "machine" or "peer"
    protocol: str
    event: str
    summary: str
    fields: dict[str, Any]
    input: str
    packet: int
    time_ns: int | None
    after: float | None = None  # seconds since the step before it; None where a time is unknown


class Dialogue(msgspec.Struct, kw_only=True):
    """What one machine and its peers said to each other, in the order of time."""

    inputs: list[str]
    machine: str
    uuid: str = ""
    addresses: list[str] = msgspec.field(default_factory=list)
    method: str = ""
    attempt: int | None = None  # from 1; None: all of them
    attempts: int = 0
    stage: str = ""
    outcome: str = ""
    steps: list[Step] = msgspec.field(default_factory=list)
    left_out: int = 0  # steps behind the cap
