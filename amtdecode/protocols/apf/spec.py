"""APF messages declared: the reference for the fast reader, what `tree()` reads by, and the tests' builder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from construct import Byte, Bytes, GreedyBytes, If, Int32ub, Optional, Pass, Struct, Switch, Terminated, this

from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.declaration import Begins, Items, Sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from construct import Construct

item = Items(f.FIELDS)


def string(name: str, shown: Callable[[bytes], Any] = f.text) -> Construct:
    """A length of 4 bytes, and as many bytes."""
    return Sized(Int32ub, item(name, GreedyBytes, shown=shown))


FORWARDED = Struct("address" / string("iamt.apf.address"), "port" / item("iamt.apf.port", Int32ub))

BODIES = {
    f.DISCONNECT: Struct(
        "reason" / item("iamt.apf.disconnect.reason", Int32ub), "reserved" / item("iamt.apf.reserved", Bytes(2))
    ),
    f.SERVICE_REQUEST: Struct("service" / string("iamt.apf.service")),
    f.SERVICE_ACCEPT: Struct("service" / string("iamt.apf.service")),
    f.USERAUTH_REQUEST: Struct(
        "user" / string("iamt.apf.user"),
        "service" / string("iamt.apf.service"),
        "method" / string("iamt.apf.auth.method"),
        "password"
        / If(
            this.method == b"password",
            Struct("reserved" / item("iamt.apf.reserved", Bytes(1)), "value" / string("iamt.apf.auth.password")),
        ),
    ),
    # the flag takes 1 byte in LMS and go-wsman-messages, 2 in Open AMT's MPS and MeshCentral
    f.USERAUTH_FAILURE: Struct(
        "methods" / string("iamt.apf.auth.methods"),
        "partial" / item("iamt.apf.auth.partial", Byte, shown=bool),
        "padding" / Optional(item("iamt.apf.reserved", Bytes(1))),
    ),
    f.USERAUTH_SUCCESS: Pass,
    f.GLOBAL_REQUEST: Struct(
        "request" / string("iamt.apf.request"),
        "want_reply" / item("iamt.apf.want_reply", Byte, shown=bool),
        "body"
        / Begins(
            "request",
            {
                f.FORWARD: FORWARDED,
                f.CANCEL: FORWARDED,
                f.UDP: Struct(
                    *FORWARDED.subcons,
                    "origin_address" / string("iamt.apf.origin.address"),
                    "origin_port" / item("iamt.apf.origin.port", Int32ub),
                    "data" / string("iamt.apf.data", bytes),
                ),
            },
        ),
    ),
    f.REQUEST_SUCCESS: Struct("port" / Optional(item("iamt.apf.port", Int32ub))),  # behind tcpip-forward alone
    f.REQUEST_FAILURE: Pass,
    f.CHANNEL_OPEN: Struct(
        "channel_type" / string("iamt.apf.channel.type"),
        "sender" / item("iamt.apf.channel.sender", Int32ub),
        "window" / item("iamt.apf.window", Int32ub),
        "reserved" / item("iamt.apf.reserved", Bytes(4)),  # ff ff ff ff
        "address" / string("iamt.apf.address"),
        "port" / item("iamt.apf.port", Int32ub),
        "origin_address" / string("iamt.apf.origin.address"),
        "origin_port" / item("iamt.apf.origin.port", Int32ub),
    ),
    f.CHANNEL_OPEN_CONFIRMATION: Struct(
        "recipient" / item("iamt.apf.channel.recipient", Int32ub),
        "sender" / item("iamt.apf.channel.sender", Int32ub),
        "window" / item("iamt.apf.window", Int32ub),
        "reserved" / item("iamt.apf.reserved", Bytes(4)),  # ff ff ff ff
    ),
    f.CHANNEL_OPEN_FAILURE: Struct(
        "recipient" / item("iamt.apf.channel.recipient", Int32ub),
        "reason" / item("iamt.apf.channel.failure", Int32ub),
        "reserved" / item("iamt.apf.reserved", Bytes(8)),
    ),
    f.CHANNEL_WINDOW_ADJUST: Struct(
        "recipient" / item("iamt.apf.channel.recipient", Int32ub), "add" / item("iamt.apf.window.add", Int32ub)
    ),
    f.CHANNEL_DATA: Struct(
        "recipient" / item("iamt.apf.channel.recipient", Int32ub), "data" / string("iamt.apf.data", bytes)
    ),
    f.CHANNEL_CLOSE: Struct("recipient" / item("iamt.apf.channel.recipient", Int32ub)),
    f.PROTOCOLVERSION: Struct(
        "major" / item("iamt.apf.version.major", Int32ub),
        "minor" / item("iamt.apf.version.minor", Int32ub),
        "trigger" / item("iamt.apf.trigger", Int32ub),
        "uuid" / item("iamt.apf.uuid", Bytes(16), shown=lambda raw: str(UUID(bytes_le=raw))),
        "reserved" / item("iamt.apf.reserved", Bytes(64)),
    ),
    f.KEEPALIVE_REQUEST: Struct("cookie" / item("iamt.apf.keepalive.cookie", Int32ub)),
    f.KEEPALIVE_REPLY: Struct("cookie" / item("iamt.apf.keepalive.cookie", Int32ub)),
    f.KEEPALIVE_OPTIONS_REQUEST: Struct(
        "interval" / item("iamt.apf.keepalive.interval", Int32ub),
        "timeout" / item("iamt.apf.keepalive.timeout", Int32ub),
    ),
    f.KEEPALIVE_OPTIONS_REPLY: Struct(
        "interval" / item("iamt.apf.keepalive.interval", Int32ub),
        "timeout" / item("iamt.apf.keepalive.timeout", Int32ub),
    ),
    f.JSON_CONTROL: Struct("text" / string("iamt.apf.json")),
}

MESSAGE = Struct(
    "type" / item("iamt.apf.type", Byte),
    "body" / Switch(this.type, BODIES),
    Terminated,
)
