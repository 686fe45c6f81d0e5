"""The functions: `len count lower upper string max min abs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.fields import Kind
from amtdecode.filter.facts import OfLayers, OfRooms, as_bytes
from amtdecode.filter.lexer import Sort
from amtdecode.filter.schema import Family
from amtdecode.filter.tree import Arithmetic, Name, Slice, token_of
from amtdecode.filter.typed import COUNTED, WORDS, Typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.facts import Facts
    from amtdecode.filter.schema import Known
    from amtdecode.filter.tree import Call, Operand
    from amtdecode.filter.typed import Compiler

MANY = 1 << 16
FUNCTIONS = {"len": 1, "count": 1, "lower": 1, "upper": 1, "string": 1, "max": MANY, "min": MANY, "abs": 1}
"""By name: how many arguments it takes at most; one at least."""
IN_WORDS = frozenset({Family.UNSIGNED, Family.SIGNED, Family.IPV4, Family.IPV6, Family.FLOAT})
NUMBERS = frozenset({Family.SIGNED, Family.UNSIGNED, Family.FLOAT, Family.DURATION})


def call(operands: Compiler, node: Call) -> Typed:
    """A call, checked. Raises `FilterError`."""
    token, name, arguments = node.token, node.token.text, node.arguments
    if name not in FUNCTIONS:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), FUNCTIONS, n=1)
        raise operands.fail(f"Function '{name}' does not exist", token, f"Did you mean {near[0]}()?" if near else "")
    if not arguments:
        raise operands.fail(f"Function {name} needs at least 1 arguments.", token)
    if len(arguments) > FUNCTIONS[name]:
        raise operands.fail(f"Function {name} can only accept {FUNCTIONS[name]} arguments.", token)
    if name in ("max", "min"):
        return _most(operands, node, max if name == "max" else min)
    first = arguments[0]
    if name == "abs":
        return _abs(operands, node)
    field = operands.field_like(first) if isinstance(first, Name) else None
    text = name in ("lower", "upper")
    if field is None or (text and field.known.family is not Family.TEXT):
        kind = "string type fields" if text else "fields"
        place = None if isinstance(first, Slice) else token_of(first)
        raise operands.fail(f"Only {kind} can be used as parameter for {name}()", place)
    what = f"Function {name}"
    if name == "string":
        if not (field.known.family in IN_WORDS or field.known.kind in (Kind.ETHER, Kind.GUID)):
            reason = f'String conversion for field "{field.what}" is not supported'
            raise operands.fail(reason, field.token)
        return Typed(WORDS, what, token, _each(field, _string(field.known)), None, "function")
    if text:
        change: Callable[[Any], Any] = bytes.lower if name == "lower" else bytes.upper
        return Typed(WORDS, what, token, _each(field, change), None, "function")
    if name == "count":
        read = field.read
        return Typed(COUNTED, what, token, lambda facts: [n] if (n := len(read(facts))) else [], None, "function")
    return Typed(COUNTED, what, token, _sizes(field), None, "function")


def _each(field: Typed, change: Callable[[Any], Any]) -> Callable[[Facts], list[Any]]:
    read = field.read
    return lambda facts: [change(value) for value in read(facts)]


def _sizes(field: Typed) -> Callable[[Facts], list[Any]]:
    known, read, source = field.known, field.read, field.source
    if isinstance(source, OfLayers):
        return source.sizes  # Wireshark counts the header, not what it carries
    if known.family in (Family.TEXT, Family.BYTES) or isinstance(source, OfRooms):
        return lambda facts: [len(value) for value in read(facts)]
    if known.family in (Family.IPV4, Family.IPV6):
        size = len(as_bytes(known)(0))
    else:
        size = known.bits // 8 if known.family in (Family.UNSIGNED, Family.SIGNED) else 0
    return lambda facts: [size] * len(read(facts))


def _string(known: Known) -> Callable[[Any], bytes]:
    if known.family is Family.IPV4:
        from ipaddress import IPv4Address

        return lambda value: str(IPv4Address(value)).encode()
    if known.family is Family.IPV6:
        from ipaddress import IPv6Address

        return lambda value: str(IPv6Address(value)).encode()
    if known.kind is Kind.ETHER:
        return lambda value: value.hex(":").encode()
    if known.kind is Kind.GUID:
        from uuid import UUID

        return lambda value: str(UUID(bytes=value)).encode()
    return lambda value: str(value).encode()


def _argument(operands: Compiler, operand: Operand, name: str) -> Typed:
    found = operands.field_like(operand)
    if found is None:
        raise operands.fail(f"Argument '{token_of(operand).text}' is not valid for {name}()", token_of(operand))
    return found


def _most(operands: Compiler, node: Call, choose: Callable[..., Any]) -> Typed:
    """`max` and `min`, of all values of all arguments."""
    name = node.token.text
    first = _argument(operands, node.arguments[0], name)
    if first.known.family in (Family.LABEL, Family.PROTOCOL):
        raise operands.fail(f"'{first.what}' is not a valid argument to '{name}'()", first.token)
    reads = [first.read]
    for operand in node.arguments[1:]:
        found = operands.field_like(operand)
        if found is None:
            token = token_of(operand)
            if token.sort is Sort.STRING:
                raise operands.fail(f"Argument '{token.text}' is not valid for {name}()", token)
            found = operands.value_for(operand, first)
        elif found.known.ftype != first.known.ftype:
            reason = (
                f"Arguments to '{name}' must have the same type (expected {first.known.ftype}, got {found.known.ftype})"
            )
            raise operands.fail(reason, found.token)
        reads.append(found.read)

    def read(facts: Facts) -> list[Any]:
        values = [value for each in reads for value in each(facts)]
        return [choose(values)] if values else []

    return Typed(first.known, f"Function {name}", node.token, read, None, "function")


def _abs(operands: Compiler, node: Call) -> Typed:
    operand = node.arguments[0]
    field = operands.field_like(operand)
    if field is None:
        raise operands.fail("Need a field or field-like value on the LHS.", token_of(operand))
    if field.known.family not in NUMBERS:
        what = field.token.text if isinstance(operand, Arithmetic) else field.what
        raise operands.fail(f"'{what}' is not a valid argument to 'abs'()", field.token)
    return Typed(field.known, "Function abs", node.token, _each(field, abs), None, "function")
