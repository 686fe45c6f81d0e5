"""AMT-PT-*, AMT-WSM-*, AMT-SOAP-*: calls that the machine refuses or answers with a fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import return_advice, status_advice
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.survived import JOB_STARTED, granted_later
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
    "AccessDenied": ("The account may not do this.", "Check the realms of the account, and its password."),
    "InvalidSelectors": ("No instance has these selectors.", "Check the names and values that the console sends."),
    "DestinationUnreachable": (
        "This AMT version does not have the class, or not the instance.",
        "Check the AMT version, and what it has; let the console use a class of this version.",
    ),
    "ActionNotSupported": ("This AMT version does not have the method.", "Check the AMT version; use another method."),
    "InvalidParameter": ("An argument is wrong or missing.", "Compare the arguments with those the method takes."),
    "SchemaValidationError": (
        "The request does not fit the class of this AMT version.",
        "Get the instance from this machine first, change it, and put that back.",
    ),
    "TimedOut": ("The firmware did not answer in time.", "Call it again."),
    "InternalError": ("The firmware failed.", "Call it again; then power-cycle the Management Engine."),
    "EncodingLimit": ("The request or the answer is too large.", "Ask for less at a time."),
    "AlreadyExists": ("The instance exists already.", "Delete or update the instance that is there."),
}
"""Words of a fault's subcode (DSP0226, chapter 14), what they mean, and what to do."""
PT_STATUS = re.compile(r"PT_STATUS 0x([0-9A-Fa-f]+)")
VENDOR_BASE = 32768  # CIM methods may add their codes to this; Intel AMT guide, errors and return values


def status(*codes: int) -> MachineRule:
    """The rule for these PT_STATUS codes; without codes, for those that have no rule of their own."""

    def ask(_case: Case, device: Device) -> Iterator[Answer]:
        for refused in device.incidents_of(CallRefused):
            code = refused.code - VENDOR_BASE if refused.code > VENDOR_BASE else refused.code
            if refused.own_value:
                if not codes and refused.code != JOB_STARTED:
                    yield _return_value(refused, granted=granted_later(device, refused))
            elif code in codes or (not codes and code not in OWN_CODES):
                yield _status(refused, code, granted=granted_later(device, refused))

    return ask


def _return_value(refused: CallRefused, *, granted: bool) -> Answer:
    known = return_advice().get((refused.call, refused.code))
    return confirmed(
        (refused.ref, f"{refused.call}: {refused.result}"),
        severity=Severity.INFO if granted else known.severity if known else Severity.HIGH,
        call=refused.call,
        status=refused.result,
        meaning=known.explanation if known else refused.meaning or f"The machine did not do it: {refused.result}.",
        advice=known.fix if known else "Look the value up in the documentation of this call: each has its own.",
    )


def _status(refused: CallRefused, code: int, *, granted: bool) -> Answer:
    known = status_advice().get(code)
    severity = known.severity if known and code not in OWN_CODES else None
    meaning = known.explanation if known else refused.meaning
    return confirmed(
        (refused.ref, f"{refused.call}: {refused.result}"),
        severity=Severity.INFO if granted else severity,
        call=refused.call,
        status=refused.result,
        meaning=meaning or f"The machine did not do it: {refused.result}.",
        advice=known.fix if known else f"Compare what {refused.call} was given with its documentation.",
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
            yield _fault(device, fault)


@RULES.machine("AMT-SOAP-001", when=(needs.incident(CallFault),))
def soap_fault(_case: Case, device: Device) -> Iterator[Answer]:
    for fault in device.incidents_of(CallFault):
        if not fault.wsman:
            yield _fault(device, fault)


def _fault(device: Device, fault: CallFault) -> Answer:
    meaning, advice = _of_fault(fault)
    return confirmed(
        (fault.ref, f"{fault.call}: fault {fault.fault}"),
        severity=Severity.INFO if granted_later(device, fault) else None,
        call=fault.call,
        fault=fault.fault,
        meaning=meaning,
        advice=advice,
    )


def _of_fault(fault: CallFault) -> tuple[str, str]:
    """What a fault means and what to do: by the status behind it, by its subcode, else by whose fault it is."""
    if (number := PT_STATUS.search(fault.fault)) and (known := status_advice().get(int(number[1], 16))):
        return known.explanation, known.fix
    for word, (meaning, advice) in FAULT_WORDS.items():
        if word in fault.fault:
            return meaning, advice
    code = fault.fault.partition(":")[0].partition("/")[0]
    if code in ("Client", "Sender"):
        return "The machine blames the request.", (
            f"Compare the arguments of {fault.call} with what this AMT version takes; read shows the request."
        )
    return "The machine blames itself.", (
        f"Call {fault.call} again; if it fails again, power-cycle the Management Engine and update its firmware."
    )
