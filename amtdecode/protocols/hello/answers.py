"""A host that answers a hello: no setup server does, so its first bytes tell what it is instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.model import Event
from amtdecode.protocols.hello.fields import ANSWER, ANSWER_PROTOCOL

if TYPE_CHECKING:
    from amtdecode.fields import Fields

_TLS_RECORDS = frozenset((0x14, 0x15, 0x16, 0x17))
_BEGINNINGS = (
    (b"HTTP/", "HTTP"),  # RFC 9112 section 4
    (b"<!DOCTYPE", "HTTP"),  # HTTP/0.9, or a server that leaves the head out
    (b"<html", "HTTP"),
    (b"<HTML", "HTTP"),
    (b"SSH-", "SSH"),  # RFC 4253 section 4.2
    (b"RFB ", "VNC"),  # RFC 6143 section 7.1.1
    (b"* OK", "IMAP"),  # RFC 9051 section 7.1.5
    (b"+OK", "POP3"),  # RFC 1939 section 4
    (b"-ERR", "POP3 or Redis"),
    (b"\xc0\0\0\0\1", "APF (a management presence server)"),
    (b"\x03\0\0", "RDP"),  # TPKT, RFC 1006 section 6
    (b"\xff\xfb", "Telnet"),  # WILL and DO, RFC 854
    (b"\xff\xfd", "Telnet"),
)


class HelloAnswer(Event, frozen=True):
    """A host answers a hello with bytes, which a setup server does not do. Stated once for a connection."""

    protocol: ClassVar[str] = "iamt.hello"
    declared: ClassVar[Fields] = (ANSWER_PROTOCOL.at("speaks", absent=""), ANSWER.at("data"))
    speaks: str
    """What protocol they look like, as "HTTP"; "" when unknown."""
    data: bytes
    """The first of them."""

    def summary(self) -> str:
        """What the bytes are."""
        what = f"{self.speaks} " if self.speaks else ""
        return f"the host answered a hello with {what}bytes; a setup server sends none: {self.data[:16].hex()}"


def name_answer(data: bytes) -> str:
    """What protocol the first bytes of a host belong to; "" when they tell nothing."""
    for beginning, name in _BEGINNINGS:
        if data.startswith(beginning):
            return name
    if len(data) >= 3 and data[0] in _TLS_RECORDS and data[1] == 3 and data[2] <= 4:  # RFC 8446 section 5.1
        return "TLS"
    if data[:3].isdigit() and data[3:4] in (b" ", b"-"):  # replies of RFC 5321 section 4.2, RFC 959 section 4.2
        words = data.upper()
        if b"SMTP" in words or b"MAIL" in words:
            return "SMTP"
        return "FTP" if b"FTP" in words else "SMTP or FTP"
    if len(data) >= 6 and data[3] == 0 and data[4] == 10 and data[5:6].isdigit():  # its handshake, version 10
        return "MySQL"
    return ""
