"""Puts requests and responses together, one call per HTTP exchange, and never those of different exchanges.

HTTP answers in order; the HTTP room numbers exchanges where order tells. Whatever it says, the two must not
contradict each other: MessageID and RelatesTo, class, service, method. Where order does not tell (after a gap, before
the capture), only a response that names its request is given to one: a 401 or an HTML page then stands alone.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, LimitReached, Note, Payload, Span, Statement
from amtdecode.protocols.dissector import Context, Dissector, gap_statement
from amtdecode.protocols.servers import ServerNames
from amtdecode.protocols.soap.calls import (
    UNGLANCED,
    ExchangeMessage,
    glanced,
    headline,
    kind_of,
    make_call,
    path_of,
    user_of,
)
from amtdecode.protocols.soap.document import LAYER, MAX_BODY_SIZE, read
from amtdecode.protocols.soap.elements import Names
from amtdecode.protocols.soap.envelope import interpret, message_of, usual
from amtdecode.protocols.soap.events import SoapFault, SoapMessage, SoapResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Event

ACK = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack"  # acknowledges a delivered Event (DSP0226)
TELL_SERVERS = frozenset(("AMT_RemoteAccessService", "AMT_ManagementPresenceRemoteSAP"))
"""Classes whose calls say which management presence server a machine is to call (AccessInfo)."""
MAX_WAITING = 64  # requests without a response
MAX_CONTEXTS = 256  # enumerations under way
MAX_CONTEXT_SIZE = 256  # characters of one context
MAX_EARLY = 16  # responses that the capture has before their requests


class SoapDissector(Dissector):
    """Reads the bodies that HTTP carries, message by message."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names = Names() if context.memory is None else context.memory.of(Names)
        self._offset = [0, 0]
        self._waiting: deque[ExchangeMessage] = deque()
        self._contexts: dict[str, str] = {}
        self._responses_lost = 0  # how many of the waiting, from the oldest, may have lost theirs in a gap
        self._requests_lost = False
        self._early: dict[int, ExchangeMessage] = {}  # by exchange
        self._ended = [False, False]
        self._loose: tuple[bytearray, bytearray] | None = None  # what came without HTTP
        self._loose_size = [0, 0]

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        """Bytes without an HTTP message around them: gathered, and read as one body once they end."""
        if self._loose is None:
            self._loose = (bytearray(), bytearray())
        held = self._loose[direction]
        held += data[: MAX_BODY_SIZE + 1 - len(held)]
        self._loose_size[direction] += len(data)
        return ()

    def receive_message(self, direction: Direction, message: Payload, size: int = -1) -> Iterable[Statement]:
        """One HTTP request or response with its whole body; `size` where that is cut."""
        offset = self._offset
        data, head, start = message.data, message.head, offset[direction]
        end = offset[direction] = start + (len(data) if size < 0 else size)
        status = getattr(head, "status", None)
        answer = status is not None if head is not None else direction == TO_CLIENT
        if answer and status and 100 <= status < 200:
            return ()
        out: list[Statement] = []
        one = self._read(direction, start, end, data, head, status or 0, answer, out)
        if answer:
            self._answered(one, out)
        else:
            self._asked(one, out)
        floor, waiting = self.trim_to, self._waiting
        floor[TO_SERVER] = waiting[0].start if waiting else offset[TO_SERVER]
        floor[TO_CLIENT] = offset[TO_CLIENT]
        if self._early:
            floor[TO_CLIENT] = min(one.start for one in self._early.values())
        return out

    def _settle(self, direction: Direction) -> Iterable[Statement]:
        """Read what was gathered without HTTP."""
        if self._loose is None:
            return ()
        data, size = bytes(self._loose[direction]), self._loose_size[direction]
        self._loose[direction].clear()
        self._loose_size[direction] = 0
        return self.receive_message(direction, Payload(data), size) if size else ()

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Whole messages may be missing: what waits may never be answered, what answers may answer something else."""
        out = list(self._settle(direction))
        start = self._offset[direction]
        self._offset[direction] += size
        if direction == TO_CLIENT:
            self._responses_lost = len(self._waiting)
        else:
            self._requests_lost = True
        if self.context.carrier != "http":  # which has told of it
            out.append(gap_statement(LAYER, direction, start, size))
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:  # noqa: ARG002
        """Where no more responses can come, say which requests have none."""
        self._ended[direction] = True
        if not (self._waiting or self._early or self._loose):
            if self._ended[TO_CLIENT]:
                self.trim_to[:] = self._offset
            return ()
        out = list(self._settle(direction))
        if not self._ended[TO_CLIENT]:
            return out
        out.extend(self._call(one, None) for one in self._waiting)
        out.extend(self._call(None, one) for one in self._early.values())
        self._waiting.clear()
        self._early.clear()
        self.trim_to[:] = self._offset
        return out

    # -- one message -------------------------------------------------------------------------------------------------

    def _read(
        self,
        direction: Direction,
        start: int,
        end: int,
        data: bytes,
        head: Event | None,
        status: int,
        answer: bool,
        out: list[Statement],
    ) -> ExchangeMessage:
        text = ""
        unread = partial = False
        message = None
        kind = kind_of(data) if data else ""
        content = usual(data, self._names) if kind == "xml" else None
        if content is not None:
            message = message_of(content, answer)
        elif kind == "xml":
            document, faults, partial = read(data)
            unread = document is None
            # a cut body is HTTP's to report; that its XML stops too is no second fault
            if faults and (not partial or getattr(head, "complete", True)):
                out.extend([Statement(fault, direction, start, end) for fault in faults])
            if document is not None:
                message, limit = interpret(document, answer, partial, self._names)
                if limit is not None:
                    partial = True
                    out.append(Statement(limit.event, direction, start, end))
                if message is not None and document.tag == "Envelope":
                    note = Note(LAYER, "the Envelope is not in a namespace of SOAP")
                    out.append(Statement(note, direction, start, end))
        elif kind == "html":
            text = headline(data)
        if message is not None:
            if message.context:
                message = self._follow_enumeration(message)
            out.append(Statement(message, direction, start, end))
        method = path = reason = user = ""
        exchange = None
        if head is not None:
            exchange = getattr(head, "exchange", None)
            if message is None or message.kind == "soap":  # else these are not told
                method, path = getattr(head, "method", "") or "", path_of(getattr(head, "target", "") or "")
            if not answer:
                user = user_of(head)
            elif message is None or status >= 300:
                reason = getattr(head, "reason", "") or ""
        return ExchangeMessage(
            direction,
            start,
            end,
            message,
            method,
            path,
            status,
            reason,
            user,
            text,
            unread or (partial and message is None),
            UNGLANCED if answer or message is not None else glanced(data, head),
            self._requests_lost,
            not data,
            exchange,
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

    # -- request and response -------------------------------------------------------------------------------------

    def _asked(self, request: ExchangeMessage, out: list[Statement]) -> None:
        early = self._early.pop(request.exchange, None) if self._early and request.exchange else None
        if early is not None:
            if early.message is None or _fit(request, early.message) or _is_bare(request):
                out.append(self._call(request, early))
                return
            out.append(self._call(None, early))
        waiting = self._waiting
        if self._responses_lost == 1 == len(waiting) and not self._requests_lost and request.exchange is None:
            self._responses_lost = 0  # the gap held the only response that was due
            out.append(self._call(waiting.popleft(), None))
        waiting.append(request)
        if len(waiting) > MAX_WAITING:
            gone = waiting.popleft()
            self._responses_lost = max(0, self._responses_lost - 1)
            limit = LimitReached(LAYER, "MAX_WAITING", MAX_WAITING, "the oldest request is given up")
            out.append(Statement(limit, gone.direction, gone.start, gone.end))
            out.append(self._call(gone, None))

    def _answered(self, response: ExchangeMessage, out: list[Statement]) -> None:
        waiting = self._waiting
        at = self._find(response)
        if at is None:
            number = response.exchange
            if number and (not waiting or number > (waiting[-1].exchange or 0)) and len(self._early) < MAX_EARLY:
                self._early[number] = response
                return
            out.append(self._call(None, response))
            return
        if at:
            out += [self._call(waiting.popleft(), None) for _ in range(at)]
        request = waiting.popleft()
        if self._responses_lost:
            self._responses_lost = max(0, self._responses_lost - at - 1)
        if request.after_gap and response.message is not None:  # it names its request: what was lost lies before
            self._requests_lost = False
            self._waiting = deque(replace(one, after_gap=False) for one in waiting)
        out.append(self._call(request, response))

    def _find(self, response: ExchangeMessage) -> int | None:
        """Tell which of the waiting requests a response answers; the earlier ones then have none."""
        waiting = self._waiting
        if not waiting:
            return None
        message = response.message
        if message is not None and message.kind == "soap":
            message = None
        if response.exchange:
            for at, request in enumerate(waiting):
                if request.exchange == response.exchange:
                    return at if message is None or _fit(request, message) or _is_bare(request) else None
            return None
        if message is not None:
            return next((at for at, request in enumerate(waiting) if _fit(request, message)), None)
        if response.exchange == 0:
            return None
        # says nothing of its own, and HTTP says nothing of it: in order, if nothing is lost
        return None if self._responses_lost or waiting[0].after_gap else 0

    def _call(self, request: ExchangeMessage | None, response: ExchangeMessage | None) -> Statement:
        one = response
        also: tuple[Span, ...] = ()
        if response is None:
            one = request
        elif request is not None:
            also = (Span(request.direction, request.start, request.end),)
        assert one is not None  # noqa: S101 (never both)
        call = make_call(request, response)
        if call.owner in TELL_SERVERS and self.context.memory is not None:
            for path, text in (*call.arguments, *call.answer):
                if path.endswith("AccessInfo"):
                    self.context.memory.of(ServerNames).add_name(text)
        return Statement(call, one.direction, one.start, one.end, also)


def _fit(request: ExchangeMessage, response: SoapMessage) -> bool:
    """Whether nothing in the two contradicts that one answers the other."""
    asked = request.message
    if asked is None:
        return not request.empty  # an unread body may ask for anything; none at all asks for no SOAP
    ours, theirs = asked.message_id, response.relates_to
    if ours != theirs and ours and theirs and _plain(ours) != _plain(theirs):
        return False
    if isinstance(response, SoapFault) or response.action == ACK:  # which name neither method nor class
        return True
    return not (
        (asked.method != response.method and asked.method and response.method)
        or (asked.class_name != response.class_name and asked.class_name and response.class_name)
        or (asked.service != response.service and asked.service and response.service)
    )


def _is_bare(request: ExchangeMessage) -> bool:
    """Whether it is a POST without a body, as before a challenge: whatever HTTP says answers it."""
    return request.empty and request.method == "POST"


def _plain(message_id: str) -> str:
    return message_id.lower().removeprefix("urn:").removeprefix("uuid:")
