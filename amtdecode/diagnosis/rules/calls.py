"""AMT-PT-*, AMT-WSM-*, AMT-SOAP-*: calls that the machine refuses or answers with a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import return_advice, status_advice
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.state.incidents import CallFault, CallRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer, MachineRule
    from amtdecode.provisioning.state import Device

# codes with a rule of their own; 0x80C to 0x810 share one
OWN_CODES = {0x3: "AMT-PT-003", 0x10: "AMT-PT-010", 0x20: "AMT-PT-020", 0x22: "AMT-PT-022", 0x26: "AMT-PT-026",
             0x2A: "AMT-PT-02A", 0x2B: "AMT-PT-02A", 0x809: "AMT-PT-809",
             **dict.fromkeys(range(0x80C, 0x811), "AMT-PT-80C")}  # fmt: skip
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
JOB_STARTED = 4096  # of CIM's methods: it goes on by itself
VENDOR_BASE = 32768  # CIM methods may add their codes to this; Intel AMT guide, errors and return values


def status(*codes: int) -> MachineRule:
    """The rule for these PT_STATUS codes; without codes, for those that have no rule of their own."""

    def ask(_case: Case, device: Device) -> Iterator[Answer]:
        for refused in device.incidents_of(CallRefused):
            code = refused.code - VENDOR_BASE if refused.code > VENDOR_BASE else refused.code
            if refused.own_value:
                if not codes and refused.code != JOB_STARTED:
                    yield _return_value(refused)
            elif code in codes or (not codes and code not in OWN_CODES):
                yield _status(refused, code)

    return ask


def _return_value(refused: CallRefused) -> Answer:
    known = return_advice().get((refused.call, refused.code))
    return confirmed(
        (refused.ref, f"{refused.call}: {refused.result}"),
        severity=known.severity if known else Severity.HIGH,
        call=refused.call,
        status=refused.result,
        meaning=known.explanation if known else refused.meaning or f"The machine did not do it: {refused.result}.",
        advice=known.fix if known else "Look the value up in the documentation of this call: each has its own.",
    )


def _status(refused: CallRefused, code: int) -> Answer:
    advice = status_advice().get(code)
    return confirmed(
        (refused.ref, f"{refused.call}: {refused.result}"),
        severity=advice.severity if advice and code not in OWN_CODES else None,
        call=refused.call,
        status=refused.result,
        meaning=(advice.explanation if advice else refused.meaning) or "See the code's name.",
        advice=advice.fix if advice else "Look the code up in the Intel AMT SDK, and the call's documentation.",
    )


RULES = Rules(Question.APPLICATION)


RULES.machine("AMT-PT-003", when=(needs.incident(CallRefused),))(status(0x3))
RULES.machine("AMT-PT-010", when=(needs.incident(CallRefused),))(status(0x10))
RULES.machine("AMT-PT-020", when=(needs.incident(CallRefused),))(status(0x20))
RULES.machine("AMT-PT-022", when=(needs.incident(CallRefused),))(status(0x22))
RULES.machine("AMT-PT-026", when=(needs.incident(CallRefused),))(status(0x26))
RULES.machine("AMT-PT-02A", when=(needs.incident(CallRefused),))(status(0x2A, 0x2B))
RULES.machine("AMT-PT-809", when=(needs.incident(CallRefused),))(status(0x809))
RULES.machine("AMT-PT-80C", when=(needs.incident(CallRefused),))(status(*range(0x80C, 0x811)))
RULES.machine("AMT-PT-001", when=(needs.incident(CallRefused),))(status())


@RULES.machine("AMT-WSM-001", when=(needs.incident(CallFault),))
def wsman_fault(_case: Case, device: Device) -> Iterator[Answer]:
    for fault in device.incidents_of(CallFault):
        if fault.wsman:
            meaning = next((text for word, text in FAULT_WORDS.items() if word in fault.fault), "")
            proof = (fault.ref, f"{fault.call}: fault {fault.fault}")
            yield confirmed(proof, call=fault.call, fault=fault.fault, meaning=meaning)


@RULES.machine("AMT-SOAP-001", when=(needs.incident(CallFault),))
def soap_fault(_case: Case, device: Device) -> Iterator[Answer]:
    for fault in device.incidents_of(CallFault):
        if not fault.wsman:
            yield confirmed((fault.ref, f"{fault.call}: fault {fault.fault}"), call=fault.call, fault=fault.fault)
