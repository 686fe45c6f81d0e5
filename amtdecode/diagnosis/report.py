"""The shape of a report: exactly the JSON that `diagnose -T json` prints (docs/report-schema.json is made from it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from amtdecode.provisioning.facts import place
from amtdecode.safe import encodable

if TYPE_CHECKING:
    from amtdecode.provisioning.facts import Story

Severity = Literal["critical", "high", "medium", "low", "info"]
Verdict = Literal["confirmed", "likely", "possible"]
Method = Literal["psk", "pki", "unknown"]
Outcome = Literal["committed", "failed", "incomplete", "unknown"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
VERDICTS: tuple[Verdict, ...] = ("confirmed", "likely", "possible")
SCHEMA_VERSION = 1


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One proof: a packet of a capture, or a line of a log."""

    input: str
    text: str
    packet: int | None = None
    line: int | None = None


class Finding(msgspec.Struct, kw_only=True, gc=False):
    """The answer of one rule about one machine, or about the fleet (`device` is null)."""

    id: str
    title: str
    severity: Severity
    verdict: Verdict
    device: str | None = None
    layer: str
    explanation: str
    fix: str
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    source: str = ""


class AttemptReport(msgspec.Struct, kw_only=True, gc=False):
    """One try at provisioning: how far it got, and how sure that is."""

    started: str | None = None
    ended: str | None = None
    stage: str
    outcome: Outcome
    confidence: float
    packets: list[int] = msgspec.field(default_factory=list)


class DeviceReport(msgspec.Struct, kw_only=True, gc=False):
    """One machine."""

    uuid: str | None = None
    addresses: list[str] = msgspec.field(default_factory=list)
    fqdn: str | None = None
    method: Method = "unknown"
    amt_version: str | None = None
    attempts: list[AttemptReport] = msgspec.field(default_factory=list)

    @property
    def name(self) -> str:
        """What findings call it: UUID, else name, else address."""
        return self.uuid or self.fqdn or (self.addresses[-1] if self.addresses else "unknown machine")


class NotJudged(msgspec.Struct, frozen=True):
    """A rule that could not be asked, and the evidence it lacked."""

    id: str
    missing: str


class Report(msgspec.Struct, kw_only=True):
    """What `diagnose` answers."""

    schema: int = SCHEMA_VERSION
    inputs: list[str] = msgspec.field(default_factory=list)
    devices: list[DeviceReport] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    not_judged: list[NotJudged] = msgspec.field(default_factory=list)

    def worst(self) -> Severity | None:
        """The highest severity found."""
        ranks = [SEVERITIES.index(finding.severity) for finding in self.findings]
        return SEVERITIES[min(ranks)] if ranks else None

    def of(self, device: str | None) -> list[Finding]:
        """The findings about one machine, in their order."""
        return [finding for finding in self.findings if finding.device == device]

    def to_dict(self) -> dict[str, Any]:
        """What `diagnose -T json` prints: plain dicts, lists, texts and numbers."""
        plain: dict[str, Any] = encodable(msgspec.to_builtins(self))
        return plain

    def _repr_html_(self) -> str:
        """For notebooks: the findings as a table, captured text escaped."""
        from amtdecode.safe import safe_html

        rows = "".join(
            f"<tr><td>{safe_html(found.severity)}</td><td>{safe_html(found.verdict)}</td>"
            f"<td>{safe_html(found.device or '')}</td><td>{safe_html(found.id)}</td>"
            f"<td>{safe_html(found.title)}</td></tr>"
            for found in self.findings
        )
        return f"<table><caption>{len(self.devices)} machines, {len(self.findings)} findings</caption>{rows}</table>"


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    return msgspec.json.schema(Report)


def evidence_packets(report: Report, device: str | None = None, story: Story | None = None) -> dict[str, set[int]]:
    """The packets that prove the findings about one machine (all machines when `None`), by input.

    `device` is a UUID, a name or an address as the report shows it. With the `story` the report was made from, the
    packets that mark the steps of its attempts are among them: hellos, handshakes, the commit.
    """
    wanted: dict[str, set[int]] = {}
    for finding in report.findings:
        if device is None or finding.device == device:
            for proof in finding.evidence:
                if proof.packet is not None:
                    wanted.setdefault(proof.input, set()).add(proof.packet)
    for known in story.devices if story is not None else ():
        if device is None or known.name == device:
            for attempt in known.attempts:
                for proof_number in attempt.refs():
                    name, number = story.at(proof_number)  # type: ignore[union-attr]
                    if place(proof_number)[0] not in story.lined:  # type: ignore[union-attr]
                        wanted.setdefault(name, set()).add(number)
    return wanted
