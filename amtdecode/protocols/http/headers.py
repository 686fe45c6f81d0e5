"""The fields of headers: one for each header that has a name of its own, and two for all others.

Sources: field names as tshark 4.0 has them (`tshark -G fields`); header names from RFC 9110 and RFC 6265.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import STRING, Field, Fields
from amtdecode.masking import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable


FREE = frozenset(
    (
        "Content-Type",
        "Host",
        "Location",
        "Referer",
        "Server",
        "SOAPAction",
        "Upgrade",
        "User-Agent",
        "X-Forwarded-For",
    )
)
"""Headers whose values people and programs write as they like; those of the others are numbers and words of RFCs."""


def _header(name: str, field: str, *, repeated: bool = False, secret: bool = False) -> Field:
    free = name in FREE
    return Field(field, STRING, f"{name} header{'s' if repeated else ''}", repeated=repeated, secret=secret, free=free)


HEADERS = {
    name.lower(): _header(name, field)
    for name, field in (
        ("Accept", "http.accept"),
        ("Accept-Encoding", "http.accept_encoding"),
        ("Accept-Language", "http.accept_language"),
        ("Cache-Control", "http.cache_control"),
        ("Connection", "http.connection"),
        ("Content-Encoding", "http.content_encoding"),
        ("Content-Length", "http.content_length_header"),
        ("Content-Type", "http.content_type"),
        ("Date", "http.date"),
        ("Host", "http.host"),
        ("Last-Modified", "http.last_modified"),
        ("Location", "http.location"),
        ("Referer", "http.referer"),
        ("Server", "http.server"),
        ("SOAPAction", "iamt.http.soapaction"),
        ("Transfer-Encoding", "http.transfer_encoding"),
        ("Upgrade", "http.upgrade"),
        ("User-Agent", "http.user_agent"),
        ("X-Forwarded-For", "http.x_forwarded_for"),
    )
} | {
    "authentication-info": Field(
        "iamt.http.authentication_info",
        STRING,
        "Authentication-Info header, the server's proof of the password",
        secret=True,
    ),
    "authorization": _header("Authorization", "http.authorization", secret=True),
    "cookie": _header("Cookie", "http.cookie", secret=True),
    "proxy-authenticate": _header("Proxy-Authenticate", "http.proxy_authenticate", repeated=True),
    "proxy-authorization": _header("Proxy-Authorization", "http.proxy_authorization", secret=True),
    "set-cookie": _header("Set-Cookie", "http.set_cookie", repeated=True, secret=True),
    "www-authenticate": _header("WWW-Authenticate", "http.www_authenticate", repeated=True),
}
"""Lower-case name of a header to its field."""

UNKNOWN = Field(
    "http.unknown_header", STRING, "headers that have no field of their own, name and value", repeated=True, free=True
)
SECRET = Field(
    "iamt.http.secret_header",
    STRING,
    "headers without a field of their own whose names speak of secrets",
    repeated=True,
    secret=True,
)
DECLARED: Fields = (*HEADERS.values(), UNKNOWN, SECRET)


def shown(name: str, value: str) -> tuple[Field, str]:
    """The field of a header, and its value there: with the name before it where the field is not of this name alone."""
    lower = name.lower()
    field = HEADERS.get(lower)
    if field is not None:
        return field, value
    return (SECRET if is_secret_name(name) else UNKNOWN), f"{name}: {value}"


_SINGLE = {name.title(): field.name for name, field in HEADERS.items() if not field.repeated}
"""Headers as they are mostly written, that have a field of one value."""


def add_headers(found: dict[str, Any], headers: Iterable[tuple[str, str]]) -> None:
    """Enter headers under the names of their fields, in the order in which they stand."""
    single = _SINGLE.get
    for name, captured in headers:
        plain = single(name)
        if plain is not None and plain not in found:
            found[plain] = captured
            continue
        field, value = shown(name, captured)
        if field.repeated:
            found.setdefault(field.name, []).append(value)
        else:  # a list in several headers is one list (RFC 9110 §5.3)
            found[field.name] = f"{found[field.name]}, {value}" if field.name in found else value
