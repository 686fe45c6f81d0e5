"""Puts requests and responses together, one call per HTTP exchange, and never two halves of different calls.

HTTP answers in order; the HTTP room numbers exchanges where order tells. Whatever it says, the halves must not
contradict each other: MessageID and RelatesTo, class, service, method. Where order does not tell (after a gap, before
the capture), only a response that names its request is given to one: a 401 or an HTML page then stands alone.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, LimitReached, Note, Payload, Span, Statement
from amtdecode.protocols.dissector import Context, Dissector, gap_statement
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.envelope import glance, glance_soap_action, interpret
from amtdecode.protocols.soap.events import UNREAD, Call, SoapFault, SoapMessage, SoapResponse, code_text
from amtdecode.protocols.soap.reader import read
from amtdecode.protocols.soap.tree import LAYER, MAX_BODY_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Event

MAX_WAITING = 64  # requests without a response
MAX_CONTEXTS = 256  # enumerations under way
MAX_CONTEXT_SIZE = 256  # characters of one context
MAX_EARLY = 16  # responses that the capture has before their requests


class _Half(NamedTuple):
    """One HTTP message: a request or a response."""

    span: Span
    message: SoapMessage | None  # None: no SOAP that could be read
    method: str = ""  # of HTTP
    path: str = ""
    status: int = 0
    reason: str = ""
    user: str = ""
    text: str = ""  # of an HTML page
    refused: bool = False  # there is a body that could not be read
    glanced: tuple[str, str, str, str] = ("", "", "", "")  # kind, service, class, method, of a body that is not read
    after_gap: bool = False
    empty: bool = False
    exchange: int | None = None  # the number HTTP gives; 0: it cannot tell; None: it does not number


class SoapDissector(Dissector):
    """Reads the bodies that HTTP carries, message by message."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._offset = [0, 0]
        self._waiting: deque[_Half] = deque()
        self._contexts: dict[str, str] = {}
        self._responses_lost = 0  # how many of the waiting, from the oldest, may have lost theirs in a gap
        self._requests_lost = False
        self._early: dict[int, _Half] = {}  # by exchange
        self._ended = [False, False]
        self._loose = (bytearray(), bytearray())
        self._loose_size = [0, 0]

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """Bytes without an HTTP message around them: gathered, and read as one body once they end."""
        held = self._loose[direction]
        held += data[: MAX_BODY_SIZE + 1 - len(held)]
        self._loose_size[direction] += len(data)
        return ()

    def receive_message(self, direction: Direction, message: Payload) -> Iterable[Statement]:
        """One HTTP request or response with its whole body."""
        return self._receive(direction, message, len(message.data))

    def _settle(self, direction: Direction) -> Iterable[Statement]:
        """Read what was gathered without HTTP."""
        data, size = bytes(self._loose[direction]), self._loose_size[direction]
        self._loose[direction].clear()
        self._loose_size[direction] = 0
        return self._receive(direction, Payload(data), size) if size else ()

    def _receive(self, direction: Direction, message: Payload, size: int) -> Iterable[Statement]:
        start = self._offset[direction]
        end = self._offset[direction] = start + size
        head = message.head
        status = getattr(head, "status", 0) or 0
        if 100 <= status < 200:
            return ()
        out: list[Statement] = []
        answer = hasattr(head, "status") if head is not None else direction == TO_CLIENT
        half = self._read(Span(direction, start, end), message.data, head, answer, out)
        out.extend(self._answered(half) if answer else self._asked(half))
        self.floor[TO_SERVER] = self._waiting[0].span.start if self._waiting else self._offset[TO_SERVER]
        self.floor[TO_CLIENT] = min((half.span.start for half in self._early.values()), default=self._offset[TO_CLIENT])
        return out

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Whole messages may be missing: what waits may never be answered, what answers may answer something else."""
        out = list(self._settle(direction))
        start = self._offset[direction]
        self._offset[direction] += size
        if direction == TO_CLIENT:
            self._responses_lost = len(self._waiting)
        else:
            self._requests_lost = True
        out.append(gap_statement(LAYER, direction, start, size))
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:  # noqa: ARG002
        """Where no more responses can come, say which requests have none."""
        out = list(self._settle(direction))
        self._ended[direction] = True
        if not self._ended[TO_CLIENT]:
            return out
        out.extend(self._call(half, None) for half in self._waiting)
        out.extend(self._call(None, half) for half in self._early.values())
        self._waiting.clear()
        self._early.clear()
        self.floor[:] = self._offset
        return out

    # -- one message -------------------------------------------------------------------------------------------------

    def _read(self, span: Span, data: bytes, head: Event | None, answer: bool, out: list[Statement]) -> _Half:
        message = None
        text = ""
        refused = False
        if data:
            kind = _kind(data)
            if kind == "xml":
                whole = getattr(head, "complete", True)
                reading = read(data)
                # a cut body is HTTP's to report; that its XML stops too is no second fault
                if whole or not reading.partial:
                    out.extend(Statement(fault, *span) for fault in reading.faults)
                if reading.tree is not None:
                    message = interpret(reading.tree, answer=answer, partial=reading.partial)
                    if message is not None and not reading.tree.namespace:
                        out.append(Statement(Note(LAYER, "the Envelope is not in a namespace of SOAP"), *span))
                refused = reading.tree is None or (reading.partial and message is None)
                if message is not None:
                    message = self._follow_enumeration(message)
                    out.append(Statement(message, *span))
            elif kind == "html":
                text = _headline(data)
        return _Half(
            span,
            message,
            getattr(head, "method", "") or "",
            _path(getattr(head, "target", "") or ""),
            getattr(head, "status", 0) or 0,
            getattr(head, "reason", "") or "",
            getattr(head, "auth_user", "") or "",
            text,
            refused,
            _glanced(data, head) if message is None and not answer else ("", "", "", ""),
            self._requests_lost,
            not data,
            getattr(head, "exchange", None),
        )

    def _follow_enumeration(self, message: SoapMessage) -> SoapMessage:
        """Remember which class a context enumerates, and say so on what goes on with it."""
        context = message.context
        if not context or len(context) > MAX_CONTEXT_SIZE:
            return message
        if message.method in ("Enumerate", "Pull") and isinstance(message, SoapResponse):
            known = message.enumeration or message.class_name
            if len(self._contexts) >= MAX_CONTEXTS and context not in self._contexts:
                del self._contexts[next(iter(self._contexts))]
            self._contexts[context] = known
        elif message.method in ("Pull", "Release"):
            known = self._contexts.get(context) or message.class_name
            if known:
                return replace(message, enumeration=known)
        return message

    # -- two halves --------------------------------------------------------------------------------------------------

    def _asked(self, request: _Half) -> Iterable[Statement]:
        early = self._early.pop(request.exchange, None) if request.exchange else None
        if early is not None:
            if early.message is None or _fit(request, early.message):
                yield self._call(request, early)
                return
            yield self._call(None, early)
        if self._responses_lost == len(self._waiting) == 1 and not self._requests_lost:
            self._responses_lost = 0  # the gap held the only response that was due
            yield self._call(self._waiting.popleft(), None)
        self._waiting.append(request)
        if len(self._waiting) > MAX_WAITING:
            gone = self._waiting.popleft()
            self._responses_lost = max(0, self._responses_lost - 1)
            limit = LimitReached(LAYER, "MAX_WAITING", MAX_WAITING, "the oldest request is given up")
            yield Statement(limit, *gone.span)
            yield self._call(gone, None)

    def _answered(self, response: _Half) -> Iterable[Statement]:
        waiting = self._waiting
        at = self._find(response)
        if at is None:
            number = response.exchange
            if number and (not waiting or number > (waiting[-1].exchange or 0)) and len(self._early) < MAX_EARLY:
                self._early[number] = response
                return
            yield self._call(None, response)
            return
        for _ in range(at):
            yield self._call(waiting.popleft(), None)
        request = waiting.popleft()
        self._responses_lost = max(0, self._responses_lost - at - 1)
        if request.after_gap and response.message is not None:  # it names its request: what was lost lies before
            self._requests_lost = False
            self._waiting = deque(half._replace(after_gap=False) for half in waiting)
        yield self._call(request, response)

    def _find(self, response: _Half) -> int | None:
        """Tell which of the waiting requests a response answers; the earlier ones then have none."""
        waiting = self._waiting
        message = response.message if response.message is not None and response.message.kind != "soap" else None
        if not waiting:
            return None
        if response.exchange:
            for at, request in enumerate(waiting):
                if request.exchange == response.exchange:
                    return at if message is None or _fit(request, message) else None
            return None
        if message is not None:
            return next((at for at, request in enumerate(waiting) if _fit(request, message)), None)
        if response.exchange == 0:
            return None
        # says nothing of its own, and HTTP says nothing of it: in order, if nothing is lost
        return None if self._responses_lost or waiting[0].after_gap else 0

    def _call(self, request: _Half | None, response: _Half | None) -> Statement:
        call = _call(request, response)
        if request is None:
            assert response is not None  # noqa: S101 (never both)
            return Statement(call, *response.span)
        if response is None:
            return Statement(call, *request.span)
        return Statement(call, *response.span, (request.span,))


def _fit(request: _Half, response: SoapMessage) -> bool:
    """Whether nothing in the two contradicts that one answers the other."""
    asked = request.message
    if asked is None:
        return not request.empty  # an unread body may ask for anything; none at all asks for no SOAP
    if asked.message_id and response.relates_to and _plain(asked.message_id) != _plain(response.relates_to):
        return False
    if isinstance(response, SoapFault):
        return True
    for theirs, ours in (
        (asked.method, response.method),
        (asked.class_name, response.class_name),
        (asked.service, response.service),
    ):
        if theirs and ours and theirs != ours:
            return False
    return True


def _plain(message_id: str) -> str:
    return message_id.lower().removeprefix("urn:").removeprefix("uuid:")


# -- the call in words -----------------------------------------------------------------------------------------------


def _glanced(data: bytes, head: Event | None) -> tuple[str, str, str, str]:
    """Tell what a request asks for whose body cannot be read, by its SOAPAction header or a glance."""
    header = getattr(head, "header", None)
    if header is not None:
        service, method = glance_soap_action(header("soapaction") or "")
        if service:
            return "eoi", service, "", method
    action, resource_uri = glance(data)
    if action or resource_uri:
        return "wsman", "wsman", resource_uri.rpartition("/")[2], action.rpartition("/")[2]
    return "", "", "", ""


REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def _call(request: _Half | None, response: _Half | None) -> Call:
    asked = request.message if request else None
    told = response.message if response else None
    lead = asked if asked is not None else told if told is not None and told.kind != "soap" else None
    status = response.status if response else 0
    code, text, name, meaning = _result(lead, response)
    kind = service = class_name = method = ""
    if lead is not None and lead.kind != "soap":
        kind, class_name, method = lead.kind, lead.class_name, lead.method
        service = lead.service if kind == "eoi" else "wsman"
        if told is not None and not class_name:
            class_name = told.class_name
    elif request is not None and request.glanced[0]:
        kind, service, class_name, method = request.glanced
    else:
        kind = "http"
        known = request if request is not None else response
        service, method = (known.path, known.method) if known is not None else ("", "")
    owner = class_name or service
    return Call(
        kind,
        service,
        class_name,
        method,
        asked.arguments if asked is not None else (),
        told.arguments if told is not None else (),
        code,
        text,
        name,
        meaning,
        status,
        tables.step_of(owner, method) or _step_by_contents(owner, method, asked, told),
        "" if request and response else "response" if request else "request",
        asked.operation if asked is not None else "",
        request.user if request is not None else "",
        asked.enumeration if asked is not None else "",
        isinstance(told, SoapFault),
    )


def _step_by_contents(owner: str, method: str, asked: SoapMessage | None, told: SoapMessage | None) -> str:
    """Tell the steps that only show in what a call carries."""
    if asked is not None and owner in _SETUP and any(path.endswith("PPS") for path, _ in asked.arguments):
        return "PID/PPS renewal"
    if told is not None and method == "Get" and owner in _SETUP:
        otp = told.value("ProvisioningServerOTP")
        return "OTP read" if otp and otp.strip("A=") else ""  # base64 of nothing but zeros: none is set
    return ""


_SETUP = frozenset(("AMT_SetupAndConfigurationService", "SecurityAdministration"))


def _result(lead: SoapMessage | None, response: _Half | None) -> tuple[int | None, str, str, str]:
    """Code, text, name and meaning of what came of a call."""
    if response is None:
        return None, "no response seen", "", "the capture holds no response to it"
    told = response.message
    if isinstance(told, SoapFault):
        meaning = tables.status_name(told.status)[2] if told.status is not None else ""
        return (
            told.status,
            f"fault {told.text}",
            told.subcode or told.fault_code or "fault",
            meaning or told.detail[:200],
        )
    if isinstance(told, SoapResponse) and response.status < 300:
        if told.code is None:
            return None, "OK (cut)" if told.partial else "OK", "", ""
        kind = told.kind if told.kind != "soap" or lead is None else lead.kind
        owner, method = told.class_name, told.method
        if lead is not None:
            owner, method = owner or lead.class_name, method or lead.method
        return (told.code, *code_text(kind, owner, method, told.code))
    return (None, *_http_result(lead, response))


def _http_result(lead: SoapMessage | None, response: _Half) -> tuple[str, str, str]:
    status = response.status
    meaning = response.text
    if status == 401:
        return "401 authentication required", "401", meaning or "the request carries no credentials that AMT accepts"
    reason = response.reason or REASONS.get(status, "")
    text = f"{status} {reason}".strip() if status else "answered"
    if response.refused:
        return f"{text}, body not readable", UNREAD, "the body is not the XML of a SOAP envelope, or may not be read"
    if status == 400 and response.message is None and lead is not None:
        meaning = meaning or "refused without a SOAP fault: a value out of AMT's limits, or a request it cannot parse"
    return text, str(status) if status >= 300 else "", meaning


def _path(target: str) -> str:
    """Cut host and query off a request target."""
    if target[:4].lower() == "http":
        target = target.partition("://")[2]
        target = target[target.find("/") :] if "/" in target else "/"
    return target.partition("?")[0]


_HTML = re.compile(rb"\s*(?:<!--.{0,200}?-->\s*)?(?:<!doctype\s+html|<html|<head|<body)", re.IGNORECASE | re.DOTALL)
_HEADLINES = (
    re.compile(rb"<h[12][^>]{0,200}>([^<]{1,500})", re.IGNORECASE),
    re.compile(rb"<title[^>]{0,200}>([^<]{1,500})", re.IGNORECASE),
)
_SEARCHED = 8192  # bytes of a page


def _kind(data: bytes) -> str:
    """`xml`, `html`, or "" for anything else."""
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] != b"<" and head[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\0<") and head[:4] != b"\0\0\xfe\xff":
        return ""
    return "html" if _HTML.match(head) else "xml"


def _headline(data: bytes) -> str:
    """Give what an HTML page says to people: its first headline, else its title."""
    for pattern in _HEADLINES:
        found = pattern.search(data, 0, _SEARCHED)
        if found:
            return " ".join(found[1].decode("utf-8", "replace").split())
    return ""
