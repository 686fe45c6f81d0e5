"""Tables of a report (machines, attempts, findings, evidence), and of the sessions in its story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from amtdecode.provisioning.state import place
from amtdecode.safe import encodable
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.buffers import within
from amtdecode.tables.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amtdecode.diagnosis.report import DeviceReport, Report
    from amtdecode.provisioning.state import Story


def tables_of(report: Report) -> dict[str, Any]:
    """The tables `machines`, `attempts`, `findings` and `evidence`, by name."""
    numbered = list(enumerate(report.findings, 1))
    return {
        "machines": _table("machines", map(_machine, report.devices)),
        "attempts": _table(
            "attempts",
            (
                (device.id, number, attempt.started, attempt.ended, attempt.stage.value, attempt.outcome.value,
                 attempt.confidence, attempt.packets)
                for device in report.devices
                for number, attempt in enumerate(device.attempts, 1)
            ),
        ),
        "findings": _table(
            "findings",
            (
                (number, found.device_id, found.device, found.id, found.severity.value, found.verdict.value,
                 found.title, found.layer, found.explanation, found.fix, found.source or None)
                for number, found in numbered
            ),
        ),
        "evidence": _table(
            "evidence",
            (
                (number, proof.input, proof.packet, proof.line, proof.text)
                for number, found in numbered
                for proof in found.evidence
            ),
        ),
    }  # fmt: skip


def sessions_of(story: Story) -> Any:
    """The table `sessions`: which TCP connections belong to which attempt of which machine."""
    return _table("sessions", _sessions(story))


def _sessions(story: Story) -> Iterator[tuple[Any, ...]]:
    for device in story.devices:
        for number, attempt in enumerate(device.attempts, 1):
            for session in attempt.sessions:
                source, packet = place(session.ref)
                yield (
                    device.id, number, session.number, story.inputs[source], packet, within(session.time),
                    within(session.last_time), session.state or None, session.setup,
                )  # fmt: skip


def _machine(device: DeviceReport) -> tuple[Any, ...]:
    last = device.attempts[-1] if device.attempts else None
    return (
        device.id, device.name, _uuid(device.uuid), device.fqdn, device.addresses, device.method.value,
        device.amt_version, len(device.attempts), last and last.stage.value, last and last.outcome.value,
        last and last.confidence, device.comment,
    )  # fmt: skip


def _uuid(text: str | None) -> bytes | None:
    try:
        return UUID(text).bytes if text else None
    except ValueError:
        return None


def _table(name: str, rows: Iterable[Sequence[Any]]) -> Any:
    pa = pyarrow()
    schema = schemas()[name]
    columns: list[list[Any]] = [[] for _ in schema]
    for row in rows:
        for values, value in zip(columns, row, strict=True):
            values.append(value)
    return pa.table([_array(values, kind) for values, kind in zip(columns, schema.types, strict=True)], schema=schema)


def _array(values: list[Any], kind: Any) -> Any:
    pa = pyarrow()
    if kind == pa.uuid():
        return pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
    if pa.types.is_timestamp(kind) and any(isinstance(value, str) for value in values):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(encodable(values), kind)
