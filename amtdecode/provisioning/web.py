"""HTTP and SOAP to a machine: logins, statuses, calls, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.protocols.addresses import discreet
from amtdecode.provisioning.facts import MAX_MARKS, TLS_PORTS, Mark
from amtdecode.provisioning.tracker import MAX_FLOWS, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.provisioning.facts import Device, Session
    from amtdecode.provisioning.tracker import Tracker

ODD_STATUSES = frozenset((400, 403, 404, 500, 501, 503))
SECRET_METHODS = frozenset(
    ("SetAdminAclEntry", "SetAdminAclEntryEx", "SetMEBxPassword", "SetTLSPSK", "AddUserAclEntry", "AddUserAclEntryEx",
     "UpdateUserAclEntry", "UpdateUserAclEntryEx", "AddWiFiSettings", "UpdateWiFiSettings", "AddMpServer", "Setup",
     "AdminSetup")
)  # fmt: skip
ADMIN_REALM = 3  # PT_ADMINISTRATION_REALM, Intel Network Interface Guide; the realm that may do everything
MAX_TEXT = 160
FACTORY_USERS = ("$$osadmin",)


class Web(msgspec.Struct):
    """What a connection under way remembers of its logins."""

    realm: str = ""
    challenged: int = 0  # 401 without credentials
    scheme: str = ""  # of the latest request's credentials
    negotiate_failed: int = 0
    answered: bool = False
    loops: dict[str, Mark] = {}  # by the address that goes on refusing


def _web(tracker: Tracker, session: Session) -> Web:
    web = tracker.web.get(session.number)
    if web is None:
        bounded(tracker.web, MAX_FLOWS)
        web = tracker.web[session.number] = Web()
    return web


def _clear(session: Session) -> bool:
    return session.handshake is None and session.port not in TLS_PORTS


def request(tracker: Tracker, observation: Observation) -> None:
    """A request with or without credentials."""
    if (found := tracker.session(observation)) is None:
        return
    device, session = found
    event: Any = observation.event
    tracker.story.seen.add("http")
    session.messages += 1
    web = _web(tracker, session)
    given = event.credentials
    web.scheme = ""
    if given is None:
        return
    scheme = web.scheme = given.scheme.lower()
    proof = tracker.ref(observation)
    if scheme == "basic" and _clear(session):
        tracker.mark(
            device, "secret.clear", _mark(proof, observation, session, "Basic", f"Basic login as {event.auth_user}")
        )
    elif scheme == "digest":
        if _clear(session):
            tracker.mark(device, "digest.clear", _mark(proof, observation, session, event.auth_user))
        realm = given.parameters.get("realm", "").strip('"')
        if web.realm and realm and realm != web.realm:
            text = f"{realm[:MAX_TEXT]}\n{web.realm[:MAX_TEXT]}"
            tracker.mark(device, "http.realm", _mark(proof, observation, session, "", text))
    elif scheme in ("negotiate", "kerberos"):
        tracker.mark(device, "http.kerberos", _mark(proof, observation, session, scheme))


def _mark(
    proof: int, observation: Observation, session: Session, name: str = "", text: str = "", value: int = 0
) -> Mark:
    return Mark(proof, observation.time_ns, name[:MAX_TEXT], text[: 2 * MAX_TEXT + 1], value, session.number)


def response(tracker: Tracker, observation: Observation) -> None:
    """A status, perhaps a challenge."""
    if (found := tracker.session(observation)) is None:
        return
    device, session = found
    event: Any = observation.event
    session.messages += 1
    proof = tracker.ref(observation)
    web = _web(tracker, session)
    if not device.amt_version and (version := event.amt_version):
        device.amt_version, device.version_ref = version, proof
    status = event.status
    if status != 401 and status >= 200:
        web.loops.pop(event.target, None)
    if status == 401:
        _refused(tracker, observation, device, session, web)
    elif 200 <= status < 300:
        if web.challenged and not web.answered:
            web.answered = True
            tracker.mark(device, "http.login", _mark(proof, observation, session, web.scheme))
        if web.negotiate_failed and web.scheme == "digest":
            tracker.mark(device, "http.negotiate", _mark(web.negotiate_failed, observation, session, "", "", proof))
            web.negotiate_failed = 0
    elif status in ODD_STATUSES:
        text = f"{event.method} {discreet(event.target)}: {status} {event.reason}".strip()
        tracker.mark(device, "http.status", _mark(proof, observation, session, "", text, status))


def _refused(tracker: Tracker, observation: Observation, device: Device, session: Session, web: Web) -> None:
    event: Any = observation.event
    proof = tracker.ref(observation)
    stale = False
    for offer in event.challenges:
        if offer.scheme.lower() == "digest":
            web.realm = offer.parameters.get("realm", "").strip('"')
            if stale := offer.parameters.get("stale", "").strip('"').lower() == "true":
                tracker.mark(device, "http.stale", _mark(proof, observation, session))
    if web.scheme and not stale and (loop := web.loops.get(event.target)) is not None:
        loop.value += 1
    if web.scheme in ("negotiate", "kerberos"):
        web.negotiate_failed = proof
    elif not web.scheme:
        web.challenged += 1


def login_loop(tracker: Tracker, observation: Observation) -> None:
    """Login after login is refused. HTTP tells the third, the sixth, and so on; those between are counted here."""
    if (found := tracker.session(observation)) is None:
        return
    device, session = found
    event: Any = observation.event
    text = f"{discreet(event.target)}\n{event.user}\n{event.scheme}"
    loops = _web(tracker, session).loops
    made = _mark(tracker.ref(observation), observation, session, "", text, event.count)
    for mark in device.marked("http.loop"):
        if mark.session == made.session and mark.text == made.text:
            mark.value = max(mark.value, event.count)
            made = mark
            break
    else:
        tracker.mark(device, "http.loop", made)
    if event.target not in loops:
        bounded(loops, MAX_MARKS)
    loops[event.target] = made


def call(tracker: Tracker, observation: Observation) -> None:
    """One exchange: a configuration step, a result, a fault."""
    if (found := tracker.session(observation)) is None:
        return
    device, session = found
    event: Any = observation.event
    if event.kind == "http":
        return
    tracker.story.seen.add("soap")
    proof = tracker.ref(observation)
    label = event.label
    step: str = event.step
    if _clear(session):
        tracker.mark(device, "soap.clear", Mark(proof, observation.time_ns, name=session.client, session=session.port))
        if event.method in SECRET_METHODS and any(_is_secret(path) for path, _ in event.arguments):
            tracker.mark(
                device, "secret.clear", _mark(proof, observation, session, event.method, f"{label} with a secret")
            )
    _result(tracker, observation, device, session)
    if event.succeeded is not False:
        _step(tracker, observation, device, session, step)


def _is_secret(path: str) -> bool:
    from amtdecode.protocols.soap.tables import is_secret

    return bool(is_secret(path)) or "password" in path.lower() or "digest" in path.lower()


def _result(tracker: Tracker, observation: Observation, device: Device, session: Session) -> None:
    event: Any = observation.event
    proof = tracker.ref(observation)
    label = event.label
    if event.http_status >= 400 or event.result_text.startswith("fault "):
        if event.result_text.startswith("fault "):
            kind = "wsman.fault" if event.kind == "wsman" else "soap.fault"
            said = event.result_text.removeprefix("fault ")
            tracker.mark(device, kind, _mark(proof, observation, session, label, said, event.result or 0))
        return  # else told by its status
    if event.result:
        text = f"{event.result_text}\n{event.meaning}"
        tracker.mark(device, "status", _mark(proof, observation, session, label, text, event.result))


def _step(tracker: Tracker, observation: Observation, device: Device, session: Session, step: str) -> None:
    event: Any = observation.event
    proof = tracker.ref(observation)
    if not step or event.missing == "response":
        return
    if step == "CommitChanges" or (step in ("Setup", "AdminSetup") and event.result == 0):
        attempt = tracker.attempt(device, observation.time_ns)
        attempt.commit = attempt.commit or proof
        attempt.ended = observation.time_ns
        tracker.mark(device, "commit", _mark(proof, observation, session, event.label))
    elif step.startswith("Unprovision"):
        kind = "unprovision.partial" if "partial" in step else "unprovision.full"
        tracker.mark(device, kind, _mark(proof, observation, session, event.label))
    else:
        if step in ("SetAdminAclEntry", "ACL"):
            realms = [text for path, text in event.arguments if "realm" in path.lower()]
            if str(ADMIN_REALM) in realms or step == "SetAdminAclEntry":
                tracker.mark(device, "acl.admin", _mark(proof, observation, session, event.label))
        tracker.mark(device, "step", _mark(proof, observation, session, event.label, step))


HANDLERS = {
    "HttpRequest": request,
    "HttpResponse": response,
    "AuthenticationLoop": login_loop,
    "Call": call,
}
