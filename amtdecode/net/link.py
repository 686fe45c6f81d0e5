"""Link layers: from a frame to its network layer.

Ethernet, 802.1Q and QinQ tags, VN-Tag, LLC/SNAP, Linux cooked v1 and v2, NFLOG, BSD null and loop, raw IP, PPP, PPPoE,
MPLS, Cisco HDLC, FDDI, PKTAP of macOS. Link type numbers: https://www.tcpdump.org/linktypes.html. Ether types: IEEE
registry. All big-endian, but for BSD null and NFLOG, which are in the capturing host's order, and PKTAP: little-endian.
"""

from __future__ import annotations

from struct import unpack_from
from typing import NamedTuple

NULL, ETHERNET, PPP, RAW_BSD, RAW_OPENBSD, PPP_HDLC, RAW = 0, 1, 9, 12, 14, 50, 101
C_HDLC, LOOP, LINUX_SLL, IPV4_ONLY, IPV6_ONLY, LINUX_SLL2 = 104, 108, 113, 228, 229, 276
FDDI, USER2, NFLOG, PKTAP = 10, 149, 239, 258  # macOS wrote PKTAP as USER2 before it had a number

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
EAPOL, LLDP = 0x888E, 0x88CC  # IEEE 802.1X, 802.1AB: spoken between a card and its switch
VLAN = 0x8100
VLAN_TAGS = frozenset({VLAN, 0x88A8, 0x9100})  # 802.1Q, 802.1ad, and the number QinQ had before 802.1ad
VN_TAG = 0x8926  # Cisco's, of 4 bytes; as IEEE 802.1BR
MPLS_UNICAST = 0x8847
MPLS = frozenset({MPLS_UNICAST, 0x8848})
PPPOE_SESSION = 0x8864
MAX_TAGS = 8  # VLAN tags or MPLS labels deep; real networks stack two or three

PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
PPP_MPLS = frozenset({0x0281, 0x0283})  # RFC 3032 §4.3
NULL_FAMILIES = {2: IPV4, 24: IPV6, 28: IPV6, 30: IPV6, 10: IPV6}  # AF_INET; AF_INET6 of the BSDs, macOS, Linux

KNOWN = frozenset({
    NULL, ETHERNET, PPP, RAW_BSD, RAW_OPENBSD, PPP_HDLC, RAW, C_HDLC, LOOP, LINUX_SLL, IPV4_ONLY, IPV6_ONLY, LINUX_SLL2,
    FDDI, NFLOG, PKTAP, USER2
})  # fmt: skip

FDDI_LLC = 0x50  # what the frame control byte of data begins with (ANSI X3.139 §7.3.3)
NFLOG_PAYLOAD = 9  # NFULA_PAYLOAD (nfnetlink_log.h)
PKTAP_SIZE, PKTAP_PACKET = 108, 1  # struct pktap_header (bsd/net/pktap.h): bytes at least; a record that is a packet

UNKNOWN = -1

LINK_TYPE_NAMES = {
    6: "IEEE802_5 (Token Ring)",
    8: "SLIP",
    11: "PPP with direction",
    19: "ATM CLIP",
    51: "PPPoE",
    100: "ATM RFC 1483",
    105: "IEEE802_11",
    107: "Frame Relay",
    109: "OpenBSD enc",
    117: "PFLOG",
    119: "Prism 802.11",
    122: "IP over Fibre Channel",
    123: "Sun ATM",
    127: "IEEE802_11_RADIOTAP",
    129: "ARCnet Linux",
    138: "Apple IP over IEEE 1394",
    143: "DOCSIS",
    147: "USER0",
    163: "AVS 802.11",
    166: "PPP pppd",
    187: "Bluetooth HCI H4",
    189: "USB Linux",
    192: "PPI",
    195: "IEEE802_15_4",
    201: "Bluetooth HCI H4 with direction",
    220: "USB Linux mmapped",
    224: "Juniper",
    230: "IEEE802_15_4 without FCS",
    247: "IPoIB",
    249: "USBPcap",
    253: "Netlink",
}


class Network(NamedTuple):
    """What a frame carries."""

    ethertype: int  # IPV4, IPV6, ARP or another; UNKNOWN where the link layer cannot be read
    start: int  # of the network layer in the buffer
    vlan: int = -1  # outermost 802.1Q identifier; -1 without a tag
    source_mac: bytes = b""
    limit: int = -1  # where the link layer itself says that its payload ends; -1 where it does not say
    destination_mac: bytes = b""  # of what has no address but that: EAPOL and LLDP


UNREADABLE = Network(UNKNOWN, 0)


def network_layer(link_type: int, data: bytes, start: int, end: int) -> Network:
    """What the frame data[start:end] carries; `UNREADABLE` when it is cut or of an unknown link type."""
    if link_type == ETHERNET:
        if end - start < 14:
            return UNREADABLE
        kind = data[start + 12] << 8 | data[start + 13]
        network = ether_payload(kind, data, start + 14, end, data[start + 6 : start + 12])
        if network.ethertype == EAPOL or network.ethertype == LLDP:
            network = network._replace(destination_mac=data[start : start + 6])
        return network
    if link_type in (RAW, RAW_BSD, RAW_OPENBSD):
        return _by_version(data, start, end)
    if link_type in (IPV4_ONLY, IPV6_ONLY):
        return Network(IPV4 if link_type == IPV4_ONLY else IPV6, start)
    if link_type in (NULL, LOOP) and end - start >= 4:
        family = int.from_bytes(data[start : start + 4], "big")
        if family > 0xFFFF:  # the capturing host's order
            family = int.from_bytes(data[start : start + 4], "little")
        return Network(NULL_FAMILIES.get(family, UNKNOWN), start + 4)
    if link_type == LINUX_SLL and end - start >= 16:
        kind = data[start + 14] << 8 | data[start + 15]
        length = data[start + 4] << 8 | data[start + 5]
        return ether_payload(kind, data, start + 16, end, data[start + 6 : start + 6 + min(length, 6)])
    if link_type == LINUX_SLL2 and end - start >= 20:
        kind = data[start] << 8 | data[start + 1]
        return ether_payload(kind, data, start + 20, end, data[start + 12 : start + 12 + min(data[start + 11], 6)])
    if link_type == C_HDLC and end - start >= 4:
        return ether_payload(data[start + 2] << 8 | data[start + 3], data, start + 4, end, b"")
    if link_type in (PPP, PPP_HDLC):
        return _ppp(data, start, end)
    if link_type == FDDI and end - start >= 13 and data[start] & 0xF0 == FDDI_LLC:
        return ether_payload(0, data, start + 13, end, data[start + 7 : start + 13])
    if link_type == NFLOG:
        return _nflog(data, start, end)
    if link_type in (PKTAP, USER2):
        return _pktap(data, start, end)
    return UNREADABLE


def _nflog(data: bytes, start: int, end: int) -> Network:
    """Netfilter's log: 4 bytes, then values behind length and type, in the capturing host's order."""
    at, order = start + 4, "<HH"
    if end - at >= 4 and unpack_from(order, data, at)[0] > end - at:
        order = ">HH"
    while end - at >= 4:
        size, kind = unpack_from(order, data, at)
        if size < 4 or at + size > end:
            break
        if kind & 0x7FFF == NFLOG_PAYLOAD:
            return _by_version(data, at + 4, end)
        at += size + 3 & ~3
    return UNREADABLE


def _pktap(data: bytes, start: int, end: int) -> Network:
    """A packet of macOS behind what the system knows of it: size of that, kind of record, link type of the packet."""
    if end - start < PKTAP_SIZE:
        return UNREADABLE
    size, record, link_type = unpack_from("<III", data, start)
    if not PKTAP_SIZE <= size <= end - start or record != PKTAP_PACKET or link_type in (PKTAP, USER2):
        return UNREADABLE
    return network_layer(link_type, data, start + size, end)


def is_known(link_type: int) -> bool:
    """True for the link types this module reads."""
    return link_type in KNOWN


def link_type_name(link_type: int) -> str:
    """A link type for people."""
    name = LINK_TYPE_NAMES.get(link_type)
    return f"{link_type} ({name})" if name else str(link_type)


def _by_version(data: bytes, start: int, end: int, vlan: int = -1, mac: bytes = b"") -> Network:
    version = data[start] >> 4 if start < end else 0
    return Network({4: IPV4, 6: IPV6}.get(version, UNKNOWN), start, vlan, mac)


def ether_payload(kind: int, data: bytes, start: int, end: int, mac: bytes) -> Network:
    """What stands behind an Ether type: past tags, labels and PPPoE to the network layer."""
    vlan = -1
    for _ in range(MAX_TAGS):
        if kind in VLAN_TAGS:
            if end - start < 4:
                return UNREADABLE
            if vlan < 0:
                vlan = (data[start] << 8 | data[start + 1]) & 0x0FFF
            kind = data[start + 2] << 8 | data[start + 3]
            start += 4
        elif kind == VN_TAG:
            if end - start < 6:
                return UNREADABLE
            kind = data[start + 4] << 8 | data[start + 5]
            start += 6
        elif kind in MPLS:
            if end - start < 4:
                return UNREADABLE
            bottom = data[start + 2] & 1
            start += 4
            if bottom:
                return _by_version(data, start, end, vlan, mac)
        else:
            break
    if kind == PPPOE_SESSION:
        if end - start < 6:
            return UNREADABLE
        inner = _ppp(data, start + 6, end)  # version and type, code, session, length
        limit = start + 6 + (data[start + 4] << 8 | data[start + 5])
        return inner._replace(vlan=vlan, source_mac=mac, limit=limit)
    if kind <= 1500:  # an 802.3 length: LLC follows
        if data[start : start + 3] == b"\xaa\xaa\x03" and end - start >= 8:  # SNAP
            return Network(data[start + 6] << 8 | data[start + 7], start + 8, vlan, mac)
        if data[start : start + 3] == b"\x06\x06\x03":  # IPv4 by its own service access point
            return Network(IPV4, start + 3, vlan, mac)
        return Network(UNKNOWN, start, vlan, mac)
    return Network(kind, start, vlan, mac)


def _ppp(data: bytes, start: int, end: int) -> Network:
    if data[start : start + 2] == b"\xff\x03":  # address and control (RFC 1662)
        start += 2
    if end - start < 2:
        return UNREADABLE
    if data[start] & 1:  # compressed protocol field
        protocol, start = data[start], start + 1
    else:
        protocol, start = data[start] << 8 | data[start + 1], start + 2
    if protocol in PPP_MPLS:
        return ether_payload(MPLS_UNICAST, data, start, end, b"")
    return Network({PPP_IPV4: IPV4, PPP_IPV6: IPV6}.get(protocol, UNKNOWN), start)
