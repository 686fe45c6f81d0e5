"""From messages to statements: which response answers which request, what a body is, and how logins fare."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from amtdecode.masking import masked
from amtdecode.model import TO_CLIENT, TO_SERVER, ChannelGap, LimitReached, Malformed, Note, Payload, Statement
from amtdecode.protocols.dissector import Context, Dissector
from amtdecode.protocols.http.auth import Challenge, credentials
from amtdecode.protocols.http.body import DECODED_LIMIT, body_end, codings, decoded
from amtdecode.protocols.http.events import AuthenticationLoop, HttpRequest, HttpResponse
from amtdecode.protocols.http.framing import message_reader, receive_end, receive_gap, stop
from amtdecode.protocols.http.message_reader import NO_BODY, TUNNEL, MessageReader
from amtdecode.protocols.http.names import EOI_SERVICES, NO_BODY_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Direction, End, Event

PENDING_LIMIT = 256
"""Requests waiting for their responses; beyond, the order of a pipeline is given up."""
EARLY_LIMIT = 16
"""Responses seen before their requests (the capture has them in the wrong order) that are still put together."""
LOOP_START = 3
"""Refused logins in a row, at one address of one flow, that make a loop; stated again each time they double."""
LOOP_TARGETS_LIMIT = 64
"""Addresses of a flow whose refusals are counted; beyond, the oldest is forgotten."""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """What of a request its response needs to know."""

    number: int
    method: str
    target: str
    soap: bool
    credentials: Challenge | None


UNKNOWN = Exchange(0, "", "", False, None)


class HttpDissector(Dissector):
    """States requests and responses, each with its body behind it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.readers = (message_reader(TO_SERVER), message_reader(TO_CLIENT))
        self.out: list[Statement] = []
        self.pending: deque[Exchange] = deque()
        self.requests = 0  # how many there were
        self.answered = 0  # number of the last of them that has a response
        self.early = 0  # responses whose requests are still to come
        self.sure = True  # responses answer requests in order, none is missing
        self.refusals: dict[str, int] = {}
        self.count_seen = False  # the nonce count of the flow's first digest response is looked at

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        out = self.out = []
        reader = self.readers[direction]
        reader.receive(self, data)
        self.trim_to[direction] = reader.floor()
        return out

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        out = self.out = []
        passed = min(self.skip_bytes[direction], size)  # of a body that is passed over anyway
        self.skip_bytes[direction] -= passed
        if size > passed:
            reader = self.readers[direction]
            start = reader.base + len(reader.buffer)
            receive_gap(reader, self, size - passed)
            self.state(ChannelGap(0, size - passed), direction, start, start + size - passed)
            self.trim_to[direction] = reader.floor()
        return out

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        out = self.out = []
        receive_end(self.readers[direction], self, end)
        return out

    def state(self, event: Event, direction: Direction, start: int, end: int) -> None:
        """State an event of the bytes start to end."""
        self.out.append(Statement(event, direction, start, end))

    def on_lost(self, reader: MessageReader) -> None:
        """Order alone does not tell any more which response answers which request."""
        self.sure = False
        self.requests += self.early  # their numbers are given away
        self.early = 0
        if reader.direction and len(self.pending) > 1:
            self.pending.clear()

    def is_answered(self, reader: MessageReader) -> bool:
        """Say whether the response to the request that a reader is in was seen."""
        return isinstance(reader.exchange, Exchange) and reader.exchange.number <= self.answered

    def on_head(self, reader: MessageReader) -> tuple[int, int]:
        """Say how the body behind a head ends: in a response that depends on its request."""
        direction = reader.direction
        if direction:
            status = int(reader.first[1])
            exchange = self._answered(status)
            reader.exchange = exchange
            method = exchange.method
            if status == 101 or (method == "CONNECT" and 200 <= status < 300):
                return self._tunnel(reader, reader.index.get("upgrade", "") or exchange.target)
            if status < 200 or status in NO_BODY_STATUSES or method == "HEAD":
                return NO_BODY, 0
        else:
            reader.exchange = self._asked(reader)
        mode, size, problem = body_end(reader.index, bool(direction))
        if problem:
            self.state(Malformed("http", problem), direction, reader.begin, reader.offset)
        return mode, size

    def on_message(self, reader: MessageReader, body: bytes, complete: bool, end: int) -> None:
        """State a message; with a response, the exchange it completes."""
        direction, begin, headers = reader.direction, reader.begin, reader.headers
        exchange = reader.exchange
        if type(exchange) is not Exchange:
            exchange = UNKNOWN
        sent = body
        problem, limited = "", False
        index = reader.index
        if "content-encoding" in index or index.get("transfer-encoding", "chunked") != "chunked":
            body, problem, limited = decoded(body, codings(index), complete)
        event: HttpRequest | HttpResponse
        soap, given = exchange.soap, exchange.credentials
        if direction:
            version, code, reason = reader.first
            method, target = exchange.method, exchange.target
            status, size = int(code), len(body)
            event = HttpResponse(status, reason, version, headers, size, complete, exchange.number, method, target)
            soap = status >= 200 and (soap or (not method and _is_xml(reader.index)))
        else:
            method, target, version = reader.first
            verified = None
            if given is not None and self.context.keys:
                verified = self._verified(given, method, sent if complete else None)
            size, number = len(body), exchange.number
            event = HttpRequest(method, target, version, headers, size, complete, number, verified, given)
        out = self.out
        out.append(Statement(event, direction, begin, end))
        out.append(Statement(Payload(body, "iamt.soap" if soap else "", 0, event), direction, begin, end))
        if problem:
            self.state(Malformed("http", problem), direction, begin, end)
        if limited:
            limit = LimitReached("http", "DECODED_LIMIT", DECODED_LIMIT, "the rest of this body is passed over")
            self.state(limit, direction, begin, end)
        if given is not None and type(event) is HttpResponse and (self.refusals or event.status == 401):
            self._count(exchange, event, begin, end)

    def _asked(self, reader: MessageReader) -> Exchange:
        """Note a request, and that its response is due."""
        method, target, _ = reader.first
        authorization = reader.index.get("authorization", "")
        given = credentials(authorization) if authorization else None
        self.requests += 1
        soap = method == "POST" and (target == "/wsman" or is_soap(target, reader.index))
        exchange = Exchange(self.requests, method, target, soap, given)
        if given is not None and not self.count_seen:
            self._look_at_count(reader, given)
        pending = self.pending
        if self.early:
            self.early -= 1  # its response was there before it
            return exchange
        if not self.sure and pending:
            pending.clear()  # a client that waits for each response got it, where the capture lacks it
        elif len(pending) == PENDING_LIMIT:
            pending.clear()
            self.sure = False
            limit = LimitReached(
                "http", "PENDING_LIMIT", PENDING_LIMIT, "their responses are not put to these requests"
            )
            self.state(limit, reader.direction, reader.begin, reader.offset)
        pending.append(exchange)
        return exchange

    def _answered(self, status: int) -> Exchange:
        """Find the request that a response answers."""
        pending = self.pending
        if status < 200 and status != 101:
            return pending[0] if pending else UNKNOWN
        if pending:
            exchange = pending.popleft()
            self.sure = self.sure or not pending
            self.answered = exchange.number
            return exchange
        if self.sure and self.requests and self.early < EARLY_LIMIT:
            self.early += 1
            self.answered = self.requests + self.early
            return Exchange(self.answered, "", "", False, None)
        self.sure = False  # the capture starts between a request and its response, or has them in the wrong order
        return UNKNOWN

    def _tunnel(self, reader: MessageReader, what: str) -> tuple[int, int]:
        """Stop: the connection speaks something else from here on."""
        note = Note("http", f"the connection goes on as {masked(what)[:64] or 'something else'}, not looked into")
        self.state(note, reader.direction, reader.begin, reader.offset)
        self.readers[TO_SERVER].step = stop
        self.finished = True
        return TUNNEL, 0

    def _count(self, exchange: Exchange, response: HttpResponse, begin: int, end: int) -> None:
        """Count the refusals of credentials at an address in a row; a nonce grown old (stale) is none."""
        refusals, target = self.refusals, exchange.target
        if response.status != 401:
            if response.status >= 200:
                refusals.pop(target, None)
            return
        if any(offer.parameters.get("stale", "").lower() == "true" for offer in response.challenges):
            return
        count = refusals.pop(target, 0) + 1
        if len(refusals) == LOOP_TARGETS_LIMIT:
            del refusals[next(iter(refusals))]
        refusals[target] = count
        rounds, rest = divmod(count, LOOP_START)
        if not rest and not rounds & (rounds - 1):
            given = exchange.credentials or Challenge("", {})
            loop = AuthenticationLoop(target, count, given.scheme, given.user)
            self.state(loop, TO_CLIENT, begin, end)

    def _look_at_count(self, reader: MessageReader, given: Challenge) -> None:
        """Firmware from 16.1 on wants the nonce count in 8 digits (RFC 7616 §3.4), which some clients do not give."""
        self.count_seen = True
        count = given.parameters.get("nc")
        if count is not None and len(count) != 8:
            note = Note("http", f"the nonce count of the digest response has {len(count)} digits, not 8")
            self.state(note, reader.direction, reader.begin, reader.offset)

    def _verified(self, given: Challenge, method: str, body: bytes | None) -> bool | None:
        """Check a digest response, where the password of its user is given."""
        keys = self.context.keys
        if keys is None or given.scheme.lower() != "digest":
            return None
        password = keys.http_password(given.user)
        if password is None:
            return None
        from amtdecode.protocols.http.digest import verify

        return verify(given, method, body, password)


def is_soap(target: str, index: dict[str, str]) -> bool:
    """Whether the body of a POST is for the SOAP room: told by path and headers, so that an empty one is too."""
    path = target.partition("?")[0]
    return path == "/wsman" or "soapaction" in index or path[1:] in EOI_SERVICES or _is_xml(index)


def _is_xml(index: dict[str, str]) -> bool:
    kind = index.get("content-type", "")
    return "xml" in kind and ("soap+xml" in kind or "text/xml" in kind or "application/xml" in kind)
