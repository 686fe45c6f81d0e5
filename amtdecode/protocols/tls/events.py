"""What a TLS connection shows besides handshake messages: alerts, protected records, how a handshake went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.model import Event
from amtdecode.protocols.tls.kept import keep_text, kept_fields
from amtdecode.protocols.tls.registry import name_of_alert, name_of_alert_level, name_of_suite, name_of_version

if TYPE_CHECKING:
    from collections.abc import Mapping


TICKET = "server NewSessionTicket"


class KeptEvent(Event, frozen=True, dict=True, gc=True):
    """An event of which few kinds there are, stated again and again."""

    protocol: ClassVar[str] = "tls"

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        return kept_fields(self)


class ChangeCipherSpec(KeptEvent, frozen=True):
    """From here on the sender protects its records."""

    sender: str
    compatibility: bool = False  # in TLS 1.3 it means nothing (RFC 8446, appendix D.4)

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        return f"ChangeCipherSpec of the {self.sender}{', for middleboxes only' if self.compatibility else ''}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {"tls.record.content_type": 20, "iamt.tls.sender": self.sender}


class Alert(KeptEvent, frozen=True):
    """A readable alert: who complains of what, and when."""

    level: int
    description: int
    sender: str  # "client", "server"
    machine: str  # who that is, by the port: AMT, SCA, MPS; or nothing
    phase: str
    after: str  # the last handshake message before it, as "client Certificate"
    record_version: int = 0
    opened: bool = False  # it was encrypted, and a key opened it

    @property
    def fatal(self) -> bool:
        """Whether the connection ends with it."""
        return self.level != 1

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        who = f"{self.sender} ({self.machine})" if self.machine else self.sender
        after = f", after {self.after}" if self.after else ""
        level, name = name_of_alert_level(self.level), name_of_alert(self.description)
        return f"Alert of the {who}: {level} {name}, {self.phase}{after}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.record.content_type": 21,
            "tls.alert_message.level": self.level,
            "tls.alert_message.desc": self.description,
            "iamt.tls.alert.name": name_of_alert(self.description),
            "iamt.tls.sender": self.sender,
            "iamt.tls.phase": self.phase,
        }
        if self.record_version:
            fields["tls.record.version"] = self.record_version
        if self.machine:
            fields["iamt.tls.machine"] = self.machine
        if self.after:
            fields["iamt.tls.after"] = self.after
        if self.opened:
            fields["iamt.tls.opened"] = True
        return fields


class EncryptedAlert(KeptEvent, frozen=True):
    """An alert that no key opens: only who sent it and when is known."""

    length: int  # of the record
    sender: str
    machine: str
    phase: str
    after: str

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        who = f"{self.sender} ({self.machine})" if self.machine else self.sender
        return f"encrypted alert of the {who}, {self.length} bytes, {self.phase}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.record.content_type": 21,
            "tls.record.length": self.length,
            "iamt.tls.encrypted": True,
            "iamt.tls.sender": self.sender,
            "iamt.tls.phase": self.phase,
        }
        if self.machine:
            fields["iamt.tls.machine"] = self.machine
        if self.after:
            fields["iamt.tls.after"] = self.after
        return fields


class EncryptedHandshake(KeptEvent, frozen=True):
    """A handshake record that no key opens. What must be in it by the rules of the handshake is inferred."""

    length: int  # of the record
    sender: str
    inferred: str = ""  # "Finished", where nothing else may stand

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        what = f", by its place {self.inferred}" if self.inferred else ""
        return f"encrypted handshake message of the {self.sender}, {self.length} bytes{what}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.record.content_type": 22,
            "tls.record.length": self.length,
            "iamt.tls.encrypted": True,
            "iamt.tls.sender": self.sender,
        }
        if self.inferred:
            fields["iamt.tls.inferred"] = self.inferred
        return fields


class Heartbeat(Event, frozen=True):
    """A heartbeat (RFC 6520); its payload length may exceed what it carries, which is how Heartbleed asked."""

    protocol: ClassVar[str] = "tls"
    length: int  # of the record
    sender: str
    type: int = -1  # 1 request, 2 response; -1 encrypted
    payload_length: int = -1

    def summary(self) -> str:
        """See `Event`."""
        if self.type < 0:
            return f"encrypted heartbeat of the {self.sender}, {self.length} bytes"
        kind = {1: "request", 2: "response"}.get(self.type, f"of type {self.type}")
        more = " (more than it carries)" if self.payload_length > self.length - 3 else ""
        return f"heartbeat {kind} of the {self.sender}, payload {self.payload_length} bytes{more}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "tls.record.content_type": 24,
            "tls.record.length": self.length,
            "iamt.tls.sender": self.sender,
        }
        if self.type < 0:
            fields["iamt.tls.encrypted"] = True
        else:
            fields["tls.heartbeat_message.type"] = self.type
            fields["tls.heartbeat_message.payload_length"] = self.payload_length
        return fields


class ApplicationData(KeptEvent, frozen=True):
    """All application data records of one direction, stated once, at its end."""

    sender: str
    records: int
    size: int  # bytes of the records' fragments, as sent
    opened: int = 0  # records that a key opened

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        opened = f", {self.opened} opened" if self.opened else ""
        return f"application data of the {self.sender}: {self.records} records, {self.size} bytes{opened}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        return {
            "tls.record.content_type": 23,
            "iamt.tls.sender": self.sender,
            "iamt.tls.records": self.records,
            "iamt.tls.bytes": self.size,
            "iamt.tls.records_opened": self.opened,
        }


class Decryption(KeptEvent, frozen=True):
    """Whether the keys given open a handshake's records: stated once a handshake, only where keys were given."""

    opened: bool
    method: str = ""  # "PSK", "RSA key", "key log", "resumed session"
    identity: str = ""  # of the PSK
    reason: str = ""  # why it stays closed
    tried: int = 0  # keys tried in vain

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        if self.opened:
            return f"opened by {self.method}{f' of identity {self.identity!r}' if self.identity else ''}"
        return f"stays closed: {self.reason}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"iamt.tls.opened": self.opened}
        if self.method:
            fields["iamt.tls.opened_by"] = self.method
        if self.identity:
            fields["iamt.tls.psk.identity"] = self.identity
        if self.reason:
            fields["iamt.reason"] = self.reason
        if self.tried:
            fields["iamt.tls.keys_tried"] = self.tried
        return fields


class TlsHandshake(KeptEvent, frozen=True):
    """How a handshake went: stated when it completes or stops."""

    kind: str
    """psk, server-authenticated, mutual, resumed, anonymous, hidden (TLS 1.3 without keys), unknown."""
    outcome: str  # complete, refused (fatal alert), closed, reset, unfinished (the capture or its record ends)
    version: int = 0
    suite: int = -1
    key_exchange: str = ""
    messages: tuple[str, ...] = ()  # in order, as "client ClientHello"
    missing: tuple[str, ...] = ()  # what should have come next, in order
    client_certificate: str = ""  # sent, none (an empty list), not asked for; nothing where unknown
    resumption: str = ""  # "id", "ticket"
    renegotiation: bool = False
    stopped_by: str = ""  # client, server
    machine: str = ""  # who that is, by the port
    how: str = ""  # "fatal unknown_ca", "FIN", "RST", "the capture ends", …
    phase: str = ""  # in which it stopped

    @property
    def complete(self) -> bool:
        """Whether both sides finished it."""
        return self.outcome == "complete"

    @property
    def stopped_after(self) -> str:
        """The last message that came."""
        return self.messages[-1] if self.messages else ""

    @keep_text
    def summary(self) -> str:
        """See `Event`."""
        version = name_of_version(self.version) if self.version else "TLS"
        again = "renegotiation" if self.renegotiation else "handshake"
        kind = "PSK" if self.kind == "psk" else self.kind
        if self.complete:
            suite = f", {name_of_suite(self.suite)}" if self.suite >= 0 else ", nothing of it is readable"
            return f"{version} {kind} {again} complete{suite}"
        who = f"the {self.stopped_by}{f' ({self.machine})' if self.machine else ''}: " if self.stopped_by else ""
        due = next((message for message in self.missing if message != TICKET), "")  # a ticket only helps the next one
        missing = f"; {due} did not come" if due else ""
        return f"{version} {kind} {again} {self.outcome} after {self.stopped_after}, {who}{self.how}{missing}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "iamt.tls.handshake.kind": self.kind,
            "iamt.tls.handshake.outcome": self.outcome,
            "iamt.tls.handshake.messages": list(self.messages),
        }
        if self.version:
            fields["iamt.tls.version"] = self.version
            fields["iamt.tls.version.name"] = name_of_version(self.version)
        if self.suite >= 0:
            fields["iamt.tls.ciphersuite"] = self.suite
            fields["iamt.tls.ciphersuite.name"] = [name_of_suite(self.suite)]
        if self.missing:
            fields["iamt.tls.handshake.missing"] = list(self.missing)
        texts = (
            ("iamt.tls.key_exchange", self.key_exchange),
            ("iamt.tls.handshake.client_certificate", self.client_certificate),
            ("iamt.tls.handshake.resumption", self.resumption),
            ("iamt.tls.handshake.stopped_by", self.stopped_by),
            ("iamt.tls.machine", self.machine),
            ("iamt.tls.handshake.how", self.how),
            ("iamt.tls.phase", self.phase),
            ("iamt.tls.after", "" if self.complete else self.stopped_after),
        )
        fields.update((name, value) for name, value in texts if value)
        if self.renegotiation:
            fields["iamt.tls.handshake.renegotiation"] = True
        return fields
