"""ICMP (RFC 792) and ICMPv6 (RFC 4443) errors: kept as observations on the flow they concern.

An error carries the head of the packet it is about, which names the flow. Echo and neighbour discovery are passed over.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from amtdecode.fields import STRING, UINT8, Field, Fields
from amtdecode.model import Event

ERRORS_V4 = {
    3: "destination unreachable",
    4: "source quench",
    5: "redirect",
    11: "time exceeded",
    12: "parameter problem",
}
ERRORS_V6 = {1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem"}
UNREACHABLE_V4 = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network prohibited",
    10: "host prohibited",
    13: "administratively prohibited",
}
UNREACHABLE_V6 = {
    0: "no route",
    1: "administratively prohibited",
    2: "beyond scope",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed policy",
    6: "route rejected",
}


class IcmpError(Event, frozen=True):
    """A router or host says that a packet of this flow did not arrive."""

    protocol: ClassVar[str] = "icmp"
    declared: ClassVar[Fields] = (
        Field("icmp.type", UINT8, "ICMP type", lambda event: event.of_version(4, event.type), None, ERRORS_V4),
        Field("icmp.code", UINT8, "ICMP code", lambda event: event.of_version(4, event.code), None),
        Field("icmpv6.type", UINT8, "ICMPv6 type", lambda event: event.of_version(6, event.type), None, ERRORS_V6),
        Field("icmpv6.code", UINT8, "ICMPv6 code", lambda event: event.of_version(6, event.code), None),
        Field("iamt.icmp.meaning", STRING, "what type and code mean", "meaning"),
        Field("iamt.icmp.reporter", STRING, "address of the router or host that reports the error", "reporter"),
    )
    type: int
    code: int
    meaning: str
    reporter: str
    """Address of who says so."""
    version: int = 4

    def of_version(self, version: int, value: int) -> int | None:
        """The value, if the error is of this version of IP."""
        return value if self.version == version else None

    def summary(self) -> str:
        return f"ICMP: {self.meaning}, says {self.reporter}"


class Quoted(NamedTuple):
    """The packet an error is about, as far as it quotes it."""

    type: int
    code: int
    meaning: str
    protocol: int
    key: bytes  # addresses and ports, as a flow key
    header: bytes  # of TCP or UDP, as far as it is quoted


def read_error(data: bytes, start: int, end: int, version: int) -> Quoted | None:
    """The error in an ICMP message; `None` for other messages, and for errors that quote no ports."""
    if end - start < 8 + (28 if version == 4 else 48):
        return None
    kind, code = data[start], data[start + 1]
    name = (ERRORS_V4 if version == 4 else ERRORS_V6).get(kind)
    if name is None:
        return None
    if name == "destination unreachable":
        name = (UNREACHABLE_V4 if version == 4 else UNREACHABLE_V6).get(code, f"{name}, code {code}")
    inner = start + 8
    if version == 4:
        if (data[inner + 6] << 8 | data[inner + 7]) & 0x1FFF:  # a later fragment has no ports
            return None
        at = inner + (data[inner] & 0x0F) * 4
        protocol, addresses = data[inner + 9], data[inner + 12 : inner + 20]
    else:
        at = inner + 40
        protocol, addresses = data[inner + 6], data[inner + 8 : inner + 40]
    header = data[at : min(end, at + 20)]
    return Quoted(kind, code, name, protocol, addresses + header[:4], header) if len(header) >= 4 else None
