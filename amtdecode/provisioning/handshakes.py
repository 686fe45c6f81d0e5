"""TLS: what a connection to or from a machine shows of its handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.model import Direction
from amtdecode.provisioning.facts import MAX_ALERTS, Alert, Handshake

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.provisioning.facts import Device
    from amtdecode.provisioning.tracker import Tracker

MAX_SUITES = 64  # suites of a ClientHello that are kept
MAX_CHAIN = 10  # certificates of one chain that are kept
MAX_CHAIN_BYTES = 32_768
MAX_IDENTITY = 64


def _tls(tracker: Tracker, observation: Observation) -> tuple[Device, Handshake] | None:
    found = tracker.session(observation)
    if found is None:
        return None
    tracker.story.seen.add("tls")
    device, session = found
    if session.handshake is None:
        session.handshake = Handshake()
    return device, session.handshake


def client_hello(tracker: Tracker, observation: Observation) -> None:
    """What the client offers."""
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    tls = found[1]
    tls.client_hello = tracker.ref(observation)
    tls.offered_version = event.highest_version
    tls.offered_suites = tracker.share(tuple(event.cipher_suites[:MAX_SUITES]))
    tls.server_name = event.server_name


def server_hello(tracker: Tracker, observation: Observation) -> None:
    """What the server chose."""
    if (found := _tls(tracker, observation)) is None:
        return
    from amtdecode.protocols.tls.registry import name_of_suite

    event: Any = observation.event
    tls = found[1]
    tls.server_hello = tracker.ref(observation)
    tls.version, tls.suite = event.chosen_version, event.suite
    tls.suite_name = name_of_suite(event.suite) if event.suite >= 0 else ""


def certificate(tracker: Tracker, observation: Observation) -> None:
    """A chain, of either side."""
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    tls = found[1]
    chain: tuple[bytes, ...] = event.chain[:MAX_CHAIN]
    if sum(map(len, chain)) > MAX_CHAIN_BYTES:
        chain = chain[:1] if len(chain[0]) <= MAX_CHAIN_BYTES else ()
    tracker.story.seen.add("certificate")
    if event.sender == "client":
        tls.client_certificate = tracker.ref(observation)
        tls.client_chain = tracker.share(chain)
    else:
        tls.server_certificate = tracker.ref(observation)
        tls.server_chain = (*chain[:1], *map(tracker.share, chain[1:]))  # the leaf is each machine's own


def certificate_request(tracker: Tracker, observation: Observation) -> None:
    """The server wants the client's certificate."""
    if (found := _tls(tracker, observation)) is not None:
        found[1].request = tracker.ref(observation)


def client_key_exchange(tracker: Tracker, observation: Observation) -> None:
    """The PSK identity, or the encrypted premaster secret."""
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    found[1].key_exchange = tracker.ref(observation)
    if event.identity is not None:
        hello = found[0].last_hello
        identity = _identity(event.identity)
        found[1].psk_identity = hello.pid if hello is not None and hello.pid == identity else identity


def _identity(raw: bytes) -> str:
    return raw[:MAX_IDENTITY].decode("utf-8", "backslashreplace")


def certificate_verify(tracker: Tracker, observation: Observation) -> None:
    """The client proves that it has the private key."""
    if observation.event.sender == "client" and (found := _tls(tracker, observation)) is not None:  # type: ignore[attr-defined]
        found[1].verify = tracker.ref(observation)


def change_cipher_spec(tracker: Tracker, observation: Observation) -> None:
    """A side switches to encryption."""
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    if event.sender == "client":
        found[1].client_ccs = tracker.ref(observation)
    else:
        found[1].server_ccs = tracker.ref(observation)


def alert(tracker: Tracker, observation: Observation) -> None:
    """A readable alert."""
    event: Any = observation.event
    _alert(tracker, observation, event.level, event.description)


def encrypted_alert(tracker: Tracker, observation: Observation) -> None:
    """An alert that no key opens."""
    _alert(tracker, observation, -1, -1)


def _alert(tracker: Tracker, observation: Observation, level: int, code: int) -> None:
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    alerts = found[1].alerts
    if len(alerts) < MAX_ALERTS:
        phase = f"{event.phase}, after {event.after}" if event.after else event.phase
        alerts.append(Alert(tracker.ref(observation), event.sender == "server", level, code, tracker.share(phase)))


def application_data(tracker: Tracker, observation: Observation) -> None:
    """How much was said inside, one direction at a time."""
    if (found := _tls(tracker, observation)) is None:
        return
    event: Any = observation.event
    tls = found[1]
    tls.last_data = max(tls.last_data, tracker.ref(observation))
    if event.sender == "client":
        tls.client_records += event.records
        tls.client_bytes += event.size
    else:
        tls.server_records += event.records
        tls.server_bytes += event.size
    if event.opened:
        tls.opened = True


def handshake(tracker: Tracker, observation: Observation) -> None:
    """How it went, where the messages themselves were hidden or resumed."""
    event: Any = observation.event
    if event.complete and (found := _tls(tracker, observation)) is not None:
        tls = found[1]
        proof = tracker.ref(observation)
        tls.client_ccs = tls.client_ccs or proof
        tls.server_ccs = tls.server_ccs or proof
        tls.complete = True


def encrypted_handshake(tracker: Tracker, observation: Observation) -> None:
    """A Finished that stays closed: its place tells."""
    if observation.event.inferred == "Finished" and (found := _tls(tracker, observation)) is not None:  # type: ignore[attr-defined]
        if observation.direction == Direction.TO_CLIENT:
            found[1].server_finished = tracker.ref(observation)
        else:
            found[1].client_finished = tracker.ref(observation)


HANDLERS = {
    "ClientHello": client_hello,
    "ServerHello": server_hello,
    "Certificate": certificate,
    "CertificateRequest": certificate_request,
    "ClientKeyExchange": client_key_exchange,
    "CertificateVerify": certificate_verify,
    "ChangeCipherSpec": change_cipher_spec,
    "Alert": alert,
    "EncryptedAlert": encrypted_alert,
    "ApplicationData": application_data,
    "TlsHandshake": handshake,
    "EncryptedHandshake": encrypted_handshake,
}
