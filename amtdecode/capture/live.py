"""Packets of a network interface, through scapy's sockets (libpcap, Npcap); extra `live`.

scapy is GPL-2.0: nothing else here imports it, and nothing is taken from it. Only its raw bytes are used.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from struct import Struct, pack
from typing import TYPE_CHECKING, Any

from amtdecode.capture.packets import NanosecondInterface
from amtdecode.errors import CaptureError, MissingExtraError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.capture.packets import RawPacket

ETHERNET, RAW_IP = 1, 101
NO_LINK_HEADER = {65534, 512, 768, 769, 776, 778}  # tun, PPP, IP tunnels
ANCILLARY = 256  # bytes, for what comes beside a packet
POLL = 0.2  # seconds between looks at whether to stop
SOL_PACKET, PACKET_AUXDATA = 263, 8  # packet(7): what the kernel knows of a packet besides its bytes
AUXDATA = Struct("=IIIHHHH")  # tpacket_auxdata (if_packet.h): status, sizes and offsets, VLAN tag, its Ethertype
VLAN_VALID, VLAN_TYPE_VALID = 0x10, 0x40  # of its status
VLAN, ADDRESSES = 0x8100, 12  # a tag stands behind the two addresses of a frame
OUTGOING = 4  # PACKET_OUTGOING (packet(7)): on loopback every packet is seen leaving and arriving


def read_live(
    interface: str,
    *,
    count: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    bpf: str | None = None,
) -> Iterator[RawPacket]:
    """Packets of an interface as they pass, until there were `count` of them or `stop()` says so.

    The socket is open when this returns. Raises `CaptureError` naming the missing privilege or interface, and
    `MissingExtraError` without scapy.
    """
    sniffing = _open(interface, bpf)
    return _packets(sniffing, interface, count, stop)


def _open(interface: str, bpf: str | None) -> Any:
    try:
        from scapy.config import conf
        from scapy.error import Scapy_Exception
    except ImportError:
        raise MissingExtraError("live capture needs scapy: install amtdecode[live]") from None
    conf.verb = 0
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it wonders aloud about link types; the bytes are all we take
    try:
        import scapy.arch
        from scapy.interfaces import get_if_list

        del scapy
        if interface not in get_if_list():
            raise CaptureError(f"{interface}: no such interface; there are {', '.join(sorted(get_if_list()))}")
        return conf.L2listen(iface=interface, filter=bpf)
    except PermissionError:
        raise CaptureError(
            f"{interface}: capturing needs a privilege this user lacks: run as root, or give the Python interpreter "
            "CAP_NET_RAW (setcap cap_net_raw+ep); on Windows install Npcap and run as administrator"
        ) from None
    except OSError as error:
        raise CaptureError(f"{interface}: {reason(error)}") from None
    except Scapy_Exception:
        why = f"the filter {bpf!r} does not compile, or libpcap is missing" if bpf else "it cannot be opened"
        raise CaptureError(f"{interface}: {why}") from None


def _packets(sniffing: Any, name: str, count: int | None, stop: Callable[[], bool]) -> Iterator[RawPacket]:
    interface = NanosecondInterface(name, _link_type(name), name)
    loopback = name == "lo"
    number = 0
    raw = getattr(sniffing, "ins", None)
    if raw is not None and hasattr(raw, "recvmsg"):
        with suppress(OSError):  # an old kernel, or none of Linux
            raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    try:
        while (count is None or number < count) and not stop():
            data, stamp_ns = _next(sniffing, raw, loopback)
            if data is None:
                continue
            number += 1
            high, low = divmod(stamp_ns, 10**9)
            yield (number, data, 0, len(data), len(data), high, low, interface)
    finally:
        sniffing.close()


def _link_type(name: str) -> int:
    """The link type of what a packet socket gives, by the kernel's ARPHRD number (if_arp.h); elsewhere Ethernet."""
    try:
        with open(f"/sys/class/net/{name}/type", encoding="ascii") as file:
            return RAW_IP if int(file.read()) in NO_LINK_HEADER else ETHERNET
    except (OSError, ValueError):
        return ETHERNET


def tagged(frame: bytes, beside: Iterable[tuple[int, int, bytes]]) -> bytes:
    """A frame with the VLAN tag that Linux takes off, and hands over `beside` it, put back."""
    for level, kind, data in beside:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(data) == AUXDATA.size:
            status, _, _, _, _, tag, ethertype = AUXDATA.unpack(data)
            if status & VLAN_VALID:
                known = ethertype if status & VLAN_TYPE_VALID else VLAN
                return frame[:ADDRESSES] + pack(">HH", known, tag) + frame[ADDRESSES:]
    return frame


def _next(sniffing: Any, raw: Any, loopback: bool) -> tuple[bytes | None, int]:
    """One frame and its time; `None` when none came within POLL seconds."""
    from select import select

    if raw is not None and hasattr(raw, "recvmsg"):  # Linux: a packet socket
        if not select([raw], [], [], POLL)[0]:
            return None, 0
        data, beside, _, address = raw.recvmsg(1 << 18, ANCILLARY)
        if loopback and len(address) > 2 and address[2] == OUTGOING:
            return None, 0
        return tagged(data, beside), time.time_ns()
    if not sniffing.select([sniffing], POLL):  # libpcap and Npcap
        return None, 0
    _, data, stamp = sniffing.recv_raw()
    return data, int((stamp or time.time()) * 10**9)
