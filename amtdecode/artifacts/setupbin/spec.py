"""setup.bin declared: what reading and making both use, and the reference for the fast reader of keys."""

from __future__ import annotations

from construct import Aligned, Bytes, Int8ul, Int16ul, Int32ul, RepeatUntil, Struct, this

from amtdecode.secrets.setupbin import SCRAMBLE

NOT_CONSUMED = 1

Header = Struct(
    "file_type" / Bytes(16),
    "chunks" / Int16ul,  # of the header: 1
    "size" / Int16ul,  # bytes of the header up to the end of the module list
    "number" / Int32ul,  # 0
    "major" / Int8ul,
    "minor" / Int8ul,
    "flags" / Int16ul,
    "records" / Int32ul,
    "consumed" / Int32ul,
    "record_chunks" / Int16ul,  # of each data record
    "reserved" / Int16ul,
)
MODULES_AT = Header.sizeof()

Modules = RepeatUntil(lambda module, *_: module == 0, Int16ul)

RecordHeader = Struct(
    "kind" / Int32ul,  # 0 invalid, 1 data record
    "flags" / Int32ul,
    "reserved" / Bytes(8),
    "chunks" / Int16ul,
    "size" / Int16ul,  # of this header: 24
    "number" / Int32ul,  # from 1
)

EntryHeader = Struct("module" / Int16ul, "variable" / Int16ul, "length" / Int16ul, "reserved" / Int16ul)

Entry = Aligned(4, Struct("head" / EntryHeader, "value" / Bytes(this.head.length)))
"""One entry as it is written; the next begins at a multiple of four bytes."""

_SCRAMBLED = bytes((byte + SCRAMBLE) & 0xFF for byte in range(256))


def scrambled(data: bytes) -> bytes:
    """The bytes behind a record's header as a scrambled record has them: what reading them undoes."""
    return data.translate(_SCRAMBLED)
