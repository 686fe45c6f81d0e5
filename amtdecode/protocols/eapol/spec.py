"""EAPOL and EAP declared (IEEE 802.1X, RFC 3748): the reference for `messages.py`, and what `tree()` reads by.

Big-endian. `parse` raises `construct.ConstructError` on bytes that break these rules.
"""

from __future__ import annotations

from typing import Any

from construct import Const, GreedyBytes, GreedyRange, If, Int8ub, Int16ub, Int32ub, Optional, Struct, Switch, this

from amtdecode.protocols.declaration import Items, Sized, grouped
from amtdecode.protocols.eapol.fields import (
    EAP,
    EAP_PACKET,
    EAPOL,
    IDENTITY,
    LENGTH_INCLUDED,
    MORE,
    NAK,
    NOTIFICATION,
    WITH_TLS,
)

item = Items((*EAPOL, *EAP_PACKET))


class _Length(type(Int16ub)):  # type: ignore[misc]
    """The length of an EAP packet, which counts the 4 bytes up to itself."""

    def _parse(self, stream: Any, context: Any, path: str) -> int:
        return int(super()._parse(stream, context, path)) - 4

    def _build(self, obj: int, stream: Any, context: Any, path: str) -> Any:
        return super()._build(obj + 4, stream, context, path)


def _text(raw: bytes) -> str | None:
    return raw.partition(b"\0")[0].decode("utf-8", "backslashreplace") or None


ALERT = Struct(
    "type" / Const(b"\x15\3"),
    "minor" / Int8ub,
    "length" / Const(b"\0\2"),
    "level" / Int8ub,
    "description" / item("iamt.eap.alert", Int8ub),
)
FRAGMENT = Struct(
    "flags" / item("eap.tls.flags", Int8ub),
    "length" / If(this.flags & LENGTH_INCLUDED, item("eap.tls.len", Int32ub)),
    "alert" / If(lambda part: not part.flags & MORE, Optional(ALERT)),
    "data" / GreedyBytes,
)
TYPED = Struct(
    "type" / item("eap.type", Int8ub),
    "data"
    / Switch(
        this.type,
        {
            IDENTITY: item("eap.identity", GreedyBytes, shown=_text),
            NOTIFICATION: item("eap.notification", GreedyBytes, shown=_text),
            NAK: GreedyRange(item("eap.desired_type", Int8ub)),
            **dict.fromkeys(WITH_TLS, Optional(FRAGMENT)),
        },
        GreedyBytes,
    ),
)
PACKET = Struct(
    "code" / item("eap.code", Int8ub),
    "id" / item("eap.id", Int8ub),
    "data"
    / Sized(
        item("eap.len", _Length(">", "H"), shown=lambda size: size + 4),
        Switch(this.code, {1: TYPED, 2: TYPED}, GreedyBytes),
    ),
    "padding" / GreedyBytes,
)
MESSAGE: Any = Struct(
    "version" / item("eapol.version", Int8ub),
    "type" / item("eapol.type", Int8ub),
    "data" / Sized(item("eapol.len", Int16ub), Switch(this.type, {EAP: grouped("EAP", PACKET)}, GreedyBytes)),
)
