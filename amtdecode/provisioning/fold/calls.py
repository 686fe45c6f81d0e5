"""Calls to a machine (SOAP, WS-Man): configuration steps, results, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.soap.dissector import TELL_SERVERS
from amtdecode.protocols.soap.tables import MAX_DIGITS, changes_settings, is_secret
from amtdecode.provisioning.fold.http import MAX_TEXT, in_the_clear
from amtdecode.provisioning.keeping import add_incident, attempt_under_way
from amtdecode.provisioning.state.incidents import (
    AdminEntry,
    CallFault,
    CallRefused,
    ChangingCall,
    ClearManagement,
    ClearSecret,
    ClockSet,
    Commit,
    CommitUnanswered,
    EnvironmentDetection,
    FullUnprovision,
    PartialUnprovision,
    PresenceServer,
    RightsGranted,
    SetupStep,
)

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.soap.events import Call
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Session

SECRET_METHODS = frozenset(
    ("SetAdminAclEntry", "SetAdminAclEntryEx", "SetMEBxPassword", "SetTLSPSK", "AddUserAclEntry", "AddUserAclEntryEx",
     "UpdateUserAclEntry", "UpdateUserAclEntryEx", "AddWiFiSettings", "UpdateWiFiSettings", "AddMpServer", "Setup",
     "AdminSetup")
)  # fmt: skip
ENDS_SETUP = frozenset(("CommitChanges", "Setup", "AdminSetup"))
ENVIRONMENT = "environment detection"
SETS_THE_CLOCK = "SetHighAccuracyTimeSynch"  # of AMT_TimeSynchronizationService, and of NetworkTime
CLOCKS = ("Ta0", "Tm1")  # the machine's time as it was read, and the caller's own of that moment
NAME_OF_SERVER = "AccessInfo"
GRANTS = frozenset(
    ("SetAdminAclEntry", "SetAdminAclEntryEx", "AddUserAclEntry", "AddUserAclEntryEx", "UpdateUserAclEntry",
     "UpdateUserAclEntryEx")
)  # fmt: skip
NAMES_OF_USERS = ("DigestUsername", "Username", "KerberosUserSid", "Sid")
LISTS_OF_REALMS = ("Realms", "RealmValue", "Realm")
MAX_REALMS = 64  # of one entry that are kept; AMT has 25
MAX_DOMAINS = 8  # of one list that are kept; AMT takes five
ADMIN_REALM = 3  # PT_ADMINISTRATION_REALM, Intel Network Interface Guide; the realm that may do everything


def take_call(machines: Machines, observation: Observation, event: Call) -> None:
    """One exchange: a configuration step, a result, a fault."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    if event.kind == "http":
        return
    machines.story.seen.add("soap")
    proof, time = machines.ref(observation), observation.time_ns
    if in_the_clear(session):
        if event.missing != "response":  # what nobody answers, nobody is managed by
            add_incident(device, ClearManagement(proof, time, client=session.client, port=session.port))
        if event.method in SECRET_METHODS and any(_is_secret(path) for path, _ in event.arguments):
            what = f"{event.label} with a secret"[: 2 * MAX_TEXT]
            add_incident(device, ClearSecret(proof, time, what=what, connection=session.number))
    _result(proof, time, event, device, session)
    if event.method == SETS_THE_CLOCK:
        _clock(proof, time, event, device, session)
    if event.owner in TELL_SERVERS:
        for path, text in (*event.arguments, *event.answer):
            if path.endswith(NAME_OF_SERVER) and text:
                told = PresenceServer(proof, time, name=text[:MAX_TEXT], connection=session.number)
                add_incident(device, told)
    if event.succeeded is not False:
        _step(proof, time, event, device, session)
        if changes_settings(event.owner, event.method):
            _change(proof, time, event, device, session)


def _clock(proof: int, time: int | None, event: Call, device: Device, session: Session) -> None:
    """The caller tells both times in seconds since 1970."""
    told = {path.rpartition("/")[2]: text for path, text in reversed([*event.arguments])}
    texts = [told.get(name, "") for name in CLOCKS]
    if all(text.isdecimal() and len(text) <= MAX_DIGITS for text in texts):
        machines_time, callers_time = map(int, texts)
        skew, done = machines_time - callers_time, event.result == 0
        add_incident(device, ClockSet(proof, time, skew=skew, done=done, connection=session.number))


def _change(proof: int, time: int | None, event: Call, device: Device, session: Session) -> None:
    """What an audit asks: which calls changed settings, by whom, and which rights were handed out."""
    label, connection = event.label[:MAX_TEXT], session.number
    change = ChangingCall(
        proof,
        time,
        call=label,
        client=session.client,
        user=event.user[:MAX_TEXT],
        tls=session.handshake is not None,
        answered=event.missing != "response",
        connection=connection,
    )
    add_incident(device, change)
    if event.method in GRANTS:
        user = next((text for path, text in event.arguments if path.rpartition("/")[2] in NAMES_OF_USERS), "")
        realms = [text for path, text in event.arguments if path.rpartition("/")[2] in LISTS_OF_REALMS]
        numbers = tuple(int(text) for text in realms[:MAX_REALMS] if text.isdecimal() and len(text) <= MAX_DIGITS)
        rights = RightsGranted(
            proof,
            time,
            call=label,
            user=user[:MAX_TEXT],
            realms=numbers,
            client=session.client,
            connection=connection,
        )
        add_incident(device, rights)


def _is_secret(path: str) -> bool:
    return bool(is_secret(path)) or "password" in path.lower() or "digest" in path.lower()


def _result(proof: int, time: int | None, event: Call, device: Device, session: Session) -> None:
    label, connection = event.label[:MAX_TEXT], session.number
    if event.succeeded and device.incidents:
        earlier: list[CallRefused | CallFault] = [
            *device.incidents_of(CallRefused),
            *device.incidents_of(CallFault),
        ]
        for refused in earlier:
            if refused.call == label and not refused.granted:
                refused.granted = proof
    if event.faulted:
        fault = event.result_text.removeprefix("fault ")[: 2 * MAX_TEXT]
        wsman = event.kind == "wsman"
        add_incident(device, CallFault(proof, time, call=label, fault=fault, wsman=wsman, connection=connection))
    elif event.result and event.http_status < 400:  # an HTTP error is an incident of its own
        result = event.result_text[:MAX_TEXT]
        own = result.startswith("ReturnValue ") and bool(event.result_name)
        meaning = event.meaning[:MAX_TEXT]
        add_incident(
            device,
            CallRefused(
                proof,
                time,
                call=label,
                result=result,
                meaning=meaning,
                code=event.result,
                own_value=own,
                connection=connection,
            ),
        )


def _step(proof: int, time: int | None, event: Call, device: Device, session: Session) -> None:
    step, label, connection = event.step, event.label[:MAX_TEXT], session.number
    if not step:
        return
    if event.missing == "response":
        if step in ENDS_SETUP:
            add_incident(device, CommitUnanswered(proof, time, call=label, connection=connection))
        return
    if step == "CommitChanges" or (step in ("Setup", "AdminSetup") and event.result == 0):
        attempt = attempt_under_way(device, time)
        attempt.commit = attempt.commit or proof
        attempt.ended = time
        add_incident(device, Commit(proof, time, call=label, connection=connection))
    elif step.startswith("Unprovision"):
        kind = PartialUnprovision if "partial" in step else FullUnprovision
        add_incident(device, kind(proof, time, call=label, connection=connection))
    else:
        if step in ("SetAdminAclEntry", "ACL"):
            realms = [text for path, text in event.arguments if "realm" in path.lower()]
            if str(ADMIN_REALM) in realms or step == "SetAdminAclEntry":
                add_incident(device, AdminEntry(proof, time, call=label, connection=connection))
        if step == ENVIRONMENT:
            domains = tuple(text[:MAX_TEXT] for path, text in event.arguments if path.endswith("DetectionStrings"))
            if domains:
                add_incident(
                    device,
                    EnvironmentDetection(proof, time, domains=domains[:MAX_DOMAINS], connection=connection),
                )
        add_incident(device, SetupStep(proof, time, call=label, step=step, connection=connection))
