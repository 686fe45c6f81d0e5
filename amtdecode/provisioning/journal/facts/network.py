"""What a journal keeps of the capture, the network and its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from amtdecode.capture.health import Health as HealthEvent  # noqa: TC001 - msgspec reads annotations
from amtdecode.masking import masked
from amtdecode.model import Gap, Malformed, Truncated, address_text
from amtdecode.provisioning.journal.kept import MAX_TEXT, Kept, short

if TYPE_CHECKING:
    from typing import Self

FAULTY_LAYERS = frozenset(("dns", "dhcp", "dhcpv6", "iamt.apf", "iamt.hello"))


class Connection(Kept, tag="tcp", frozen=True):
    """How a connection fared."""

    protocol: ClassVar[str] = "tcp"
    state: str
    syn_count: int
    client_bytes: int
    server_bytes: int
    first_time_ns: int | None
    last_time_ns: int | None
    closed_by: str
    client_mac: str
    vlan: int
    client_missing: int
    server_missing: int
    only: str
    broken_by: str


class Fault(Kept, tag="fault", frozen=True):
    """Bytes that break their rules, or are missing."""

    layer: str
    kind: Literal["Malformed", "Truncated", "Gap"]
    reason: str
    size: int  # of a gap: bytes; else the offset
    missing: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.layer not in FAULTY_LAYERS:
            return None
        reason = short(getattr(event, "reason", ""))
        if isinstance(event, Gap):
            return cls(event.layer, "Gap", reason, event.size, 0)
        if isinstance(event, Truncated):
            return cls(event.layer, "Truncated", reason, event.offset, event.missing)
        return cls(event.layer, "Malformed", reason, 0, 0)

    def as_event(self) -> Any:
        if self.kind == "Gap":
            return Gap(self.layer, self.size)
        if self.kind == "Truncated":
            return Truncated(self.layer, self.reason, self.size, self.missing)
        return Malformed(self.layer, self.reason)


class Health(Kept, tag="health", frozen=True):
    """How far an input can be trusted."""

    protocol: ClassVar[str] = "capture"
    health: HealthEvent

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event)

    def as_event(self) -> Any:
        return self.health


class Comment(Kept, tag="comment", frozen=True):
    """Of a packet."""

    protocol: ClassVar[str] = "pcapng"
    subject: str
    text: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.subject != "packet":
            return None
        return cls("packet", masked(" ".join(event.text.split()))[:MAX_TEXT])


class Names(Kept, tag="names", frozen=True):
    """That a capture keeps for an address."""

    protocol: ClassVar[str] = "pcapng"
    address: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.address, tuple(event.names[:1])) if event.names else None


class IcmpError(Kept, tag="icmp", frozen=True):
    """A packet did not arrive."""

    protocol: ClassVar[str] = "icmp"
    repeats: ClassVar[bool] = True
    meaning: str
    reporter: str


class Arp(Kept, tag="arp", frozen=True):
    """One message of ARP: its 28 bytes."""

    protocol: ClassVar[str] = "arp"
    repeats: ClassVar[bool] = True
    data: bytes

    @classmethod
    def of(cls, event: Any) -> Self | None:
        data = bytes(event.data[:28])
        if data[7] == 1 and (data[14:18] == data[24:28] or data[14:18] == b"\0\0\0\0"):
            return None
        return cls(data)

    @property
    def target_address(self) -> str:
        """The one asked for."""
        return address_text(self.data[24:28])

    @property
    def source_address(self) -> str:
        """Of the sender."""
        return address_text(self.data[14:18])

    @property
    def source_mac(self) -> str:
        """Of the sender."""
        return self.data[8:14].hex(":")
