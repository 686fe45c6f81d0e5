"""The causes of a fleet: what troubles its machines foremost, how many, and some of them by name."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING

from amtdecode.diagnosis.report import Cause
from amtdecode.diagnosis.severity import Severity

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Finding, Report

MAX_TITLES = 3  # of one rule: more differ in names only, and are one cause
NAMED = 5  # machines named for a cause


def causes(report: Report) -> list[Cause]:
    """Every cause, the worst first, then the most frequent.

    A cause is the foremost finding of a machine, or one of no machine alone, above info. Findings of one rule with few
    different titles are as many causes. The findings of a machine stand together, as `ranking.order` puts them.
    """
    rules: dict[str, list[Finding]] = {}
    for finding in _foremost(report):
        rules.setdefault(finding.id, []).append(finding)
    found: list[Cause] = []
    for findings in rules.values():
        titles = Counter(finding.title for finding in findings)
        if len(titles) > MAX_TITLES:
            found.append(_cause(findings, len(titles)))
        else:
            found += [_cause([each for each in findings if each.title == title], 1) for title in titles]
    found.sort(key=lambda cause: (cause.severity.rank, -cause.count))  # stable: else as the machines are ordered
    return found


def _foremost(report: Report) -> list[Finding]:
    found: list[Finding] = []
    for number, of_machine in groupby(report.findings, attrgetter("device_id")):
        told = (finding for finding in of_machine if finding.severity != Severity.INFO)
        found += told if number is None else islice(told, 1)
    return found


def _cause(findings: list[Finding], titles: int) -> Cause:
    first = min(findings, key=lambda finding: (finding.severity.rank, finding.verdict.rank))
    machines = [finding.device for finding in findings if finding.device is not None]
    return Cause(
        id=first.id,
        title=first.title,
        titles=titles,
        severity=first.severity,
        verdict=first.verdict,
        count=len(machines),
        machines=machines[:NAMED],
        fix=first.fix,
    )
