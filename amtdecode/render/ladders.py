"""Ladders with what the report says of them: how far, and where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.state import Outcome
from amtdecode.render.report_words import called, of_machine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import DeviceReport, Finding, Report
    from amtdecode.dialogue import Ladder
    from amtdecode.render.redact import Redaction


def failed(device: DeviceReport) -> bool:
    """Whether the latest attempt of a machine failed or stopped on the way."""
    return bool(device.attempts) and device.attempts[-1].outcome in (Outcome.FAILED, Outcome.INCOMPLETE)


def mark(ladders: Iterable[Ladder], report: Report) -> list[Ladder]:
    """Say on each ladder what its machine is called, how far it got, and at which rung it failed."""
    devices = {device.id: device for device in report.devices}
    foremost: dict[int | None, Finding] = {}
    for finding in report.findings:
        if finding.severity != "info":
            foremost.setdefault(finding.device_id, finding)
    marked = []
    for ladder in ladders:
        if (device := devices.get(ladder.device_id)) is None:
            continue
        ladder.machine, ladder.called, ladder.how_far = device.name, called(device), of_machine(device)
        _mark(ladder, device, foremost.get(device.id))
        marked.append(ladder)
    return marked


def _mark(ladder: Ladder, device: DeviceReport, finding: Finding | None) -> None:
    if finding is None:
        ladder.failure = "nothing follows" if failed(device) else ""
        return
    title = f"{finding.title} [{finding.id}]"
    proofs = [(proof.input, proof.packet) for proof in finding.evidence if proof.packet is not None]
    at = [rung for rung in ladder.rungs if (rung.input, rung.packet) in proofs]
    if not at and proofs:  # as where the SYN proves what the RST behind it says
        name, last = max(proofs, key=lambda proof: proof[1])
        at = [rung for rung in ladder.rungs if rung.input == name and rung.packet > last][:1]
    if at:
        at[-1].failure = title
    else:
        ladder.failure = title


def redact(ladders: Iterable[Ladder], redaction: Redaction) -> None:
    """Mask what tells whose the dialogues are, as in the report that is redacted with them."""
    for ladder in ladders:
        for rung in ladder.rungs:
            rung.text, rung.input = redaction.text(rung.text), redaction.input(rung.input)
            rung.fields, rung.data = None, b""
