"""How a TLS connection to a machine stopped: what several rules ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode import ports
from amtdecode.diagnosis.case import per_machine
from amtdecode.diagnosis.certificates import marked_for_setup, read_chain
from amtdecode.diagnosis.contacts import contacts
from amtdecode.diagnosis.knowledge import alerts
from amtdecode.protocols.tls.registry.versions import TLS13
from amtdecode.provisioning.state import Method

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Device, Handshake, Ref, Session

FATAL = 2  # level of an alert
FEW_REQUESTS = 3  # a setup takes more
ENDED = ("closed", "reset", "half-closed")


class Stop(NamedTuple):
    """A handshake that did not come to its end."""

    by_amt: bool
    code: int  # of the alert; -1: no alert, or one that is encrypted
    alerted: bool
    ref: Ref
    text: str
    after: str  # "hello", "amt certificate", "sca certificate", "key exchange", "verify", "finished"


def alert_name(code: int) -> str:
    """The name of an alert."""
    known = alerts().get(code)
    return known.name if known else f"alert {code}"


def alert_meaning(code: int, *, from_amt: bool) -> str:
    """What an alert means in setup, by who sends it."""
    known = alerts().get(code)
    if known is None:
        return "It is in no table."
    return known.from_amt if from_amt else known.from_sca


def reached(tls: Handshake) -> str:
    """The last step of a handshake that was seen."""
    if tls.client_ccs:
        return "finished"
    if tls.verify:
        return "verify"
    if tls.client_certificate and tls.client_chain:
        return "sca certificate"
    if tls.key_exchange:
        return "key exchange"
    if tls.server_certificate:
        return "amt certificate"
    return "server hello" if tls.server_hello else "hello"


def stopped(session: Session) -> Stop | None:
    """Where and how a handshake stopped; `None` when it completed, or is under way when the capture ends."""
    tls = session.handshake
    if tls is None or not (tls.client_hello or tls.alerts):
        return None
    fatal = [alert for alert in tls.alerts if alert.level != 1]
    if (tls.complete or (tls.requests and tls.answers)) and not _refused_late(tls):
        return None
    after = reached(tls)
    for alert in fatal or tls.alerts:
        if alert.code >= 0:
            who = "AMT" if alert.from_server else "the server"
            text = f"{who} sends alert {alert.code} {alert_name(alert.code)}, {alert.phase}"
        else:
            who = "AMT" if alert.from_server else "the server"
            text = f"{who} sends an encrypted alert, {alert.phase}"
        return Stop(alert.from_server, alert.code, True, alert.ref, text, after)
    if session.state in ENDED and session.whole:  # else an alert, or the rest of it, may be what is missing
        by_amt = session.who_closed == "server"
        who = "AMT" if by_amt else "the server" if session.who_closed == "client" else "somebody"
        how = "resets" if session.broken_by else "closes"
        return Stop(by_amt, -1, False, session.last_ref, f"{who} {how} the connection without an alert", after)
    return None


def _refused_late(tls: Handshake) -> bool:
    """Whether AMT refuses the client behind its Finished: only there TLS 1.3 lets it judge a client certificate."""
    refusals = [alert for alert in tls.alerts if alert.from_server and alert.level == FATAL]
    return tls.version == TLS13 and bool(refusals) and not tls.answers


def is_setup(case: Case, device: Device, session: Session) -> bool:
    """Whether a TLS connection is one of setup and configuration, not of later management."""
    if session.port != ports.HTTPS or session.handshake is None:
        return False
    tls = session.handshake
    if session.setup:
        return True
    if device.hellos and device.committed:
        return False
    if tls.psk:
        return True
    if not tls.client_chain:
        return bool(tls.client_certificate and tls.request) and _self_signed(case, tls)
    leaf = read_chain(case, tls.client_chain)[0]
    return marked_for_setup(leaf) or _self_signed(case, tls)


def _self_signed(case: Case, tls: Handshake) -> bool:
    return bool(tls.server_chain) and read_chain(case, tls.server_chain[:1])[0].self_issued


@per_machine
def setup_sessions(case: Case, device: Device) -> list[Session]:
    """The TLS connections of a machine that belong to setup, PSK or PKI."""
    return [session for session in device.sessions if is_setup(case, device, session)]


def is_psk(device: Device, session: Session) -> bool:
    """Whether a setup connection is one with a pre-shared key, as far as it got."""
    tls = session.handshake
    if tls is None:
        return False
    if tls.psk:
        return True
    if tls.server_chain or tls.client_certificate:
        return False
    return device.method == Method.PSK


@per_machine
def psk_stops(case: Case, device: Device) -> list[tuple[Session, Stop]]:
    """Setup handshakes with a pre-shared key that stopped; nothing once a later one came through."""
    return _stops(case, device, psk=True)


@per_machine
def pki_stops(case: Case, device: Device) -> list[tuple[Session, Stop]]:
    """The same of those with certificates."""
    return _stops(case, device, psk=False)


def _stops(case: Case, device: Device, *, psk: bool) -> list[tuple[Session, Stop]]:
    found: list[tuple[Session, Stop]] = []
    for session in setup_sessions(case, device):
        if is_psk(device, session) != psk:
            continue
        stop = stopped(session)
        if stop is not None:
            found.append((session, stop))
        elif session.handshake and session.handshake.established:
            found = []
    return found


@per_machine
def management(case: Case, device: Device) -> list[tuple[Session, Handshake]]:
    """TLS connections of management after setup."""
    return [
        (session, session.handshake)
        for session in contacts(case, device)
        if session.handshake is not None and session.handshake.client_hello and not is_setup(case, device, session)
    ]


def last_stop(case: Case, device: Device) -> tuple[Session, Stop] | None:
    """The latest PKI setup handshake that stopped."""
    found = pki_stops(case, device)
    return found[-1] if found else None


def established_for_nothing(session: Session) -> bool:
    """Whether a handshake completed and next to nothing was said after it."""
    tls = session.handshake
    return (
        tls is not None
        and tls.established
        and tls.requests < FEW_REQUESTS
        and tls.answers < FEW_REQUESTS
        and not session.messages
        and session.whole
        and session.state in ENDED
    )
