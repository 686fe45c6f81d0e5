"""AMT-HTTP-*: logins to the machine, and the statuses it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.phrases import both, quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed
from amtdecode.provisioning.state.incidents import (
    CallFault,
    ErrorStatus,
    Login,
    LoginLoop,
    NegotiateRefused,
    RealmMismatch,
    StaleNonce,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

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

RULES = Rules(Question.APPLICATION)


@RULES.machine("AMT-HTTP-002", when=(needs.incident(LoginLoop),))
def login_loop(_case: Case, device: Device) -> Iterator[Answer]:
    loop = device.incidents_of(LoginLoop)[0]
    who = f" as {quoted(loop.user)}" if loop.user else ""
    yield confirmed(
        (loop.ref, f"{loop.refusals} logins{who} ({loop.scheme}) refused for {quoted(loop.target)}"),
        target=loop.target,
        user=loop.user or "the user",
        count=loop.refusals,
    )


@RULES.machine("AMT-HTTP-004", when=(needs.incident(RealmMismatch),))
def other_realm(_case: Case, device: Device) -> Iterator[Answer]:
    realm = device.incidents_of(RealmMismatch)[0]
    said = f"realm answered and asked: {both(realm.answered, realm.asked)}"
    yield confirmed((realm.ref, said), answered=realm.answered, asked=realm.asked)


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
