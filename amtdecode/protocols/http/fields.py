"""The fields of requests, responses and logins that are not headers: names as tshark 4.0 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from amtdecode.fields import BOOLEAN, STRING, UINT16, UINT32, UINT64, Field, Fields
from amtdecode.protocols.http.auth import unquote
from amtdecode.protocols.http.lines import content_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.http.auth import Challenge


def _parameter(name: str) -> Callable[[Challenge], str | None]:
    def read(given: Challenge) -> str | None:
        value = given.parameters.get(name)
        return value if value is None or "\\" not in value else unquote(value)

    return read


def _is_stale(given: Challenge) -> bool | None:
    stale = given.parameters.get("stale")
    return None if stale is None else stale.lower() == "true"


def _digest(name: str, meaning: str, *, secret: bool = False, free: bool = False) -> Field:
    field = Field(f"iamt.http.digest.{name}", STRING, f"Digest: {meaning}", _parameter(name), None, secret=secret)
    return replace(field, free=free)


DIGEST: Fields = (
    _digest("realm", "realm; AMT's ends with 32 hexadecimal digits of its own"),
    _digest("nonce", "the server's nonce"),
    _digest("algorithm", "hash algorithm, MD5 where it is not named"),
    _digest("opaque", "text to be sent back unchanged"),
    _digest("uri", "the address the hash was made for", free=True),
    _digest("nc", "nonce count as sent, 8 hexadecimal digits by the RFC"),
    _digest("cnonce", "the client's nonce"),
    _digest("response", "the hash that proves the password", secret=True),
    Field(
        "iamt.http.digest.qop", STRING, "Digest: qualities of protection offered or chosen", "qop", (), repeated=True
    ),
    Field(
        "iamt.http.digest.stale",
        BOOLEAN,
        "Digest: the nonce had grown old, the password was not judged",
        _is_stale,
        None,
    ),
)
"""Of one challenge or one set of credentials."""

BODY: Fields = (
    Field(
        "http.content_length",
        UINT64,
        "size of the body that Content-Length declares, in bytes",
        lambda message: content_length(message.header("content-length")),
        None,
    ),
    Field(
        "iamt.http.body.size",
        UINT32,
        "bytes of the body out of chunks and compression, as captured and kept",
        "body_size",
    ),
    Field(
        "iamt.http.exchange",
        UINT32,
        "number of the exchange in its flow, from 1; request and response share it",
        "exchange",
        0,
    ),
    Field(
        "iamt.http.incomplete",
        BOOLEAN,
        "true where the capture lacks a part of the message, or a limit cut it",
        lambda message: not message.complete,
        False,
    ),
)
SCHEME = Field(
    "iamt.http.auth.scheme", STRING, "scheme of the Authorization header, where it is a known one", "credentials.name"
)
USER = Field("iamt.http.auth.user", STRING, "user that Digest or Basic credentials name", "auth_user", "")
MECHANISM = Field(
    "iamt.http.auth.mechanism", STRING, "what a Negotiate or NTLM token carries: Kerberos, NTLM …, SPNEGO"
)


REQUEST_LINE: Fields = (
    Field("http.request", BOOLEAN, "true for a request", lambda _: True),
    Field("http.request.method", STRING, "method of a request", "method"),
    Field(
        "http.request.uri",
        STRING,
        "target of a request as sent; of a login loop, the address that refuses",
        "target",
        free=True,
    ),
    Field("http.request.version", STRING, "version of a request, HTTP/1.1", "version"),
)
STATUS_LINE: Fields = (
    Field("http.response", BOOLEAN, "true for a response", lambda _: True),
    Field("http.response.version", STRING, "version of a response, HTTP/1.1", "version"),
    Field("http.response.code", UINT16, "status of a response; 200 does not say that AMT did what was asked", "status"),
    Field("http.response.phrase", STRING, "reason of a response, in its words", "reason", free=True),
)
VERIFIED = Field(
    "iamt.http.digest.verified", BOOLEAN, "whether the password given makes this response", "verified", None
)
ANSWERED: Fields = (
    Field("iamt.http.request.method", STRING, "method of the request that a response answers", "method", ""),
    Field("iamt.http.request.uri", STRING, "target of the request that a response answers", "target", "", free=True),
)
OFFERED = Field("iamt.http.auth.offered", STRING, "schemes of the WWW-Authenticate headers", repeated=True)
PRODUCT: Fields = (
    Field("iamt.product", STRING, "the product the Server header names", free=True),
    Field("iamt.version", STRING, "version of the AMT firmware, by the Server header"),
)
REFUSALS = Field("iamt.http.auth.refusals", UINT32, "logins refused in a row at this address in this flow", "count")
