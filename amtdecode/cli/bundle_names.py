"""The names of a redacted bundle: one table for its texts and its packets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.provisioning.private import private_names
from amtdecode.render.redact import Redaction, vocabulary
from amtdecode.rewriting import Guard, Pseudonyms
from amtdecode.rewriting.text import TextRewriter

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Report
    from amtdecode.provisioning import Story

_NAME = re.compile(r"[\w$*.-]{1,255}\Z")


def names_of(story: Story) -> set[str]:
    """Names that no pattern recognises: hosts, accounts, PIDs."""
    found = set(private_names(story))
    found |= {name for name in story.names.values() if name}
    return {name for name in found if name}


class Names:
    """Calls everything what the packets call it."""

    def __init__(self, report: Report, known: Pseudonyms, private: set[str], pids: set[str]) -> None:
        self._known, self._private = known, private
        self._pids = {pid for pid in pids if pid}
        self._redaction = Redaction(report, private, self._spell)
        self.text = TextRewriter(known, self._is_harmless)

    def _spell(self, kind: str, found: str) -> str | None:
        known = self._known
        if kind in ("ipv4", "ipv6"):
            return known.address(found)
        if kind == "uuid":
            other = known.uuid(found)
            return other if "-" in found else other.replace("-", "")
        if kind == "mac":
            return known.mac(bytes.fromhex(re.sub("[^0-9A-Fa-f]", "", found))).hex(":")
        if found.replace("-", "") in self._pids:
            return known.pid(found)
        if kind in ("", "host", "name", "private") and _NAME.match(found):
            return known.name(found)
        return None

    def _is_harmless(self, sentence: str) -> bool:
        return self._redaction.text(sentence) == sentence

    def report(self) -> Report:
        """The report, renamed."""
        return self._redaction.report()

    def input(self, name: str) -> str:
        """What an input is called."""
        return self._redaction.input(name)

    def guard(self, own: frozenset[str]) -> Guard:
        """Looks for all that has another name now. `own`: further words of ours, which name nobody."""
        return Guard(self._known, self._private, vocabulary() | own)
