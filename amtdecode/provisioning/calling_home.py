"""CIRA: which connections a machine made to its management presence server, and what AMT did not like there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Session

CERTIFICATE_ALERTS = frozenset((42, 43, 44, 45, 46, 48))  # RFC 5246 section 7.2.2
TLS_1_1 = 0x0302  # AMT up to version 11 knows no newer one (MeshCentral issues 4756 and 4782)
ENDED = ("closed", "reset", "half-closed")  # states of a connection
OFTEN = 2  # refusals by one host that are a machine's way: anybody else gives up or takes the certificate


def calls_home(device: Device) -> list[Session]:
    """Connections to a management presence server."""
    return [
        session
        for session in device.sessions
        if session.cira is not None or (session.port == ports.CIRA and session.client in device.addresses)
    ]


def refuses_certificate(session: Session) -> bool:
    """Whether the TLS client says that the certificate of the server is no good."""
    tls = session.handshake
    return tls is not None and any(
        not alert.from_server and alert.level != 1 and alert.code in CERTIFICATE_ALERTS for alert in tls.alerts
    )


def fails_early(session: Session) -> bool:
    """Whether a TLS handshake ends for another reason than a certificate, before the server's part of it is over."""
    tls = session.handshake
    if tls is None or not tls.client_hello or tls.established or refuses_certificate(session):
        return False
    if any(alert.level != 1 and alert.code > 0 for alert in tls.alerts):
        return True
    return session.whole and session.state in ENDED and not tls.server_hello and not session.server_bytes


def looks_like_amt(device: Device) -> bool:
    """Whether a host of which only the port speaks goes on calling home without a server name, and in vain.

    It refuses the certificate, or offers no newer TLS than old firmware has.
    """
    calls = calls_home(device)
    old = (session for session in calls if session.handshake and session.handshake.offered_version <= TLS_1_1)
    return sum(map(refuses_certificate, calls)) >= OFTEN or sum(map(fails_early, old)) >= OFTEN
