"""How LLDP writes names: text, hardware addresses, IPv4 addresses."""

from __future__ import annotations

from amtdecode.model import address_text


def text(value: bytes) -> str:
    """As UTF-8, up to a NUL."""
    return value.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def hardware(kind: int | None, value: bytes, wanted: int) -> str:
    """A name that is a MAC address; "" for others."""
    return value.hex(":") if kind == wanted and len(value) == 6 else ""


def ipv4(kind: int | None, value: bytes, wanted: int) -> str:
    """A name that is an IPv4 address behind the number of its family; "" for others."""
    return address_text(value[1:]) if kind == wanted and value[:1] == b"\1" and len(value) == 5 else ""
