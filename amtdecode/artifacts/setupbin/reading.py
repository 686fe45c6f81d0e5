"""Reads a setup.bin as it lies there: whatever is odd is said, and nothing stops the reading but the end."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from amtdecode.artifacts.setupbin.variables import BY_KEY, FILE_TYPES, FORMATS, HASHES, POWER_PACKAGES, Shape, Variable
from amtdecode.counting import counted
from amtdecode.errors import ArtifactError
from amtdecode.secrets.setupbin import (
    CHUNK,
    DATA_RECORD,
    RECORD_HEADER,
    SCRAMBLED,
    VALID,
    entries,
    is_setupbin,
    records,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.secrets.setupbin import RawRecord

__all__ = ["Entry", "Record", "SetupBin", "is_setupbin", "read_setupbin"]

MAX_RECORDS = 100_000  # read of a file; Intel's tool writes one for each machine
MAX_MODULES = 16  # told of a module list
MAX_REMARKS = 100  # told of a file


class Entry(NamedTuple):
    """One value. `place`: the offset of its entry in the file, in bytes."""

    module: int
    number: int
    value: bytes
    place: int

    @property
    def variable(self) -> Variable | None:
        """What is known of it."""
        return BY_KEY.get((self.module, self.number))

    @property
    def shown(self) -> str:
        """The value in words, in the clear: whoever prints it masks what `variable.secret` says. Not escaped."""
        variable = self.variable
        return _shown(variable, self.value) if variable else f"hex:{self.value.hex()}"


class Record(NamedTuple):
    """One record. `place`: its offset in the file, in bytes."""

    number: int
    kind: int
    flags: int
    entries: tuple[Entry, ...]
    place: int

    @property
    def valid(self) -> bool:
        """The valid flag is set: no machine has taken the record yet [inferred]."""
        return self.kind == DATA_RECORD and bool(self.flags & VALID)

    @property
    def scrambled(self) -> bool:
        """The record is scrambled in the file; `entries` are not."""
        return bool(self.flags & SCRAMBLED)

    def get(self, module: int, number: int) -> bytes | None:
        """The value of a variable, the last where there are several."""
        return next((each.value for each in reversed(self.entries) if each[:2] == (module, number)), None)


class SetupBin(NamedTuple):
    """A whole file. `stated` and `consumed` are what the header says of its data records."""

    major: int
    minor: int
    flags: int
    stated: int
    consumed: int
    modules: tuple[int, ...]
    records: tuple[Record, ...]
    remarks: tuple[str, ...]

    @property
    def keeps_records(self) -> bool:
        """Records are not consumed: every machine takes the same one."""
        return bool(self.flags & 1)

    @property
    def version(self) -> str:
        """Version of the file, as `2.1`."""
        return f"{self.major}.{self.minor}"

    @property
    def first_release(self) -> str:
        """The first AMT release that takes this version; empty where nothing public says."""
        return FORMATS.get((self.major, self.minor), "")


def read_setupbin(data: bytes) -> SetupBin:
    """Read a setup.bin from its bytes.

    Raises `ArtifactError` for bytes that are none, or end inside the header.
    """
    from amtdecode.artifacts.setupbin.spec import MODULES_AT, Header

    if not is_setupbin(data):
        raise ArtifactError("not a setup.bin: the first 16 bytes are none of its four file types")
    if len(data) < MODULES_AT:
        raise ArtifactError(f"a setup.bin that ends inside its header, after {len(data)} bytes")
    header = Header.parse(data)
    remarks = _Remarks()
    modules = _modules(data[MODULES_AT:CHUNK], remarks)
    if FILE_TYPES.get(header.major) != header.file_type:
        kind = next(major for major, raw in FILE_TYPES.items() if raw == header.file_type)
        remarks.add(f"the file type is that of version {kind}, the version says {header.major}.{header.minor}")
    elif (header.major, header.minor) not in FORMATS:
        remarks.add(f"version {header.major}.{header.minor} is in no public document")
    found = tuple(_records(data, remarks))
    _compare(header.records, header.consumed, header.flags, found, remarks)
    _compare_modules(modules, found, remarks)
    return SetupBin(
        header.major, header.minor, header.flags, header.records, header.consumed, modules, found, (*remarks.texts,)
    )


class _Remarks:
    """What is odd, each once, at most MAX_REMARKS."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        if len(self.texts) < MAX_REMARKS:
            self.texts[text] = None


def _modules(data: bytes, remarks: _Remarks) -> tuple[int, ...]:
    found = []
    for (module,) in struct.iter_unpack("<H", data[: len(data) // 2 * 2]):
        if not module:
            break
        found.append(module)
    if len(found) > MAX_MODULES:
        remarks.add(f"the module list names {len(found)} modules")
    return tuple(found[:MAX_MODULES])


def _records(data: bytes, remarks: _Remarks) -> Iterator[Record]:
    for count, raw in enumerate(records(data)):
        if count == MAX_RECORDS:
            remarks.add(f"more than {MAX_RECORDS:,} records: the others are not read")
            return
        if isinstance(raw, int):
            remarks.add(f"{counted(raw, 'byte')} at the end are no record")
            return
        number = raw.number
        if raw.size < raw.whole:
            remarks.add(f"record {number} is cut: it has {raw.size} of {raw.whole} bytes")
        record = Record(number, raw.kind, raw.flags, (), raw.place)
        if raw.kind in {0, DATA_RECORD}:
            record = record._replace(entries=tuple(_entries(raw, remarks)))
        else:
            remarks.add(f"record {number} is of type {raw.kind}, which is in no public document")
        yield record


def _entries(record: RawRecord, remarks: _Remarks) -> Iterator[Entry]:
    start = record.place + RECORD_HEADER
    for at, module, number, length, value in entries(record.body):
        found = Entry(module, number, value, start + at)
        variable = found.variable
        name = f"record {record.number}, variable {module}/{number}"
        if len(value) < length:
            remarks.add(f"{name} goes past the end of the record: {len(value)} of {length} bytes")
        elif variable is None:
            remarks.add(f"{name} is in no public document")
        elif variable.exact and length != variable.size:
            remarks.add(f"{name} ({variable.name}) has {length} bytes, not {variable.size}")
        yield found


def _compare(stated: int, consumed: int, flags: int, records: tuple[Record, ...], remarks: _Remarks) -> None:
    """The counts of the header against what is there."""
    data_records = [record for record in records if record.kind in {0, 1}]
    if stated != len(data_records) < MAX_RECORDS:
        remarks.add(f"the header says {counted(stated, 'record')}, the file has {len(data_records)}")
    used = sum(not record.valid for record in data_records)
    if not flags & 1 and consumed != used:
        remarks.add(f"the header says {consumed} consumed, {counted(used, 'record')} in the file have no valid flag")


def _compare_modules(modules: tuple[int, ...], records: tuple[Record, ...], remarks: _Remarks) -> None:
    used = {entry.module for record in records for entry in record.entries}
    if missing := used.difference(modules):
        # files of MeshCommander have an empty list, and machines take them
        names = ", ".join(map(str, sorted(missing)[:MAX_MODULES]))
        remarks.add(f"the module list does not name {'module' if len(missing) == 1 else 'modules'} {names}")


def _shown(variable: Variable, value: bytes) -> str:
    shape, number = variable.shape, int.from_bytes(value, "little")
    if shape is Shape.TEXT:
        return value.decode("latin-1")
    sizes = {Shape.BYTE: 1, Shape.SHORT: 2, Shape.INT: 4, Shape.GUID: 16, Shape.IPV4: 4}
    if sizes.get(shape, len(value)) != len(value):
        return f"hex:{value.hex()}"
    if shape is Shape.GUID:
        package = POWER_PACKAGES.get(value.hex()) if variable.name == "power-package" else None
        return package or str(UUID(bytes=value))
    if shape is Shape.IPV4:
        return str(IPv4Address(value[::-1]))
    if shape is Shape.ROOT_HASH:
        return _root_hash(value)
    if shape is Shape.BYTES:
        return f"hex:{value.hex()}"
    word = variable.values.get(number)
    return f"{number} ({word})" if word else str(number)


def _root_hash(value: bytes) -> str:
    name, size = HASHES.get(value[0], ("", 0)) if value else ("", 0)
    if not name or len(value) < 2 + size or len(value) < 2 + size + value[1 + size]:
        return f"hex:{value.hex()}"
    label = value[2 + size : 2 + size + value[1 + size]].decode("latin-1")
    return f"{name}:{value[1 : 1 + size].hex()}{f' {label}' if label else ''}"
