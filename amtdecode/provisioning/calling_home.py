"""CIRA: which connections a machine made to its management presence server, and what AMT did not like there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Session

CERTIFICATE_ALERTS = frozenset((42, 43, 44, 45, 46, 48))  # RFC 5246 section 7.2.2
OFTEN = 2  # refusals by one host that are a machine's way: anybody else gives up or takes the certificate


def calls_home(device: Device) -> list[Session]:
    """Connections to a management presence server."""
    return [session for session in device.sessions if session.port == ports.CIRA and session.client in device.addresses]


def refuses_certificate(session: Session) -> bool:
    """Whether the TLS client says that the certificate of the server is no good."""
    tls = session.handshake
    return tls is not None and any(
        not alert.from_server and alert.level != 1 and alert.code in CERTIFICATE_ALERTS for alert in tls.alerts
    )


def looks_like_amt(device: Device) -> bool:
    """Whether a host of which only the port speaks goes on calling home without a server name, and refusing."""
    return sum(refuses_certificate(session) for session in calls_home(device)) >= OFTEN
