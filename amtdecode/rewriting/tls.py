"""The frame of a TLS connection: what is encrypted becomes filler, certificates are cut, names in hellos are renamed.

Records and messages stay where they are and as long as they are (RFC 5246, RFC 8446).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.tls.registry import name_of_suite

if TYPE_CHECKING:
    from amtdecode.rewriting.pseudonyms import Pseudonyms
    from amtdecode.rewriting.text import Cut

Made = tuple[bytes, "list[Cut]"]
"""A direction renamed, and what of it is to be cut."""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, TICKET, CERTIFICATE = 1, 2, 4, 11
SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, HELLO_DONE, VERIFY, CLIENT_KEY_EXCHANGE = 12, 13, 14, 15, 16
FILLER = 0xEE
SERVER_NAME = 0
OPAQUE_EXTENSIONS = frozenset((35, 44))  # tickets, cookies
KEPT_EXTENSIONS = frozenset((1, 5, 10, 11, 13, 15, 16, 17, 18, 21, 22, 23, 27, 28, 43, 45, 49, 50, 51, 65281))
MAX_RECORD = (1 << 14) + 2048  # bytes of a record (RFC 5246 section 6.2.3)


def is_tls(data: bytes) -> bool:
    """Whether a direction begins as a record of SSL 3.0 or later does."""
    return len(data) >= 3 and data[0] in (21, 22) and data[1] == 3 and data[2] < 5


def rewrite_tls(
    client: bytes, server: bytes, known: Pseudonyms
) -> tuple[tuple[bytes, list[Cut]], tuple[bytes, list[Cut]]]:
    """Both directions."""
    psk = "_PSK_" in _suite(server)
    return _Direction(client, known, psk=psk).made(), _Direction(server, known, psk=psk).made()


def _suite(server: bytes) -> str:
    """The suite of the first ServerHello; "" without one."""
    if len(server) < 44 or server[0] != HANDSHAKE or server[5] != SERVER_HELLO:
        return ""
    at = 9 + 2 + 32
    at += 1 + server[at]
    return name_of_suite(int.from_bytes(server[at : at + 2], "big"))


class _Direction:
    def __init__(self, data: bytes, known: Pseudonyms, *, psk: bool) -> None:
        self._data, self._out, self._known, self._psk = data, bytearray(data), known, psk
        self._cuts: list[Cut] = []

    def made(self) -> tuple[bytes, list[Cut]]:
        data, at, encrypted = self._data, 0, False
        places: list[int] = []  # where the bytes of plain handshake messages lie
        while at + 5 <= len(data):
            kind, size = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
            if not CHANGE_CIPHER_SPEC <= kind <= APPLICATION_DATA or data[at + 1] != 3 or size > MAX_RECORD:
                break
            start, end = at + 5, min(at + 5 + size, len(data))
            if kind == HANDSHAKE and not encrypted:
                places.extend(range(start, end))
            elif kind == CHANGE_CIPHER_SPEC:
                encrypted = True
            elif not (kind == ALERT and size == 2 and not encrypted):
                self._fill(start, end)
            if kind == HANDSHAKE and encrypted:
                self._fill(start, end)
            at += 5 + size
        self._messages(places)
        if at < len(data):
            self._cuts.append((at, len(data)))
        return bytes(self._out), self._cuts

    def _fill(self, start: int, end: int) -> None:
        self._out[start:end] = bytes([FILLER]) * (end - start)

    def _messages(self, places: list[int]) -> None:
        data, at = bytes(self._data[place] for place in places), 0
        while at < len(data):
            size = int.from_bytes(data[at + 1 : at + 4], "big") if at + 4 <= len(data) else 0
            body = data[at + 4 : at + 4 + size]
            whole = at + 4 <= len(data) and len(body) == size
            made = self._message(data[at], body) if whole else None
            if made is None:
                start = min(at + 4, len(data) - 1) if whole or at + 4 <= len(data) else at
                last = places[min(at + 4 + size, len(data)) - 1] + 1
                self._cuts.append((places[start], max(last, places[start] + 1)))
            else:
                for place, byte in zip(places[at + 4 : at + 4 + size], made, strict=True):
                    self._out[place] = byte
            at += 4 + size

    def _message(self, kind: int, body: bytes) -> bytes | None:
        if kind == CLIENT_HELLO:
            return self._client_hello(body)
        if kind in (SERVER_HELLO, HELLO_DONE, VERIFY, 0):
            return body
        if kind == CERTIFICATE:
            return body if not any(body) else None
        if kind in (SERVER_KEY_EXCHANGE, CLIENT_KEY_EXCHANGE):
            return self._identity(body) if self._psk else body
        if kind == TICKET and len(body) >= 6:
            return body[:6] + bytes([FILLER]) * (len(body) - 6)
        return None

    def _identity(self, body: bytes) -> bytes | None:
        """A PSK identity or its hint (RFC 4279 section 2): two bytes of length, then text."""
        size = int.from_bytes(body[:2], "big")
        value = body[2 : 2 + size]
        if len(body) < 2 or len(value) != size:
            return None
        bare = value.rstrip(b"\0")
        text = bare.decode("latin-1")
        other = self._known.pid(text) if len(text.replace("-", "")) == 8 else self._known.fill(text)
        made = other.encode("latin-1", "replace")
        return body[:2] + made + value[len(bare) :] + body[2 + size :] if len(made) == len(bare) else None

    def _client_hello(self, body: bytes) -> bytes | None:
        at = 34
        try:
            at += 1 + body[at]
            at += 2 + int.from_bytes(body[at : at + 2], "big")
            at += 1 + body[at]
        except IndexError:
            return None
        out = bytearray(body)
        at += 2
        while at + 4 <= len(body):
            kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
            start, end = at + 4, at + 4 + size
            if kind == SERVER_NAME and size > 5:
                out[start + 5 : end] = self._known.name(body[start + 5 : end].decode("latin-1")).encode("latin-1")
            elif kind in OPAQUE_EXTENSIONS:
                out[start:end] = bytes([FILLER]) * (min(end, len(body)) - start)
            elif kind not in KEPT_EXTENSIONS and kind & 0x0F0F != 0x0A0A:  # the latter: GREASE (RFC 8701)
                return None
            at = end
        return bytes(out) if len(out) == len(body) else None
