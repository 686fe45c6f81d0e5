"""Whether a value is of its field's kind, as JSON has it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from amtdecode.fields import Kind

HEX = re.compile(r"([0-9a-f]{2})*")
ETHER = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
TEXTS = {
    Kind.STRING: lambda text: True,
    Kind.BYTES: HEX.fullmatch,
    Kind.ETHER: ETHER.fullmatch,
    Kind.IPV4: lambda text: str(IPv4Address(text)) == text,
    Kind.IPV6: lambda text: str(IPv6Address(text)) == text,
    Kind.GUID: lambda text: str(UUID(text)) == text,
    Kind.ABSOLUTE_TIME: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").fullmatch,
}


def member_fits(kind: Kind, value) -> bool:
    if kind in TEXTS:
        try:
            return type(value) is str and bool(TEXTS[kind](value))
        except ValueError:
            return False
    if kind is Kind.BOOLEAN:
        return type(value) is bool
    if kind in (Kind.DOUBLE, Kind.FLOAT):
        return type(value) is float
    least = -(1 << kind.bits - 1) if kind.value.startswith("int") else 0
    return type(value) is int and least <= value < least + (1 << kind.bits)


def fits(field, value) -> bool:
    """A repeated field's value is a list of such members."""
    if field.repeated:
        return type(value) is list and all(member_fits(field.kind, member) for member in value)
    return member_fits(field.kind, value)
