"""The channels of a machine, and whether each was protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.audit.proofs import proof_of
from amtdecode.audit.value import Channel
from amtdecode.protocols.tls.registry import name_of_version
from amtdecode.provisioning.state.incidents import ClearRedirection, PlatformAlert, Pong

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Evidence
    from amtdecode.provisioning.state import Device, Session, Story

PURPOSES = {
    ports.HELLO: "hello",
    ports.CIRA: "call home (CIRA)",
    ports.HTTP: "management",
    ports.HTTPS: "management",
    ports.REDIRECTION: "redirection",
    ports.REDIRECTION_TLS: "redirection",
    ports.DASH: "management (DASH)",
    ports.DASH_TLS: "management (DASH)",
    ports.VNC: "screen (VNC)",
}


def channels(story: Story, device: Device) -> list[Channel]:
    """Each kind of connection once, in the order in which they came."""
    hellos = {(hello.source, hello.destination, hello.port) for hello in device.hellos}
    found: dict[tuple[str, str, int, str, str, str], Channel] = {}
    clear = {each.connection for each in device.incidents_of(ClearRedirection)}
    for session in device.sessions:
        if (session.client, session.server, session.port) in hellos:
            continue
        what = PURPOSES.get(session.port, "call home" if session.cira else "other")
        protection = protection_of(session, redirected=session.number in clear)
        tls = session.handshake
        version = name_of_version(tls.version) if tls is not None and tls.version else ""
        suite = tls.suite_name if tls is not None else ""
        key = (session.client, session.server, session.port, protection, version, suite)
        if (known := found.get(key)) is not None:
            known.connections += 1
            known.opened = known.opened or (tls is not None and tls.opened)
            known.mutual = known.mutual or bool(tls is not None and tls.client_chain)
            continue
        found[key] = Channel(
            client=session.client,
            server=session.server,
            port=session.port,
            what=what,
            protection=protection,
            version=version,
            suite=suite,
            mutual=bool(tls is not None and tls.client_chain),
            opened=tls is not None and tls.opened,
            local=session.local,
            evidence=proof_of(story, (tls.server_hello if tls is not None else 0) or session.ref, said(protection)),
        )
    return [*_hellos(story, device), *found.values(), *_datagrams(story, device)]


def protection_of(session: Session, *, redirected: bool = False) -> str:
    """How a connection was protected, by what was seen of it."""
    tls = session.handshake
    if tls is not None:
        if tls.established or tls.complete or tls.opened:
            return "tls"
        return "failed" if tls.client_hello or tls.alerts else "unknown"
    if session.messages or session.cira is not None or redirected:
        return "clear"
    if not (session.client_bytes or session.server_bytes):
        return "none"
    return "unknown"


SAID = {
    "tls": "TLS",
    "clear": "clear text",
    "none": "nothing went over it",
    "failed": "a TLS handshake that did not come to its end",
    "unknown": "bytes that nothing here can tell",
}


def said(protection: str) -> str:
    """The words for it."""
    return SAID[protection]


def _hellos(story: Story, device: Device) -> list[Channel]:
    """Hellos: the protocol has no protection, whatever is in them anybody may read and send again."""
    found: dict[tuple[str, str, int], Channel] = {}
    for hello in device.hellos:
        key = (hello.source, hello.destination, hello.port)
        if key in found:
            found[key].connections += 1
        else:
            found[key] = _clear(*key, "hello", proof_of(story, hello.ref, "a hello"))
    return [*found.values()]


def _datagrams(story: Story, device: Device) -> list[Channel]:
    """RMCP and alerts, which have no protection of their own."""
    pongs, alerts = device.incidents_of(Pong), device.incidents_of(PlatformAlert)
    return [
        *(
            _clear("", device.address, ports.DASH, "RMCP, UDP", proof_of(story, each.ref, "an answer to a ping"))
            for each in pongs[:1]
        ),
        *(
            _clear(device.address, each.receiver, ports.PET, "alert, UDP", proof_of(story, each.ref, "an alert"))
            for each in alerts[:1]
        ),
    ]


def _clear(client: str, server: str, port: int, what: str, proof: Evidence) -> Channel:
    return Channel(client=client, server=server, port=port, what=what, protection="clear", evidence=proof)
