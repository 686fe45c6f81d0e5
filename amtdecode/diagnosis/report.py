"""The shape of a report: exactly the JSON that `diagnose -T json` prints (docs/report-schema.json is made from it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from amtdecode.counting import counted
from amtdecode.diagnosis.severity import SEVERITIES, Severity, Verdict
from amtdecode.provisioning.state import Method, Outcome, Stage, place
from amtdecode.provisioning.state.machine import name_of
from amtdecode.safe import encodable

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Story

SCHEMA_VERSION = 1
RETELLING = "_retelling"
"""Attribute of a report: what tells its dialogues once more. It is no member, and in no JSON."""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One proof: a packet of a capture, or a line of a log."""

    input: str
    text: str
    packet: int | None = None
    line: int | None = None


class Finding(msgspec.Struct, kw_only=True, gc=False):
    """The answer of one rule about one machine, or about the fleet (`device` and `device_id` are null).

    `device` is what the machine is called, which another may be too; `device_id` is the `id` of the machine.
    """

    id: str
    title: str
    severity: Severity
    verdict: Verdict
    device: str | None = None
    device_id: int | None = None
    layer: str
    explanation: str
    fix: str
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    source: str = ""


class Cause(msgspec.Struct, kw_only=True, gc=False):
    """What is foremost with so many machines. `title`, `verdict` and `fix` are those of the worst of them."""

    id: str
    title: str
    titles: int = 1
    """Different titles under this cause: above 1 they differ in names and numbers."""
    severity: Severity
    verdict: Verdict
    count: int
    """Machines; 0 where it is about no single machine."""
    machines: list[str] = msgspec.field(default_factory=list)
    """Some of them."""
    fix: str


class AttemptReport(msgspec.Struct, kw_only=True, gc=False):
    """One try at provisioning: how far it got, and how sure that is."""

    started: str | None = None
    ended: str | None = None
    stage: Stage
    outcome: Outcome
    confidence: float
    packets: list[int] = msgspec.field(default_factory=list)


class DeviceReport(msgspec.Struct, kw_only=True, gc=False):
    """One machine. `id` counts from 1 in the order of appearance, and may leave numbers out."""

    id: int
    uuid: str | None = None
    addresses: list[str] = msgspec.field(default_factory=list)
    fqdn: str | None = None
    method: Method = Method.UNKNOWN
    amt_version: str | None = None
    attempts: list[AttemptReport] = msgspec.field(default_factory=list)
    comment: str | None = None
    """The first comment that the capture has on a packet of it, else the name that it keeps for its address."""

    @property
    def name(self) -> str:
        """What findings call it: a UUID that tells it apart, else its name, else its address."""
        address = self.addresses[-1] if self.addresses else ""
        return name_of(self.uuid or "", self.fqdn or "", address) or "unknown machine"


class InputHealth(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What one capture can show. `said` says in words what is wrong with it, and what is therefore not judged."""

    input: str
    packets: int
    first: str | None = None
    last: str | None = None
    said: list[str] = msgspec.field(default_factory=list)
    cut_packets: int = 0
    gaps: int = 0
    gap_bytes: int = 0
    both_ways: int = 0
    one_way: int = 0
    duplicates: int = 0
    dropped: int = 0
    unread: list[str] = msgspec.field(default_factory=list)
    unwrapped: list[str] = msgspec.field(default_factory=list)
    odd_lengths: int = 0
    damage: list[str] = msgspec.field(default_factory=list)
    switch_ports: list[str] = msgspec.field(default_factory=list)
    """Where it was captured, as LLDP says: switch, port and VLAN in words."""


class NotJudged(msgspec.Struct, frozen=True):
    """A rule that could not be asked, and the evidence it lacked."""

    id: str
    missing: str


class Traffic(msgspec.Struct, frozen=True):
    """Packets of one kind, where nothing about AMT was found."""

    what: str
    packets: int


class Tick(msgspec.Struct, kw_only=True, gc=False):
    """A step of a plan, held against what was seen of one machine."""

    id: str
    title: str
    state: Literal["done", "not seen", "cannot be seen"]
    shown_by: str = ""
    """Not seen itself, but that later step was, which cannot happen without it."""
    proof: str = ""
    """What would prove it, where it was not seen."""
    evidence: list[Evidence] = msgspec.field(default_factory=list)


class Ticked(msgspec.Struct, kw_only=True, gc=False):
    """The steps of one machine, in their order."""

    device: str
    device_id: int
    ticks: list[Tick]


class TickedPlan(msgspec.Struct, kw_only=True):
    """A plan held against the story (`diagnose --plan`)."""

    way: str
    title: str
    machines: list[Ticked] = msgspec.field(default_factory=list)


class Report(msgspec.Struct, kw_only=True, dict=True):
    """What `diagnose` answers."""

    schema: int = SCHEMA_VERSION
    inputs: list[str] = msgspec.field(default_factory=list)
    health: list[InputHealth] = msgspec.field(default_factory=list)
    causes: list[Cause] = msgspec.field(default_factory=list)
    """What troubles the machines foremost, each cause once."""
    devices: list[DeviceReport] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    not_judged: list[NotJudged] = msgspec.field(default_factory=list)
    other_traffic: list[Traffic] = msgspec.field(default_factory=list)
    """What the first packets of the captures are, where nothing about AMT was found."""
    plan: TickedPlan | msgspec.UnsetType = msgspec.UNSET
    """The steps of a plan, where one was given; else no member."""

    def worst(self) -> Severity | None:
        """The highest severity found."""
        ranks = [finding.severity.rank for finding in self.findings]
        return SEVERITIES[min(ranks)] if ranks else None

    def of(self, device: DeviceReport | None) -> list[Finding]:
        """The findings about one machine, in their order; of `None`, those about no single machine."""
        number = None if device is None else device.id
        return [finding for finding in self.findings if finding.device_id == number]

    def to_dict(self) -> dict[str, Any]:
        """What `diagnose -T json` prints: plain dicts, lists, texts and numbers."""
        plain: dict[str, Any] = encodable(msgspec.to_builtins(self))
        return plain

    def to_html(self) -> str:
        """The report as one page of HTML, as `diagnose --html` writes it: no network, no file beside it.

        Dialogues, certificates and bytes are on it where the report was made by `amtdecode.diagnose` from captures
        that can be read again: they are, for this. Raises `MissingExtraError` without Jinja2 (extra `report`), and what
        reading captures raises.
        """
        from importlib import import_module

        # drawing is above this layer, and loaded by its name
        again = self.__dict__.get(RETELLING)
        page: str = import_module("amtdecode.render.html").page(self, again(self) if again is not None else None)
        return page

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The findings as an Arrow table (docs/tables.md): DuckDB, Polars, pandas and pyarrow take the report itself.

        Raises `MissingExtraError` without pyarrow (extra `arrow`).
        """
        from importlib import import_module

        # tables are above this layer, and loaded by their name
        stream: object = import_module("amtdecode.tables.streams").arrow_stream(self, requested_schema)
        return stream

    def tables(self) -> dict[str, Any]:
        """The tables `machines`, `attempts`, `findings` and `evidence` (docs/tables.md), each a `pyarrow.Table`.

        Raises `MissingExtraError` without pyarrow (extra `arrow`).
        """
        from importlib import import_module

        made: dict[str, Any] = import_module("amtdecode.tables.findings").tables_of(self)
        return made

    def _repr_html_(self) -> str:
        """For notebooks: the findings as a table, captured text escaped."""
        from amtdecode.safe import safe_html

        rows = "".join(
            f"<tr><td>{safe_html(found.severity)}</td><td>{safe_html(found.verdict)}</td>"
            f"<td>{safe_html(found.device or '')}</td><td>{safe_html(found.id)}</td>"
            f"<td>{safe_html(found.title)}</td></tr>"
            for found in self.findings
        )
        caption = f"{counted(len(self.devices), 'machine')}, {counted(len(self.findings), 'finding')}"
        return f"<table><caption>{caption}</caption>{rows}</table>"


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    return msgspec.json.schema(Report)


def evidence_packets(
    report: Report, device: str | int | None = None, story: Story | None = None
) -> dict[str, set[int]]:
    """The packets that prove the findings about one machine (all machines when `None`), by input.

    `device` is the name of a machine as the report shows it (of all that are called so), or the number of one. With
    the `story` the report was made from, the packets that mark the steps of its attempts are among them: hellos,
    handshakes, the commit.
    """
    wanted: dict[str, set[int]] = {}
    for finding in report.findings:
        if device is None or device in (finding.device, finding.device_id):
            for proof in finding.evidence:
                if proof.packet is not None:
                    wanted.setdefault(proof.input, set()).add(proof.packet)
    if story is not None:
        for known in story.devices:
            if device is None or device in (known.name, known.id):
                _add_steps(wanted, story, known)
    return wanted


def _add_steps(wanted: dict[str, set[int]], story: Story, device: Device) -> None:
    for attempt in device.attempts:
        for proof in attempt.refs():
            name, number = story.at(proof)
            if place(proof)[0] not in story.line_inputs:
                wanted.setdefault(name, set()).add(number)
