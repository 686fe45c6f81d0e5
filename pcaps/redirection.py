"""Builds redirection conversations as a console has them with AMT: SOL, IDE-R, KVM with RFB behind it.

Sources: public source (MeshCommander amt-redir, amt-ider and amt-desktop; amtterm), RFC 2617, RFC 6143. The KVM session
up to RFB is that of an AMT 12.0.22 as published in MeshCommander's issue 24, with texts of the same lengths.
"""

from __future__ import annotations

import hashlib
import struct

from pcaps.build import TO_CLIENT, TO_SERVER

Steps = list[tuple[int, bytes]]

REALM, NONCE = "Digest:10DF0000000000000000000000000000", "+S5HDg4iAACIkRUMJoai5Xyxlc9qWHgc"
URI, CNONCE, COUNT = "/RedirectionService", "0a4f113b0a4f113b0a4f113b0a4f113b", "00000002"
USER, PASSWORD = "admin", "Example-1"
ACCEPTED = bytes.fromhex("140000000400000000")
REFUSED = bytes.fromhex("140100000400000000")


def start(kind: bytes) -> bytes:
    """Start of a session; kind is `SOL `, `IDER` or `KVMR`."""
    return bytes((0x10, kind == b"KVMR", 0, 0)) + kind


def started(major: int, minor: int) -> bytes:
    """Its reply, with the version of AMT."""
    return struct.pack("<BxxxBBBBIB", 0x11, 1, 0, major, minor, 343, 0)


def _elements(kind: int, status: int, *texts: str) -> bytes:
    data = b"".join(bytes((len(text),)) + text.encode() for text in texts)
    return struct.pack("<BBxxBI", kind, status, 4, len(data)) + data


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def digest(password: str = PASSWORD) -> bytes:
    """The login that answers the challenge."""
    response = _md5(_md5(USER, REALM, password), NONCE, COUNT, CNONCE, "auth", _md5("POST", URI))
    return _elements(0x13, 0, USER, REALM, NONCE, URI, CNONCE, COUNT, response, "auth")


def login(password: str = PASSWORD, answer: bytes = ACCEPTED) -> Steps:
    """Query, challenge, login and what AMT says to it."""
    return [
        (TO_SERVER, bytes.fromhex("130000000000000000")),
        (TO_CLIENT, bytes.fromhex("14000000000100000004")),
        (TO_SERVER, _elements(0x13, 0, USER, "", "", URI, "", "", "", "")),
        (TO_CLIENT, _elements(0x14, 1, REALM, NONCE, "auth")),
        (TO_SERVER, digest(password)),
        (TO_CLIENT, answer),
    ]


def console(kind: int, number: int, text: bytes) -> bytes:
    """Bytes of a console: 28h to the host, 2Ah from it."""
    return struct.pack("<BxxxIH", kind, number, len(text)) + text


def sol() -> Steps:
    """A console on which somebody logs in."""
    return [
        (TO_SERVER, start(b"SOL ")),
        (TO_CLIENT, started(11, 8)),
        *login(),
        (TO_SERVER, struct.pack("<BxxxIHHHHHHI", 0x20, 1, 10000, 100, 0, 10000, 100, 0, 0)),
        (TO_CLIENT, struct.pack("<BxxxI15x", 0x21, 1)),
        (TO_CLIENT, struct.pack("<BxxxIBB", 0x29, 2, 3, 4)),
        (TO_CLIENT, console(0x2A, 3, b"desk-41 login: ")),
        (TO_SERVER, console(0x28, 2, b"root\r")),
        (TO_CLIENT, console(0x2A, 4, b"root\r\nPassword: ")),
        (TO_SERVER, console(0x28, 3, b"Example-3\r")),
        (TO_CLIENT, console(0x2A, 5, b"\r\nroot@desk-41:~# ")),
        (TO_SERVER, struct.pack("<BxxxI", 0x22, 4)),
        (TO_CLIENT, struct.pack("<BxxxI", 0x23, 6)),
        (TO_SERVER, bytes((0x12, 0, 0, 0))),
    ]


def _command(number: int, cdb: bytes) -> bytes:
    return struct.pack("<BxxxIBBBBHBB", 0x50, number, 0, 0, 0, 0, 2048, 0x10, 0xA0) + cdb.ljust(12, b"\0")


def _blocks(number: int, data: bytes, *, last: bool) -> bytes:
    given = bytes((0xB5, 0, 2, 0)) + struct.pack("<H", len(data)) + bytes((0xB0, 0x58))
    done = bytes((0x85, 0, 3, 0, 0, 0, 0xB0, 0x50)) if last else bytes(8)
    return struct.pack("<BxxBIxHx", 0x54, 2 * last, number, len(data)) + given + done + bytes(6) + data


def ider() -> Steps:
    """A CD from which the host reads three blocks."""
    volume = (b"\1CD001\1\0" + b"EXAMPLE".ljust(32) * 2).ljust(2048, b"\0")
    return [
        (TO_SERVER, start(b"IDER")),
        (TO_CLIENT, started(9, 1)),
        *login(),
        (TO_SERVER, struct.pack("<BxxxIHHHI", 0x40, 0, 30000, 0, 20000, 1)),
        (TO_CLIENT, struct.pack("<BxxxIBBBB4xHH5xIB", 0x41, 0, 1, 0, 9, 1, 8192, 8192, 343, 0)),
        (TO_SERVER, struct.pack("<BxxxIBI", 0x48, 1, 3, 0x19)),
        (TO_CLIENT, struct.pack("<BxxxIBI", 0x49, 1, 3, 1)),
        (TO_CLIENT, _command(2, b"")),
        (TO_SERVER, struct.pack("<BxxBI4x8x", 0x51, 2, 2) + bytes.fromhex("8760030000 00b051 062800")),
        (TO_CLIENT, _command(3, struct.pack(">BBIBH", 0x28, 0, 16, 0, 2))),
        (TO_SERVER, _blocks(3, volume, last=False)),
        (TO_SERVER, _blocks(4, bytes(range(256)) * 8, last=True)),
        (TO_CLIENT, _command(4, struct.pack(">BBIBH", 0x28, 0, 20, 0, 1))),
        (TO_SERVER, _blocks(5, b"boot".ljust(2048, b"."), last=True)),
        (TO_SERVER, struct.pack("<BxxxI", 0x42, 6)),
        (TO_CLIENT, struct.pack("<BxxxI", 0x43, 5)),
    ]


def kvm() -> Steps:
    """A screen: the handshake, two tiles, a key."""
    pixels = struct.pack(">BBBBHHHBBB3x", 16, 16, 0, 1, 31, 63, 31, 11, 5, 0)
    name = b"Intel(r) AMT KVM"
    tiles = struct.pack(">HHHHi", 0, 0, 2, 2, 0) + bytes(8)
    tiles += struct.pack(">HHHHiI", 64, 0, 64, 64, 16, 20) + bytes(range(20))
    return [
        (TO_SERVER, start(b"KVMR")),
        (TO_CLIENT, started(12, 0)),
        *login(),
        (TO_SERVER, bytes((0x40, 0, 0, 0, 0, 0, 0, 0))),
        (TO_CLIENT, bytes((0x41, 0, 0, 0, 0, 0, 0, 0)) + b"RFB 003.008\n"),
        (TO_SERVER, b"RFB 003.008\n"),
        (TO_CLIENT, b"\1\1"),
        (TO_SERVER, b"\1"),
        (TO_CLIENT, bytes(4)),
        (TO_SERVER, b"\1"),
        (TO_CLIENT, struct.pack(">HH", 1024, 768) + pixels + struct.pack(">I", len(name)) + name),
        (TO_SERVER, struct.pack(">BxHiiii", 2, 4, 16, 0, 1092, -223)),
        (TO_SERVER, struct.pack(">BBHHHH", 3, 0, 0, 0, 1024, 768)),
        (TO_CLIENT, struct.pack(">BxH", 0, 2) + tiles),
        (TO_SERVER, struct.pack(">BBxxI", 4, 1, 0x61)),
        (TO_SERVER, struct.pack(">BxxxI", 6, 12) + b"\0KvmExtCmd\0\1"),
    ]


def refused() -> Steps:
    """A login with another password."""
    return [(TO_SERVER, start(b"SOL ")), (TO_CLIENT, started(11, 8)), *login("another", REFUSED)]


def busy() -> Steps:
    """A second screen, which AMT refuses."""
    return [(TO_SERVER, start(b"KVMR")), (TO_CLIENT, bytes((0x11, 2, 0, 0)))]
