"""Writes the Wireshark plugin: one Lua file, made of the fields and declarations that amtdecode itself reads by."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from amtdecode.fields import Kind
from amtdecode.protocols.hello import fields as hello
from amtdecode.protocols.hello import spec
from amtdecode.protocols.hello.roots import ROOTS
from amtdecode.protocols.rmcp import fields as asf
from amtdecode.protocols.rmcp import spec as asf_spec
from amtdecode.wireshark.declared import expression, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.fields import Field, Fields

HEAD = """\
-- Dissector of Intel AMT's setup protocols for Wireshark and tshark, written by amtdecode {version}.
--
-- Put this file into Wireshark's folder of personal Lua plugins (Help, About, Folders), or give it to tshark:
--   tshark -X lua_script:amtdecode.lua -o tcp.reassemble_out_of_order:TRUE -r capture.pcap -Y iamt.hello
-- Out-of-order segments are put together only with that option (Preferences, Protocols, TCP).
--
-- SPDX-License-Identifier: MIT
"""
INITIALS = frozenset({"uuid", "pid"})
INTEGERS = frozenset({Kind.UINT8, Kind.UINT16, Kind.UINT24, Kind.UINT32, Kind.UINT64})


def plugin(version: str = "") -> str:
    """The text of the plugin: ASCII, with line feeds. `version`: that of amtdecode, for the first line."""
    shown = (*hello.HELLO_MESSAGE, hello.PARTIAL)
    parts = [
        HEAD.format(version=version).replace("amtdecode .", "amtdecode."),
        _lua("runtime.lua"),
        *_fields("HELLO_FIELDS", shown),
        *_roots(),
        f"local HELLO = {expression(spec.Hello)}\n\n",
        _lua("hello.lua"),
        *_fields("ASF_FIELDS", asf_spec.item.fields("iamt.")),
        *_bodies(),
        _lua("asf.lua"),
    ]
    return "".join(parts)


def _lua(name: str) -> str:
    return files("amtdecode.wireshark").joinpath("lua", name).read_text("ascii") + "\n"


def _fields(table: str, fields: Fields) -> Iterator[str]:
    yield f"local {table} = {{\n"
    for field in {field.name: field for field in fields}.values():
        yield f"  [{quoted(field.name)}] = {_field(field)},\n"
    yield "}\n\n"


def _field(field: Field) -> str:
    """Name, label and description, where each kind wants them (Wireshark's Lua reference, ProtoField)."""
    name, words, meaning = quoted(field.name), quoted(label(field.name)), quoted(field.meaning)
    if field.kind in INTEGERS:
        values = ", ".join(f"[{value}] = {quoted(word)}" for value, word in field.values.items())
        named = f"{{{values}}}" if values else "nil"
        return f"ProtoField.{field.kind.value}({name}, {words}, base.DEC, {named}, nil, {meaning})"
    if field.kind is Kind.BOOLEAN:
        return f"ProtoField.bool({name}, {words}, base.NONE, nil, nil, {meaning})"
    between = "base.NONE, " if field.kind in (Kind.STRING, Kind.BYTES) else ""
    return f"ProtoField.{field.kind.value}({name}, {words}, {between}{meaning})"


def label(name: str) -> str:
    """What stands in front of a value: `iamt.hello.hash.algorithm` is `Hash algorithm`."""
    words = name.split(".", 2)[-1].replace(".", " ").replace("_", " ")
    shown = " ".join(word.upper() if word in INITIALS else word for word in words.split())
    return shown[:1].upper() + shown[1:]


BODIES = (asf.RESET, asf.POWER_UP, asf.POWER_CYCLE, asf.PONG, asf.CAPABILITIES, asf.STATE,
          asf.RAKP1, asf.RAKP2, asf.RAKP3)  # fmt: skip
"""Messages of ASF that Wireshark does not read."""


def _bodies() -> Iterator[str]:
    """What stands inside messages of ASF, by their types."""
    yield "local ASF_BODIES = {\n"
    for kind in BODIES:
        yield f"  [{kind}] = {expression(asf_spec.BODIES[kind], indent=1)},\n"
    yield "}\n\n"


def _roots() -> Iterator[str]:
    """The certification authorities whose fingerprints are known."""
    yield "local ROOTS = {\n"
    for fingerprint, root in sorted(ROOTS.items()):
        yield f"  [{quoted(fingerprint)}] = {quoted(root.name)},\n"
    yield "}\n\n"
