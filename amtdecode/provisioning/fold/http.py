"""HTTP to a machine: logins and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.masking import masked
from amtdecode.protocols.http.auth import scheme_name
from amtdecode.provisioning.keeping import MAX_INCIDENTS, add_incident, incidents_to_add_to
from amtdecode.provisioning.state.connection import Talk
from amtdecode.provisioning.state.incidents import (
    ClearDigest,
    ClearSecret,
    ClockApart,
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
from amtdecode.provisioning.state.tables import MAX_FLOWS, Logins, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Session

ERROR_STATUSES = frozenset((400, 403, 404, 500, 501, 503))
SECOND = 1_000_000_000
ALLOWED_SKEW = 300  # seconds that Kerberos allows (RFC 4120 section 3.2.3 recommends 5 minutes)
KERBEROS = ("negotiate", "kerberos")  # schemes
MAX_TEXT = 160  # characters of captured text that an incident keeps


def logins_of(machines: Machines, session: Session) -> Logins:
    """What a connection under way remembers of its logins."""
    logins = machines.logins.get(session.number)
    if logins is None:
        bounded(machines.logins, MAX_FLOWS)
        logins = machines.logins[session.number] = Logins()
    return logins


def in_the_clear(session: Session) -> bool:
    """Whether a connection goes over the network without TLS."""
    return session.handshake is None and session.port not in ports.MACHINE_TLS and not session.local


def take_request(machines: Machines, observation: Observation, event: HttpRequest) -> None:
    """A request with or without credentials."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    machines.story.seen.add("http")
    talk = session.talk
    session.talk = Talk(talk.messages + 1, talk.asked + 1, talk.answered)
    logins = logins_of(machines, session)
    given = event.credentials
    logins.scheme = logins.user = ""
    if given is None:
        return
    scheme = logins.scheme = given.name.lower()
    logins.user = event.auth_user[:MAX_TEXT]
    proof, time, connection = machines.ref(observation), observation.time_ns, session.number
    if scheme == "basic" and in_the_clear(session):
        what = f"Basic login as {event.auth_user}"[: 2 * MAX_TEXT]
        add_incident(device, ClearSecret(proof, time, what=what, connection=connection))
    elif scheme == "digest":
        if in_the_clear(session):
            add_incident(device, ClearDigest(proof, time, user=event.auth_user[:MAX_TEXT], connection=connection))
        realm = given.parameters.get("realm", "").strip('"')
        if logins.realm and realm and realm != logins.realm:
            asked = logins.realm[:MAX_TEXT]
            add_incident(
                device, RealmMismatch(proof, time, answered=realm[:MAX_TEXT], asked=asked, connection=connection)
            )
    elif scheme in KERBEROS:
        add_incident(device, KerberosLogin(proof, time, scheme=scheme, connection=connection))


def take_response(machines: Machines, observation: Observation, event: HttpResponse) -> None:
    """A status, perhaps a challenge."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    talk, final = session.talk, event.status >= 200
    session.talk = Talk(talk.messages + 1, talk.asked, talk.answered + final)
    proof, time, connection = machines.ref(observation), observation.time_ns, session.number
    logins = logins_of(machines, session)
    if not device.amt_version and (version := event.amt_version):
        device.amt_version, device.version_ref = version, proof
    status = event.status
    if status != 401 and final:
        logins.loops.pop(event.target, None)
    if status == 401:
        _challenged(machines, observation, event, device, session, logins)
    elif 200 <= status < 300:
        if LoginRefused in device.incidents:
            incidents_to_add_to(device, LoginRefused).clear()
        if logins.challenged and not logins.answered:
            logins.answered = True
            add_incident(device, Login(proof, time, scheme=logins.scheme, connection=connection))
        if logins.negotiate_refused and logins.scheme == "digest":
            add_incident(device, NegotiateRefused(logins.negotiate_refused, time, digest=proof, connection=connection))
            logins.negotiate_refused = 0
    elif status in ERROR_STATUSES:
        request = f"{event.method} {masked(event.target)}"[:MAX_TEXT]
        reason = masked(event.reason)[:MAX_TEXT]
        add_incident(
            device,
            ErrorStatus(proof, time, request=request, status=status, reason=reason, connection=connection),
        )


def _challenged(
    machines: Machines,
    observation: Observation,
    event: HttpResponse,
    device: Device,
    session: Session,
    logins: Logins,
) -> None:
    proof = machines.ref(observation)
    stale = False
    for offer in event.challenges:
        if offer.scheme.lower() == "digest":
            logins.realm = offer.parameters.get("realm", "").strip('"')
            if stale := offer.parameters.get("stale", "").strip('"').lower() == "true":
                add_incident(device, StaleNonce(proof, observation.time_ns, connection=session.number))
    if logins.scheme and not stale and (loop := logins.loops.get(event.target)) is not None:
        loop.refusals += 1
    if logins.scheme and not stale:
        refused = LoginRefused(
            proof,
            observation.time_ns,
            target=masked(event.target)[:MAX_TEXT],
            user=logins.user,
            scheme=logins.scheme,
            connection=session.number,
        )
        add_incident(device, refused)
    if logins.scheme in KERBEROS:
        logins.negotiate_refused = proof
        if (date := event.date) is not None and (time := observation.time_ns) is not None:
            skew = date - time // SECOND
            if abs(skew) > ALLOWED_SKEW:
                add_incident(device, ClockApart(proof, time, skew=skew, connection=session.number))
        if (told := event.kerberos) is not None and told.error is not None:
            refusal = KerberosRefused(
                proof,
                observation.time_ns,
                code=told.error,
                spn=told.spn[:MAX_TEXT],
                realm=told.realm[:MAX_TEXT],
                skew=told.skew,
                connection=session.number,
            )
            add_incident(device, refusal)
    elif not logins.scheme:
        logins.challenged += 1


def take_login_loop(machines: Machines, observation: Observation, event: AuthenticationLoop) -> None:
    """Login after login is refused. HTTP states the third, the sixth, and so on; those between are counted here."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    loops = logins_of(machines, session).loops
    loop = LoginLoop(
        machines.ref(observation),
        observation.time_ns,
        target=masked(event.target)[:MAX_TEXT],
        user=event.user[:MAX_TEXT],
        scheme=scheme_name(event.scheme),
        connection=session.number,
        refusals=event.count,
    )
    for known in device.incidents_of(LoginLoop):
        if known.alike(loop):
            known.refusals = max(known.refusals, event.count)
            loop = known
            break
    else:
        add_incident(device, loop)
    if event.target not in loops:
        bounded(loops, MAX_INCIDENTS)
    loops[event.target] = loop
