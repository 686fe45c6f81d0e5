"""What a journal keeps of TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.provisioning.journal.kept import MAX_TEXT, MAX_VALUES, Kept, short

if TYPE_CHECKING:
    from typing import Self


class Tls(Kept, frozen=True):
    """Base."""

    protocol: ClassVar[str] = "tls"


class ClientHello(Tls, tag="tls-client-hello", frozen=True):
    """What the client offers."""

    sender: str
    highest_version: int
    cipher_suites: tuple[int, ...]
    server_name: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        suites = tuple(event.cipher_suites[:MAX_VALUES])
        return cls(getattr(event, "sender", ""), event.highest_version, suites, short(event.server_name))


class ServerHello(Tls, tag="tls-server-hello", frozen=True):
    """What the server chose."""

    sender: str
    chosen_version: int
    suite: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), event.chosen_version, event.suite)


class Certificate(Tls, tag="tls-certificate", frozen=True):
    """A chain, of either side."""

    sender: str
    chain: tuple[bytes, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.sender, tuple(event.chain[:MAX_VALUES]))


class CertificateRequest(Tls, tag="tls-request", frozen=True):
    """The server wants the client's certificate."""

    sender: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""))


class ClientKeyExchange(Tls, tag="tls-key-exchange", frozen=True):
    """The PSK identity, or the encrypted premaster secret."""

    sender: str
    identity: bytes | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        identity = event.identity
        return cls(getattr(event, "sender", ""), None if identity is None else bytes(identity[:MAX_TEXT]))


class CertificateVerify(Tls, tag="tls-verify", frozen=True):
    """A side proves that it has the private key."""

    sender: str


class ChangeCipherSpec(Tls, tag="tls-ccs", frozen=True):
    """A side switches to encryption."""

    sender: str


class Alert(Tls, tag="tls-alert", frozen=True):
    """A readable alert."""

    sender: str
    level: int
    description: int
    phase: str
    after: str


class EncryptedAlert(Tls, tag="tls-alert-closed", frozen=True):
    """An alert that no key opens."""

    sender: str
    phase: str
    after: str


class ApplicationData(Tls, tag="tls-data", frozen=True):
    """How much was said inside, one direction at a time."""

    sender: str
    size: int
    opened: int
    turns: tuple[int, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.sender, event.size, int(event.opened), tuple(event.turns))


class TlsHandshake(Tls, tag="tls-handshake", frozen=True):
    """How it went."""

    sender: str
    complete: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), bool(event.complete)) if event.complete else None


class EncryptedHandshake(Tls, tag="tls-finished", frozen=True):
    """A Finished that stays closed."""

    sender: str
    inferred: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(getattr(event, "sender", ""), event.inferred) if event.inferred == "Finished" else None
