"""Makes the audit out of a story and the report about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.remembered import remembering
from amtdecode.audit.actors import changes, managers, provisioners, rights, shown_certificates
from amtdecode.audit.channels import channels
from amtdecode.audit.rules import AUDIT_RULES
from amtdecode.audit.unseen import unseen_of, unseen_of_all
from amtdecode.audit.value import Audit, MachineAudit
from amtdecode.diagnosis import diagnose
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rulebook import rules as rulebook
from amtdecode.diagnosis.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.provisioning.state import Device, Story

ASKED = frozenset((Question.SECURITY, Question.CERTIFICATES))


@remembering()
def audit(story: Story, site: Site | None = None, *, rules: Iterable[Rule] = ()) -> tuple[Audit, Report]:
    """The audit of a story, and the diagnosis it rests on.

    `site` brings the facts no packet shows, as the servers that may set machines up. `rules`: as for the diagnosis.
    """
    own = (*rules, *AUDIT_RULES)
    report = diagnose(story, site, rules=own)
    wanted = {rule.id for rule in (*rulebook(), *own) if rule.question in ASKED}
    case = Case(story, site or Site(), {})
    found = Audit(
        inputs=list(report.inputs),
        health=list(report.health),
        machines=[_machine(case, device) for device in story.devices],
        findings=[finding for finding in report.findings if finding.id in wanted],
        not_judged=[each for each in report.not_judged if each.id in wanted],
        unseen=unseen_of_all(story),
    )
    return found, report


def _machine(case: Case, device: Device) -> MachineAudit:
    found = channels(case.story, device)
    return MachineAudit(
        id=device.id,
        name=device.name,
        addresses=list(device.addresses),
        channels=found,
        provisioners=provisioners(case, device),
        managers=managers(case, device),
        changes=changes(case, device),
        rights=rights(case, device),
        certificates=shown_certificates(case, device),
        unseen=unseen_of(device, found),
    )
