"""The shape of an audit: exactly the JSON that `diagnose --audit -T json` prints."""

from __future__ import annotations

import msgspec

from amtdecode.diagnosis.report import (  # msgspec reads annotations
    Evidence,  # noqa: TC001
    Finding,  # noqa: TC001
    InputHealth,  # noqa: TC001
    NotJudged,  # noqa: TC001
)

SCHEMA_VERSION = 1


class Channel(msgspec.Struct, kw_only=True):
    """Connections alike between two hosts, and how they were protected."""

    client: str
    server: str
    port: int
    what: str
    """What the port is for."""
    protection: str
    """`tls`, `clear`, `none` (nothing went over it), `failed` (a handshake without end), `unknown`."""
    version: str = ""
    """Of TLS, as `TLS 1.2`."""
    suite: str = ""
    mutual: bool = False
    """The client showed a certificate too."""
    opened: bool = False
    """Decrypted here, with the keys given."""
    local: bool = False
    """Inside one host."""
    connections: int = 1
    evidence: Evidence


class Actor(msgspec.Struct, kw_only=True):
    """A host that set up or managed a machine."""

    host: str
    connections: int
    users: list[str] = msgspec.field(default_factory=list)
    """Whom it logged in as, as far as that is seen."""
    certificate: str = ""
    """Subject of the certificate it showed."""
    evidence: Evidence


class Change(msgspec.Struct, kw_only=True):
    """A call that changed what the machine is set to."""

    call: str
    client: str
    user: str
    tls: bool
    answered: bool
    count: int
    time: str | None
    evidence: Evidence


class Right(msgspec.Struct, kw_only=True):
    """An entry of the access control list, as written."""

    user: str
    realms: list[str]
    call: str
    client: str
    evidence: Evidence


class Shown(msgspec.Struct, kw_only=True):
    """A certificate that the machine, or who calls it, showed."""

    by: str
    """`machine` or `client`."""
    host: str
    subject: str
    issuer: str
    not_after: str
    sha256: str
    connections: int
    evidence: Evidence


class MachineAudit(msgspec.Struct, kw_only=True):
    """One machine."""

    id: int
    name: str
    addresses: list[str]
    channels: list[Channel] = msgspec.field(default_factory=list)
    provisioners: list[Actor] = msgspec.field(default_factory=list)
    managers: list[Actor] = msgspec.field(default_factory=list)
    changes: list[Change] = msgspec.field(default_factory=list)
    rights: list[Right] = msgspec.field(default_factory=list)
    certificates: list[Shown] = msgspec.field(default_factory=list)
    unseen: list[str] = msgspec.field(default_factory=list)
    """What of this machine cannot be seen here, and why."""


class Audit(msgspec.Struct, kw_only=True):
    """What `diagnose --audit` answers."""

    schema: int = SCHEMA_VERSION
    inputs: list[str] = msgspec.field(default_factory=list)
    health: list[InputHealth] = msgspec.field(default_factory=list)
    machines: list[MachineAudit] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    """Those of the diagnosis that are about exposure, forgery and certificates, and those of the audit itself."""
    not_judged: list[NotJudged] = msgspec.field(default_factory=list)
    unseen: list[str] = msgspec.field(default_factory=list)
    """What no capture like these can show."""
