"""Writes captures: pcapng with comments, names and secrets; pcap where only packets are wanted.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap; little-endian, nanosecond
stamps. What `-w` writes keeps the words of the capture itself (`CaptureWriter.take`) at their places.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from amtdecode.capture.packets import NOTICE, Notice
from amtdecode.capture.pcapng import (
    DECRYPTION_SECRETS,
    ENHANCED_PACKET,
    IF_NAME,
    IF_TSRESOL,
    INTERFACE,
    ISB_IFDROP,
    NAME_RESOLUTION,
    NRB_END,
    NRB_IPV4,
    NRB_IPV6,
    OPT_COMMENT,
    OPT_END,
    SECTION_HEADER,
    SECTION_MAGIC,
    STATISTICS,
    TLS_KEY_LOG,
    Comment,
    DecryptionSecrets,
    NameResolution,
)
from amtdecode.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amtdecode.capture.packets import Interface, RawPacket

NANOSECONDS = 9  # the time stamp resolution, as a power of ten
PCAP_NANOSECONDS = 0xA1B23C4D  # magic of pcap with nanosecond stamps
SNAP_LENGTH = 262_144  # bytes; what tcpdump and Wireshark write where nothing was cut
IF_DESCRIPTION, SHB_USERAPPL, ISB_IFRECV = 3, 4, 4  # options (draft §4.2, §4.1, §4.6)
MAX_OPTION = 0xFFFF  # bytes of an option's value
SECRETS_BLOCK = 1 << 20  # bytes of a key log in one block; a longer one becomes several
MAX_DESCRIBED = 64  # inputs; the interfaces of more are not told apart by their files
_ELLIPSIS = "…".encode()


class PcapngWriter:
    """Interfaces are described as packets of them come.

    `comments`: on the section. `inputs`: how many files the packets are of: where several, an interface's description
    names its file.
    """

    def __init__(self, file: BinaryIO, comments: Iterable[str] = (), *, inputs: int = 1) -> None:
        self._file = file
        self._interfaces: dict[tuple[str, str, int, int], int] = {}
        self._described: list[Interface] = []
        self._by_file = 1 < inputs <= MAX_DESCRIBED
        self._waiting: tuple[RawPacket, list[str]] | None = None
        self._comments: list[str] | None = list(comments)  # of the section that begins with the next block
        self.size = 0
        """Bytes written."""

    def secrets(self, keylog: bytes) -> None:
        """An NSS key log; it opens the packets written after it."""
        while keylog:
            end = len(keylog) if len(keylog) <= SECRETS_BLOCK else keylog.rfind(b"\n", 0, SECRETS_BLOCK) + 1
            piece, keylog = keylog[: end or SECRETS_BLOCK], keylog[end or SECRETS_BLOCK :]
            self._block(DECRYPTION_SECRETS, struct.pack("<II", TLS_KEY_LOG, len(piece)) + piece)

    def names(self, names: Mapping[str, Iterable[str]]) -> None:
        """Names of addresses, which readers show for packets written after them."""
        from ipaddress import ip_address

        records = []
        for text, known in names.items():
            address = ip_address(text)
            value = address.packed + b"".join(name.encode()[:255] + b"\0" for name in known)
            records.append(_option(NRB_IPV4 if address.version == 4 else NRB_IPV6, value[:MAX_OPTION]))
        if records:
            self._block(NAME_RESOLUTION, b"".join(records) + struct.pack("<HH", NRB_END, 0))

    def packet(self, packet: RawPacket, comments: Iterable[str] = ()) -> None:
        """A packet, with its captured and original length; one without time gets that of 1970."""
        _, buffer, start, captured, original, high, low, interface = packet
        number = self._interface(interface)
        time = interface.time_ns(high, low) or 0
        head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, captured, original)
        data = buffer[start : start + captured] + bytes(-captured % 4)
        self._block(ENHANCED_PACKET, head + data + _options([(OPT_COMMENT, text.encode()) for text in comments]))

    def take(self, packet: RawPacket) -> None:
        """A packet, or a word of the capture itself: comments join their packet, names and secrets stay in place."""
        origin = packet[7]
        if origin.link_type != NOTICE:
            self.flush()
            self._waiting = packet, []
        elif isinstance(origin, Notice):
            event = origin.event
            if isinstance(event, Comment):
                self._comment(event)
            elif isinstance(event, NameResolution):
                self.flush()
                self.names({event.address: event.names})
            elif isinstance(event, DecryptionSecrets):
                self.flush()
                self._block(DECRYPTION_SECRETS, struct.pack("<II", event.kind, len(event.data)) + event.data)

    def _comment(self, comment: Comment) -> None:
        """One on a packet waits with it; one on a section or an interface begins a section where none begins now."""
        if comment.subject == "packet":
            if self._waiting is not None:
                self._waiting[1].append(comment.text)
            return
        self.flush()
        self._comments = [*(self._comments or ()), comment.text]

    def flush(self) -> None:
        """Write the packet that waits for its comments."""
        if self._waiting is not None:
            packet, comments = self._waiting
            self._waiting = None
            self.packet(packet, comments)

    def finish(self) -> None:
        """What is still to be said: the last packet, and what the capture that was read lacks."""
        self.flush()
        pending = self._comments
        if self._described:
            self._comments = None
            for number, interface in enumerate(self._described):
                if interface.dropped:
                    options = _options([(ISB_IFDROP, struct.pack("<Q", interface.dropped))])
                    self._block(STATISTICS, struct.pack("<III", number, 0, 0) + options)
        if pending is not None:
            self._comments = pending
            self._section()

    def statistics(self, interface: Interface, received: int, dropped: int) -> None:
        """How many packets an interface received and the system dropped, since the capture began."""
        options = [(ISB_IFRECV, struct.pack("<Q", received)), (ISB_IFDROP, struct.pack("<Q", dropped))]
        self._block(STATISTICS, struct.pack("<III", self._interface(interface), 0, 0) + _options(options))

    def _section(self) -> None:
        options = [(OPT_COMMENT, text.encode()) for text in self._comments or ()]
        options.append((SHB_USERAPPL, b"amtdecode"))
        self._comments, self._interfaces, self._described = None, {}, []
        self._block(SECTION_HEADER, struct.pack("<IHHq", SECTION_MAGIC, 1, 0, -1) + _options(options))

    def _interface(self, interface: Interface) -> int:
        if self._comments is not None:
            self._section()
        name = interface.input if self._by_file else ""
        key = (name, interface.name, interface.link_type, interface.snap_length)
        number = self._interfaces.get(key)
        if number is None:
            number = self._interfaces[key] = len(self._interfaces)
            self._described.append(interface)
            options = [(IF_TSRESOL, bytes([NANOSECONDS]))]
            if interface.name:
                options.append((IF_NAME, interface.name.encode()))
            if self._by_file:
                options.append((IF_DESCRIPTION, os.fsencode(os.path.basename(interface.input))))
            body = struct.pack("<HHI", interface.link_type, 0, interface.snap_length) + _options(options)
            self._block(INTERFACE, body)
        return number

    def _block(self, kind: int, body: bytes) -> None:
        if self._comments is not None:
            self._section()
        body += bytes(-len(body) % 4)
        total = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + total + body + total)
        self.size += len(body) + 12


class PcapWriter:
    """Packets of one link type, and nothing else. Raises `OutputError` for what pcap cannot hold."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._link_type: int | None = None
        self.size = 0
        """Bytes written."""

    def take(self, packet: RawPacket) -> None:
        """A packet; words of the capture itself have no place here."""
        _, buffer, start, captured, original, high, low, interface = packet
        if interface.link_type == NOTICE:
            return
        if self._link_type is None:
            self._begin(interface.link_type)
        elif self._link_type != interface.link_type:
            raise OutputError("pcap holds one link type, and here are several: choose a name that ends in .pcapng")
        seconds, rest = divmod(interface.time_ns(high, low) or 0, 10**9)
        if seconds >= 1 << 32:
            raise OutputError("pcap holds no time after 2106: choose a name that ends in .pcapng")
        self._file.write(struct.pack("<IIII", seconds, rest, captured, original) + buffer[start : start + captured])
        self.size += 16 + captured

    def _begin(self, link_type: int) -> None:
        self._link_type = link_type
        self._file.write(struct.pack("<IHHiIII", PCAP_NANOSECONDS, 2, 4, 0, 0, SNAP_LENGTH, link_type))
        self.size += 24

    def flush(self) -> None:
        """Nothing waits."""

    def finish(self) -> None:
        """A file without packets has a header too."""
        if self._link_type is None:
            self._begin(1)

    def statistics(self, interface: Interface, received: int, dropped: int) -> None:
        """No place for it."""


def is_pcap_name(name: str) -> bool:
    """Whether a file is to be pcap, by its name; any other is pcapng."""
    return name.lower().endswith((".pcap", ".cap", ".dmp"))


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    made = b"".join(_option(code, value) for code, value in options)
    return made + struct.pack("<HH", OPT_END, 0) if made else b""


def _option(code: int, value: bytes) -> bytes:
    if len(value) > MAX_OPTION:
        value = value[: MAX_OPTION - len(_ELLIPSIS)].decode("utf-8", "ignore").encode() + _ELLIPSIS
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
