"""A sink for hello messages: accepts connections, hands on what arrives, answers nothing.

Each connection becomes packets of a capture that never touched a wire: opening, data, end, with the addresses of the
real one; so listening and reading share one engine. Scanners, browsers and peers that never finish are bounded by
MAX_CONNECTIONS, MAX_BYTES and IDLE.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import time
from typing import TYPE_CHECKING

from amtdecode.capture.packets import NanosecondInterface, notice
from amtdecode.errors import CaptureError, UsageError
from amtdecode.model import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.capture.packets import RawPacket

RAW_IP = 101  # link type
MAX_CONNECTIONS = 512  # open at once; the longest idle is closed for a new one
MAX_BYTES = 128 * 1024  # of one connection; no hello is as long
IDLE = 60.0  # seconds without a byte after which a connection is closed
BACKLOG = 128
POLL = 0.2  # seconds
SEGMENT = 16 * 1024  # bytes of data in one packet of ours
FIRST = 64  # bytes kept of a connection, to say what it brought

NO_ROOM = {errno.EMFILE, errno.ENFILE}  # no file descriptor left for another connection

FIN_ACK, SYN, SYN_ACK, RST, DATA = 0x11, 0x02, 0x12, 0x14, 0x18


class Peer:
    """One connection under way."""

    __slots__ = ("first", "here", "last", "received", "socket", "there")

    def __init__(self, connection: socket.socket, now: float) -> None:
        self.socket = connection
        self.there = _ipv4_if_mapped(*connection.getpeername()[:2])
        self.here = _ipv4_if_mapped(*connection.getsockname()[:2])
        self.first = b""  # the first bytes received
        self.received = 0
        self.last = now

    def packet(self, flags: int, data: bytes = b"", *, back: bool = False) -> bytes:
        """An IP packet with a TCP segment of this connection; checksums as a stack leaves them for the card."""
        if flags == SYN:
            sequence, acknowledgement = 0, 0
        else:
            sequence, acknowledgement = (
                (0 if flags == SYN_ACK else 1, 1 + self.received) if back else (1 + self.received, 1)
            )
        source, destination = (self.here, self.there) if back else (self.there, self.here)
        addresses = [
            socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
            for host in (source[0], destination[0])
        ]
        size = 20 + len(data)
        pseudo = b"".join(addresses) + struct.pack(">II", size, 6)
        total = sum(struct.unpack(f">{len(pseudo) // 2}H", pseudo))
        total = (total & 0xFFFF) + (total >> 16)
        segment = struct.pack(
            ">HHIIBBHHH",
            source[1],
            destination[1],
            sequence,
            acknowledgement,
            5 << 4,
            flags,
            65535,
            (total & 0xFFFF) + (total >> 16),
            0,
        )
        if len(addresses[0]) == 16:
            return struct.pack(">IHBB", 6 << 28, size, 6, 64) + b"".join(addresses) + segment + data
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, 6, 0) + b"".join(addresses) + segment + data


def _ipv4_if_mapped(host: str, port: int) -> tuple[str, int]:
    """A socket for both families calls an IPv4 peer ::ffff:192.0.2.1 (RFC 4291 §2.5.5.2)."""
    return host.removeprefix("::ffff:") if "." in host else host, port


def _may_be_host(host: object) -> bool:
    """Whether the system can be asked for it: text, without null characters, that IDNA can write (RFC 3490)."""
    try:
        return isinstance(host, str) and "\0" not in host and host.encode("idna") is not None
    except UnicodeError:
        return False


class Listener:
    """Accepts on a port. The socket is bound when this is made; raises `CaptureError` when it cannot be.

    `stranger`: what a connection brought that is none of those waited for, in words, from its first 64 bytes and how
    many there were; "" where it is one of them. A `Note` says it when the connection ends.
    """

    def __init__(
        self, port: int, host: str = "", stranger: Callable[[bytes, int], str] = lambda _first, _size: ""
    ) -> None:
        self._stranger = stranger
        if not _may_be_host(host):
            raise UsageError(f"host takes an address or a name, not {host!r}")
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, Peer] = {}
        self._number = 0
        try:
            if host:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                self._server = socket.create_server((host, port), family=family, backlog=BACKLOG)
            elif socket.has_dualstack_ipv6():
                self._server = socket.create_server(
                    ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
                )
            else:
                self._server = socket.create_server(("", port), backlog=BACKLOG)
        except OSError as error:
            if (error.errno or 0) < 0:  # a number of the resolver's, none of the system's
                raise CaptureError(f"cannot listen on {host}: no such host or address") from None
            why = os.strerror(error.errno).lower() if error.errno else "the system refuses"
            raise CaptureError(f"cannot listen on port {port}: {why}") from None
        self._server.setblocking(False)
        self._selector.register(self._server, selectors.EVENT_READ)
        self.port: int = self._server.getsockname()[1]
        name = f"listen:{self.port}"
        self._interface = NanosecondInterface(name, RAW_IP, name)

    def packets(self, stop: Callable[[], bool] = lambda: False) -> Iterator[RawPacket]:
        """What arrives, as packets, until `stop()` says so; then everything is closed."""
        try:
            while not stop():
                for key, _ in self._selector.select(POLL):
                    if key.fileobj is self._server:
                        yield from self._accept()
                    elif peer := self._peers.get(key.fileobj):  # type: ignore[call-overload]
                        yield from self._receive(peer)  # else closed a moment ago, for one just accepted
                now = time.monotonic()
                for peer in [peer for peer in self._peers.values() if now - peer.last > IDLE]:
                    yield from self._close(peer, RST)
        finally:
            for peer in self._peers.values():
                peer.socket.close()
            self._server.close()
            self._selector.close()

    def _accept(self) -> Iterator[RawPacket]:
        try:
            connection, _ = self._server.accept()
            connection.setblocking(False)
            peer = Peer(connection, time.monotonic())
        except OSError as error:  # gone before it was accepted, as a scanner's
            if error.errno in NO_ROOM and self._peers:  # this process may hold fewer than MAX_CONNECTIONS
                yield from self._make_room()
            return
        if len(self._peers) >= MAX_CONNECTIONS:
            yield from self._make_room()
        self._peers[connection] = peer
        self._selector.register(connection, selectors.EVENT_READ)
        yield self._packet(peer.packet(SYN))
        yield self._packet(peer.packet(SYN_ACK, back=True))

    def _make_room(self) -> Iterator[RawPacket]:
        yield from self._close(min(self._peers.values(), key=lambda peer: peer.last), RST)

    def _receive(self, peer: Peer) -> Iterator[RawPacket]:
        try:
            data = peer.socket.recv(SEGMENT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            yield from self._close(peer, RST)
            return
        if not data:
            yield from self._close(peer, FIN_ACK)
            return
        peer.last = time.monotonic()
        yield self._packet(peer.packet(DATA, data))
        peer.first = (peer.first + data)[:FIRST] if len(peer.first) < FIRST else peer.first
        peer.received += len(data)
        if peer.received > MAX_BYTES:
            yield from self._close(peer, RST)

    def _close(self, peer: Peer, flags: int) -> Iterator[RawPacket]:
        self._selector.unregister(peer.socket)
        del self._peers[peer.socket]
        peer.socket.close()
        yield self._packet(peer.packet(flags))
        what = self._stranger(peer.first, peer.received)
        if flags == FIN_ACK:
            peer.received += 1
            yield self._packet(peer.packet(FIN_ACK, back=True))
        if what:
            host, port = peer.there
            who = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            yield notice(self._interface.input, self._number, Note("listen", f"{who} {what}"))

    def _packet(self, data: bytes) -> RawPacket:
        self._number += 1
        high, low = divmod(time.time_ns(), 10**9)
        return (self._number, data, 0, len(data), len(data), high, low, self._interface)
