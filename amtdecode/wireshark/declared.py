"""A declaration in construct as a Lua expression over the readers of `lua/runtime.lua`.

What has no reader there raises `NotImplementedError` when the plugin is made, never when a packet is read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from construct import (
    Array,
    Bytes,
    Computed,
    Const,
    FocusedSeq,
    FormatField,
    GreedyBytes,
    IfThenElse,
    Padded,
    Pass,
    Peek,
    Rebuild,
    Renamed,
    Select,
    Struct,
    Switch,
    Terminated,
)

from amtdecode.protocols.declaration import Begins, Item, Named, Signed16, Sized, Without, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from construct import Construct

_KEY = re.compile(r"^this\['(\w+)'\]$")
_EQUAL = re.compile(r"^\(this\['(\w+)'\] == (?:(\d+)|b'(\w+)')\)$")
BYTE = 0xFF
_SIZES = {"B": 1, "H": 2, "L": 4, "I": 4, "Q": 8}


def expression(declaration: Construct, name: str = "", indent: int = 0) -> str:
    """The Lua expression that reads what the declaration declares. `name`: that of the part in its Struct."""
    pad = "  " * (indent + 1)
    match declaration:
        case Renamed():
            return expression(declaration.subcon, declaration.name, indent)
        case Item(field=None):
            words = declaration.words if isinstance(declaration.words, str) else ""
            return f"group({quoted(words)}, {expression(declaration.subcon, indent=indent)})"
        case Item():
            assert declaration.field is not None  # noqa: S101 - the case above
            inside = expression(declaration.subcon, indent=indent)
            return f"item({quoted(name)}, {quoted(declaration.field.name)}, {inside}{_parts(declaration)})"
        case Struct():
            parts = [expression(part, indent=indent + 1) for part in _read(declaration)]
            return "struct{\n" + "".join(f"{pad}{part},\n" for part in parts) + "  " * indent + "}"
        case Sized():
            length, inside = expression(declaration.lengthfield), expression(declaration.subcon, name, indent)
            return f"sized({length}, {inside})"
        case Begins():
            cases = "".join(
                f"{pad}{{{quoted(begins.decode('ascii'))}, {expression(part, indent=indent + 1)}}},\n"
                for begins, part in declaration.cases.items()
            )
            return f"begins({quoted(declaration.key)}, {{\n{cases}{'  ' * indent}}})"
        case Peek():
            return f"peek({expression(declaration.subcon, name, indent)})"
        case Select() if len(declaration.subcons) == 2 and _bare(declaration.subcons[1]) is Pass:  # Optional
            return f"optional({expression(declaration.subcons[0], indent=indent)})"
        case FocusedSeq():
            count, items = declaration.subcons
            if isinstance(_bare(items), Array):  # PrefixedArray
                return f"counted({expression(_bare(count))}, {expression(_bare(items).subcon, indent=indent)})"
        case Switch():
            key = _KEY.match(repr(declaration.keyfunc))
            if key:
                cases = "".join(
                    f"{pad}[{value}] = {expression(part, indent=indent + 1)},\n"
                    for value, part in declaration.cases.items()
                )
                default = expression(declaration.default, indent=indent)
                return f"switch({quoted(key[1])}, {{\n{cases}{'  ' * indent}}}, {default})"
        case IfThenElse():
            equal = _EQUAL.match(repr(declaration.condfunc))
            if equal:
                value = equal[2] or quoted(equal[3])
                inside = expression(declaration.thensubcon, indent=indent)
                otherwise = expression(declaration.elsesubcon, indent=indent)
                return f"switch({quoted(equal[1])}, {{[{value}] = {inside}}}, {otherwise})"
    return _plain(declaration)


def _plain(declaration: Construct) -> str:
    """Numbers and bytes."""
    match declaration:
        case FormatField():
            size = _SIZES[declaration.fmtstr[-1]]
            return f"uint({size}, {quoted('little' if declaration.fmtstr[0] == '<' else 'big')})"
        case Const():
            return f"uint({len(declaration.value)}, {quoted('big')})"
        case Bytes():
            return f"bytes({int(declaration.length)})"
        case Padded() if declaration.subcon is Pass:
            return f"bytes({int(declaration.length)})"
        case _ if declaration is GreedyBytes:
            return "rest"
        case _ if declaration is Pass:
            return "nothing"
    raise NotImplementedError(f"no reader in Lua for {declaration!r}")


def _parts(declaration: Item) -> str:
    """Of a number: which of its bits are shown, and the fields that are bits of it."""
    part = _bare(declaration.subcon)
    if not isinstance(part, FormatField):
        return _called(declaration.shown)
    mask = "nil"
    if isinstance(declaration.shown, Signed16):
        return _called(declaration.shown)
    if bit := _of_one_bit(declaration):
        return f", nil, nil, {bit}"
    if declaration.shown is not None and declaration.shown is not bool:
        every = (1 << 8 * _SIZES[part.fmtstr[-1]]) - 1
        shown = declaration.shown(every)
        if every != BYTE or any(declaration.shown(value) != value & shown for value in range(BYTE + 1)):
            raise NotImplementedError(f"no reader in Lua for what is shown of {declaration!r}")
        mask = str(shown)
    flags = ", ".join(f"{{{quoted(field.name)}, {bits}}}" for field, bits in declaration.bits(0))
    if flags:
        return f", {mask}, {{{flags}}}"
    return "" if mask == "nil" else f", {mask}"


def _called(shown: object) -> str:
    """How bytes are shown, where the kind of the field does not say it."""
    if isinstance(shown, Signed16):
        return f", nil, nil, signed16({shown.unspecified})"
    if isinstance(shown, Without):
        return f", nil, nil, without({quoted(shown.end.hex())})"
    if shown is dotted:
        return ", nil, nil, dotted"
    if isinstance(shown, Named):
        names = ", ".join(f"[{quoted(raw.decode('ascii'))}] = {quoted(name)}" for raw, name in shown.names.items())
        return f", nil, nil, named({{{names}}})"
    return ""


def _of_one_bit(declaration: Item) -> str:
    """What is shown of a byte of which one bit alone decides between two values; "" where it is not so."""
    shown = declaration.shown
    if shown is None or shown is bool or len({shown(value) for value in range(BYTE + 1)}) != 2 or not shown(0):
        return ""
    for bit in (1 << place for place in range(8)):
        if all(shown(value) == shown(value & bit) for value in range(BYTE + 1)):
            return f"bit({bit}, {shown(bit)}, {shown(0)})"
    return ""


def _read(declaration: Struct) -> Iterator[Construct]:
    """The parts that bytes stand for."""
    for part in declaration.subcons:
        if not isinstance(_bare(part), Computed) and _bare(part) is not Terminated:
            yield part


def _bare(part: Construct) -> Construct:
    while isinstance(part, (Renamed, Rebuild)):
        part = part.subcon
    return part


def quoted(text: str) -> str:
    """A text as a Lua string: ASCII, whatever it holds."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isascii() else "".join(f"\\{byte:03d}" for byte in each.encode()) for each in plain)
