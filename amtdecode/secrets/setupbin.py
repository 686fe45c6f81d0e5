"""PID and PPS pairs out of a setup.bin, the file that carries them to machines on a USB key.

How records and entries lie in the file (little-endian; 512-byte chunks), and no more: the header gives the size of a
data record, a record its flags and entries. `artifacts/setupbin` knows what they mean.
Sources: MeshCommander's amt-setupbin, Intel's USBFile documentation.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_TYPES: Final = {  # first 16 bytes, by major version of the file
    bytes.fromhex("b516fb7187cbf94ab441ca7b383578f9"): 1,
    bytes.fromhex("96b28158cf6b724c8b91a15e512e99c4"): 2,
    bytes.fromhex("a7f7f6c689c4f64793ede2e5020da51d"): 3,
    bytes.fromhex("aaa93452e129a9448d4d081c07b96353"): 4,
}
CHUNK: Final = 512
RECORD_HEADER: Final = 24
_HEADER: Final = Struct("<16xH18xH2x")  # chunks of the header, chunks of a record
_RECORD: Final = Struct("<II8xHHI")  # type, flags, chunks, size of the header, number
_ENTRY: Final = Struct("<HHH2x")  # module, variable, length
DATA_RECORD: Final = 1
VALID, SCRAMBLED = 1, 2
SCRAMBLE: Final = 17  # added to each byte, modulo 256
_PLAIN: Final = bytes((byte - SCRAMBLE) & 0xFF for byte in range(256))
_AMT_MODULE: Final = 2
_PID, _PPS = 1, 2


class RawRecord(NamedTuple):
    """One record. `place`: its offset in the file, in bytes; `body`: what follows its header, no longer scrambled."""

    place: int
    number: int
    kind: int
    flags: int
    size: int  # bytes there, fewer than `whole` where the file is cut
    whole: int
    body: bytes


class RawEntry(NamedTuple):
    """One value. `place`: the offset of its entry in the record's body; `value` is shorter than `length` if cut."""

    place: int
    module: int
    variable: int
    length: int
    value: bytes


def is_setupbin(data: bytes) -> bool:
    """Whether the bytes begin as a setup.bin does."""
    return data[:16] in FILE_TYPES


def records(data: bytes) -> Iterator[RawRecord | int]:
    """Give each record of a file, and at last how many bytes are left, if they are too few for a record's header.

    Never raises; bytes shorter than a header have no record.
    """
    if len(data) < _HEADER.size:
        return
    header, each = (max(chunks, 1) * CHUNK for chunks in _HEADER.unpack_from(data))
    for place in range(header, len(data), each):
        raw = data[place : place + each]
        if len(raw) < RECORD_HEADER:
            yield len(raw)
            return
        kind, flags, _, _, number = _RECORD.unpack_from(raw)
        body = raw[RECORD_HEADER:]
        if flags & SCRAMBLED:
            body = body.translate(_PLAIN)
        yield RawRecord(place, number, kind, flags, len(raw), each, body)


def entries(body: bytes) -> Iterator[RawEntry]:
    """Give the values of a record, up to the first that names no variable. Never raises."""
    at = 0
    while at + _ENTRY.size <= len(body):
        module, variable, length = _ENTRY.unpack_from(body, at)
        if not module or not variable:
            return
        first = at + _ENTRY.size
        yield RawEntry(at, module, variable, length, body[first : first + length])
        at = first + -(-length // 4) * 4  # entries begin at multiples of four bytes


def psk_pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    """Give PID and PPS of each data record that has both, consumed records included. Never raises."""
    pairs = []
    for record in records(data):
        if not isinstance(record, RawRecord) or record.kind != DATA_RECORD:
            continue
        values = {each.variable: each.value for each in entries(record.body) if each.module == _AMT_MODULE}
        pid, pps = (values.get(variable, b"").rstrip(b"\0") for variable in (_PID, _PPS))
        if pid and pps:
            pairs.append((pid, pps))
    return pairs
