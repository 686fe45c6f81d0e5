"""An audit for a terminal: the findings, then each machine: channels, hosts, changes, rights, what stays unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.audit.channels import said
from amtdecode.counting import counted
from amtdecode.render.report_fleet import COLORS
from amtdecode.render.report_words import place_of
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import colored, headed, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.audit import Actor, Audit, Channel, MachineAudit
    from amtdecode.diagnosis.report import Evidence, Finding
    from amtdecode.render.wrapping import Painter

FIRST = 12  # changes shown without -V
WIDTH = 110
MIN_WIDTH, MAX_WIDTH = 40, 160


def audit_lines(audit: Audit, *, width: int = WIDTH, verbose: bool = False, color: bool = False) -> Iterator[str]:
    """The lines of an audit. Captured text is escaped. `verbose`: all changes, all evidence, all that is not judged."""
    writer = _Writer(min(max(width, MIN_WIDTH), MAX_WIDTH), len(audit.inputs), verbose, colored if color else plain)
    machines, findings = counted(len(audit.machines), "machine"), counted(len(audit.findings), "finding")
    yield f"Audit of {machines} in {counted(len(audit.inputs), 'input')}: {findings}"
    for machine in audit.machines:
        yield ""
        yield from writer.machine(machine, [each for each in audit.findings if each.device_id == machine.id])
    rest = [each for each in audit.findings if each.device_id is None]
    if rest:
        yield ""
        yield "Not of one machine alone"
        for finding in rest:
            yield from writer.finding(finding)
    yield ""
    yield "What cannot be seen here"
    for words in audit.unseen:
        yield from writer.line(words, "  - ")
    if audit.not_judged and verbose:
        yield ""
        yield "Not judged: the evidence is missing"
        for each in audit.not_judged:
            yield from writer.line(f"{each.id}: {each.missing}", "  - ")
    elif audit.not_judged:
        yield ""
        number = len({each.id for each in audit.not_judged})
        yield f"{counted(number, 'rule')} could not be judged; -V says what is missing."


class _Writer:
    """Writes machines, so wide, with so many inputs to tell apart."""

    def __init__(self, width: int, inputs: int, verbose: bool, paint: Painter) -> None:
        self._width, self._inputs, self._verbose, self._paint = width, inputs, verbose, paint

    def line(self, text: str, first: str = "  ") -> Iterator[str]:
        """One text, wrapped."""
        yield from wrapped(safe(text), self._width, first, " " * len(first))

    def machine(self, machine: MachineAudit, findings: list[Finding]) -> Iterator[str]:
        """All about one machine."""
        others = [address for address in machine.addresses if address != machine.name]
        yield self._paint("1", safe(", ".join([machine.name, *others])))
        for finding in findings:
            yield from self.finding(finding)
        yield from self._list(
            "Channels", [f"{self._channel(each)}{self._at(each.evidence)}" for each in machine.channels]
        )
        yield from self._list("Set up by", [self._actor(each) for each in machine.provisioners], "nobody seen")
        yield from self._list("Managed by", [self._actor(each) for each in machine.managers], "nobody seen")
        changes = []
        for change in machine.changes:
            times = f", {change.count} times" if change.count > 1 else ""
            user = f" as {change.user}" if change.user else ""
            how = "inside TLS" if change.tls else "in clear text"
            answer = "" if change.answered else ", no answer seen"
            changes.append(f"{change.call}: {change.client}{user}, {how}{times}{answer}{self._at(change.evidence)}")
        kept = changes if self._verbose else changes[:FIRST]
        if len(changes) > len(kept):
            kept.append(f"and {len(changes) - len(kept)} more with -V")
        yield from self._list("Changed by", kept, "no call that changes settings seen")
        rights = [
            f"{each.user or 'a user it does not name'}: {', '.join(each.realms) or 'no realm'}{self._at(each.evidence)}"
            for each in machine.rights
        ]
        yield from self._list("Rights handed out", rights)
        shown = [
            f"{each.by} {each.host}: {each.subject or 'no subject'}, issued by {each.issuer or 'nobody'}, "
            f"until {each.not_after or 'no date'}{self._at(each.evidence)}"
            for each in machine.certificates
        ]
        yield from self._list("Certificates", shown)
        yield from self._list("Not seen", machine.unseen)

    def finding(self, finding: Finding) -> Iterator[str]:
        """One finding, with its first proofs."""
        head = f"{finding.severity.upper():<8} {finding.id}  {safe(finding.title)}"
        yield from headed((COLORS[finding.severity], head), f"  [{finding.verdict}]", self._width, self._paint, "  ")
        for proof in finding.evidence if self._verbose else finding.evidence[:2]:
            where = place_of(proof, self._inputs)
            yield from self.line(f"{where}: {proof.text}" if where else proof.text, "           - ")

    def _channel(self, channel: Channel) -> str:
        ends = f"{channel.client or 'anybody'} → {channel.server}:{channel.port}"
        words = " ".join(filter(None, (channel.version, channel.suite)))
        how = said(channel.protection)
        if channel.protection == "tls":
            how = f"{words or 'TLS'}, {'both sides show certificates, ' if channel.mutual else ''}"
            how += "opened here" if channel.opened else "not opened here"
        how += ", inside one host" if channel.local else ""
        times = f", {channel.connections} times" if channel.connections > 1 else ""
        return f"{ends} {channel.what}: {how}{times}"

    def _actor(self, actor: Actor) -> str:
        users = f" as {', '.join(actor.users)}" if actor.users else ""
        shown = f", shows {actor.certificate}" if actor.certificate else ""
        return f"{actor.host}{users}, {counted(actor.connections, 'connection')}{shown}{self._at(actor.evidence)}"

    def _at(self, proof: Evidence) -> str:
        where = place_of(proof, self._inputs)
        return f" ({where})" if where else ""

    def _list(self, title: str, rows: list[str], otherwise: str = "") -> Iterator[str]:
        if not rows and not otherwise:
            return
        yield f"  {title}"
        for row in rows or [otherwise]:
            yield from self.line(row, "    - ")
