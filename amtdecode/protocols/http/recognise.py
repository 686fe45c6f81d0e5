"""Telling AMT's HTTP from the first bytes of a direction: cheaply, as most of what is asked about is office traffic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.protocols.dissector import MORE, NO, YES, Context, Verdict
from amtdecode.protocols.http.names import EOI_SERVICES, METHODS

if TYPE_CHECKING:
    from amtdecode.model import Direction

LINE_WINDOW = 2 << 10
"""Bytes that decide about a first line: a longer one has to begin as a request line does."""
HEAD_WINDOW = 4 << 10
"""Bytes within which a sign of AMT has to stand."""

_METHODS = tuple(method.encode() + b" " for method in METHODS)
_REQUEST = re.compile(rb"[A-Z]{3,7} ([!-~\x80-\xff]+) HTTP/(?:1\.[01]|2\.0)\r?\n")
_LONG_REQUEST = re.compile(rb"[A-Z]{3,7} [!-~\x80-\xff]+")
_ANY_REQUEST = re.compile(rb"[A-Z][A-Z_-]{1,19} ([!-~\x80-\xff]+) HTTP/(?:1\.[01]|2\.0)\r?\n")
_BEGINNING = re.compile(rb"[A-Z][A-Z_-]{0,19}(?: [!-~\x80-\xff]*(?: (?:H[TP/.0-9]*\r?)?)?)?")  # of such a line
_STATUS = re.compile(rb"HTTP/(?:1\.[01]|2\.0) {1,3}[1-5][0-9][0-9][ \r\n]")
_LONGEST_STATUS = 15  # bytes that this may take
_SERVER = re.compile(rb"\n[Ss]erver: Intel\(R\) (?:Active Management|Standard Manageability|Small Business)")
# what an alert carries that AMT pushes to whoever subscribed, at any port and path
_ALERT = re.compile(rb"wbem/wsman/1/wsman/Event|intel\.com/wbem/")
_WEB_PAGES = frozenset((b"/", b"/logon.htm", b"/index.htm"))
_SERVICES = frozenset(b"/" + name.encode() for name in EOI_SERVICES)


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:
    """Say whether a direction begins as AMT's HTTP.

    On AMT's ports and inside TLS or APF any first line will do. Elsewhere a request has to name a path of AMT's, and a
    response the server; for AMT's common web pages the response decides.
    """
    at_home = context.carrier or context.server.port in ports.WEB
    if direction:
        if data[:5] != b"HTTP/"[: len(data)]:
            return NO
        if len(data) < 13:
            return MORE
        if _STATUS.match(data) is None:
            return MORE if len(data) < _LONGEST_STATUS and data[8:10] == b"  " else NO
        return YES if at_home else _response(data)
    if not data.startswith(_METHODS):
        return MORE if len(data) < 8 and any(method.startswith(data) for method in _METHODS) else NO
    first = _REQUEST.match(data, 0, LINE_WINDOW)
    if first is None:
        if b"\n" in data[:LINE_WINDOW]:
            return NO
        if len(data) < LINE_WINDOW:
            return MORE
        return YES if at_home and _LONG_REQUEST.fullmatch(data, 0, LINE_WINDOW) else NO
    return YES if at_home else _request(data, first)


def recognise_every(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """Say whether a direction begins as anybody's HTTP: for readings in which somebody asks for it."""
    if direction:
        if data[:5] != b"HTTP/"[: len(data)]:
            return NO
        if _STATUS.match(data) is not None:
            return YES
        return MORE if len(data) < _LONGEST_STATUS else NO
    if _ANY_REQUEST.match(data, 0, LINE_WINDOW) is not None:
        return YES
    if b"\n" in data[:LINE_WINDOW] or len(data) >= LINE_WINDOW:
        return NO
    return MORE if _BEGINNING.fullmatch(data) is not None else NO


def _request(data: bytes, first: re.Match[bytes]) -> Verdict:
    path = first[1].partition(b"?")[0]
    if data[0] == 80:  # POST
        if path == b"/wsman" or path in _SERVICES:
            return YES
        head = data.find(b"\r\n\r\n", 0, HEAD_WINDOW)
        if head < 0:
            return MORE if len(data) < HEAD_WINDOW else NO
        if data.find(b"application/soap+xml", 0, head) < 0:
            return NO
        if _ALERT.search(data, head):
            return YES
        return MORE if len(data) < head + HEAD_WINDOW else NO
    return MORE if path in _WEB_PAGES and len(data) < HEAD_WINDOW else NO


def _response(data: bytes) -> Verdict:
    head = data.find(b"\r\n\r\n")
    if _SERVER.search(data, 0, len(data) if head < 0 else head):
        return YES
    return MORE if head < 0 and len(data) < HEAD_WINDOW else NO
