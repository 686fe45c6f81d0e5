"""APF messages, built by the declaration: a machine calls home, and its server opens channels to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf.spec import MESSAGE

if TYPE_CHECKING:
    import uuid

FORWARDED, DIRECT = b"forwarded-tcpip", b"direct-tcpip"
AUTH, PFWD = b"auth@amt.intel.com", b"pfwd@amt.intel.com"
FF = b"\xff" * 4


def build(kind: int, **body: Any) -> bytes:
    """One message of a type."""
    made: bytes = MESSAGE.build({"type": kind, "body": body})
    return made


def version(machine: uuid.UUID, trigger: int = 1, major: int = 1) -> bytes:
    """The greeting of a machine, or of its server."""
    return build(f.PROTOCOLVERSION, major=major, minor=0, trigger=trigger, uuid=machine.bytes_le, reserved=bytes(64))


def service(name: bytes, kind: int = f.SERVICE_REQUEST) -> bytes:
    """A service asked for, or accepted."""
    return build(kind, service=name)


def login(user: bytes, password: bytes | None) -> bytes:
    """A login with a password, or without."""
    method = b"none" if password is None else b"password"
    given = None if password is None else {"reserved": b"\0", "value": password}
    return build(f.USERAUTH_REQUEST, user=user, service=PFWD, method=method, password=given)


def refusal(padding: bytes | None = None) -> bytes:
    """The login is refused."""
    return build(f.USERAUTH_FAILURE, methods=b"password", partial=0, padding=padding)


def forward(port: int, address: bytes = b"", request: bytes = b"tcpip-forward") -> bytes:
    """A port is to be forwarded, or not any more."""
    return build(f.GLOBAL_REQUEST, request=request, want_reply=1, body={"address": address, "port": port})


def opening(number: int, port: int, window: int = 32768, kind: bytes = FORWARDED, address: bytes = b"") -> bytes:
    """A channel is to be opened."""
    origin = {"origin_address": b"192.0.2.10", "origin_port": 49152}
    return build(
        f.CHANNEL_OPEN,
        channel_type=kind,
        sender=number,
        window=window,
        reserved=FF,
        address=address,
        port=port,
        **origin,
    )


def confirmation(recipient: int, sender: int, window: int = 32768) -> bytes:
    """A channel is open."""
    return build(f.CHANNEL_OPEN_CONFIRMATION, recipient=recipient, sender=sender, window=window, reserved=FF)


def failure(recipient: int, reason: int = 2) -> bytes:
    """A channel is refused."""
    return build(f.CHANNEL_OPEN_FAILURE, recipient=recipient, reason=reason, reserved=bytes(8))


def data(recipient: int, carried: bytes) -> bytes:
    """Bytes in a channel."""
    return build(f.CHANNEL_DATA, recipient=recipient, data=carried)


def adjust(recipient: int, size: int) -> bytes:
    """More may be sent in a channel."""
    return build(f.CHANNEL_WINDOW_ADJUST, recipient=recipient, add=size)


def closing(recipient: int) -> bytes:
    """No more comes in a channel."""
    return build(f.CHANNEL_CLOSE, recipient=recipient)


def success(port: int | None = None) -> bytes:
    """A global request is granted."""
    return build(f.REQUEST_SUCCESS, port=port)


def disconnect(reason: int) -> bytes:
    """The connection ends."""
    return build(f.DISCONNECT, reason=reason, reserved=bytes(2))
