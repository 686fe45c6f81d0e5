"""TLS: what a connection to or from a machine shows of its handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.model import Direction
from amtdecode.protocols.tls.registry import name_of_suite
from amtdecode.provisioning.state import Alert, Handshake

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.tls.events import Alert as AlertEvent
    from amtdecode.protocols.tls.events import (
        ApplicationData,
        ChangeCipherSpec,
        EncryptedAlert,
        EncryptedHandshake,
        TlsHandshake,
    )
    from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
    from amtdecode.protocols.tls.messages import (
        Certificate,
        CertificateRequest,
        CertificateVerify,
        ClientKeyExchange,
    )
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device

MAX_ALERTS = 4  # TLS alerts kept per connection
WARNING, CLOSE_NOTIFY = 1, 0
ALERT_LEVELS = (-1, 1, 2)  # encrypted, warning, fatal (RFC 5246 §7.2); others are no alert
MAX_SUITES = 64  # suites of a ClientHello that are kept
MAX_CHAIN = 10  # certificates of one chain that are kept
MAX_CHAIN_BYTES = 32_768
MAX_IDENTITY = 64
LOGIN_REQUESTS = 2  # the first is challenged, and sent again with credentials (RFC 7616)


def _tls(machines: Machines, observation: Observation, event: object) -> tuple[Device, Handshake] | None:
    found = machines.session(observation)
    if found is None:
        return None
    machines.story.seen.add("tls")
    device, session = found
    if session.cira is not None and (getattr(event, "sender", "") == "client") is not (
        observation.direction is Direction.TO_SERVER
    ):
        return None  # TLS inside a channel, in which the server of the connection is the client
    if session.handshake is None:
        session.handshake = Handshake()
    session.handshake.heard = observation.time_ns
    return device, session.handshake


def take_client_hello(machines: Machines, observation: Observation, event: ClientHello) -> None:
    """What the client offers."""
    if (found := _tls(machines, observation, event)) is None:
        return
    tls = found[1]
    tls.client_hello = machines.ref(observation)
    tls.offered_version = event.highest_version
    tls.offered_suites = machines.share(tuple(event.cipher_suites[:MAX_SUITES]))
    tls.server_name = event.server_name


def take_server_hello(machines: Machines, observation: Observation, event: ServerHello) -> None:
    """What the server chose."""
    if (found := _tls(machines, observation, event)) is None:
        return
    tls = found[1]
    tls.server_hello = machines.ref(observation)
    tls.version, tls.suite = event.chosen_version, event.suite
    tls.suite_name = name_of_suite(event.suite) if event.suite >= 0 else ""


def take_certificate(machines: Machines, observation: Observation, event: Certificate) -> None:
    """A chain, of either side."""
    if (found := _tls(machines, observation, event)) is None:
        return
    tls = found[1]
    chain: tuple[bytes, ...] = event.chain[:MAX_CHAIN]
    if sum(map(len, chain)) > MAX_CHAIN_BYTES:
        chain = chain[:1] if len(chain[0]) <= MAX_CHAIN_BYTES else ()
    machines.story.seen.add("certificate")
    if event.sender == "client":
        tls.client_certificate = machines.ref(observation)
        tls.client_chain = machines.share(chain)
    else:
        tls.server_certificate = machines.ref(observation)
        tls.server_chain = (*chain[:1], *map(machines.share, chain[1:]))  # the leaf is each machine's own


def take_certificate_request(machines: Machines, observation: Observation, event: CertificateRequest) -> None:
    """The server wants the client's certificate."""
    if (found := _tls(machines, observation, event)) is not None:
        found[1].request = machines.ref(observation)


def take_client_key_exchange(machines: Machines, observation: Observation, event: ClientKeyExchange) -> None:
    """The PSK identity, or the encrypted premaster secret."""
    if (found := _tls(machines, observation, event)) is None:
        return
    found[1].key_exchange = machines.ref(observation)
    if event.identity is not None:
        hello = found[0].last_hello
        identity = _identity(event.identity)
        found[1].psk_identity = hello.pid if hello is not None and hello.pid == identity else identity


def _identity(raw: bytes) -> str:
    return raw[:MAX_IDENTITY].decode("utf-8", "backslashreplace")


def take_certificate_verify(machines: Machines, observation: Observation, event: CertificateVerify) -> None:
    """The client proves that it has the private key."""
    if event.sender == "client" and (found := _tls(machines, observation, event)) is not None:
        found[1].verify = machines.ref(observation)


def take_change_cipher_spec(machines: Machines, observation: Observation, event: ChangeCipherSpec) -> None:
    """A side switches to encryption."""
    if (found := _tls(machines, observation, event)) is None:
        return
    if event.sender == "client":
        found[1].client_ccs = machines.ref(observation)
    else:
        found[1].server_ccs = machines.ref(observation)


def take_alert(machines: Machines, observation: Observation, event: AlertEvent) -> None:
    """A readable alert."""
    _note_alert(machines, observation, event, event.level, event.description)


def take_encrypted_alert(machines: Machines, observation: Observation, event: EncryptedAlert) -> None:
    """An alert that no key opens."""
    _note_alert(machines, observation, event, -1, -1)


def _note_alert(
    machines: Machines, observation: Observation, event: AlertEvent | EncryptedAlert, level: int, code: int
) -> None:
    if (found := _tls(machines, observation, event)) is None:
        return
    tls = found[1]
    other_ended = tls.server_bytes if event.sender == "client" else tls.client_bytes  # told when a side has ended
    if not tls.closed_by and not other_ended and (level != WARNING or code == CLOSE_NOTIFY):
        tls.closed_by = event.sender
    alerts = tls.alerts
    if len(alerts) < MAX_ALERTS and level in ALERT_LEVELS:
        phase = f"{event.phase}, after {event.after}" if event.after else event.phase
        alerts.append(Alert(machines.ref(observation), event.sender == "server", level, code, machines.share(phase)))


def take_application_data(machines: Machines, observation: Observation, event: ApplicationData) -> None:
    """How much was said inside, one direction at a time."""
    if (found := _tls(machines, observation, event)) is None:
        return
    tls = found[1]
    tls.last_data = max(tls.last_data, machines.ref(observation))
    if event.sender == "client":
        tls.requests += len(event.turns)
        tls.client_bytes += event.size
        later = event.turns[LOGIN_REQUESTS:]
        tls.last_is_least = bool(later) and later[-1] == min(later)
    else:
        tls.answers += len(event.turns)
        tls.server_bytes += event.size
        tls.answer_sizes += len(set(event.turns))
    if event.opened:
        tls.opened = True


def take_handshake(machines: Machines, observation: Observation, event: TlsHandshake) -> None:
    """How it went, where the messages themselves were hidden or resumed."""
    if event.complete and (found := _tls(machines, observation, event)) is not None:
        tls = found[1]
        proof = machines.ref(observation)
        tls.client_ccs = tls.client_ccs or proof
        tls.server_ccs = tls.server_ccs or proof
        tls.complete = True


def take_encrypted_handshake(machines: Machines, observation: Observation, event: EncryptedHandshake) -> None:
    """A Finished that stays closed: its place tells."""
    if event.inferred == "Finished" and (found := _tls(machines, observation, event)) is not None:
        if observation.direction == Direction.TO_CLIENT:
            found[1].server_finished = machines.ref(observation)
        else:
            found[1].client_finished = machines.ref(observation)
