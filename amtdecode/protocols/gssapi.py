"""What Kerberos says without a key, in a token of Negotiate or to a KDC: service, realm, encryption types, error.

Sources: RFC 4178 (SPNEGO), RFC 4121 section 4.1 (framing of Kerberos), RFC 4120 sections 5.2.2, 5.2.9, 5.4, 5.5.1 and
5.9.1 (names, encrypted data, KDC-REQ, KDC-REP, AP-REQ, KRB-ERROR) and 7.5.9 (error codes); RFC 3961, 3962, 8009,
4757 (encryption types). asn1crypto takes the DER apart; tokens are hostile: nothing is looked for deeper than these
documents have it.
"""

from __future__ import annotations

from typing import NamedTuple

from amtdecode.fields import INT32, STRING, Field, Fields, reader

AP_REQ, AP_REP, KRB_ERROR = 14, 15, 30
AS_REQ, AS_REP, TGS_REQ, TGS_REP = 10, 11, 12, 13  # between a client and a KDC
IN_LOGINS = frozenset((AP_REQ, AP_REP, KRB_ERROR))
TO_KDC = frozenset((AS_REQ, AS_REP, TGS_REQ, TGS_REP, KRB_ERROR))
MESSAGES = {
    AS_REQ: "AS-REQ",
    AS_REP: "AS-REP",
    TGS_REQ: "TGS-REQ",
    TGS_REP: "TGS-REP",
    AP_REQ: "AP-REQ",
    AP_REP: "AP-REP",
    KRB_ERROR: "KRB-ERROR",
}
TICKET_EXPIRED, NOT_YET_VALID, NOT_FOR_US, SKEW, MODIFIED, UNKNOWN_SERVICE = 32, 33, 35, 37, 41, 7
ERRORS = {
    6: "client not known (KDC_ERR_C_PRINCIPAL_UNKNOWN)",
    UNKNOWN_SERVICE: "service principal name not known (KDC_ERR_S_PRINCIPAL_UNKNOWN)",
    8: "principal there twice (KDC_ERR_PRINCIPAL_NOT_UNIQUE)",
    14: "encryption type not supported (KDC_ERR_ETYPE_NOSUPP)",
    18: "client revoked (KDC_ERR_CLIENT_REVOKED)",
    24: "password wrong (KDC_ERR_PREAUTH_FAILED)",
    25: "preauthentication required (KDC_ERR_PREAUTH_REQUIRED)",
    31: "integrity check failed: wrong key (KRB_AP_ERR_BAD_INTEGRITY)",
    TICKET_EXPIRED: "ticket expired (KRB_AP_ERR_TKT_EXPIRED)",
    NOT_YET_VALID: "ticket not yet valid (KRB_AP_ERR_TKT_NYV)",
    34: "request repeated (KRB_AP_ERR_REPEAT)",
    NOT_FOR_US: "ticket is for another service (KRB_AP_ERR_NOT_US)",
    SKEW: "clocks too far apart (KRB_AP_ERR_SKEW)",
    MODIFIED: "wrong key: message modified (KRB_AP_ERR_MODIFIED)",
    44: "version of the key not available (KRB_AP_ERR_BADKEYVER)",
    45: "no key of the service (KRB_AP_ERR_NOKEY)",
    60: "error without a code of its own (KRB_ERR_GENERIC)",
}
ETYPES = {
    1: "des-cbc-crc",
    3: "des-cbc-md5",
    16: "des3-cbc-sha1-kd",
    17: "aes128-cts-hmac-sha1-96",
    18: "aes256-cts-hmac-sha1-96",
    19: "aes128-cts-hmac-sha256-128",
    20: "aes256-cts-hmac-sha384-192",
    23: "rc4-hmac",
}
SPNEGO = bytes.fromhex("2b0601050502")
KERBEROS = (bytes.fromhex("2a864886f712010202"), bytes.fromhex("2a864882f712010202"))  # RFC 4121; MS-SPNG's misprint
APPLICATION, CONTEXT = 1, 2  # classes of ASN.1
MAX_DEPTH = 2  # wrappings inside each other: SPNEGO, and in it Kerberos
MAX_PARTS = 16  # elements read of one sequence; the longest here has 13


class Token(NamedTuple):
    """A Kerberos message, as far as it can be read without a key."""

    message: int  # a key of `MESSAGES`
    realm: str = ""
    service: tuple[str, ...] = ()
    etypes: tuple[int, ...] = ()  # of the ticket, then of what is beside it
    error: int | None = None
    server_time: str = ""  # as `20261129202600Z`
    client_time: str = ""
    client: tuple[str, ...] = ()  # name, part by part
    client_realm: str = ""
    wanted: tuple[int, ...] = ()  # encryption types that a request to a KDC takes

    @property
    def spn(self) -> str:
        """The service principal name, as `HTTP/desk.example.com:16992`."""
        return "/".join(self.service)

    @property
    def skew(self) -> int | None:
        """Seconds by which the server's clock is ahead of the client's; `None` where not both are told."""
        server, client = _seconds(self.server_time), _seconds(self.client_time)
        return None if server is None or client is None else server - client


DECLARED: Fields = (
    Field("kerberos.msg_type", INT32, "Kerberos message", "message", values=MESSAGES),
    Field("kerberos.realm", STRING, "realm of the service", "realm", ""),
    Field("kerberos.SNameString", STRING, "name of the service, part by part", "service", (), repeated=True),
    Field("iamt.kerberos.spn", STRING, "service principal name", "spn", ""),
    Field("kerberos.etype", INT32, "encryption types of ticket and authenticator", "etypes", (), ETYPES, repeated=True),
    Field("kerberos.error_code", INT32, "why the login or the ticket is refused", "error", None, ERRORS),
    Field("iamt.kerberos.skew", INT32, "seconds by which the server's clock is ahead of the client's", "skew", None),
)

TO_KDC_DECLARED: Fields = (
    *DECLARED,
    Field("kerberos.ENCTYPE", INT32, "encryption types that a client takes", "wanted", (), ETYPES, repeated=True),
    Field("kerberos.CNameString", STRING, "name of the client, part by part", "client", (), repeated=True),
    Field("kerberos.crealm", STRING, "realm of the client", "client_realm", ""),
)

fields_of = reader(DECLARED)
"""The fields of a token."""


def read_token(data: bytes) -> Token | None:
    """The Kerberos message of a token, out of its wrapping; `None` where there is none that can be read."""
    try:
        return _read(data)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def read_kdc_message(data: bytes) -> Token | None:
    """A message between a client and a KDC, without anything around it; `None` where it cannot be read."""
    try:
        return _message(data, TO_KDC)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _parse(data: bytes) -> tuple[int, int, bytes]:
    """Class, tag and content of the element at the start."""
    from asn1crypto import parser

    kind, _, tag, _, content, _ = parser.parse(data)
    return kind, tag, content


def _parts(data: bytes) -> dict[int, bytes]:
    """What is in a sequence, by context tag; the content of each."""
    from asn1crypto import parser

    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and len(found) < MAX_PARTS:
        kind, _, tag, head, content, tail = parser.parse(data[at:])
        if kind == CONTEXT:
            found[tag] = content
        at += len(head) + len(content) + len(tail)
    return found


def _read(data: bytes, depth: int = 0) -> Token | None:
    kind, tag, content = _parse(data)
    if depth > MAX_DEPTH:
        return None
    if (kind, tag) == (CONTEXT, 1):  # NegTokenResp
        return _read(_parse(_parts(_parse(content)[2])[2])[2], depth + 1)
    if (kind, tag) != (APPLICATION, 0):
        return _message(data)
    size = 2 + content[1]
    oid, rest = content[2:size], content[size:]
    if oid == SPNEGO:  # NegTokenInit
        return _read(_parse(_parts(_parse(_parse(rest)[2])[2])[2])[2], depth + 1)
    return _message(rest[2:]) if oid in KERBEROS else None  # behind two bytes that say which message


def _message(data: bytes, wanted: frozenset[int] = IN_LOGINS) -> Token | None:
    kind, tag, content = _parse(data)
    if kind != APPLICATION or tag not in wanted:
        return None
    parts = _parts(_parse(content)[2])
    if tag in (AS_REQ, TGS_REQ):
        body = _parts(_parse(parts[4])[2])
        service, client = (_name(body[each]) if each in body else () for each in (3, 1))
        return Token(tag, _text(body[2]), service, client=client, wanted=_numbers(body[8]))
    if tag in (AS_REP, TGS_REP):
        realm, service, etypes = _ticket(parts[5], parts[6])
        return Token(tag, realm, service, etypes, client=_name(parts[4]), client_realm=_text(parts[3]))
    if tag == AP_REQ:
        return Token(tag, *_ticket(parts[3], parts[4]))
    if tag == AP_REP:
        return Token(tag, etypes=(_number(_parts(_parse(parts[2])[2])[0]),))
    times = _text(parts[4]), _text(parts[2]) if 2 in parts else ""
    client = _name(parts[8]) if 8 in parts else ()
    crealm = _text(parts[7]) if 7 in parts else ""
    return Token(tag, _text(parts[9]), _name(parts[10]), (), _number(parts[6]), *times, client, crealm)


def _ticket(data: bytes, beside: bytes) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """Realm and service of a ticket; encryption types of it and of what stands beside it."""
    ticket = _parts(_parse(_parse(data)[2])[2])
    etypes = tuple(_number(_parts(_parse(each)[2])[0]) for each in (ticket[3], beside))
    return _text(ticket[1]), _name(ticket[2]), etypes


def _numbers(data: bytes) -> tuple[int, ...]:
    """The numbers of a sequence."""
    from asn1crypto import parser

    found: list[int] = []
    rest = _parse(data)[2]
    while rest and len(found) < MAX_PARTS:
        _, _, _, head, content, tail = parser.parse(rest)
        found.append(int.from_bytes(content[:4], "big", signed=True))
        rest = rest[len(head) + len(content) + len(tail) :]
    return tuple(found)


def _number(data: bytes) -> int:
    return int.from_bytes(_parse(data)[2][:4], "big", signed=True)


def _text(data: bytes) -> str:
    return _parse(data)[2].decode("utf-8", "backslashreplace")


def _name(data: bytes) -> tuple[str, ...]:
    from asn1crypto import parser

    names: list[str] = []
    rest = _parse(_parts(_parse(data)[2])[1])[2]
    while rest and len(names) < MAX_PARTS:
        _, _, _, head, content, tail = parser.parse(rest)
        names.append(content.decode("utf-8", "backslashreplace"))
        rest = rest[len(head) + len(content) + len(tail) :]
    return tuple(names)


def _seconds(text: str) -> int | None:
    """A KerberosTime in seconds since 1970."""
    if len(text) != 15 or not text[:14].isdecimal() or not text.isascii():
        return None
    year, month, day, hour, minute, second = (int(text[at : at + size]) for at, size in _PLACES)
    if not (1 <= month <= 12 and year):
        return None
    days = 365 * (year - 1970) + _leaps(year, month) + _DAYS[month - 1] + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


_PLACES = ((0, 4), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2))
_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)  # before each month


def _leaps(year: int, month: int) -> int:
    """Leap days between 1970 and the beginning of the month."""
    last = year - (month <= 2)
    return (last // 4 - last // 100 + last // 400) - (1969 // 4 - 1969 // 100 + 1969 // 400)
