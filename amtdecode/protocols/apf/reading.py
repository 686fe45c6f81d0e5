"""From bytes to messages: how long one is, and what it says. `spec.py` declares the same; a test holds both equal."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING
from uuid import UUID

from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_STRING = 2048
"""Bytes of a string: Open AMT's MPS drops whoever sends a longer one."""
MAX_DATAGRAM = 65_535
"""Bytes of a UDP datagram that is forwarded, as IP limits it."""
MAX_JSON = 65_536
"""Bytes of MeshCentral's control messages."""
MAX_DATA = 1 << 20
"""Bytes of one CHANNEL_DATA: for more Open AMT's MPS says error."""

WORD = Struct(">I")
TWO, THREE = Struct(">xII"), Struct(">xIII")
VERSION = Struct(">xIII16s")
FIXED = {
    f.DISCONNECT: 7,
    f.USERAUTH_SUCCESS: 1,
    f.REQUEST_FAILURE: 1,
    f.CHANNEL_OPEN_CONFIRMATION: 17,
    f.CHANNEL_OPEN_FAILURE: 17,
    f.CHANNEL_WINDOW_ADJUST: 9,
    f.CHANNEL_DATA: 9,  # without the data
    f.CHANNEL_CLOSE: 5,
    f.PROTOCOLVERSION: 93,
    f.KEEPALIVE_REQUEST: 5,
    f.KEEPALIVE_REPLY: 5,
    f.KEEPALIVE_OPTIONS_REQUEST: 9,
    f.KEEPALIVE_OPTIONS_REPLY: 9,
}


class BrokenRulesError(Exception):
    """Bytes that are no message. Never leaves the room."""


class Measure:
    """Walks over a message whose length depends on its strings. `at` is how far it is known to reach.

    Where bytes are missing it stops at those that tell more, so that nothing is found out later than it can be.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 1

    def word(self) -> int | None:
        """The 4 bytes here, `None` while they are not there."""
        start, self.at = self.at, self.at + 4
        return WORD.unpack_from(self.data, start)[0] if start + 4 <= len(self.data) else None

    def string(self, most: int = MAX_STRING) -> bytes | None:
        """The string here, `None` while it is not whole."""
        size = self.word()
        if size is None:
            return None
        if size > most:
            raise BrokenRulesError(f"a string of {size} bytes, more than {most}")
        start, self.at = self.at, self.at + size
        return self.data[start : self.at] if self.at <= len(self.data) else None


def size_of(data: bytes) -> int:
    """Bytes of the message that begins here: as far as can be told; more than there are: that many are needed first.

    Raises `BrokenRulesError` where no message begins so. REQUEST_SUCCESS depends on what it answers: not asked here.
    """
    kind = data[0]
    size = FIXED.get(kind)
    if size is not None:
        return size
    walk = Measure(data)
    if kind in (f.SERVICE_REQUEST, f.SERVICE_ACCEPT):
        walk.string()
    elif kind == f.USERAUTH_REQUEST:
        if walk.string() is not None and walk.string() is not None and walk.string() == b"password":
            walk.at += 1
            walk.string()
    elif kind == f.USERAUTH_FAILURE:
        if walk.string() is not None:
            walk.at += 1
    elif kind == f.GLOBAL_REQUEST:
        _measure_request(walk)
    elif kind == f.CHANNEL_OPEN:
        if walk.string() is not None:
            walk.at += 12
            if walk.string() is not None:
                walk.at += 4
                if walk.string() is not None:
                    walk.at += 4
    elif kind == f.JSON_CONTROL:
        walk.string(MAX_JSON)
    else:
        raise BrokenRulesError(f"byte 0x{kind:02x} begins no message")
    return walk.at


def _measure_request(walk: Measure) -> None:
    request = walk.string()
    if request is None:
        return
    walk.at += 1  # wantReply
    kind = f.request_kind(request)
    if not kind:
        return
    if walk.string() is None:
        return
    walk.at += 4
    if kind == f.UDP and walk.string() is not None:
        walk.at += 4
        walk.string(MAX_DATAGRAM)


class Strings:
    """Reads a whole message from its second byte on."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 1

    def string(self) -> bytes:
        """The string here."""
        start = self.at + 4
        self.at = start + WORD.unpack_from(self.data, self.at)[0]
        return self.data[start : self.at]

    def word(self) -> int:
        """The 4 bytes here."""
        self.at += 4
        number: int = WORD.unpack_from(self.data, self.at - 4)[0]
        return number

    def byte(self) -> int:
        """The byte here."""
        self.at += 1
        return self.data[self.at - 1]


def _version(data: bytes) -> e.ApfMessage:
    major, minor, trigger, uuid = VERSION.unpack_from(data)
    return e.ProtocolVersion(major, minor, trigger, str(UUID(bytes_le=uuid)))


def _login(data: bytes) -> e.ApfMessage:
    read = Strings(data)
    user, service, method = f.text(read.string()), f.text(read.string()), read.string()
    password = None
    if method == b"password":
        read.byte()
        password = f.text(read.string())
    return e.UserauthRequest(user, service, f.text(method), password)


def _refusal(data: bytes) -> e.ApfMessage:
    read = Strings(data)
    return e.UserauthFailure(f.text(read.string()), bool(read.byte()))


def _request(data: bytes) -> e.ApfMessage:
    read = Strings(data)
    request = read.string()
    want, kind = read.byte(), f.request_kind(request)
    if not kind:
        return e.GlobalRequest(f.text(request), want)
    address, port = f.text(read.string()), read.word()
    if kind != f.UDP:
        return e.GlobalRequest(f.text(request), want, address, port)
    return e.GlobalRequest(f.text(request), want, address, port, f.text(read.string()), read.word(), read.string())


def _open(data: bytes) -> e.ApfMessage:
    read = Strings(data)
    kind, sender, window = f.text(read.string()), read.word(), read.word()
    read.word()  # reserved
    return e.ChannelOpen(kind, sender, window, f.text(read.string()), read.word(), f.text(read.string()), read.word())


READERS: dict[int, Callable[[bytes], e.ApfMessage]] = {
    f.DISCONNECT: lambda data: e.Disconnect(WORD.unpack_from(data, 1)[0]),
    f.SERVICE_REQUEST: lambda data: e.ServiceRequest(f.text(data[5:])),
    f.SERVICE_ACCEPT: lambda data: e.ServiceAccept(f.text(data[5:])),
    f.USERAUTH_REQUEST: _login,
    f.USERAUTH_FAILURE: _refusal,
    f.USERAUTH_SUCCESS: lambda _: e.UserauthSuccess(),
    f.GLOBAL_REQUEST: _request,
    f.REQUEST_SUCCESS: lambda data: e.RequestSuccess(WORD.unpack_from(data, 1)[0] if len(data) == 5 else None),
    f.REQUEST_FAILURE: lambda _: e.RequestFailure(),
    f.CHANNEL_OPEN: _open,
    f.CHANNEL_OPEN_CONFIRMATION: lambda data: e.ChannelOpenConfirmation(*THREE.unpack_from(data)),
    f.CHANNEL_OPEN_FAILURE: lambda data: e.ChannelOpenFailure(*TWO.unpack_from(data)),
    f.CHANNEL_WINDOW_ADJUST: lambda data: e.WindowAdjust(*TWO.unpack(data)),
    f.CHANNEL_CLOSE: lambda data: e.ChannelClose(WORD.unpack_from(data, 1)[0]),
    f.PROTOCOLVERSION: _version,
    f.KEEPALIVE_REQUEST: lambda data: e.KeepaliveRequest(WORD.unpack_from(data, 1)[0]),
    f.KEEPALIVE_REPLY: lambda data: e.KeepaliveReply(WORD.unpack_from(data, 1)[0]),
    f.KEEPALIVE_OPTIONS_REQUEST: lambda data: e.KeepaliveOptionsRequest(*TWO.unpack(data)),
    f.KEEPALIVE_OPTIONS_REPLY: lambda data: e.KeepaliveOptionsReply(*TWO.unpack(data)),
    f.JSON_CONTROL: lambda data: e.JsonControl(f.text(data[5:])),
}


def read_message(data: bytes) -> e.ApfMessage:
    """One whole message, other than CHANNEL_DATA."""
    return READERS[data[0]](data)
