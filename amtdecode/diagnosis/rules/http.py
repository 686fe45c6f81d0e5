"""AMT-HTTP-*: logins to the machine, and the statuses it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import kdc_errors
from amtdecode.diagnosis.phrases import both, quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity
from amtdecode.protocols.gssapi import ERRORS, MODIFIED, NOT_FOR_US, SKEW, UNKNOWN_SERVICE
from amtdecode.provisioning.fold.http import ALLOWED_SKEW
from amtdecode.provisioning.state.incidents import (
    CallFault,
    ClockApart,
    ClockSet,
    ErrorStatus,
    KerberosLogin,
    KerberosRefused,
    Login,
    LoginLoop,
    LoginRefused,
    NegotiateRefused,
    RealmMismatch,
    StaleNonce,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer, Hit
    from amtdecode.provisioning.state import Device, Ref

STATUS_WORDS = {
    400: (
        "the machine rejects the request without a reason: an argument it does not take is the usual one",
        "Compare the arguments of the call with those this AMT version takes.",
    ),
    403: (
        "the account may not do this: its realms do not cover the call",
        "Give the account the realm of the call, or use another account.",
    ),
    404: ("this AMT version does not have the service or the class", "Check the AMT version, and what it has."),
    500: (
        "the firmware failed, or answers with a fault",
        "Call it again; if it fails again, power-cycle the Management Engine and update its firmware.",
    ),
    501: ("this AMT version does not have the method", "Check the AMT version; use a method it has."),
    503: ("the firmware is busy", "Try again in a minute; see whether another console works on the machine."),
}
"""What a status of the machine means, and what to do."""

REFUSALS = 3  # in a row
KERBEROS = ("negotiate", "kerberos")
OF_PASSWORDS = (
    "password",
    (
        "The password is another one, it was changed in MEBx, another server owns the machine, or the account is "
        "locked for a while."
    ),
    "Set the password of the account again, in MEBx if need be; or unprovision the machine and set it up anew.",
)
OF_KERBEROS = (
    "Kerberos ticket",
    (
        "No password is at fault: the clocks of machine and domain are more than 5 minutes apart, the service "
        "principal name is missing or there twice, the account is not in the machine's access list, or the profile "
        "has no Kerberos."
    ),
    (
        "Compare the clocks, look for SPN HTTP/name:16992 and HTTP/name:16993 in Active Directory, and see that the "
        "profile enables Kerberos and lists the account or its group."
    ),
)
"""What was refused, why, and what to do."""

OF_THE_SERVICE = frozenset((UNKNOWN_SERVICE, 8, 31, NOT_FOR_US, MODIFIED, 44, 45))
"""Errors of Kerberos that come of the service's name or key."""

RULES = Rules(Question.APPLICATION)


@RULES.machine("AMT-HTTP-002", when=(needs.LOGIN_REFUSED,))
def login_loop(_case: Case, device: Device) -> Iterator[Answer]:
    loops = device.incidents_of(LoginLoop)
    if loops:
        refused: LoginLoop | LoginRefused = loops[0]
        count = loops[0].refusals
    else:  # over several connections
        often = [each for each in device.incidents_of(LoginRefused) if each.count >= REFUSALS]
        if not often:
            return
        refused, count = often[0], often[0].count
    who = f" as {quoted(refused.user)}" if refused.user else ""
    kerberos = refused.scheme.lower() in KERBEROS
    what, why, todo = OF_KERBEROS if kerberos else OF_PASSWORDS
    yield confirmed(
        (refused.ref, f"{count} logins{who} ({refused.scheme}) refused for {quoted(refused.target)}"),
        what=what,
        target=refused.target,
        how="with a Kerberos ticket" if kerberos else f"as {refused.user or 'the user'}",
        count=count,
        why=why,
        todo=todo,
    )


@RULES.machine("AMT-HTTP-004", when=(needs.incident(RealmMismatch),))
def other_realm(_case: Case, device: Device) -> Iterator[Answer]:
    realm = device.incidents_of(RealmMismatch)[0]
    said = f"realm answered and asked: {both(realm.answered, realm.asked)}"
    yield confirmed((realm.ref, said), answered=realm.answered, asked=realm.asked)


@RULES.machine("AMT-KRB-001", when=(needs.KERBEROS,))
def clocks_apart(case: Case, device: Device) -> Iterator[Answer]:
    settings = device.incidents_of(ClockSet)
    for refused in device.incidents_of(KerberosRefused):
        if refused.code == SKEW:
            told = "" if refused.skew is None else f"; the machine's clock is {refused.skew} s ahead"
            proof = (refused.ref, f"KRB-ERROR {refused.code}, {ERRORS[refused.code]}{told}")
            what = f"The machine refuses the ticket for {refused.spn}: its clock and that of the console differ"
            yield _cured(confirmed(proof, what=what + _by(refused.skew)), settings, refused.ref)
    for error, sure in kdc_errors(case, device):
        if error.code == SKEW:
            proof = (error.ref, f"KRB-ERROR {error.code} of the KDC to {error.client}, {ERRORS[error.code]}")
            what = f"The KDC gives {error.client} no ticket: its clock and that of {error.client} differ"
            answer = confirmed if sure else likely
            yield answer(proof, what=what + _by(error.skew))
    for apart in device.incidents_of(ClockApart):
        proof = (apart.ref, f"Date header of the machine: {apart.skew} s ahead of the capture")
        what = "The machine refuses a Kerberos login, and its clock and that of the capture differ"
        yield _cured(likely(proof, what=what + _by(apart.skew)), settings, apart.ref)
    if ClockApart in device.incidents or any(each.code == SKEW for each in device.incidents_of(KerberosRefused)):
        return
    for setting in settings:
        if abs(setting.skew) > ALLOWED_SKEW and KerberosLogin in device.incidents:
            what = "Whoever set the machine's clock found that it and the own clock differed"
            yield _cured(likely(what=what + _by(setting.skew)), [setting], 0)


def _cured(hit: Hit, settings: list[ClockSet], refused: Ref) -> Hit:
    """The same with the calls that set the clock of the machine: as information where one that mattered is the last."""
    for setting in settings:
        way = "ahead" if setting.skew > 0 else "behind"
        result = "done" if setting.done else "refused, or not answered"
        hit.proofs.append((setting.ref, f"a call sets the machine's clock, {abs(setting.skew)} s {way}: {result}"))
    cured = any(each.done and abs(each.skew) > ALLOWED_SKEW and each.ref > refused for each in settings)
    return hit._replace(severity=Severity.INFO) if cured else hit


def _by(skew: int | None) -> str:
    return "" if skew is None else f" by {abs(skew)} s"


@RULES.machine("AMT-KRB-002", when=(needs.KERBEROS,))
def wrong_service(case: Case, device: Device) -> Iterator[Answer]:
    for refused in device.incidents_of(KerberosRefused):
        if refused.code in OF_THE_SERVICE:
            what = ERRORS[refused.code]
            proof = (refused.ref, f"KRB-ERROR {refused.code}, {what}, for {quoted(refused.spn)} in {refused.realm}")
            spn = refused.spn or "the service"
            yield confirmed(proof, what=what, who="The machine refuses the ticket", spn=spn, realm=refused.realm)
    for error, sure in kdc_errors(case, device):
        if error.code in OF_THE_SERVICE:
            what = ERRORS[error.code]
            times = counted(error.count, "time")
            proof = (error.ref, f"KRB-ERROR {error.code} of the KDC to {error.client}, {times}: {what}")
            who = f"The KDC gives {error.client} no ticket"
            answer = confirmed if sure else likely
            yield answer(proof, what=what, who=who, spn=error.spn, realm=error.realm)


@RULES.machine("AMT-HTTP-005", when=(needs.incident(NegotiateRefused),))
def negotiate_fails(_case: Case, device: Device) -> Iterator[Answer]:
    refused = device.incidents_of(NegotiateRefused)[0]
    yield confirmed((refused.ref, "401 to Negotiate"), (refused.digest, "then Digest succeeds"))


@RULES.machine("AMT-HTTP-006", when=(needs.incident(ErrorStatus),))
def odd_status(_case: Case, device: Device) -> Iterator[Answer]:
    faults = {fault.ref for fault in device.incidents_of(CallFault)}
    for error in device.incidents_of(ErrorStatus):
        if error.ref in faults:
            continue  # its fault says more
        meaning, advice = STATUS_WORDS.get(error.status, ("", ""))
        yield confirmed((error.ref, error.text), status=error.status, what=error.text, meaning=meaning, advice=advice)


@RULES.machine("AMT-HTTP-001", when=(needs.incident(Login),))
def normal_challenge(_case: Case, device: Device) -> Iterator[Answer]:
    login = device.incidents_of(Login)[0]
    yield confirmed((login.ref, f"401, then success with {login.scheme or 'no'} credentials"), count=login.count)


@RULES.machine("AMT-HTTP-003", when=(needs.incident(StaleNonce),))
def stale_nonce(_case: Case, device: Device) -> Iterator[Answer]:
    stale = device.incidents_of(StaleNonce)[0]
    yield confirmed((stale.ref, "401 with stale=true"), count=stale.count)
