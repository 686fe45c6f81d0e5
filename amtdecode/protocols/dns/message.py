"""One DNS message: which are of interest, told from the first bytes, and what those say."""

from __future__ import annotations

from struct import Struct, error
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from amtdecode.counting import counted
from amtdecode.model import Endpoint, Event, LimitReached, Malformed
from amtdecode.protocols.dns.fields import (
    AAAA,
    CNAME,
    DNS_MESSAGE,
    MAX_ANSWERS,
    MAX_LABEL,
    MAX_NAME,
    POINTER,
    PTR,
    REPLY_CODES,
    SRV,
    TYPES,
    A,
)

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node

NAME = "dns"
HEADER_SIZE = 12
LONGEST_REVERSE = 80  # bytes of a question that hold any reverse name: 32 nibbles and ip6.arpa are 74

PROVISION_SERVER = "provisionserver"  # Intel AMT Implementation and Reference Guide, "Setup Mode Hello Messages"
MPS = b"\x03mps"
"""First label of the names that management presence servers are usually given: a hint, no more (inferred)."""
_HEADER = Struct(">HHHHHH")
_QUESTION = Struct(">HH")
_RECORD = Struct(">HHIH")

_ANSWER_A = b"\xc0\x0c\x00\x01\x00\x01"  # for the name asked (RFC 1035 section 4.1.4), type A, class IN
_ANSWER_AAAA = b"\xc0\x0c\x00\x1c\x00\x01"
# IANA special-purpose address registries: private use, shared, link-local and documentation, by their first bytes
_INSIDE_8 = b"\x0a"
_INSIDE_16 = frozenset(
    [bytes((172, n)) for n in range(16, 32)] + [bytes((100, n)) for n in range(64, 128)] + [b"\xc0\xa8", b"\xa9\xfe"]
)
_INSIDE_24 = frozenset({b"\xc0\x00\x02", b"\xc6\x33\x64", b"\xcb\x00\x71"})
_INSIDE_V6 = (b"\xfc", b"\xfd", b"\xfe\x80", b"\x20\x01\x0d\xb8")


class Answer(NamedTuple):
    """One record of the answer section. The value is an address or a name; hex text for other types."""

    name: str
    type: int
    ttl: int  # seconds
    value: str


class DnsMessage(Event, frozen=True):
    """A query or a response about a name of interest."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = DNS_MESSAGE
    id: int
    flags: int  # the 16 bits of RFC 1035 section 4.1.1
    name: str  # asked for, as spelt; empty where a server returns no question
    type: int  # -1 where the message is cut before it
    answer_count: int
    answers: tuple[Answer, ...] = ()

    @property
    def is_response(self) -> bool:
        """True for a response, false for a query."""
        return bool(self.flags & 0x8000)

    @property
    def reply_code(self) -> int:
        """0 no error, 2 server failure, 3 no such name, 5 refused."""
        return self.flags & 0x0F

    @property
    def opcode(self) -> int:
        """0 for a query."""
        return self.flags >> 11 & 0x0F

    @property
    def is_authoritative(self) -> bool | None:
        """True where the server owns the zone; `None` in a query."""
        return bool(self.flags & 0x0400) if self.is_response else None

    @property
    def is_truncated(self) -> bool:
        """True where the rest is to be asked for over TCP."""
        return bool(self.flags & 0x0200)

    @property
    def asks_for_provision_server(self) -> bool:
        """True where the first label begins as the firmware's default does."""
        return self.name[: len(PROVISION_SERVER)].lower() == PROVISION_SERVER

    @property
    def suffix(self) -> str:
        """The name without its first label, lower case; empty for a bare name."""
        return self.name.partition(".")[2].lower().rstrip(".")

    @property
    def addresses(self) -> tuple[str, ...]:
        """All A and AAAA values."""
        return tuple(answer.value for answer in self.answers if answer.type in (A, AAAA))

    @property
    def owners(self) -> list[str]:
        """The name each answer is about."""
        return [answer.name for answer in self.answers]

    @property
    def types(self) -> list[int]:
        """The type of each answer."""
        return [answer.type for answer in self.answers]

    @property
    def ttls(self) -> list[int]:
        """How long each answer may be kept, seconds."""
        return [answer.ttl for answer in self.answers]

    def values(self, kind: int) -> list[str]:
        """The values of all answers of one type."""
        return [answer.value for answer in self.answers if answer.type == kind]

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Over TCP the message stands behind its length."""
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.dns.spec import SECTIONS, TCP_LENGTH

        begin = self.id.to_bytes(2, "big") + self.flags.to_bytes(2, "big")
        if pdu.startswith(begin):
            return tree_of(SECTIONS, pdu)
        return tree_of(TCP_LENGTH, pdu) + tree_of(SECTIONS, pdu[2:], 2)

    def summary(self) -> str:
        asked = "no question"
        if self.name:
            kind = TYPES.get(self.type, f"type {self.type}")
            asked = f"{kind} {self.name}" if self.type >= 0 else f"{self.name}, type cut off"
        if not self.is_response:
            return f"DNS query {asked}"
        if self.reply_code:
            return f"DNS response {asked}: {REPLY_CODES.get(self.reply_code, f'code {self.reply_code}')}"
        return f"DNS response {asked}: {', '.join(answer.value for answer in self.answers) or 'no answer'}"


def of_interest(data: bytes) -> bool:
    """Tell from the first bytes whether a message is one this room states (see the spec card)."""
    head = data[HEADER_SIZE : HEADER_SIZE + LONGEST_REVERSE].lower()  # length bytes are below the letters
    if head[1:16] == b"provisionserver" or head[:4] == MPS or b"\x04arpa\x00\x00\x0c" in head:
        return True
    if data[2:3] < b"\x80" or data[4:6] > b"\x00\x01":
        return False
    if data[3:4] and data[3] & 0x0F:
        return data[4:6] == b"\0\0"  # a server that fails without repeating the question
    at = data.find(b"\0", HEADER_SIZE) + 5  # the first answer stands behind the question
    answer = data[at : at + 6]
    if answer == _ANSWER_A:
        first = data[at + 12 : at + 15]
        return first[:1] == _INSIDE_8 or first[:2] in _INSIDE_16 or first in _INSIDE_24
    return answer == _ANSWER_AAAA and data.startswith(_INSIDE_V6, at + 12)


def plausible(data: bytes) -> bool:
    """A header as a query or a response has it: opcode 0 (QUERY), at most one question, a query without answers."""
    if len(data) < HEADER_SIZE or data[2] & 0x78 or data[3] & 0x40 or data[4] or data[5] > 1:
        return False
    return data[2] >= 0x80 or (not data[3] & 0x0F and data[5:8] == b"\1\0\0")


def read_name(data: bytes, at: int) -> tuple[str, int]:
    """The name at an offset, and the offset behind it (RFC 1035 section 4.1.4). Bytes that are not UTF-8 as escapes.

    Each pointer must point further back than the part it ends, so that names end. ValueError where that, or the length
    of a label or of the name, is wrong; IndexError where the bytes end first.
    """
    start, behind, total, parts = at, 0, 0, []
    while size := data[at]:
        if size >= POINTER:
            behind = behind or at + 2
            target = (size & ~POINTER) << 8 | data[at + 1]
            if target >= start:
                raise ValueError("a name points to itself or ahead")
            start = at = target
            continue
        if size > MAX_LABEL:
            raise ValueError(f"a label begins with {size:#04x}")
        total += 1 + size
        if total > MAX_NAME:
            raise ValueError(f"a name is longer than {MAX_NAME} bytes")
        at += 1 + size
        if at >= len(data):
            raise ValueError("a name is cut")
        parts.append(data[at - size : at].decode("utf-8", "backslashreplace"))
    return ".".join(parts), behind or at + 1


def _value(data: bytes, at: int, kind: int, size: int) -> str:
    """The value of a record as text."""
    if (kind == A and size == 4) or (kind == AAAA and size == 16):
        return Endpoint(data[at : at + size], 0).address
    if kind in (CNAME, PTR):
        return read_name(data, at)[0]
    if kind == SRV:
        return read_name(data, at + 6)[0]
    return data[at : at + size].hex()


def read(data: bytes) -> list[Event]:
    """The message, and its fault behind it. `data` may be any bytes."""
    if len(data) < HEADER_SIZE:
        return [Malformed(NAME, f"{len(data)} of {HEADER_SIZE} header bytes", data)]
    number, flags, questions, count, _, _ = _HEADER.unpack_from(data)
    name, kind, at = "", 0, HEADER_SIZE
    answers: list[Answer] = []
    faults: list[Event] = []
    try:
        if questions:
            kind = -1
            name, at = read_name(data, at)
            kind, _ = _QUESTION.unpack_from(data, at)
            at += _QUESTION.size
        faults = _answers(data, at, count if questions < 2 else 0, answers)
    except (ValueError, IndexError, error) as fault:
        said = str(fault) if isinstance(fault, ValueError) else "the bytes end"
        faults = [Malformed(NAME, f"cut or broken after {counted(len(answers), 'answer')}: {said}", data)]
    return [DnsMessage(number, flags, name, kind, count, tuple(answers)), *faults]


def _answers(data: bytes, at: int, count: int, answers: list[Answer]) -> list[Event]:
    """Append the answer records to `answers`; the limit reached, if any. Raises what `read_name` and struct do."""
    for _ in range(min(count, MAX_ANSWERS)):
        owner, at = read_name(data, at)
        kind, _, ttl, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            raise ValueError(f"a record wants {counted(size, 'byte')}, {len(data) - at} are left")
        answers.append(Answer(owner, kind, ttl, _value(data, at, kind, size)))
        at += size
    if count > MAX_ANSWERS:
        return [LimitReached(NAME, "MAX_ANSWERS", MAX_ANSWERS, f"{count - MAX_ANSWERS} more answers are not read")]
    return []
