"""DNS messages declared (RFC 1035 section 4): the reference for the room's reader, and what `tree()` reads by.

`MESSAGE` is what the reader reads; `SECTIONS` adds the authority and additional records, which only the tree shows.
Big-endian throughout. `parse` raises `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import (
    Adapter,
    Array,
    Bytes,
    Check,
    Computed,
    ExprValidator,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    LazyBound,
    Pointer,
    RepeatUntil,
    Seek,
    Struct,
    Switch,
    Tell,
    ValidationError,
    this,
)

from amtdecode.fields import BOOLEAN, UINT16, UINT32, Field
from amtdecode.protocols.declaration import Items, grouped
from amtdecode.protocols.dns.fields import (
    AAAA,
    CNAME,
    DNS_MESSAGE,
    MAX_ANSWERS,
    MAX_LABEL,
    MAX_NAME,
    POINTER,
    PTR,
    SRV,
    A,
)

CLASSES = {1: "IN", 255: "ANY"}
OPT = 41  # RFC 6891: class and TTL mean something else there

item = Items(
    DNS_MESSAGE,
    Field("dns.flags.recdesired", BOOLEAN, "the server is to ask others"),
    Field("dns.flags.recavail", BOOLEAN, "the server asks others"),
    Field("dns.flags.z", BOOLEAN, "reserved"),
    Field("dns.flags.authenticated", BOOLEAN, "the server has verified the answer"),
    Field("dns.flags.checkdisable", BOOLEAN, "an answer that is not verified will do"),
    Field("dns.count.queries", UINT16, "questions"),
    Field("dns.count.auth_rr", UINT16, "authority records"),
    Field("dns.count.add_rr", UINT16, "additional records"),
    Field("dns.qry.class", UINT16, "class asked for", values=CLASSES),
    Field("dns.resp.class", UINT16, "class of a record", values=CLASSES),
    Field("dns.resp.len", UINT16, "bytes of a record's data"),
    Field("dns.srv.priority", UINT16, "the lowest is asked first"),
    Field("dns.srv.weight", UINT16, "share among those of one priority"),
    Field("dns.srv.port", UINT16, "port of the service"),
    Field("dns.length", UINT32, "bytes of the message, over TCP"),
)

# a label, the root that ends a name (size 0), or a pointer to the rest of it (two bits set, 14 bits of offset)
PART = Struct(
    "size" / ExprValidator(Int8ub, lambda size, _: size <= MAX_LABEL or size >= POINTER),
    "label" / If(this.size <= MAX_LABEL, Bytes(this.size)),
    "target" / If(this.size >= POINTER, Int8ub),
)
LABELS: Any = Struct(
    "start" / Tell,
    "parts" / RepeatUntil(lambda part, *_: part.size == 0 or part.size >= POINTER, PART),
    "last" / Computed(lambda own: own.parts[-1]),
    "target" / Computed(lambda own: (own.last.size & ~POINTER) << 8 | own.last.target if own.last.size else None),
    Check(lambda own: own.target is None or own.target < own.start),
    "rest" / If(lambda own: own.target is not None, Pointer(this.target, LazyBound(lambda: LABELS))),
)


class Name(Adapter):  # type: ignore[misc]
    """A name as text."""

    def _decode(self, obj: Any, context: Any, path: str) -> str:  # noqa: ARG002
        labels: list[bytes] = []
        while obj is not None:
            labels += [part.label for part in obj.parts if part.label]
            obj = obj.rest
        if sum(1 + len(label) for label in labels) > MAX_NAME:
            raise ValidationError(f"a name is longer than {MAX_NAME} bytes", path)
        return ".".join(label.decode("utf-8", "backslashreplace") for label in labels)


NAME = Name(LABELS)


def _flags(value: int) -> list[tuple[str, int]]:
    response = bool(value & 0x8000)
    masks = [("response", 0x8000), ("opcode", 0x7800)]
    masks += [("authoritative", 0x0400)] if response else []
    masks += [("truncated", 0x0200), ("recdesired", 0x0100)]
    masks += [("recavail", 0x0080)] if response else []
    masks += [("z", 0x0040)]
    masks += [("authenticated", 0x0020)] if response else []
    masks += [("checkdisable", 0x0010)]
    masks += [("rcode", 0x000F)] if response else []
    return [(f"dns.flags.{name}", mask) for name, mask in masks]


QUESTION = Struct(
    "name" / item("dns.qry.name", NAME),
    "type" / item("dns.qry.type", Int16ub),
    "class" / item("dns.qry.class", Int16ub),
)

ADDRESS_4 = Struct("value" / item("dns.a", Bytes(4)))
ADDRESS_6 = Struct("value" / item("dns.aaaa", Bytes(16)))
SERVICE = Struct(
    "priority" / item("dns.srv.priority", Int16ub),
    "weight" / item("dns.srv.weight", Int16ub),
    "port" / item("dns.srv.port", Int16ub),
    "value" / item("dns.srv.target", NAME),
)
OTHER = Struct("value" / Bytes(this._.size))
RECORD = Struct(
    "name" / item("dns.resp.name", NAME),
    "type" / item("dns.resp.type", Int16ub),
    "class" / item("dns.resp.class", Int16ub, only=lambda own: own.type != OPT),
    "ttl" / item("dns.resp.ttl", Int32ub, only=lambda own: own.type != OPT),
    "size" / item("dns.resp.len", Int16ub),
    "at" / Tell,
    "whole" / Pointer(this.at, Bytes(this.size)),
    "data"
    / Switch(
        lambda own: (own.type, own.size) if own.type in (A, AAAA) else own.type,
        {
            (A, 4): ADDRESS_4,
            (AAAA, 16): ADDRESS_6,
            CNAME: Struct("value" / item("dns.cname", NAME)),
            PTR: Struct("value" / item("dns.ptr.domain_name", NAME)),
            SRV: SERVICE,
        },
        default=OTHER,
    ),
    Seek(this.at + this.size),
)


def _records(words: str, count: Any) -> Any:
    return grouped(words, Array(count, grouped(lambda record: record.name or "<Root>", RECORD)))


MESSAGE: Any = Struct(
    "id" / item("dns.id", Int16ub),
    "flags" / item("dns.flags", Int16ub, bits=_flags),
    "questions" / item("dns.count.queries", Int16ub),
    "count" / item("dns.count.answers", Int16ub),
    "authority_count" / item("dns.count.auth_rr", Int16ub),
    "additional_count" / item("dns.count.add_rr", Int16ub),
    "question" / If(this.questions > 0, grouped("Queries", grouped(lambda question: question.name, QUESTION))),
    "answers" / _records("Answers", lambda own: min(own.count, MAX_ANSWERS) if own.questions < 2 else 0),
)
SECTIONS: Any = Struct(
    "message" / MESSAGE,
    Check(lambda own: own.message.questions < 2 and own.message.count <= MAX_ANSWERS),
    "authority" / _records("Authoritative nameservers", lambda own: min(own.message.authority_count, MAX_ANSWERS)),
    "additional" / _records("Additional records", lambda own: min(own.message.additional_count, MAX_ANSWERS)),
)
TCP_LENGTH: Any = Struct("length" / item("dns.length", Int16ub))  # before each message over TCP
