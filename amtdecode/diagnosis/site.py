"""Facts no packet shows, told by the administrator in a TOML file (`--site FILE`).

Every table and key is optional; an unknown key is an error, so that a misspelt fact is not silently ignored.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

from amtdecode.diagnosis.site_tables import (
    NOBODY,
    Certificates,
    Dhcp,
    Dns,
    Hosts,
    Machine,
    Network,
    Policy,
    Scs,
    Site,
    Table,
)
from amtdecode.diagnosis.site_values import faults
from amtdecode.errors import ArtifactError, UsageError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "NOBODY",
    "Certificates",
    "Dhcp",
    "Dns",
    "Hosts",
    "Machine",
    "Network",
    "Policy",
    "Scs",
    "Site",
    "facts_of",
    "load",
    "within",
]

HOUR = 3600
MAX_FILE = 1 << 20  # bytes of a site file


def within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is one of these addresses or lies in one of these networks."""
    if not networks:
        return False
    from ipaddress import ip_address, ip_network

    try:
        number = ip_address(address)
    except ValueError:
        return False
    return any(number in ip_network(network, strict=False) for network in networks)


def facts_of(site: Site | str | os.PathLike[str] | None) -> Site | None:
    """The facts, or those of the TOML file that is named. `UsageError` for what is neither; the rest as `load`."""
    if site is None or isinstance(site, Site):
        return site
    if not isinstance(site, (str, os.PathLike)):
        raise UsageError(f"site takes a Site or the name of a TOML file, not a value of type {type(site).__name__}")
    return load(os.fspath(site))


def load(path: str | Path) -> Site:
    """Read a site file. `ArtifactError` says what is wrong and where."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: {reason(error)}") from error
    if len(data) > MAX_FILE:
        raise ArtifactError(f"{path}: larger than {MAX_FILE >> 20} MiB, which no site file is")
    tables = _tables(data, path)
    try:
        site = msgspec.convert(tables, Site)
    except msgspec.ValidationError:
        what = next(_wrong(tables, Site, ""), "a value is not what is wanted there")
        raise ArtifactError(f"{path}: {what}") from None
    if fault := next(faults(site), ""):
        raise ArtifactError(f"{path}: {fault}")
    return site


def _tables(data: bytes, path: str | Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ArtifactError(f"{path}: not UTF-8 text") from None
    except RecursionError:
        raise ArtifactError(f"{path}: tables or lists too deep inside each other") from None
    except ValueError as error:  # TOMLDecodeError, and numbers too long to be read
        found = re.search(r"line (\d+), column (\d+)", str(error))
        where = f"line {found[1]}, column {found[2]}: " if found else ""
        raise ArtifactError(f"{path}: {where}not TOML") from None


_WANTED: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool | None: ((bool,), "true or false"),
}


def _wrong(value: Any, kind: Any, where: str) -> Iterator[str]:
    """What in a value is not as a type of this file wants it, in the order of the file."""
    if isinstance(kind, type) and issubclass(kind, Table):
        if not isinstance(value, dict):
            yield f"{where}: must be a table"
            return
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for name, each in value.items():
            place = f"{where}.{name}" if where else name
            if name in fields:
                yield from _wrong(each, fields[name], place)
            else:
                from difflib import get_close_matches

                near = get_close_matches(name, fields, 1)
                yield f"{place}: no such key" + (f"; did you mean {near[0]}?" if near else "")
    elif get_origin(kind) is tuple:
        if not isinstance(value, list):
            yield f"{where}: must be a list"
            return
        for number, each in enumerate(value, 1):
            yield from _wrong(each, get_args(kind)[0], f"{where}, entry {number}")
    elif get_origin(kind) is Literal:
        if value not in get_args(kind):
            yield f"{where}: must be {' or '.join(filter(None, get_args(kind)))}"
    else:
        types, wanted = _WANTED[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield f"{where}: must be {wanted}"
