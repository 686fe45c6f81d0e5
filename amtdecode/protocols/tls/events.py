"""What a TLS connection shows besides handshake messages: alerts, protected records, how a handshake went."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from amtdecode.counting import counted
from amtdecode.fields import BOOLEAN, STRING, UINT16, UINT32, UINT64, Field, Fields
from amtdecode.model import REASON, Event
from amtdecode.protocols.tls import fields
from amtdecode.protocols.tls.registry import (
    SUITE_NAMES,
    name_of_alert,
    name_of_alert_level,
    name_of_suite,
    name_of_version,
)
from amtdecode.protocols.tls.registry.messages import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT
from amtdecode.protocols.tls.registry.versions import VERSIONS

if TYPE_CHECKING:
    from amtdecode.tree import Node

TICKET: Final = "server NewSessionTicket"


class RecordEvent(Event, frozen=True, gc=False):
    """What one record says, or all of one direction; few kinds of them are stated again and again."""

    protocol: ClassVar[str] = "tls"
    recurring: ClassVar[bool] = True
    content_type: ClassVar[int]

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """The header of its record."""
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.tls.spec import RECORD

        return tree_of(RECORD, pdu)


class ChangeCipherSpec(RecordEvent, frozen=True):
    """From here on the sender protects its records."""

    content_type: ClassVar[int] = CHANGE_CIPHER_SPEC
    declared: ClassVar[Fields] = (fields.CONTENT_TYPE.at("content_type"), fields.SENDER.at("sender"))
    sender: str
    compatibility: bool = False  # in TLS 1.3 it means nothing (RFC 8446, appendix D.4)

    def summary(self) -> str:
        """Who sent it."""
        return f"ChangeCipherSpec of the {self.sender}{', for middleboxes only' if self.compatibility else ''}"


class Alert(RecordEvent, frozen=True):
    """A readable alert: who complains of what, and when."""

    content_type: ClassVar[int] = ALERT
    declared: ClassVar[Fields] = (
        fields.CONTENT_TYPE.at("content_type"),
        fields.ALERT_LEVEL.at("level"),
        fields.ALERT_DESC.at("description"),
        Field("iamt.tls.alert.name", STRING, "registry name of the alert", "name"),
        fields.SENDER.at("sender"),
        fields.PHASE.at("phase"),
        fields.RECORD_VERSION.at("record_version", absent=0),
        fields.MACHINE.at("machine", absent=""),
        fields.AFTER.at("after", absent=""),
        fields.OPENED.at("opened", absent=False),
    )
    level: int
    description: int
    sender: str  # "client", "server"
    machine: str  # who that is, by the port: AMT, SCA, MPS; or nothing
    phase: str
    after: str  # the last handshake message before it, as "client Certificate"
    record_version: int = 0
    opened: bool = False  # it was encrypted, and a key opened it

    @property
    def name(self) -> str:
        """Registry name of the description."""
        return name_of_alert(self.description)

    @property
    def fatal(self) -> bool:
        """Whether the connection ends with it."""
        return self.level != 1

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """The record with its header; the alert alone, where it was decrypted or shares its record."""
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.tls.spec import ALERT, ALERT_RECORD

        return tree_of(ALERT if len(pdu) == 2 else ALERT_RECORD, pdu)

    def summary(self) -> str:
        """Who complains of what, and when."""
        who = f"{self.sender} ({self.machine})" if self.machine else self.sender
        after = f", after {self.after}" if self.after else ""
        return f"Alert of the {who}: {name_of_alert_level(self.level)} {self.name}, {self.phase}{after}"


class EncryptedAlert(RecordEvent, frozen=True):
    """An alert that no key opens: only who sent it and when is known."""

    content_type: ClassVar[int] = ALERT
    encrypted: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        fields.CONTENT_TYPE.at("content_type"),
        fields.RECORD_LENGTH.at("length"),
        fields.ENCRYPTED.at("encrypted"),
        fields.SENDER.at("sender"),
        fields.PHASE.at("phase"),
        fields.MACHINE.at("machine", absent=""),
        fields.AFTER.at("after", absent=""),
    )
    length: int  # of the record
    sender: str
    machine: str
    phase: str
    after: str

    def summary(self) -> str:
        """Who sent it, and when."""
        who = f"{self.sender} ({self.machine})" if self.machine else self.sender
        return f"encrypted alert of the {who}, {counted(self.length, 'byte')}, {self.phase}"


class EncryptedHandshake(RecordEvent, frozen=True):
    """A handshake record that no key opens. What must be in it by the rules of the handshake is inferred."""

    content_type: ClassVar[int] = HANDSHAKE
    encrypted: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        fields.CONTENT_TYPE.at("content_type"),
        fields.RECORD_LENGTH.at("length"),
        fields.ENCRYPTED.at("encrypted"),
        fields.SENDER.at("sender"),
        Field("iamt.tls.inferred", STRING, "what a protected message must be by its place [inferred]", "inferred", ""),
    )
    length: int  # of the record
    sender: str
    inferred: str = ""  # "Finished", where nothing else may stand

    def summary(self) -> str:
        """Who sent it, and what it must be."""
        what = f", by its place {self.inferred}" if self.inferred else ""
        return f"encrypted handshake message of the {self.sender}, {counted(self.length, 'byte')}{what}"


class Heartbeat(Event, frozen=True):
    """A heartbeat (RFC 6520); its payload length may exceed what it carries, which is how Heartbleed asked."""

    protocol: ClassVar[str] = "tls"
    content_type: ClassVar[int] = HEARTBEAT
    declared: ClassVar[Fields] = (
        fields.CONTENT_TYPE.at("content_type"),
        fields.RECORD_LENGTH.at("length"),
        fields.SENDER.at("sender"),
        fields.ENCRYPTED.at("encrypted", absent=False),
        fields.HEARTBEAT_TYPE.at("type", absent=-1),
        fields.HEARTBEAT_PAYLOAD_LENGTH.at("payload_length", absent=-1),
    )
    length: int  # of the record
    sender: str
    type: int = -1  # 1 request, 2 response; -1 encrypted
    payload_length: int = -1

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """The record with its header; the heartbeat alone, where it was decrypted."""
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.tls.spec import HEARTBEAT, HEARTBEAT_RECORD, RECORD

        return tree_of(RECORD if self.encrypted else HEARTBEAT if len(pdu) == self.length else HEARTBEAT_RECORD, pdu)

    @property
    def encrypted(self) -> bool:
        """Whether no key opens it."""
        return self.type < 0

    def summary(self) -> str:
        """Who asks or answers, and how much."""
        if self.encrypted:
            return f"encrypted heartbeat of the {self.sender}, {counted(self.length, 'byte')}"
        kind = fields.HEARTBEAT_TYPES.get(self.type, f"of type {self.type}")
        more = " (more than it carries)" if self.payload_length > self.length - 3 else ""
        return f"heartbeat {kind} of the {self.sender}, payload {counted(self.payload_length, 'byte')}{more}"


class ApplicationData(RecordEvent, frozen=True):
    """All application data records of one direction, stated once, at its end."""

    content_type: ClassVar[int] = APPLICATION_DATA
    declared: ClassVar[Fields] = (
        fields.CONTENT_TYPE.at("content_type"),
        fields.SENDER.at("sender"),
        Field("iamt.tls.records", UINT32, "application data records of a direction", "records"),
        Field("iamt.tls.bytes", UINT64, "bytes of those records", "size"),
        Field("iamt.tls.records_opened", UINT32, "how many of them a key opened", "opened"),
        Field(
            "iamt.tls.turns",
            UINT32,
            "bytes of the data sent each time this side spoke after the other had; records of at most one byte count "
            "nothing",
            "turns",
            (),
            repeated=True,
        ),
    )
    sender: str
    records: int
    size: int  # bytes of the records' fragments, as sent
    opened: int = 0  # records that a key opened
    turns: tuple[int, ...] = ()
    """Bytes of the fragments of each turn, the first 63 turns and the latest."""

    def tree(self, pdu: bytes) -> tuple[Node, ...]:  # noqa: ARG002
        """None: it stands for all records of a direction."""
        return ()

    def summary(self) -> str:
        """How much was sent, and how much of it was opened."""
        opened = f", {self.opened} opened" if self.opened else ""
        sent = f"{counted(self.records, 'record')}, {counted(self.size, 'byte')}"
        return f"application data of the {self.sender}: {sent}{opened}"


NO_ENCRYPTION: Final = "no encryption"


class Decryption(Event, frozen=True, gc=False):
    """Whether a handshake's records are opened: stated once a handshake where keys were given, or none is needed."""

    protocol: ClassVar[str] = "tls"
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        fields.OPENED.at("opened"),
        Field("iamt.tls.opened_by", STRING, "PSK, RSA key, key log, resumed session, no encryption", "method", ""),
        fields.PSK_IDENTITY.at("identity", absent=""),
        REASON.at("reason", absent=""),
        Field("iamt.tls.keys_tried", UINT32, "keys tried in vain", "tried", 0),
    )
    opened: bool
    method: str = ""  # "PSK", "RSA key", "key log", "resumed session", "no encryption" (NULL suites)
    identity: str = ""  # of the PSK
    reason: str = ""  # why it stays closed
    tried: int = 0  # keys tried in vain

    def summary(self) -> str:
        """What opened it, or why it stays closed."""
        if self.method == NO_ENCRYPTION:
            return "read without a key: the suite encrypts nothing (NULL); MACs are not verified"
        if self.opened:
            return f"opened by {self.method}{f' of identity {self.identity!r}' if self.identity else ''}"
        return f"stays closed: {self.reason}"


class TlsHandshake(Event, frozen=True, gc=False):
    """How a handshake went: stated when it completes or stops."""

    protocol: ClassVar[str] = "tls"
    recurring: ClassVar[bool] = True
    declared: ClassVar[Fields] = (
        Field(
            "iamt.tls.handshake.kind",
            STRING,
            "psk, server-authenticated, mutual, resumed, anonymous, hidden (TLS 1.3 without keys), unknown",
            "kind",
        ),
        Field(
            "iamt.tls.handshake.outcome",
            STRING,
            "complete, refused (fatal alert), closed, reset, unfinished",
            "outcome",
        ),
        Field(
            "iamt.tls.handshake.messages",
            STRING,
            "messages that came, in order, with their senders",
            "messages",
            repeated=True,
        ),
        Field("iamt.tls.version", UINT16, "version in force", "version", 0, VERSIONS),
        Field("iamt.tls.version.name", STRING, "its name", "version_name", ""),
        Field("iamt.tls.ciphersuite", UINT16, "cipher suite in force", "suite", -1, SUITE_NAMES),
        fields.CIPHER_SUITE_NAME.at("suite_names", absent=()),
        Field(
            "iamt.tls.handshake.missing",
            STRING,
            "messages that had to follow and did not come",
            "missing",
            (),
            repeated=True,
        ),
        fields.KEY_EXCHANGE.at("key_exchange", absent=""),
        Field(
            "iamt.tls.handshake.client_certificate",
            STRING,
            "sent; none (an empty list); not asked for; asked for, not sent",
            "client_certificate",
            "",
        ),
        Field("iamt.tls.handshake.resumption", STRING, "how a session was resumed: id, ticket", "resumption", ""),
        Field("iamt.tls.handshake.stopped_by", STRING, "who ended it: client, server", "stopped_by", ""),
        fields.MACHINE.at("machine", absent=""),
        Field("iamt.tls.handshake.how", STRING, "how: the alert, FIN, RST, or why it is taken for complete", "how", ""),
        fields.PHASE.at("phase", absent=""),
        fields.AFTER.at("after", absent=""),
        Field(
            "iamt.tls.handshake.renegotiation",
            BOOLEAN,
            "a handshake inside the connection an earlier one protects",
            "renegotiation",
            absent=False,
        ),
    )
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

    @property
    def after(self) -> str:
        """The same, of a handshake that was not completed."""
        return "" if self.complete else self.stopped_after

    @property
    def version_name(self) -> str:
        """Name of the version; nothing where it is unknown."""
        return name_of_version(self.version) if self.version else ""

    @property
    def suite_names(self) -> tuple[str, ...]:
        """Name of the cipher suite; nothing where it is unknown."""
        return (name_of_suite(self.suite),) if self.suite >= 0 else ()

    def summary(self) -> str:
        """What kind of handshake, how it ended, and where."""
        version = self.version_name or "TLS"
        again = "renegotiation" if self.renegotiation else "handshake"
        kind = "PSK" if self.kind == "psk" else self.kind
        if self.complete:
            suite = f", {name_of_suite(self.suite)}" if self.suite >= 0 else ", nothing of it is readable"
            return f"{version} {kind} {again} complete{suite}"
        who = f"the {self.stopped_by}{f' ({self.machine})' if self.machine else ''}: " if self.stopped_by else ""
        due = next((message for message in self.missing if message != TICKET), "")  # a ticket only helps the next one
        missing = f"; {due} did not come" if due else ""
        return f"{version} {kind} {again} {self.outcome} after {self.stopped_after}, {who}{self.how}{missing}"


EVENTS: Final = (
    ChangeCipherSpec,
    Alert,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
    ApplicationData,
    Decryption,
    TlsHandshake,
)
