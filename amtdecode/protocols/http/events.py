"""What the HTTP room states: requests, responses, and logins that go round in circles."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - msgspec reads the annotations of structs
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from amtdecode.model import Event
from amtdecode.protocols.addresses import discreet
from amtdecode.protocols.http.auth import Challenge, challenges, credentials, mechanism, unquote
from amtdecode.protocols.http.layouts import Headers, field_of, is_length, json_text
from amtdecode.protocols.http.lines import LENGTH_DIGITS
from amtdecode.protocols.http.names import ADDRESS_FIELDS, PRODUCT_PREFIX, REPEATED, SECRET_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping


JSON_KEPT = 256
"""Request lines, status lines and servers whose JSON is kept."""


class HttpEvent(Event, frozen=True, gc=False):
    """What the room's events have in common."""

    protocol = "http"

    def masked_fields(self) -> Mapping[str, Any]:
        """See `Event`: passwords in addresses too."""
        fields = dict(Event.masked_fields(self))
        for name in ADDRESS_FIELDS:
            value = fields.get(name)
            if value:
                fields[name] = list(map(discreet, value)) if isinstance(value, list) else discreet(value)
        return fields


class HttpMessage(HttpEvent, frozen=True, gc=False):
    """What requests and responses have in common. Header values are the captured bytes as ISO 8859-1."""

    def header(self, name: str) -> str:
        """Give the value of the first header of this name, asked for in lower case; "" where there is none."""
        size = len(name)
        headers: Sequence[tuple[str, str]] = self.headers  # type: ignore[attr-defined]
        for found, value in headers:
            if len(found) == size and found.lower() == name:
                return value
        return ""

    def secrets(self) -> tuple[str, ...]:
        """See `Event`."""
        return SECRET_FIELDS


class HttpRequest(HttpMessage, frozen=True, gc=False):
    """A request. Its body is the `Payload` stated behind it."""

    method: str
    target: str
    version: str  # "HTTP/1.1"
    headers: Sequence[tuple[str, str]]
    body_size: int  # bytes of the body as given in the payload: out of its chunks, decompressed
    complete: bool = True  # False: the capture lacks a part of it
    exchange: int = 0  # counts the requests of the flow from 1; the response to it bears the same number
    verified: bool | None = None  # with a password given: whether it makes this digest response

    @property
    def credentials(self) -> Challenge | None:
        """The Authorization header, read; `None` without one."""
        value = self.header("authorization")
        return credentials(value) if value else None

    @property
    def auth_user(self) -> str:
        """The user that Digest or Basic credentials name; "" where none is named."""
        headers = self.headers
        digest = headers.digest() if type(headers) is Headers else None
        if digest is not None:
            return digest.user
        given = self.credentials
        return given.user if given else ""

    def summary(self) -> str:
        """See `Event`."""
        text = f"{self.method} {discreet(self.target)}"
        headers = self.headers
        digest = headers.digest() if type(headers) is Headers else None
        if digest is not None:
            text += f" (Digest as {digest.user})"
        elif given := self.credentials:
            user = given.user
            text += f" ({given.scheme}{' as ' + user if user else ''})"
        if self.verified is not None:
            text += ", password right" if self.verified else ", password wrong"
        return text if self.complete else text + ", incomplete"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "http.request": True,
            "http.request.method": self.method,
            "http.request.uri": self.target,
            "http.request.version": self.version,
        }
        _common(self, fields)
        given = self.credentials
        if given:
            fields["iamt.http.auth.scheme"] = given.scheme
            user = given.user
            if user:
                fields["iamt.http.auth.user"] = user
            if given.scheme.lower() == "digest":
                fields.update(_digest(given))
            elif given.token and given.scheme.lower() != "basic":
                _put(fields, "iamt.http.auth.mechanism", mechanism(given.token))
        if self.verified is not None:
            fields["iamt.http.digest.verified"] = self.verified
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        headers = self.headers
        if type(headers) is not Headers:
            return None
        parts = [_request_json(self.method, self.target, self.version), headers.json(), _common_json(self)]
        if headers.layout.authorization_at >= 0:
            digest = headers.digest()
            if digest is None:
                return None
            parts.append(digest.json)
        if self.verified is not None:
            parts.append(f',"iamt.http.digest.verified":{"true" if self.verified else "false"}')
        parts.append("}")
        return "".join(parts).encode()


class HttpResponse(HttpMessage, frozen=True, gc=False):
    """A response. Its body is the `Payload` stated behind it."""

    status: int
    reason: str
    version: str  # "HTTP/1.1"
    headers: Sequence[tuple[str, str]]
    body_size: int  # bytes of the body as given in the payload: out of its chunks, decompressed
    complete: bool = True  # False: the capture lacks a part of it
    exchange: int = 0  # that of the request it answers; 0 where that request is not known
    method: str = ""  # of the request it answers
    target: str = ""  # of the request it answers

    @property
    def challenges(self) -> list[Challenge]:
        """The ways to log in that the WWW-Authenticate headers offer."""
        return [
            offer for name, value in self.headers if name.lower() == "www-authenticate" for offer in challenges(value)
        ]

    @property
    def amt_version(self) -> str:
        """The firmware's version from the Server header of Intel AMT and its smaller kin; "" for other servers."""
        return product(self.header("server"))[1]

    def summary(self) -> str:
        """See `Event`."""
        text = f"{self.status} {self.reason}".rstrip()
        if self.status == 401:
            offers = ", ".join(offer.scheme for offer in self.challenges)
            text += f" (wants {offers})" if offers else ""
        elif 300 <= self.status < 400 and self.header("location"):
            text += f" to {discreet(self.header('location'))}"
        if self.method:
            text += f" for {self.method} {discreet(self.target)}"
        return text if self.complete else text + ", incomplete"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "http.response": True,
            "http.response.version": self.version,
            "http.response.code": self.status,
            "http.response.phrase": self.reason,
        }
        _common(self, fields)
        _put(fields, "iamt.http.request.method", self.method)
        _put(fields, "iamt.http.request.uri", self.target)
        offers = self.challenges
        if offers:
            fields["iamt.http.auth.offered"] = [offer.scheme for offer in offers]
            mechanisms = [found for offer in offers if (found := mechanism(offer.token))]
            if mechanisms:
                fields["iamt.http.auth.mechanism"] = mechanisms[0]
            for offer in offers:
                if offer.scheme.lower() == "digest":
                    fields.update(_digest(offer))
                    break
        name, version = product(self.header("server"))
        _put(fields, "iamt.product", name)
        _put(fields, "iamt.version", version)
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        headers = self.headers
        if type(headers) is not Headers:
            return None
        at = headers.layout.server_at
        server = headers.values[at] if at >= 0 else ""
        return (
            f"{_response_json(self.version, self.status, self.reason)}{headers.json()}{_common_json(self)}"
            f"{_answering_json(self.method, self.target, server)}}}"
        ).encode()


class AuthenticationLoop(HttpEvent, frozen=True, gc=False):
    """The same address of a flow refuses login after login: 401 although credentials were sent."""

    target: str
    count: int  # refusals in a row
    scheme: str
    user: str

    def summary(self) -> str:
        """See `Event`."""
        who = f" as {self.user}" if self.user else ""
        return f"{self.count} logins{who} refused for {discreet(self.target)} ({self.scheme})"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "http.request.uri": self.target,
            "iamt.http.auth.refusals": self.count,
            "iamt.http.auth.scheme": self.scheme,
        }
        _put(fields, "iamt.http.auth.user", self.user)
        return fields


def product(server: str) -> tuple[str, str]:
    """Tell name and version in the Server header of Intel's management firmware; two empty texts for other servers."""
    if not server.startswith(PRODUCT_PREFIX):
        return "", ""
    name, _, last = server.rpartition(" ")
    return (name, last) if last[:1].isdigit() else (server, "")


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    if value:
        fields[name] = value


@lru_cache(JSON_KEPT)
def _request_json(method: str, target: str, version: str) -> str:
    """Write the fields of a request line, without the closing brace."""
    return (
        f'{{"http.request":true,"http.request.method":{json_text(method)},'
        f'"http.request.uri":{json_text(discreet(target))},"http.request.version":{json_text(version)}'
    )


@lru_cache(JSON_KEPT)
def _response_json(version: str, status: int, reason: str) -> str:
    """Write the fields of a status line, without the closing brace."""
    return (
        f'{{"http.response":true,"http.response.version":{json_text(version)},'
        f'"http.response.code":{status},"http.response.phrase":{json_text(reason)}'
    )


@lru_cache(JSON_KEPT)
def _answering_json(method: str, target: str, server: str) -> str:
    """Write the fields about the request answered and who answers, each with a comma before it."""
    fields: dict[str, Any] = {}
    _put(fields, "iamt.http.request.method", method)
    _put(fields, "iamt.http.request.uri", discreet(target))
    name, version = product(server)
    _put(fields, "iamt.product", name)
    _put(fields, "iamt.version", version)
    return "".join([f',"{field}":{json_text(value)}' for field, value in fields.items()])


def _common_json(message: HttpRequest | HttpResponse) -> str:
    """Write the fields that `_common` adds behind those of the headers, each with a comma before it."""
    text = f',"iamt.http.body.size":{message.body_size}'
    if message.exchange:
        text += f',"iamt.http.exchange":{message.exchange}'
    return text if message.complete else text + ',"iamt.http.incomplete":true'


def _common(message: HttpRequest | HttpResponse, fields: dict[str, Any]) -> None:
    """Add the fields of the headers, and of what both kinds of message have."""
    for name, value in message.headers:
        field, named = field_of(name.lower())
        if named:
            value = f"{name}: {value}"
        if field in REPEATED:
            fields.setdefault(field, []).append(value)
        else:  # a list in several headers is one list (RFC 9110 §5.3)
            fields[field] = f"{fields[field]}, {value}" if field in fields else value
    length = message.header("content-length")
    if is_length(length):
        fields["http.content_length"] = int(length[-LENGTH_DIGITS:])
    fields["iamt.http.body.size"] = message.body_size
    if message.exchange:
        fields["iamt.http.exchange"] = message.exchange
    if not message.complete:
        fields["iamt.http.incomplete"] = True


def _digest(given: Challenge) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("realm", "nonce", "algorithm", "opaque", "uri", "nc", "cnonce", "response"):
        if name in given.parameters:
            fields[f"iamt.http.digest.{name}"] = unquote(given.parameters[name])
    if given.qop:
        fields["iamt.http.digest.qop"] = given.qop
    if "stale" in given.parameters:
        fields["iamt.http.digest.stale"] = given.parameters["stale"].lower() == "true"
    return fields
