"""What a journal keeps of RMCP, alerts, Kerberos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.provisioning.journal.kept import Kept

if TYPE_CHECKING:
    from typing import Self


class Rmcp(Kept, tag="rmcp", frozen=True):
    """A ping."""

    protocol: ClassVar[str] = "rmcp"
    repeats: ClassVar[bool] = True
    type: int
    acknowledges: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.type, bool(event.acknowledges))


class Pong(Kept, tag="rmcp-pong", frozen=True):
    """An answer to a ping."""

    protocol: ClassVar[str] = "rmcp"
    port: int | None
    amt_version: str
    state: int | None


class RmcpSession(Kept, tag="rmcp-session", frozen=True):
    """A session is refused."""

    protocol: ClassVar[str] = "rmcp"
    status: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.status) if event.status else None


class Trap(Kept, tag="trap", frozen=True):
    """An alert of a machine."""

    protocol: ClassVar[str] = "snmp"
    guid_smbios: str
    guid: str
    event: str
    severity: int


class Kdc(Kept, tag="kdc", frozen=True):
    """A message of Kerberos; of one that is no error, that there was one."""

    protocol: ClassVar[str] = "kerberos"
    error: int | None
    spn: str
    realm: str
    skew: int | None
