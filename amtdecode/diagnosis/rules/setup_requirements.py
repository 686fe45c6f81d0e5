"""AMT-RCFG-011 to 016, 024, 025: what remote configuration needs of machine, service and site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.handshakes import established_for_nothing, is_psk, setup_sessions
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.versions import version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref

NOT_CAPABLE = ((2, 0), (2, 1), (2, 5))  # AMT without remote configuration; 2007 article
AGENT_ONLY = ((2, 2), (2, 6))  # AMT that an agent on the host must start; 2007 article
ARTICLE_ASKS, TABLE_WANTS = (3, 1), (3, 2, 1)  # versions of SCS
ONE_TIME_PASSWORD = re.compile(r"OTP|\b[Oo]tp|(?i:one[- ]time password)")  # no part of "hotplug" and "footprint"
TABLE_ASKS = "The Altiris table of March 2008 says that AMT 2.2 and 2.6 need SCS 3.2.1."


def _method_proof(device: Device) -> list[tuple[Ref, str]]:
    hello = device.last_hello
    if hello is not None:
        return [(hello.ref, f"hello of version {hello.version}")]
    return [(s.ref, "TLS with a setup certificate") for s in device.sessions[:1]]


RULES = Rules(Question.RCFG)


@RULES.machine("AMT-RCFG-011", when=(needs.PKI,), needs=(needs.SCS_MODE,))
def smb_mode(case: Case, device: Device) -> Iterator[Answer]:
    if case.site.scs.mode == "smb":
        yield confirmed(*_method_proof(device))


@RULES.machine("AMT-RCFG-013", when=(needs.PKI,), needs=(needs.AMT_VERSION,))
def not_capable(case: Case, device: Device) -> Iterator[Answer]:
    version = version_tuple(case.version(device))
    if version[:2] in NOT_CAPABLE:
        yield likely(*_method_proof(device), version=case.version(device))


@RULES.machine("AMT-RCFG-016", when=(needs.PKI, needs.INTEL_SCS), needs=(needs.SCS_VERSION,))
def old_scs(case: Case, device: Device) -> Iterator[Answer]:
    scs, amt = version_tuple(case.site.scs.version), version_tuple(case.version(device))
    if amt[:2] in NOT_CAPABLE:
        return  # no version of SCS helps: AMT-RCFG-013
    disputed = amt[:2] in AGENT_ONLY
    severity = Severity.INFO if device.committed else None
    values: dict[str, Any] = {"scs": case.site.scs.version, "needed": "3.2.1" if disputed else "3.1"}
    if scs < ARTICLE_ASKS:
        why = "The 2007 article asks for SCS 3.1 or later."
        yield confirmed(
            *_method_proof(device), severity=severity, why=why + (f" {TABLE_ASKS}" if disputed else ""), **values
        )
    elif disputed and scs < TABLE_WANTS:
        why = f"The sources disagree: the 2007 article asks for SCS 3.1 or later. {TABLE_ASKS}"
        yield possible(*_method_proof(device), severity=severity or Severity.MEDIUM, why=why, **values)


@RULES.machine("AMT-RCFG-014", when=(needs.PKI,), needs=(needs.AMT_VERSION,))
def bare_metal(case: Case, device: Device) -> Iterator[Answer]:
    version = version_tuple(case.version(device))
    if version[:2] not in AGENT_ONLY:
        return
    agent = case.agent(device)
    if agent is None:
        yield Missing("whether an agent starts the configuration (--site: hosts.agent, or machine.agent)")
    elif not agent:
        yield likely(*_method_proof(device), version=case.version(device))


@RULES.machine("AMT-RCFG-024", when=(needs.SETUP_HANDSHAKE,))
def one_time_password(case: Case, device: Device) -> Iterator[Answer]:
    said = [row for row in device.log_entries if ONE_TIME_PASSWORD.search(row.text)]
    for session in setup_sessions(case, device):
        if not established_for_nothing(session) or is_psk(device, session):
            continue
        if not said and case.site.policy.otp is None:
            yield Missing(needs.OTP_POLICY.said(case))
            return
        if (said or case.site.policy.otp) and case.agent(device) is not False:
            proofs = [(session.ref, "TLS is established"), (session.last_ref, "and ends after a few records")]
            yield likely(*proofs, *((row.ref, row.text) for row in said))
            return


@RULES.machine("AMT-RCFG-025", when=(needs.PKI,), needs=(needs.OTP_POLICY,))
def password_without_agent(case: Case, device: Device) -> Iterator[Answer]:
    if case.site.policy.otp and case.agent(device) is False:
        yield possible(*_method_proof(device))
