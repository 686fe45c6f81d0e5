"""What is written beside packets: findings and comments on them, names of their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.capture.pcapng import Comment, NameResolution
from amtdecode.safe import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Finding, Report
    from amtdecode.provisioning import Story

MAX_COMMENTS = 32  # findings told on one packet; the rest is counted
MAX_SECTION_COMMENTS = 64  # comments of sections and interfaces that are kept
MAX_NAMED = 65_536  # addresses whose names are remembered
MAX_NAMES = 16  # of one address


def comments_of(report: Report, device: str | None = None) -> dict[tuple[str, int], list[str]]:
    """The findings (about one machine) as comments, by input and packet number."""
    comments: dict[tuple[str, int], list[str]] = {}
    left_out: dict[tuple[str, int], int] = {}
    for finding in report.findings:
        if device is not None and (finding.device or "").lower() != device.lower():
            continue
        texts: dict[tuple[str, int], list[str]] = {}
        for proof in finding.evidence:
            if proof.packet is not None:
                texts.setdefault((proof.input, proof.packet), []).append(proof.text)
        for place, words in texts.items():
            told = comments.setdefault(place, [])
            if len(told) < MAX_COMMENTS:
                told.append(_comment(finding, words))
            else:
                left_out[place] = left_out.get(place, 0) + 1
    for place, count in left_out.items():
        comments[place].append(f"and {count} more, which diagnose lists")
    return comments


def _comment(finding: Finding, words: list[str]) -> str:
    who = f"; {finding.device}" if finding.device else ""
    head = f"{finding.severity.upper()} {finding.id} {finding.title} [{finding.verdict}{who}]"
    lines = [head, *words] if finding.severity == "info" else [head, *words, f"Fix: {finding.fix}"]
    return "\n".join(safe(line) for line in lines)


def kept_comments(event: Any, subject: str = "") -> list[str]:
    """The text of a comment that the capture has on its packets, or without `subject` on anything else; or nothing."""
    if not isinstance(event, Comment):
        return []
    return [event.text] if event.subject == subject or (not subject and event.subject != "packet") else []


class Names:
    """Names of addresses, as far as they are wanted in the end."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        """Addresses of the packets written."""
        self._names: dict[str, dict[str, None]] = {}

    def dns(self, event: Any) -> None:
        """The answers of a DNS server."""
        for address in getattr(event, "addresses", ()):
            self._add(address, (event.name,))

    def capture(self, event: Any) -> None:
        """The names that the capture itself keeps."""
        if isinstance(event, NameResolution):
            self._add(event.address, event.names)

    def machines(self, story: Story) -> None:
        """The names of machines, which come first."""
        for device in story.devices:
            if device.fqdn:
                for address in device.addresses:
                    others = self._names.pop(address, {})
                    self._add(address, (device.fqdn, *others))

    def known(self) -> dict[str, list[str]]:
        """The names of the addresses wanted."""
        return {address: list(self._names[address]) for address in sorted(self.wanted & self._names.keys())}

    def _add(self, address: str, names: Iterable[str]) -> None:
        if address not in self._names and len(self._names) >= MAX_NAMED:
            return
        known = self._names.setdefault(address, {})
        for name in names:
            name = name.rstrip(".")
            if name and len(known) < MAX_NAMES and safe(name) == name:
                known[name] = None
