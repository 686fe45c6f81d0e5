"""What the HTTP room states: requests, responses, and logins that go round in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.fields import Fields, reader
from amtdecode.masking import masked
from amtdecode.model import TO_CLIENT, TO_SERVER, Event
from amtdecode.protocols import gssapi
from amtdecode.protocols.http import headers
from amtdecode.protocols.http.auth import Challenge, challenges, kerberos, mechanism, scheme_name
from amtdecode.protocols.http.fields import (
    ANSWERED,
    BODY,
    DIGEST,
    MECHANISM,
    OFFERED,
    PRODUCT,
    REFUSALS,
    REQUEST_LINE,
    SCHEME,
    STATUS_LINE,
    USER,
    VERIFIED,
)
from amtdecode.protocols.http.names import PRODUCT_PREFIX
from amtdecode.protocols.pairs import Pairs  # noqa: TC001 - msgspec reads the annotations of structs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amtdecode.tree import Node


class HttpEvent(Event, frozen=True, gc=False):
    """What the room's events have in common."""

    protocol: ClassVar[str] = "http"


class HttpMessage(HttpEvent, frozen=True, gc=False):
    """What requests and responses have in common. Header values are the captured bytes as ISO 8859-1."""

    @property
    def date(self) -> int | None:
        """The sender's clock by the Date header, in seconds since 1970; `None` where there is none to be read."""
        if not (value := self.header("date")):
            return None
        from email.utils import parsedate_to_datetime

        try:
            return int(parsedate_to_datetime(value).timestamp())
        except (ValueError, OverflowError):
            return None

    def header(self, name: str) -> str:
        """Give the value of the first header of this name, asked for in lower case; "" where there is none."""
        size = len(name)
        headers: Pairs = self.headers  # type: ignore[attr-defined]
        for found, value in headers:
            if len(found) == size and found.lower() == name:
                return value
        return ""


class HttpRequest(HttpMessage, frozen=True, gc=False):
    """A request. Its body is the `Payload` stated behind it."""

    declared: ClassVar[Fields] = (
        *REQUEST_LINE,
        *headers.DECLARED,
        *BODY,
        SCHEME,
        USER,
        *DIGEST,
        MECHANISM,
        *gssapi.DECLARED,
        VERIFIED,
    )
    direct: ClassVar[Fields] = (*REQUEST_LINE, *BODY)
    method: str
    target: str
    version: str  # "HTTP/1.1"
    headers: Pairs
    body_size: int  # bytes of the body as given in the payload: out of its chunks, decompressed
    complete: bool = True  # False: the capture lacks a part of it
    exchange: int = 0  # counts the requests of the flow from 1; the response to it bears the same number
    verified: bool | None = None  # with a password given: whether it makes this digest response
    credentials: Challenge | None = None  # the Authorization header, read

    @property
    def auth_user(self) -> str:
        """The user that Digest or Basic credentials name; "" where none is named."""
        return self.credentials.user if self.credentials else ""

    def summary(self) -> str:
        """`POST /wsman (Digest as admin)`."""
        text = f"{self.method} {masked(self.target)}"
        given = self.credentials
        if given is not None:
            user = given.user
            text += f" ({given.name}{f' as {user}' if user else ''})"
        if self.verified is not None:
            text += ", password right" if self.verified else ", password wrong"
        return text if self.complete else text + ", incomplete"

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Read the bytes of the message into lines, headers and chunks, each with its place."""
        from amtdecode.protocols.http.spec import tree

        return tree(pdu, TO_SERVER)

    def fields(self) -> Mapping[str, Any]:
        """Give the fields; which headers there are is the sender's."""
        fields = _read_request_line(self)
        headers.add_headers(fields, self.headers)
        fields |= _read_body(self)
        given = self.credentials
        if given is not None:
            fields |= _read_login(self)
            if given.scheme.lower() == "digest":
                fields |= _read_digest(given)
            elif given.token and given.scheme.lower() != "basic" and (found := mechanism(given.token)):
                fields[MECHANISM.name] = found
                if (ticket := kerberos(given.token)) is not None:
                    fields |= gssapi.fields_of(ticket)
        if self.verified is not None:
            fields[VERIFIED.name] = self.verified
        return fields


class HttpResponse(HttpMessage, frozen=True, gc=False):
    """A response. Its body is the `Payload` stated behind it."""

    declared: ClassVar[Fields] = (
        *STATUS_LINE,
        *headers.DECLARED,
        *BODY,
        *ANSWERED,
        OFFERED,
        MECHANISM,
        *gssapi.DECLARED,
        *DIGEST,
        *PRODUCT,
    )
    direct: ClassVar[Fields] = (*STATUS_LINE, *BODY, *ANSWERED)
    status: int
    reason: str
    version: str  # "HTTP/1.1"
    headers: Pairs
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
    def kerberos(self) -> gssapi.Token | None:
        """The Kerberos message in answer to a login; `None` where there is none."""
        found = (kerberos(offer.token) for offer in self.challenges if offer.token)
        return next((token for token in found if token is not None), None)

    @property
    def amt_version(self) -> str:
        """The firmware's version from the Server header of Intel AMT and its smaller kin; "" for other servers."""
        return product(self.header("server"))[1]

    def summary(self) -> str:
        """`200 OK for POST /wsman`."""
        text = f"{self.status} {masked(self.reason)}".rstrip()
        if self.status == 401:
            offers = ", ".join(offer.scheme for offer in self.challenges)
            text += f" (wants {masked(offers)})" if offers else ""
        elif 300 <= self.status < 400 and self.header("location"):
            text += f" to {masked(self.header('location'))}"
        if self.method:
            text += f" for {self.method} {masked(self.target)}"
        return text if self.complete else text + ", incomplete"

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Read the bytes of the message into lines, headers and chunks, each with its place."""
        from amtdecode.protocols.http.spec import tree

        return tree(pdu, TO_CLIENT)

    def fields(self) -> Mapping[str, Any]:
        """Give the fields; which headers there are is the sender's."""
        fields = _read_status_line(self)
        headers.add_headers(fields, self.headers)
        fields |= _read_body_and_answered(self)
        offers = self.challenges if "http.www_authenticate" in fields else ()
        if offers:
            fields[OFFERED.name] = [offer.scheme for offer in offers]
            mechanisms = [found for offer in offers if (found := mechanism(offer.token))]
            if mechanisms:
                fields[MECHANISM.name] = mechanisms[0]
                if (ticket := self.kerberos) is not None:
                    fields |= gssapi.fields_of(ticket)
            digest = next((offer for offer in offers if offer.scheme.lower() == "digest"), None)
            if digest is not None:
                fields |= _read_digest(digest)
        for field, value in zip(PRODUCT, product(fields.get("http.server", "")), strict=True):
            if value:
                fields[field.name] = value
        return fields


_read_request_line, _read_status_line, _read_body = reader(REQUEST_LINE), reader(STATUS_LINE), reader(BODY)
_read_digest, _read_login, _read_body_and_answered = reader(DIGEST), reader((SCHEME, USER)), reader((*BODY, *ANSWERED))


class AuthenticationLoop(HttpEvent, frozen=True, gc=False):
    """The same address of a flow refuses login after login: 401 although credentials were sent."""

    declared: ClassVar[Fields] = (
        REQUEST_LINE[2],
        REFUSALS,
        SCHEME.at(lambda event: scheme_name(event.scheme)),
        USER.at("user", ""),
    )
    target: str
    count: int  # refusals in a row
    scheme: str
    user: str

    def summary(self) -> str:
        """`3 logins as admin refused for /wsman (Digest)`."""
        who = f" as {self.user}" if self.user else ""
        return f"{self.count} logins{who} refused for {masked(self.target)} ({scheme_name(self.scheme)})"


def product(server: str) -> tuple[str, str]:
    """Tell name and version in the Server header of Intel's management firmware; two empty texts for other servers."""
    if not server.startswith(PRODUCT_PREFIX):
        return "", ""
    name, _, last = server.rpartition(" ")
    return (name, last) if last[:1].isdigit() else (server, "")
