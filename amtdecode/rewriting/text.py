"""HTTP with SOAP, renamed byte for byte: nothing moves, what is not known to be harmless is an x.

Kept: request lines of AMT's services, headers about the message itself, tags, numbers, truth values, URIs of standards,
results, texts of faults in which nothing tells whose they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.rewriting.pseudonyms import Pseudonyms

Cut = tuple[int, int]
_START = re.compile(rb"(?:[A-Z]{3,12} \S{1,2048} HTTP/1\.[01]|HTTP/1\.[01] \d{3}[^\r\n]{0,128})\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_PATH = re.compile(rb"/(?:[A-Za-z]{1,40}Service|wsman|wsman-anon/identify|index\.htm|logon\.htm)?\Z")
_KEPT = frozenset(
    (
        b"content-length", b"content-type", b"transfer-encoding", b"connection", b"keep-alive", b"accept", b"expect",
        b"accept-encoding", b"cache-control", b"soapaction", b"date", b"www-authenticate", b"authorization", b"host",
        b"server",
    )
)  # fmt: skip
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,64}\r\n")
_PARAMETER = re.compile(rb'(\w+)(\s*=\s*"?)([^",\r\n]*)')
_TAG = re.compile(rb"<[^<>]*>|[^<>]+|[<>]")
_ATTRIBUTE = re.compile(rb'((?:[\w.-]+:)?[\w.-]+)(\s*=\s*)("[^"]*"|\'[^\']*\')')
_STANDARD = re.compile(
    rb"https?://(?:schemas\.(?:xmlsoap\.org|dmtf\.org|intel\.com|microsoft\.com)|www\.w3\.org|intel\.com)/[\w./#:-]*\Z"
)
_HARMLESS = re.compile(
    rb"-?\d{1,5}\Z|true\Z|false\Z|(?:wsman|wsa|wsen|soap|s|env|a|b|SOAP-ENV):\w{1,40}\Z"
    rb"|(?:AMT|CIM|IPS|Msvm|PT)_\w{1,80}\Z",
    re.IGNORECASE,
)
_URI_HOST = re.compile(rb"(https?://)([^/:\s\"'<>]+)")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMING = re.compile(rb"name|host|domain|fqdn|user|suffix|address", re.IGNORECASE)
_SPELLED = re.compile(r"[\w$*.-]{1,255}\Z")
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}\Z")


def is_http(data: bytes) -> bool:
    """Whether a direction begins as HTTP does."""
    return _START.match(data) is not None


class TextRewriter:
    """Renames in HTTP. `harmless`: whether a sentence of somebody else has nothing in it that the report would mask."""

    def __init__(self, known: Pseudonyms, harmless: Callable[[str], bool]) -> None:
        self._known, self._harmless = known, harmless

    def stream(self, data: bytes) -> tuple[bytes, list[Cut]]:
        """One direction, as far as it can be read; the rest is to be cut."""
        out, at = bytearray(data), 0
        cuts: list[Cut] = []
        while at < len(data):
            if (start := _START.match(data, at)) is None or (end := _HEAD_END.search(data, start.end() - 2)) is None:
                break
            head = self._head(data[at : end.end()])
            out[at : end.end()] = head
            at = self._body(data, out, cuts, end.end(), data[at : end.end()].lower())
            if at < 0:
                return bytes(out), cuts
        if at < len(data):
            cuts.append((at, len(data)))
        return bytes(out), cuts

    def _body(self, data: bytes, out: bytearray, cuts: list[Cut], at: int, head: bytes) -> int:
        pieces: list[Cut] = []
        length = re.search(rb"\ncontent-length:\s*(\d{1,9})", head)
        if re.search(rb"\ntransfer-encoding:\s*chunked", head):
            while (chunk := _CHUNK.match(data, at)) is not None:
                size = int(chunk[1], 16)
                at = chunk.end()
                if size == 0:
                    ending = _HEAD_END.match(data, at - 2)
                    at = ending.end() if ending is not None else at
                    break
                pieces.append((at, min(at + size, len(data))))
                at += size
                at += 2 if data[at : at + 2] == b"\r\n" else 0
        elif length is not None:
            end = at + int(length[1])
            pieces, at = [(at, min(end, len(data)))], end
        whole = b"".join(data[start:end] for start, end in pieces)
        xml = whole.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"\ncontent-encoding:" not in head
        if not xml:
            cuts.extend(piece for piece in pieces if piece[0] < piece[1])
            return at
        made = self.xml(whole)
        for start, end in pieces:
            out[start:end], made = made[: end - start], made[end - start :]
        return at

    def _head(self, head: bytes) -> bytes:
        lines = head.splitlines(keepends=True)
        return b"".join([self._start(lines[0]), *map(self._header, lines[1:])])

    def _start(self, line: bytes) -> bytes:
        if line.startswith(b"HTTP/"):
            return line
        method, target, rest = line.split(b" ", 2)
        return b" ".join((method, self._target(target), rest))

    def _target(self, target: bytes) -> bytes:
        return target if _PATH.match(target) else b"/" + _filled(target[1:])

    def _header(self, line: bytes) -> bytes:
        name, colon, value = line.partition(b":")
        low = name.lower()
        if not colon:
            return _filled(line)
        if low not in _KEPT or (low == b"server" and not value.lstrip().startswith((b"Intel(R)", b"AMT"))):
            return name + colon + _filled(value)
        if low == b"host":
            bare = value.strip()
            host, between, port = bare.partition(b":")
            return name + colon + value.replace(bare, self.host(host) + between + port)
        if low in (b"authorization", b"www-authenticate"):
            scheme = re.match(rb"\s*(\w+)\s*", value)
            if scheme is None or scheme[1].lower() != b"digest":
                after = scheme.end() if scheme is not None else 0
                return name + colon + value[:after] + _filled(value[after:])
            return name + colon + value[: scheme.end()] + _PARAMETER.sub(self._parameter, value[scheme.end() :])
        return line

    def _parameter(self, found: re.Match[bytes]) -> bytes:
        name, between, value = found[1].lower(), found[2], found[3]
        if name == b"username":
            value = self.name(value)
        elif name == b"realm":
            digits = re.fullmatch(rb"(Digest:)([0-9A-Fa-f]{32})", value)
            value = digits[1] + self._hex(digits[2]) if digits else _filled(value)
        elif name == b"uri":
            value = self._target(value)
        elif name not in (b"qop", b"nc", b"algorithm", b"stale", b"nonce"):
            value = _filled(value)
        return found[1] + between + value

    def _hex(self, digits: bytes) -> bytes:
        """A realm of AMT: 32 digits made of the machine."""
        other = self._known.uuid(digits.decode()).replace("-", "")
        return (other.upper() if digits.isupper() else other).encode()

    def name(self, value: bytes) -> bytes:
        """A name, where it is spelt as one; else x."""
        text = value.decode("latin-1")
        return self._known.name(text).encode("latin-1") if _SPELLED.match(text) else _filled(value)

    def host(self, value: bytes) -> bytes:
        """The host of an address: an IPv4 address of the same length, or a name."""
        text = value.decode("latin-1")
        if _IPV4.match(text):
            other = self._known.address(text)
            return other.encode() if len(other) == len(text) else _filled(value)
        return self.name(value)

    def xml(self, data: bytes) -> bytes:
        """A document, or as much of it as there is."""
        made, element = [], b""
        for token in _TAG.findall(data):
            if token.startswith(b"<?xml"):
                made.append(token)
            elif token.startswith((b"<?", b"<!")):
                made.append(b"<" + _filled(token[1:-1]) + b">" if len(token) > 1 else token)
            elif token.startswith(b"<") and len(token) > 1:
                if not token.startswith(b"</"):
                    element = re.split(rb"[\s/>]", token[1:])[0].rpartition(b":")[2]
                made.append(_ATTRIBUTE.sub(self._attribute, token))
            elif len(token) == 1 and token in b"<>":
                made.append(token)
            else:
                made.append(self._value(token, element))
        return b"".join(made)

    def _attribute(self, found: re.Match[bytes]) -> bytes:
        name, between, value = found[1], found[2], found[3]
        inside = value[1:-1]
        if name.startswith(b"xmlns") or _STANDARD.match(inside) or _HARMLESS.match(inside):
            return found[0]
        selector = name.rpartition(b":")[2] in (b"Name", b"lang", b"type", b"mustUnderstand", b"encodingStyle")
        return found[0] if selector and len(inside) <= 40 else name + between + value[:1] + _filled(inside) + value[-1:]

    def _value(self, token: bytes, element: bytes) -> bytes:
        bare = token.strip()
        if not bare or _HARMLESS.match(bare) or _STANDARD.match(bare):
            return token
        if (uuid := _UUID.search(bare)) is not None and len(bare) <= 45:
            other = self._known.uuid(uuid[0].decode()).encode()
            return token.replace(uuid[0], other.upper() if uuid[0].isupper() else other)
        if element in (b"To", b"Address") and _URI_HOST.match(bare):
            return _URI_HOST.sub(lambda found: found[1] + self.host(found[2]), token)
        if element == b"Text" and self._harmless(bare.decode("utf-8", "replace")):
            return token
        if _NAMING.search(element):
            return token.replace(bare, self.host(bare))
        return _filled(token)


def _filled(value: bytes) -> bytes:
    """Letters and digits as x; bytes beyond ASCII too, so that nothing moves."""
    return re.sub(rb"[0-9A-Za-z\x80-\xff]", b"x", value)
