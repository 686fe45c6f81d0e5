"""The event of the LLDP room, and the reader that makes it of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.model import Event, Malformed, address_text
from amtdecode.protocols.lldp import fields as lldp
from amtdecode.protocols.lldp.names import hardware, ipv4, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.fields import Fields
    from amtdecode.tree import Node

MAX_PARTS = 64  # parts of a frame that are read; switches send some 20


class LldpMessage(Event, frozen=True, gc=False):
    """What a switch, or another neighbour, says of itself and of its port. `parts`: type and value of each."""

    protocol: ClassVar[str] = lldp.NAME
    declared: ClassVar[Fields] = lldp.LLDP
    parts: tuple[tuple[int, bytes], ...]

    def _first(self, kind: int) -> bytes:
        return next((value for each, value in self.parts if each == kind), b"")

    def _text(self, kind: int) -> str:
        return text(self._first(kind))

    def _named(self, part: int) -> tuple[int | None, bytes]:
        """What names a chassis or port, and the name."""
        value = self._first(part)
        return (value[0] if value else None), value[1:]

    def _own(self, subtype: int) -> Iterator[bytes]:
        """The values of a part of 802.1's own."""
        head = lldp.IEEE_802_1.to_bytes(3, "big") + bytes((subtype,))
        return (value[4:] for kind, value in self.parts if kind == lldp.ORGANISATION and value[:4] == head)

    @property
    def chassis_kind(self) -> int | None:
        """4 MAC address, 5 network address."""
        return self._named(lldp.CHASSIS)[0]

    @property
    def chassis_mac(self) -> str:
        """As 00:11:22:33:44:55; "" where something else names it."""
        return hardware(*self._named(lldp.CHASSIS), lldp.CHASSIS_MAC)

    @property
    def chassis_ip4(self) -> str:
        """The same of an IPv4 address."""
        return ipv4(*self._named(lldp.CHASSIS), lldp.CHASSIS_ADDRESS)

    @property
    def chassis_id(self) -> bytes:
        """The name, where it is neither."""
        return b"" if self.chassis_mac or self.chassis_ip4 else self._named(lldp.CHASSIS)[1]

    @property
    def port_kind(self) -> int | None:
        """3 MAC address, 4 network address, 5 name of the interface."""
        return self._named(lldp.PORT)[0]

    @property
    def port_mac(self) -> str:
        """As 00:11:22:33:44:55; "" where something else names it."""
        return hardware(*self._named(lldp.PORT), lldp.PORT_MAC)

    @property
    def port_ip4(self) -> str:
        """The same of an IPv4 address."""
        return ipv4(*self._named(lldp.PORT), lldp.PORT_ADDRESS)

    @property
    def port_id(self) -> str:
        """The name, where it is neither."""
        return "" if self.port_mac or self.port_ip4 else text(self._named(lldp.PORT)[1])

    @property
    def ttl(self) -> int | None:
        """Seconds."""
        value = self._first(lldp.TTL)
        return int.from_bytes(value[:2], "big") if len(value) >= 2 else None

    @property
    def port_description(self) -> str:
        """In the administrator's or the maker's words."""
        return self._text(lldp.PORT_DESC)

    @property
    def system_name(self) -> str:
        """Mostly the host name."""
        return self._text(lldp.SYSTEM_NAME)

    @property
    def system_description(self) -> str:
        """Model and software."""
        return self._text(lldp.SYSTEM_DESC)

    @property
    def enabled(self) -> int | None:
        """Capabilities that are in use, as bits."""
        value = self._first(lldp.CAPABILITIES)
        return int.from_bytes(value[2:4], "big") if len(value) >= 4 else None

    @property
    def management(self) -> tuple[str, ...]:
        """IPv4 addresses."""
        values = [value for kind, value in self.parts if kind == lldp.MANAGEMENT]
        return tuple(address_text(value[2:6]) for value in values if value[:2] == b"\5\1" and len(value) >= 6)

    @property
    def port_vlan(self) -> int | None:
        """Number of the VLAN in which untagged frames are."""
        return next((int.from_bytes(each[:2], "big") for each in self._own(lldp.PORT_VLAN) if len(each) >= 2), None)

    @property
    def vlans(self) -> tuple[int, ...]:
        """Numbers, in the order of the names."""
        return tuple(int.from_bytes(each[:2], "big") for each in self._own(lldp.VLAN_NAME) if len(each) >= 3)

    @property
    def vlan_names(self) -> tuple[str, ...]:
        """In the order of the numbers."""
        return tuple(text(each[3 : 3 + each[2]]) for each in self._own(lldp.VLAN_NAME) if len(each) >= 3)

    @property
    def switch(self) -> str:
        """What the neighbour is called: its name, else what names its chassis."""
        return self.system_name or self.chassis_mac or self.chassis_ip4 or text(self.chassis_id)

    @property
    def port(self) -> str:
        """What its port is called: the name, else its description."""
        return self.port_id or self.port_description or self.port_mac or self.port_ip4

    @property
    def is_switch(self) -> bool:
        """Whether it says that it forwards frames; one that says nothing of its capabilities may."""
        return self.enabled is None or bool(self.enabled & lldp.BRIDGE)

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.lldp.spec import MESSAGE

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        vlan = f", VLAN {self.port_vlan}" if self.port_vlan else ""
        return f"LLDP: {self.switch or 'a neighbour'}, port {self.port or '?'}{vlan}"


def read(data: bytes) -> list[Event]:
    """What one frame says, and what is wrong with it. `data` may be any bytes."""
    parts: list[tuple[int, bytes]] = []
    faults: list[Event] = []
    at = 0
    while len(parts) < MAX_PARTS:
        if len(data) < at + 2:
            faults = [Malformed(lldp.NAME, "it has no end", data[:64])]
            break
        kind, size = data[at] >> 1, (data[at] & 1) << 8 | data[at + 1]
        if kind == lldp.END:
            break
        value = data[at + 2 : at + 2 + size]
        if len(value) < size:
            faults = [Malformed(lldp.NAME, f"{size} bytes are declared, {len(value)} are there", data[at : at + 64])]
            break
        parts.append((kind, value))
        at += 2 + size
    return [*([LldpMessage(tuple(parts))] if parts else []), *faults]
