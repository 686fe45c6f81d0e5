"""A rule of one's own: a machine that has said hello too often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rule, Text, confirmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

PATIENCE = 10  # hellos after which somebody should look


def waits_too_long(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.hellos[-1]
    if hello.retry_count >= PATIENCE:
        yield confirmed((hello.ref, f"retry count {hello.retry_count}"), count=hello.retry_count)


PATIENT_MACHINE = Rule(
    id="LAB-001",
    question=Question.HELLO,
    of_machine=waits_too_long,
    needs=(needs.HELLO,),
    text=Text(
        title="The machine has waited long for its server",
        severity="low",
        layer="infrastructure",
        evidence="The retry count of hello messages.",
        explanation="The machine has said hello {count} times, and nobody set it up.",
        fix="Look at the server of this site.",
        source="our own experience",
    ),
)
