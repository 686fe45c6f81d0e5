"""The messages that prove findings, with their fields and bytes: what is the same stands on the page once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.counting import counted
from amtdecode.render.hex_text import hex_dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Report
    from amtdecode.dialogue import Ladder, Rung

MAX_BYTES = 1_000_000  # characters of fields and bytes on a page
MAX_DUMPED = 4_096  # bytes of one message
SHARED_FROM = 200  # characters from which on a value is written once
MAX_VALUE = 4_000  # characters of a value


class Message(msgspec.Struct, kw_only=True):
    """A message that proves something."""

    id: str
    title: str
    fields: list[tuple[str, str, str]]
    """Name, value, and the id of a shared value in its place."""
    dump: str
    same_as: str
    """The id of the message whose bytes are the same."""
    left_out: int
    """Bytes that are not shown."""


class Shown(msgspec.Struct):
    """What the page shows of them."""

    messages: list[Message] = msgspec.field(default_factory=list)
    shared: list[tuple[str, str]] = msgspec.field(default_factory=list)
    """Id and text of values that several messages have."""
    ids: dict[tuple[str, int], str] = msgspec.field(default_factory=dict)
    """By input and packet."""
    left_out: int = 0
    """Messages for which there is no room."""


def proving(report: Report) -> frozenset[tuple[str, int]]:
    """The packets that prove findings above info, by input and number."""
    proofs = (proof for finding in report.findings if finding.severity != "info" for proof in finding.evidence)
    return frozenset((proof.input, proof.packet) for proof in proofs if proof.packet is not None)


def shown_evidence(report: Report, ladders: Iterable[Ladder]) -> Shown:
    """The messages of these ladders that hold their fields."""
    shown = Shown()
    inputs = {name: number for number, name in enumerate(report.inputs)}
    dumps: dict[bytes, str] = {}
    shared: dict[str, str] = {}
    size = 0
    for ladder in ladders:
        for rung in ladder.rungs:
            if rung.fields is None:
                continue
            if size > MAX_BYTES:
                shown.left_out += 1
                continue
            base = f"p{inputs.get(rung.input, 0)}-{rung.packet}"
            key = (rung.input, rung.packet)
            used = f"{base}-{len(shown.messages)}" if key in shown.ids else base
            shown.ids.setdefault(key, used)
            message = _message(rung, used, len(inputs), dumps, shared)
            size += len(message.dump) + sum(len(name) + len(value) for name, value, _ in message.fields)
            shown.messages.append(message)
    shown.shared = [(name, text) for text, name in shared.items()]
    return shown


def _message(rung: Rung, used: str, inputs: int, dumps: dict[bytes, str], shared: dict[str, str]) -> Message:
    where = f" of {rung.input}" if inputs > 1 else ""
    same_as = dumps.get(rung.data, "") if rung.data else ""
    if rung.data and not same_as:
        dumps[rung.data] = used
    return Message(
        id=used,
        title=f"packet {rung.packet}{where}: {rung.text}",
        fields=[_field(name, value, shared) for name, value in (rung.fields or {}).items()],
        dump="" if same_as else hex_dump(rung.data[:MAX_DUMPED]),
        same_as=same_as,
        left_out=max(0, len(rung.data) - MAX_DUMPED),
    )


def _field(name: str, value: Any, shared: dict[str, str]) -> tuple[str, str, str]:
    many = isinstance(value, list | tuple)
    text = ", ".join(map(_plain, value)) if many else _plain(value)
    text = text[:MAX_VALUE]
    if len(text) < SHARED_FROM:
        return name, text, ""
    found = shared.setdefault(text, f"s{len(shared) + 1}")
    return name, counted(len(value), "value") if many else counted(len(text), "character"), found


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
