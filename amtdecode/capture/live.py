"""Packets of network interfaces, through scapy's sockets (libpcap, Npcap); extra `live`.

scapy is GPL-2.0: nothing else here imports it, and nothing is taken from it. Only its raw bytes are used.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from struct import Struct, pack, unpack
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.capture.packets import NanosecondInterface
from amtdecode.errors import CaptureError, MissingExtraError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture.packets import RawPacket

ANY = "any"
ETHERNET, RAW_IP = 1, 101
NO_LINK_HEADER = {65534, 512, 768, 769, 776, 778}  # tun, PPP, IP tunnels
ANCILLARY = 256  # bytes, for what comes beside a packet
POLL = 0.2  # seconds between looks at whether to stop
LARGEST = 1 << 18  # bytes of a packet
SOL_SOCKET, SO_TIMESTAMPNS = 1, 35  # socket(7): when the kernel received a packet
SOL_PACKET, PACKET_AUXDATA = 263, 8  # packet(7): what the kernel knows of a packet besides its bytes
PACKET_STATISTICS = 6  # packet(7): packets and drops since this was asked last
AUXDATA = Struct("=IIIHHHH")  # tpacket_auxdata (if_packet.h): status, sizes and offsets, VLAN tag, its Ethertype
VLAN_VALID, VLAN_TYPE_VALID = 0x10, 0x40  # of its status
VLAN, ADDRESSES = 0x8100, 12  # a tag stands behind the two addresses of a frame
OUTGOING = 4  # PACKET_OUTGOING (packet(7)): on loopback every packet is seen leaving and arriving
UP = 1  # IFF_UP (if.h)


class Counts(NamedTuple):
    """What became of the packets of an interface."""

    name: str
    captured: int
    dropped: int | None
    """Packets that the kernel dropped, as nobody took them in time; `None` where it does not say."""


def interface_names() -> list[str]:
    """The interfaces of this machine. Raises `MissingExtraError` without scapy."""
    _scapy()
    from scapy.interfaces import get_if_list

    return sorted(get_if_list())


def read_live(
    interface: str | Sequence[str],
    *,
    count: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    bpf: str | None = None,
    snap_length: int = 0,
) -> Iterator[RawPacket]:
    """Packets of interfaces as they pass, until there were `count` of them or `stop()` says so; see `Live`."""
    return Live([interface] if isinstance(interface, str) else interface, bpf=bpf, snap_length=snap_length).packets(
        count=count, stop=stop
    )


class Live:
    """Interfaces as one stream of packets, in the order of the kernel's times.

    `names`: "any" is every interface that is up now. `snap_length`: bytes kept of each packet, 0 for all. The sockets
    are open when this is made. Raises `CaptureError` naming the missing privilege or interface, and
    `MissingExtraError` without scapy.
    """

    def __init__(self, names: Sequence[str], *, bpf: str | None = None, snap_length: int = 0) -> None:
        wanted = list(dict.fromkeys(names))
        self.name = ", ".join(wanted)
        self._counts: list[Counts] = []
        self._sockets: list[_Socket] = []
        known = interface_names()
        everywhere = ANY in wanted
        if everywhere:
            wanted = [name for name in known if _is_up(name)]
        try:
            for name in wanted:
                if name not in known:
                    raise CaptureError(f"{name}: no such interface; there are {', '.join(known)}, {ANY}")
                try:
                    opened = _open(name, bpf)
                except CaptureError:
                    if not everywhere or bpf is None or not self._sockets:
                        raise
                    continue  # a filter that makes no sense on this kind of interface
                self._sockets.append(_Socket(opened, self.name, name, snap_length))
        except CaptureError:
            self.close()
            raise

    @property
    def interfaces(self) -> list[NanosecondInterface]:
        """The interfaces watched."""
        return [each.interface for each in self._sockets]

    def counts(self) -> list[Counts]:
        """How many packets each interface brought so far, and how many of its packets were lost."""
        return self._counts or [each.counts() for each in self._sockets]

    def packets(self, *, count: int | None = None, stop: Callable[[], bool] = lambda: False) -> Iterator[RawPacket]:
        """The packets, until there were `count` of them or `stop()` says so; then everything is closed."""
        return self._packets(count, stop)

    def _packets(self, count: int | None, stop: Callable[[], bool]) -> Iterator[RawPacket]:
        number, sockets = 0, self._sockets
        waiting: _Socket | None
        try:
            while (count is None or number < count) and not stop():
                waiting = None
                for each in sockets:
                    if each.head is None:
                        each.receive()
                    if each.head is not None and (waiting is None or each.time_ns < waiting.time_ns):
                        waiting = each
                if waiting is None or waiting.head is None:
                    _wait(sockets)
                    continue
                number += 1
                high, low = divmod(waiting.time_ns, 10**9)
                data, original = waiting.head
                waiting.head = None
                waiting.captured += 1
                yield (number, data, 0, len(data), original, high, low, waiting.interface)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the sockets."""
        if not self._counts:
            self._counts = [each.counts() for each in self._sockets]
        for each in self._sockets:
            each.sniffing.close()


class _Socket:
    """One interface, and the packet of it whose turn has not come."""

    def __init__(self, sniffing: Any, stream: str, name: str, snap_length: int) -> None:
        self.sniffing = sniffing
        raw = getattr(sniffing, "ins", None)
        self.raw = raw if hasattr(raw, "recvmsg") else None  # Linux: a packet socket; else libpcap or Npcap
        self.interface = NanosecondInterface(stream, _link_type(name), name)
        self.interface.snap_length = snap_length
        self.head: tuple[bytes, int] | None = None
        self.time_ns = 0
        self.captured = 0
        self._cut = snap_length or LARGEST
        self._loopback = name == "lo"
        self._dropped = 0
        if self.raw is not None:
            self.raw.setblocking(False)
            with suppress(OSError):  # an old kernel
                self.raw.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
                self.raw.setsockopt(SOL_SOCKET, SO_TIMESTAMPNS, 1)
                self.raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)  # what was dropped while it was being opened

    def receive(self) -> None:
        """Take the next packet, if one is there. Raises `CaptureError` for an interface that went away."""
        try:
            data, self.time_ns = self._from_kernel() if self.raw is not None else self._from_library()
        except BlockingIOError:
            return
        except OSError as error:
            raise CaptureError(f"{self.interface.name}: {reason(error)}") from error
        if data is not None:
            self.head = data[: self._cut], len(data)

    def _from_kernel(self) -> tuple[bytes | None, int]:
        assert self.raw is not None  # noqa: S101 - asked before
        data, beside, _, address = self.raw.recvmsg(LARGEST, ANCILLARY)
        if self._loopback and len(address) > 2 and address[2] == OUTGOING:
            return None, 0
        return tagged(data, beside), stamped(beside) or time.time_ns()

    def _from_library(self) -> tuple[bytes | None, int]:
        if not self.sniffing.select([self.sniffing], 0):
            return None, 0
        _, data, stamp = self.sniffing.recv_raw()
        return data, int((stamp or time.time()) * 10**9)

    def counts(self) -> Counts:
        """Packets taken, and what the kernel dropped since the beginning."""
        dropped: int | None = None
        if self.raw is not None:
            with suppress(OSError):
                self._dropped += unpack("=II", self.raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
                dropped = self._dropped
        return Counts(self.interface.name, self.captured, dropped)


def _wait(sockets: Sequence[_Socket]) -> None:
    """Until a packet is there, POLL seconds at most."""
    from select import select

    raws = [each.raw for each in sockets if each.raw is not None]
    if raws:
        select(raws, [], [], POLL)
    elif sockets:
        sockets[0].sniffing.select([each.sniffing for each in sockets], POLL)
    else:
        time.sleep(POLL)


def _scapy() -> Any:
    try:
        import scapy.arch
        from scapy.config import conf
    except ImportError:
        raise MissingExtraError("live capture needs scapy: install amtdecode[live]") from None
    del scapy
    conf.verb = 0
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it wonders aloud about link types; the bytes are all we take
    return conf


def _open(interface: str, bpf: str | None) -> Any:
    conf = _scapy()
    from scapy.error import Scapy_Exception

    try:
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


def _is_up(name: str) -> bool:
    """Whether an interface works now, as Linux says; elsewhere every one is taken for it."""
    try:
        with open(f"/sys/class/net/{name}/flags", encoding="ascii") as file:
            return bool(int(file.read(), 16) & UP)
    except (OSError, ValueError):
        return True


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


def stamped(beside: Iterable[tuple[int, int, bytes]]) -> int | None:
    """When the kernel received a frame, in nanoseconds since 1970; `None` where it does not say."""
    for level, kind, data in beside:
        if (level, kind) == (SOL_SOCKET, SO_TIMESTAMPNS) and len(data) == 16:  # two longs of 64 bits
            seconds, rest = unpack("=qq", data)
            return int(seconds * 10**9 + rest)
    return None
