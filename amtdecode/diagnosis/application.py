"""AMT-HTTP-*, AMT-SOAP-*, AMT-WSM-*, AMT-PT-*, AMT-OK-*, AMT-UNP-*: whether the machine does what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.knowledge import return_advice, status_advice
from amtdecode.diagnosis.rule import Missing, confirmed, likely
from amtdecode.diagnosis.words import both, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.report import Severity
    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule
    from amtdecode.provisioning.facts import Device, Mark, Ref

STATUS_WORDS = {
    400: "the machine rejects the request without a reason: an argument it does not take is the usual one",
    403: "the account may not do this: its realms do not cover the call",
    404: "this AMT version does not have the service or the class",
    500: "the firmware failed, or answers with a fault",
    501: "this AMT version does not have the method",
    503: "the firmware is busy",
}
# codes with a rule of their own; 0x80C to 0x810 share one
OWN_CODES = {0x3: "AMT-PT-003", 0x10: "AMT-PT-010", 0x20: "AMT-PT-020", 0x22: "AMT-PT-022", 0x26: "AMT-PT-026",
             0x2A: "AMT-PT-02A", 0x2B: "AMT-PT-02A", 0x809: "AMT-PT-809",
             **dict.fromkeys(range(0x80C, 0x811), "AMT-PT-80C")}  # fmt: skip
OPENED = "the calls themselves: the traffic is encrypted and no key opens it"


def normal_challenge(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-001."""
    for mark in device.marked("http.login")[:1]:
        yield confirmed((mark.ref, f"401, then success with {mark.name or 'no'} credentials"), count=mark.count)


def login_loop(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-002."""
    for mark in device.marked("http.loop")[:1]:
        target, user, scheme = ([*mark.text.split("\n"), "", ""])[:3]
        who = f" as {quoted(user)}" if user else ""
        yield confirmed(
            (mark.ref, f"{mark.value} logins{who} ({scheme}) refused for {quoted(target)}"),
            target=target,
            user=user or "the user",
            count=mark.value,
        )


def stale_nonce(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-003."""
    for mark in device.marked("http.stale")[:1]:
        yield confirmed((mark.ref, "401 with stale=true"), count=mark.count)


def other_realm(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-004."""
    for mark in device.marked("http.realm")[:1]:
        answered, _, asked = mark.text.partition("\n")
        yield confirmed(
            (mark.ref, f"realm answered and asked: {both(answered, asked)}"), answered=answered, asked=asked
        )


def negotiate_fails(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-005."""
    for mark in device.marked("http.negotiate")[:1]:
        yield confirmed((mark.ref, "401 to Negotiate"), (mark.value, "then Digest succeeds"))


def odd_status(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-HTTP-006."""
    told = {mark.ref for kind in ("soap.fault", "wsman.fault") for mark in device.marked(kind)}
    for mark in device.marked("http.status"):
        if mark.ref in told:
            continue  # its fault says more
        meaning = STATUS_WORDS.get(mark.value, "")
        yield confirmed((mark.ref, mark.text), status=mark.value, what=mark.text, meaning=meaning)


def soap_fault(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-SOAP-001."""
    for mark in device.marked("soap.fault"):
        yield confirmed((mark.ref, f"{mark.name}: fault {mark.text}"), call=mark.name, fault=mark.text)


def wsman_fault(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-WSM-001."""
    for mark in device.marked("wsman.fault"):
        meaning = next((text for word, text in FAULT_WORDS.items() if word in mark.text), "")
        yield confirmed((mark.ref, f"{mark.name}: fault {mark.text}"), call=mark.name, fault=mark.text, meaning=meaning)


FAULT_WORDS = {
    "AccessDenied": "The account may not do this: check its realms and the password.",
    "InvalidSelectors": "No instance has these selectors: check the names and values the console sends.",
    "DestinationUnreachable": "This AMT version does not have the class: check the version.",
    "ActionNotSupported": "This AMT version does not have the method.",
    "InvalidParameter": "An argument is wrong or missing.",
    "SchemaValidationError": "The request does not fit the class of this AMT version.",
    "TimedOut": "The firmware did not answer in time: try again.",
    "InternalError": "The firmware failed: try again, then power-cycle the Management Engine.",
    "EncodingLimit": "The request or the answer is too large.",
    "AlreadyExists": "The instance exists already: delete or update it.",
}


def status(*codes: int) -> Callable[[Case, Device], Iterator[Answer]]:
    """The rule for these PT_STATUS codes; without codes, for those that have no rule of their own."""

    def ask(_case: Case, device: Device) -> Iterator[Answer]:
        for mark in device.marked("status"):
            code = mark.value - VENDOR_BASE if mark.value > VENDOR_BASE else mark.value
            if _of_the_method(mark):
                if not codes and mark.value != JOB_STARTED:
                    yield _return_value(mark)
            elif code in codes or (not codes and code not in OWN_CODES):
                yield _status(mark, code)

    return ask


JOB_STARTED = 4096  # of CIM's methods: it goes on by itself
VENDOR_BASE = 32768  # CIM methods may add their codes to this; Intel AMT guide, errors and return values


def _of_the_method(mark: Mark) -> bool:
    """Whether the value has a name in a table of the method's own: then it is no PT_STATUS."""
    result = mark.text.partition("\n")[0]
    return result.startswith("ReturnValue ") and result.count(" ") > 1


def _return_value(mark: Mark) -> Answer:
    result, _, meaning = mark.text.partition("\n")
    known = return_advice().get((mark.name, mark.value))
    return confirmed(
        (mark.ref, f"{mark.name}: {result}"),
        severity=known.severity if known else "high",  # type: ignore[arg-type]
        call=mark.name,
        status=result,
        meaning=known.explanation if known else meaning or f"The machine did not do it: {result}.",
        advice=known.fix if known else "Look the value up in the documentation of this call: each has its own.",
    )


def _status(mark: Mark, code: int) -> Answer:
    result, _, meaning = mark.text.partition("\n")
    advice = status_advice().get(code)
    severity: Severity | None = advice.severity if advice and code not in OWN_CODES else None  # type: ignore[assignment]
    return confirmed(
        (mark.ref, f"{mark.name}: {result}"),
        severity=severity,
        call=mark.name,
        status=result,
        meaning=(advice.explanation if advice else meaning) or "See the code's name.",
        advice=advice.fix if advice else "Look the code up in the Intel AMT SDK, and the call's documentation.",
    )


def committed(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-OK-001."""
    for mark in device.marked("commit")[:1]:
        yield confirmed((mark.ref, mark.text or f"{mark.name} succeeds"))


def success_inferred(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-OK-002."""
    if device.marked("commit"):
        return
    for attempt in device.attempts:
        if attempt.outcome == "committed" and attempt.confidence < 1:
            proofs = [(attempt.commit, reason) for reason in attempt.reasons]
            yield likely(*proofs, confidence=f"{attempt.confidence:.0%}", reasons="; ".join(attempt.reasons))


def no_commit(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-OK-003."""
    steps = device.marked("step")
    if not steps:
        sessions = [s for s in device.sessions if s.setup and s.handshake and s.handshake.established]
        if sessions and not any(s.messages for s in sessions) and not device.marked("commit"):
            yield Missing(OPENED)
        return
    if device.marked("commit") or any(attempt.commit for attempt in device.attempts):
        return
    if not any(attempt.hellos or any(s.setup for s in attempt.sessions) for attempt in device.attempts):
        return  # later management changes settings without a commit
    last = next((s for s in device.sessions if s.number == steps[-1].session), None)
    if last is not None and last.state in ("", "open"):
        watched = case.story.watched_after(steps[-1].time)
        if watched is None or watched < COMMIT_SECONDS:
            yield Missing("the capture ends while the machine is being configured")
            return
    proofs = [(mark.ref, f"{mark.name} ({mark.text})") for mark in steps]
    yield confirmed(*proofs, count=len(steps), last=steps[-1].name)


COMMIT_SECONDS = 60.0


def unprovisioned(kind: str) -> Callable[[Case, Device], Iterator[Answer]]:
    """The rule for a partial or a full unprovision."""

    def ask(_case: Case, device: Device) -> Iterator[Answer]:
        for mark in device.marked(f"unprovision.{kind}")[:1]:
            proofs: list[tuple[Ref, str]] = [(mark.ref, mark.text or mark.name)]
            severity: Severity | None = None
            before = [h for h in device.hellos if h.time is not None and mark.time is not None and h.time < mark.time]
            after = [h for h in device.hellos if h.time is not None and mark.time is not None and h.time > mark.time]
            if after:
                hello = after[0]
                proofs.append(
                    (hello.ref, f"next hello: {f'PID {hello.pid}' if hello.pid else f'{len(hello.hashes)} hashes'}")
                )
                if kind == "full" and before and set(before[-1].hashes) - set(hello.hashes):
                    severity = "medium"
            yield confirmed(*proofs, severity=severity)

    return ask


def unprovision_pending(_case: Case, device: Device) -> Iterator[Answer]:
    """AMT-UNP-003."""
    marks = [*device.marked("unprovision.partial"), *device.marked("unprovision.full")]
    if not marks:
        return
    busy = [row for row in device.rows if row.code == "137" and row.ref > marks[0].ref]
    if busy:
        yield likely((marks[0].ref, marks[0].text or marks[0].name), *((row.ref, row.text) for row in busy))


RULES: tuple[DeviceRule, ...] = (
    ("AMT-HTTP-002", login_loop),
    ("AMT-HTTP-004", other_realm),
    ("AMT-HTTP-005", negotiate_fails),
    ("AMT-PT-003", status(0x3)),
    ("AMT-PT-010", status(0x10)),
    ("AMT-PT-020", status(0x20)),
    ("AMT-PT-022", status(0x22)),
    ("AMT-PT-026", status(0x26)),
    ("AMT-PT-02A", status(0x2A, 0x2B)),
    ("AMT-PT-809", status(0x809)),
    ("AMT-PT-80C", status(*range(0x80C, 0x811))),
    ("AMT-PT-001", status()),
    ("AMT-WSM-001", wsman_fault),
    ("AMT-SOAP-001", soap_fault),
    ("AMT-HTTP-006", odd_status),
    ("AMT-OK-003", no_commit),
    ("AMT-UNP-003", unprovision_pending),
    ("AMT-UNP-002", unprovisioned("full")),
    ("AMT-UNP-001", unprovisioned("partial")),
    ("AMT-OK-001", committed),
    ("AMT-OK-002", success_inferred),
    ("AMT-HTTP-001", normal_challenge),
    ("AMT-HTTP-003", stale_nonce),
)
NEED_MARKS = frozenset(rule_id for rule_id, _ in RULES) - {"AMT-OK-002", "AMT-OK-003"}
"""Rules that can only fire for a machine of which something inside HTTP, or in a log, was remembered."""
