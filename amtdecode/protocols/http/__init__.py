"""HTTP/1.0 and 1.1 as Intel AMT and its clients speak it: the carrier of EOI SOAP, WS-Man and the web pages.

| | |
|---|---|
| transport | TCP 16992, inside TLS on 16993; DASH 623 and 664; through APF channels; other ports by content |
| who speaks first | the client |
| framing | head up to an empty line; body by Content-Length, chunks, or the end of the connection (RFC 9112 §6.3) |
| sources | RFC 9110, 9112 (HTTP), 7616 and 2617 (Digest), 7617 (Basic), 4559 (Negotiate); recorded AMT 8, 14 and 15 |
| limits | in `framing`, `body_framing`, `message_reader`, `body` and `dissector` |
| not covered | HTTP/2, what follows CONNECT or Upgrade, br and zstd bodies, multipart bodies, HTTP/0.9 |

AMT writes chunk sizes with leading zeros (`0425`), leaves spaces out behind commas, closes the connection behind many
answers, and sends visitors of `/` to `/logon.htm` (303). A status of 200 says that the message arrived, not that what
it asked was done: that stands in the body.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.protocols.dissector import Context, Dissector, Protocol, literal
from amtdecode.protocols.http.names import METHODS
from amtdecode.protocols.http.recognise import recognise, recognise_every

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction


@cache
def _class() -> type[Dissector]:
    from amtdecode.protocols.http.dissector import HttpDissector

    return HttpDissector


def _dissector(context: Context) -> Dissector:
    return _class()(context)


def _fields() -> Sequence[Field]:
    from amtdecode.fields import declared_by
    from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse

    return declared_by(HttpRequest, HttpResponse, AuthenticationLoop)


def _begins_inside(data: bytes, direction: Direction) -> bool:
    from amtdecode.protocols.http.lines import find_first_line

    return find_first_line(data, 0, direction) is not None


_ANY_OPENINGS = (literal(b"HTTP/"), (frozenset(range(65, 91)),))
_OPENINGS = tuple(literal(word) for word in (b"HTTP/", *[method.encode() + b" " for method in METHODS]))

_AMTS = Protocol(
    "http",
    "tcp",
    ports.WEB,
    recognise,
    _dissector,
    _fields,
    begins_inside=_begins_inside,
    openings=_OPENINGS,
)
HTTP = _AMTS._replace(in_full=_AMTS._replace(recognise=recognise_every, openings=_ANY_OPENINGS))
