"""Rules about the lines of logs: each is asked of the lines of every machine, and of those that name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.rule import Answer, Rule, Rules
from amtdecode.provisioning.state import Device, LogEntry

MAX_LINES = 8  # log lines quoted in a finding

Judge = Callable[[Case, Sequence[LogEntry], Device | None], Iterator[Answer]]
"""Judges lines of one machine, or of none; there is at least one."""


def proofs(entries: Sequence[LogEntry]) -> list[tuple[int, str]]:
    """The lines themselves, as the proof of a finding."""
    return [(entry.ref, entry.text) for entry in entries[:MAX_LINES]]


def declare(rules: Rules, rule_id: str, judge: Judge, *, all_lines: bool = False) -> None:
    """A rule that judges the lines recognised as its own, or with `all_lines` every line that says something."""

    def judged(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
        chosen: Sequence[LogEntry] = entries if all_lines else [entry for entry in entries if entry.rule == rule_id]
        return judge(case, chosen, device) if chosen else iter(())

    rules.add(
        Rule(
            id=rule_id,
            question=rules.question,
            of_machine=lambda case, device: judged(case, device.log_entries, device),
            of_fleet=lambda case: judged(case, case.story.log_entries, None),
            when=(needs.LOG_LINES,),
            needs=(needs.LOG,),
        )
    )
