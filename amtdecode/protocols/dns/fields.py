"""The fields of DNS messages, under tshark's names; codes and limits (RFC 1035)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import BOOLEAN, IPV4, IPV6, STRING, UINT16, UINT32, Field, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ANSWERS = 64  # records read of one answer; a real one for ProvisionServer has a few
A, CNAME, SOA, PTR, AAAA, SRV = 1, 5, 6, 12, 28, 33
TYPES = {A: "A", 2: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", AAAA: "AAAA", SRV: "SRV"}
OPCODES = {0: "query", 1: "inverse query", 2: "status", 4: "notify", 5: "update"}  # RFC 1035, 1996, 2136
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NAME_ERROR, NOT_IMPLEMENTED, REFUSED = range(6)
REPLY_CODES = {  # RFC 1035 section 4.1.1
    NO_ERROR: "no error",
    FORMAT_ERROR: "FORMERR",
    SERVER_FAILURE: "SERVFAIL",
    NAME_ERROR: "NXDOMAIN",
    NOT_IMPLEMENTED: "NOTIMP",
    REFUSED: "REFUSED",
}

MAX_LABEL, MAX_NAME = 63, 255  # bytes (RFC 1035 section 2.3.4)
POINTER = 0xC0  # what the first byte of a compression pointer begins with (RFC 1035 section 4.1.4)


def _answers_of(kind: int) -> Callable[[Any], list[str]]:
    return lambda message: message.values(kind)


DNS_MESSAGE: Fields = (
    Field("dns.id", UINT16, "transaction id", "id"),
    Field("dns.flags", UINT16, "all flags, 16 bits", "flags"),
    Field("dns.flags.response", BOOLEAN, "true in a response", "is_response"),
    Field("dns.flags.opcode", UINT16, "what is asked of the server", "opcode", values=OPCODES),
    Field("dns.flags.truncated", BOOLEAN, "the rest is to be asked for over TCP", "is_truncated"),
    Field("dns.count.answers", UINT16, "answers the header promises", "answer_count"),
    Field("dns.flags.authoritative", BOOLEAN, "the server owns the zone", "is_authoritative", None),
    Field(
        "dns.flags.rcode",
        UINT16,
        "how the server answers",
        lambda message: message.reply_code if message.is_response else None,
        None,
        REPLY_CODES,
    ),
    Field("dns.qry.name", STRING, "name asked for", "name", ""),
    Field(
        "dns.qry.type",
        UINT16,
        "type asked for",
        lambda message: message.type if message.name and message.type >= 0 else None,
        None,
        TYPES,
    ),
    Field("dns.resp.name", STRING, "owner of each answer", "owners", (), repeated=True),
    Field("dns.resp.type", UINT16, "type of each answer", "types", (), TYPES, repeated=True),
    Field("dns.resp.ttl", UINT32, "seconds each answer may be kept", "ttls", (), repeated=True),
    Field("dns.a", IPV4, "IPv4 addresses", _answers_of(A), (), repeated=True),
    Field("dns.aaaa", IPV6, "IPv6 addresses", _answers_of(AAAA), (), repeated=True),
    Field("dns.cname", STRING, "aliases", _answers_of(CNAME), (), repeated=True),
    Field("dns.ptr.domain_name", STRING, "names of a reverse look-up", _answers_of(PTR), (), repeated=True),
    Field("dns.srv.target", STRING, "hosts of a service", _answers_of(SRV), (), repeated=True),
)
