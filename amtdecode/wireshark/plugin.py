"""Writes the Wireshark plugin: one Lua file, made of the fields and declarations that amtdecode itself reads by."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from amtdecode.fields import Kind
from amtdecode.protocols.apf import fields as apf
from amtdecode.protocols.apf import spec as apf_spec
from amtdecode.protocols.hello import fields as hello
from amtdecode.protocols.hello import spec
from amtdecode.protocols.hello.roots import ROOTS
from amtdecode.protocols.pet import fields as pet
from amtdecode.protocols.pet import spec as pet_spec
from amtdecode.protocols.redir import framing as redir_framing
from amtdecode.protocols.redir import names as redir
from amtdecode.protocols.redir import spec as redir_spec
from amtdecode.protocols.rmcp import fields as asf
from amtdecode.protocols.rmcp import spec as asf_spec
from amtdecode.wireshark.declared import expression, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
SPECS = (asf_spec, pet_spec, redir_spec, apf_spec)
"""Declarations of all rooms but hello's."""
INITIALS = frozenset({"uuid", "pid"})
INTEGERS = frozenset({Kind.UINT8, Kind.UINT16, Kind.UINT24, Kind.UINT32, Kind.UINT64, Kind.INT16, Kind.INT32})


def plugin(version: str = "") -> str:
    """The text of the plugin: ASCII, with line feeds. `version`: that of amtdecode, for the first line."""
    shown = (*hello.HELLO_MESSAGE, hello.PARTIAL)
    parts = [
        HEAD.format(version=version).replace("amtdecode .", "amtdecode."),
        *_kinds((*shown, *(field for spec in SPECS for field in spec.item.fields("iamt.")))),
        _lua("runtime.lua"),
        *_fields("HELLO_FIELDS", shown),
        *_roots(),
        f"local HELLO = {expression(spec.Hello)}\n\n",
        _lua("hello.lua"),
        *_fields("ASF_FIELDS", asf_spec.item.fields("iamt.")),
        *_bodies(),
        _lua("asf.lua"),
        *_fields("PET_FIELDS", pet_spec.item.fields("iamt.")),
        *_trap(),
        _lua("pet.lua"),
        *_fields("REDIR_FIELDS", redir_spec.item.fields("iamt.")),
        *_redirection(),
        _lua("streams.lua"),
        _lua("redir.lua"),
        *_fields("APF_FIELDS", apf_spec.item.fields("iamt.")),
        f"local APF = {expression(apf_spec.MESSAGE)}\n\n",
        *_numbers("APF_NAMES", {kind: quoted(name) for kind, name in apf.TYPES.items()}),
        _lua("apf.lua"),
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


def _trap() -> Iterator[str]:
    """What stands in the variable of a platform event trap, and in its number."""
    yield f"local PET = {expression(pet_spec.BODY)}\n\n"
    yield f"local PET_ENTERPRISE = {quoted(pet.ENTERPRISE.hex())}\n"
    bits = ", ".join(f"{{{quoted(field.name)}, {mask}}}" for field, mask in pet_spec.SPECIFIC.bits(0))
    yield f"local PET_SPECIFIC = {{{bits}}}\n\n"


def _redirection() -> Iterator[str]:
    """Messages of redirection by their types, and how long they are."""
    yield "local REDIR = {\n"
    for kind in redir.TYPES:
        yield f"  [{kind}] = {expression(redir_spec.declaration(kind), indent=1)},\n"
    yield "}\n\n"
    yield "local REDIR_IDER = {\n"
    for kind in (redir.OPEN, redir.OPENED):
        yield f"  [{kind}] = {expression(redir_spec.declaration(kind, redir.IDER), indent=1)},\n"
    yield "}\n\n"
    yield from _numbers("REDIR_FIXED", redir_framing.FIXED)
    yield from _numbers("REDIR_BEHIND", {kind: _listed(places) for kind, places in redir_framing.BEHIND.items()})
    yield from _numbers("REDIR_NAMES", {kind: quoted(name) for kind, name in redir.TYPES.items()})
    yield f"local REDIR_MAX_LOGIN = {redir_framing.MAX_LOGIN}\n\n"


def _listed(values: Iterable[object]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


def _numbers(table: str, values: Mapping[int, object]) -> Iterator[str]:
    """A table of Lua by numbers."""
    yield f"local {table} = {{\n"
    for key, value in values.items():
        yield f"  [{key}] = {value},\n"
    yield "}\n\n"


def _kinds(fields: Fields) -> Iterator[str]:
    """What the readers must know of fields: which are true or false, which are text."""
    for table, kind in (("BOOLEANS", Kind.BOOLEAN), ("STRINGS", Kind.STRING)):
        names = sorted({field.name for field in fields if field.kind is kind})
        yield f"local {table} = {{\n"
        yield from (f"  [{quoted(name)}] = true,\n" for name in names)
        yield "}\n\n"


def _roots() -> Iterator[str]:
    """The certification authorities whose fingerprints are known."""
    yield "local ROOTS = {\n"
    for fingerprint, root in sorted(ROOTS.items()):
        yield f"  [{quoted(fingerprint)}] = {quoted(root.name)},\n"
    yield "}\n\n"
