"""Redirection messages out of their declarations, and conversations made of them."""

from __future__ import annotations

import hashlib
import struct

from amtdecode.model import TO_CLIENT, TO_SERVER
from amtdecode.protocols.redir import names
from amtdecode.protocols.redir.spec import IDER_OPEN, IDER_OPENED, declaration

REALM, NONCE = "Digest:10DF0000000000000000000000000000", "+S5HDg4iAACIkRUMJoai5Xyxlc9qWHgc"
HEAD = {"type": None, "reserved": bytes(3), "sequence": 0}


def made(kind: int, **fields) -> bytes:
    return bytes(declaration(kind).build(HEAD | fields))


def start(session: str) -> bytes:
    attributes = b"\1\0\0" if session == "KVM" else bytes(3)
    kind = next(raw for raw, name in names.KINDS.items() if name == session)
    return made(names.START, attributes=attributes, session=kind)


STARTED = made(
    names.STARTED,
    status=0,
    reserved=b"\0\0",
    opened={"protocol": b"\1\0", "firmware": b"\x0b\x08", "oem": 343, "oem_data": b""},
)


def refused(status: int) -> bytes:
    return made(names.STARTED, status=status, reserved=b"\0\0", opened=None)


QUERY = made(names.LOGIN, method=0, data=b"")
OFFER = made(names.ANSWER, status=0, reserved=b"\0\0", method=0, data=bytes((1, 3, 4)))
ACCEPTED = made(names.ANSWER, status=0, reserved=b"\0\0", method=4, data=b"")
REFUSED = bytes.fromhex("140100000400000000")
EMPTY = dict.fromkeys(("user", "realm", "nonce", "uri", "cnonce", "nc", "response", "qop"), b"")
FIRST_STEP = made(names.LOGIN, method=4, data=EMPTY | {"user": b"admin", "uri": b"/RedirectionService"})
CHALLENGE = made(
    names.ANSWER,
    status=1,
    reserved=b"\0\0",
    method=4,
    data={"realm": REALM.encode(), "nonce": NONCE.encode(), "qop": b"auth"},
)


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def login(password: str, method: int = 4, user: str = "admin") -> bytes:
    """The second step of digest, its hash made here by RFC 2617 or 2069."""
    uri, cnonce, nc = "/RedirectionService", "0a4f113b0a4f113b0a4f113b0a4f113b", "00000002"
    middle = [nc, cnonce, "auth"] if method == 4 else []
    response = md5(md5(user, REALM, password), NONCE, *middle, md5("POST", uri))
    texts = {"user": user, "realm": REALM, "nonce": NONCE, "uri": uri, "cnonce": cnonce, "nc": nc, "response": response}
    return made(
        names.LOGIN, method=method, data={name: text.encode() for name, text in (texts | {"qop": "auth"}).items()}
    )


def console(kind: int, text: bytes, number: int = 1) -> bytes:
    return made(kind, sequence=number, console=text)


SOL_START = made(
    names.SOL_START,
    max_tx_buffer=10000,
    tx_timeout=100,
    tx_overflow_timeout=0,
    host_rx_timeout=10000,
    fifo_rx_flush=100,
    heartbeat=0,
    behind=bytes(4),
)
SOL_STARTED = made(names.SOL_STARTED, status=0, reserved=b"\0\0", sequence=1, unknown=bytes(15))


def controls(state: int) -> bytes:
    return made(names.SOL_CONTROLS, sequence=2, control=3, state=state)


OPEN = bytes(IDER_OPEN.build(HEAD | {"rx_timeout": 30000, "tx_timeout": 0, "heartbeat": 20000, "version": 1}))
OPENED = bytes(
    IDER_OPENED.build(
        HEAD
        | {"status": 0, "reserved": b"\0\0", "protocol": b"\1\0", "firmware": b"\x09\1", "unused": bytes(4)}
        | {"read_buffer": 8192, "write_buffer": 8192, "behind": bytes(5), "oem": 343, "oem_data": b""}
    )
)
FEATURES = made(names.IDER_FEATURES, feature=3, value=0x19)
FEATURES_ARE = made(names.IDER_FEATURES_ARE, feature=3, value=1)


def command(cdb: bytes, device: int = 0xB0, number: int = 1) -> bytes:
    head = struct.pack("<B3xIBBBBHBB", names.IDER_COMMAND, number, 0, 0, 0, 0, 2048, device & 0x10, 0xA0)
    return head + cdb.ljust(12, b"\0")


def read10(block: int, blocks: int) -> bytes:
    return command(struct.pack(">BBIBH", 0x28, 0, block, 0, blocks))


def to_host(data: bytes, *, last: bool, number: int = 1) -> bytes:
    registers = bytes((0xB5, 0, 2, 0, len(data) & 255, len(data) >> 8 & 255, 0xB0, 0x58))
    done = bytes((0x85, 0, 3, 0, 0, 0, 0xB0, 0x50)) if last else bytes(8)
    return bytes(
        declaration(names.IDER_TO_HOST).build(
            {"type": None, "reserved": b"\0\0", "attributes": 2 if last else 0, "sequence": number, "unused": b"\0"}
            | {"size": len(data), "behind": b"\0", "input": registers, "output": done}
            | {"sense": 0, "asc": 0, "ascq": 0, "rest": bytes(3), "data": data}
        )
    )


def ended(sense: int, asc: int, number: int = 1) -> bytes:
    return bytes(
        declaration(names.IDER_DONE).build(
            {"type": None, "reserved": b"\0\0", "attributes": 2, "sequence": number, "unused": bytes(4)}
            | {"input": bytes(8), "output": bytes((0x87, sense << 4, 3, 0, 0, 0, 0xB0, 0x51))}
            | {"sense": sense, "asc": asc, "ascq": 0}
        )
    )


LOGGED_IN = [
    (TO_SERVER, QUERY),
    (TO_CLIENT, OFFER),
    (TO_SERVER, FIRST_STEP),
    (TO_CLIENT, CHALLENGE),
    (TO_SERVER, login("P@ssw0rd")),
    (TO_CLIENT, ACCEPTED),
]
SOL = [
    (TO_SERVER, start("SOL")),
    (TO_CLIENT, STARTED),
    *LOGGED_IN,
    (TO_SERVER, SOL_START),
    (TO_CLIENT, SOL_STARTED),
    (TO_SERVER, bytes.fromhex("2700000002000000 00001b000000")),
    (TO_CLIENT, controls(4)),
    (TO_CLIENT, console(names.SOL_FROM_HOST, b"login: ", 3)),
    (TO_SERVER, console(names.SOL_TO_HOST, b"root\r")),
    (TO_CLIENT, console(names.SOL_FROM_HOST, b"Password: ", 4)),
    (TO_SERVER, console(names.SOL_TO_HOST, b"S3cret-typed\r")),
    (TO_SERVER, bytes.fromhex("2b00000003000000")),
    (TO_SERVER, bytes.fromhex("2200000000000000")),
    (TO_CLIENT, bytes.fromhex("2300000005000000")),
    (TO_SERVER, bytes.fromhex("12000000")),
]
BLOCKS = bytes(range(256)) * 8  # one block of a CD
IDER = [
    (TO_SERVER, start("IDER")),
    (TO_CLIENT, STARTED),
    *LOGGED_IN,
    (TO_SERVER, OPEN),
    (TO_CLIENT, OPENED),
    (TO_SERVER, FEATURES),
    (TO_CLIENT, FEATURES_ARE),
    (TO_CLIENT, command(b"")),  # TEST UNIT READY
    (TO_SERVER, ended(6, 0x28)),
    (TO_CLIENT, read10(16, 2)),
    (TO_SERVER, to_host(BLOCKS, last=False)),
    (TO_SERVER, to_host(BLOCKS[::-1], last=True)),
    (TO_CLIENT, bytes.fromhex("4b00000005000000")),
    (TO_SERVER, bytes.fromhex("4200000000000000")),
    (TO_CLIENT, bytes.fromhex("4300000006000000")),
]
