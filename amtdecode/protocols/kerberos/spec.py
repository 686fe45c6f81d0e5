"""Kerberos messages declared (RFC 4120 sections 5.2, 5.4, 5.5 and 5.9): the form, the builder, what `tree()` reads by.

DER: every part is an element with a tag, the context tags of a sequence in order. Names are tshark's. What is
encrypted stays bytes, and so does what stands in preauthentication. `parse` raises `construct.ConstructError` on bytes
that break these rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from construct import Bytes, Construct, GreedyBytes, GreedyRange, Int32ub, Struct

from amtdecode.fields import BYTES, INT32, NONE, STRING, UINT32, Field
from amtdecode.protocols.declaration import Items, tree_of
from amtdecode.protocols.der import Element, Integer
from amtdecode.protocols.gssapi import (
    AP_REP,
    AP_REQ,
    AS_REP,
    AS_REQ,
    KRB_ERROR,
    TGS_REP,
    TGS_REQ,
    TO_KDC_DECLARED,
)

if TYPE_CHECKING:
    from amtdecode.tree import Node

LENGTH = 4  # bytes in front of a message over TCP
INTEGER, BIT_STRING, OCTETS, SEQUENCE, TEXT, TIME = 0x02, 0x03, 0x04, 0x30, 0x1B, 0x18
APPLICATION, CONTEXT = 0x60, 0xA0  # constructed, with a number
NAME_TYPES = {1: "principal", 2: "service and instance", 3: "service and host", 10: "enterprise"}  # RFC 4120, 6806
PREAUTHENTICATION = {1: "TGS-REQ", 2: "encrypted time stamp", 11: "ETYPE-INFO", 19: "ETYPE-INFO2", 128: "PAC-REQUEST"}

item = Items(
    TO_KDC_DECLARED,
    Field("kerberos.rm.length", UINT32, "bytes of the message over TCP"),
    *(
        Field(f"kerberos.{name}_element", NONE, meaning)
        for name, meaning in {
            "as_req": "request for a first ticket",
            "as_rep": "the first ticket",
            "tgs_req": "request for the ticket of a service",
            "tgs_rep": "the ticket of a service",
            "ap_req": "ticket shown to a service",
            "ap_rep": "the service's answer",
            "krb_error": "refusal",
            "req_body": "what is wanted",
            "PA_DATA": "one part of preauthentication",
            "cname": "name of the client",
            "sname": "name of the service",
            "ticket": "ticket",
            "enc_part": "what is encrypted",
            "authenticator": "proof of the client, encrypted",
        }.items()
    ),
    Field("kerberos.pvno", INT32, "version of Kerberos"),
    Field("kerberos.tkt_vno", INT32, "version of the ticket's form"),
    Field("kerberos.padata", UINT32, "parts of preauthentication"),
    Field("kerberos.padata_type", INT32, "what the part is", values=PREAUTHENTICATION),
    Field("kerberos.padata_value", BYTES, "its bytes"),
    Field("kerberos.kdc_options", BYTES, "options of the request"),
    Field("kerberos.ap_options", BYTES, "options of the login"),
    Field("kerberos.name_type", INT32, "what kind of name it is", values=NAME_TYPES),
    Field("kerberos.cname_string", UINT32, "parts of the client's name"),
    Field("kerberos.sname_string", UINT32, "parts of the service's name"),
    Field("kerberos.from", STRING, "from when the ticket shall be valid"),
    Field("kerberos.till", STRING, "until when"),
    Field("kerberos.rtime", STRING, "until when it shall be renewable"),
    Field("kerberos.nonce", INT32, "number that the answer repeats"),
    Field("kerberos.kdc-req-body.etype", UINT32, "encryption types that the client takes"),
    Field("kerberos.kvno", UINT32, "version of the key"),
    Field("kerberos.cipher", BYTES, "encrypted bytes"),
    Field("kerberos.ctime", STRING, "time of the client"),
    Field("kerberos.cusec", INT32, "its microseconds"),
    Field("kerberos.stime", STRING, "time of the server"),
    Field("kerberos.susec", INT32, "its microseconds"),
    Field("kerberos.e_text", STRING, "what the server says of it"),
    Field("kerberos.e_data", BYTES, "what the server adds"),
)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _in(number: int, inside: Construct, *, optional: bool = False) -> Element:
    """What stands in a context tag."""
    return Element(CONTEXT | number, inside, optional=optional)


def _number(name: str) -> Element:
    return Element(INTEGER, item(name, Integer(signed=True)))


def _string(name: str, tag: int = TEXT) -> Element:
    return Element(tag, item(name, GreedyBytes, shown=_text))


def _octets(name: str) -> Element:
    return Element(OCTETS, item(name, GreedyBytes))


def _options(name: str) -> Element:
    """A BIT STRING: how many bits at its end do not count, then the bytes."""
    return Element(BIT_STRING, Struct("unused" / Bytes(1), "bits" / item(name, GreedyBytes)))


def _listed(name: str, each: Construct) -> Element:
    """A sequence of any number of parts; its value is how many."""
    return Element(SEQUENCE, item(name, GreedyRange(each), shown=len))


def _whole(name: str, *parts: Construct) -> Any:
    """A sequence that is a field itself. Parts that the RFC adds later are passed over."""
    return item(f"kerberos.{name}_element", Element(SEQUENCE, Struct(*parts, "rest" / GreedyBytes)))


def _principal(which: str) -> Any:
    shown = {"cname": "kerberos.CNameString", "sname": "kerberos.SNameString"}[which]
    return _whole(
        which,
        "type" / _in(0, _number("kerberos.name_type")),
        "parts" / _in(1, _listed(f"kerberos.{which}_string", _string(shown))),
    )


def _encrypted(which: str = "enc_part") -> Any:
    return _whole(
        which,
        "etype" / _in(0, _number("kerberos.etype")),
        "kvno" / _in(1, _number("kerberos.kvno"), optional=True),
        "cipher" / _in(2, _octets("kerberos.cipher")),
    )


TICKET = Element(
    APPLICATION | 1,
    _whole(
        "ticket",
        "version" / _in(0, _number("kerberos.tkt_vno")),
        "realm" / _in(1, _string("kerberos.realm")),
        "service" / _in(2, _principal("sname")),
        "encrypted" / _in(3, _encrypted()),
    ),
)
PREAUTH = _listed(
    "kerberos.padata",
    _whole(
        "PA_DATA", "type" / _in(1, _number("kerberos.padata_type")), "value" / _in(2, _octets("kerberos.padata_value"))
    ),
)
BODY = _whole(
    "req_body",
    "options" / _in(0, _options("kerberos.kdc_options")),
    "client" / _in(1, _principal("cname"), optional=True),
    "realm" / _in(2, _string("kerberos.realm")),
    "service" / _in(3, _principal("sname"), optional=True),
    "from" / _in(4, _string("kerberos.from", TIME), optional=True),
    "till" / _in(5, _string("kerberos.till", TIME)),
    "renewable" / _in(6, _string("kerberos.rtime", TIME), optional=True),
    "nonce" / _in(7, _number("kerberos.nonce")),
    "etypes" / _in(8, _listed("kerberos.kdc-req-body.etype", _number("kerberos.ENCTYPE"))),
)


def _version(number: int) -> tuple[Any, Any]:
    return (
        "version" / _in(number, _number("kerberos.pvno")),
        "message" / _in(number + 1, _number("kerberos.msg_type")),
    )


REQUEST = (*_version(1), "preauth" / _in(3, PREAUTH, optional=True), "body" / _in(4, BODY))
REPLY = (
    *_version(0),
    "preauth" / _in(2, PREAUTH, optional=True),
    "client_realm" / _in(3, _string("kerberos.crealm")),
    "client" / _in(4, _principal("cname")),
    "ticket" / _in(5, TICKET),
    "encrypted" / _in(6, _encrypted()),
)
LOGIN = (
    *_version(0),
    "options" / _in(2, _options("kerberos.ap_options")),
    "ticket" / _in(3, TICKET),
    "proof" / _in(4, _encrypted("authenticator")),
)
ERROR = (
    *_version(0),
    "client_time" / _in(2, _string("kerberos.ctime", TIME), optional=True),
    "client_microseconds" / _in(3, _number("kerberos.cusec"), optional=True),
    "time" / _in(4, _string("kerberos.stime", TIME)),
    "microseconds" / _in(5, _number("kerberos.susec")),
    "code" / _in(6, _number("kerberos.error_code")),
    "client_realm" / _in(7, _string("kerberos.crealm"), optional=True),
    "client" / _in(8, _principal("cname"), optional=True),
    "realm" / _in(9, _string("kerberos.realm")),
    "service" / _in(10, _principal("sname")),
    "text" / _in(11, _string("kerberos.e_text"), optional=True),
    "data" / _in(12, _octets("kerberos.e_data"), optional=True),
)
MESSAGES = {
    number: Element(APPLICATION | number, _whole(name, *parts))
    for number, name, parts in (
        (AS_REQ, "as_req", REQUEST),
        (AS_REP, "as_rep", REPLY),
        (TGS_REQ, "tgs_req", REQUEST),
        (TGS_REP, "tgs_rep", REPLY),
        (AP_REQ, "ap_req", LOGIN),
        (AP_REP, "ap_rep", (*_version(0), "encrypted" / _in(2, _encrypted()))),
        (KRB_ERROR, "krb_error", ERROR),
    )
}
"""By message: its number is that of its tag too."""
PREFIX = item("kerberos.rm.length", Int32ub)


def tree(pdu: bytes) -> tuple[Node, ...]:
    """Read a message into its fields; over TCP it stands behind its length."""
    at = LENGTH if pdu[:1] == b"\0" else 0
    front = tree_of(PREFIX, pdu) if at else ()
    message = MESSAGES.get(pdu[at] & 0x1F) if len(pdu) > at else None
    return front + (tree_of(message, pdu[at:], at) if message is not None else ())
