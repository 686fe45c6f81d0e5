"""PID and PPS pairs out of a setup.bin, the file that carries them to machines on a USB key.

Only as much of the format as that takes (little-endian; 512-byte chunks): the header gives the size of a data record,
a record its flags and entries. Sources: MeshCommander's amt-setupbin, Intel's USBFile documentation.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_TYPES: Final = {  # first 16 bytes, by major version of the file
    bytes.fromhex("b516fb7187cbf94ab441ca7b383578f9"): 1,
    bytes.fromhex("96b28158cf6b724c8b91a15e512e99c4"): 2,
    bytes.fromhex("a7f7f6c689c4f64793ede2e5020da51d"): 3,
    bytes.fromhex("aaa93452e129a9448d4d081c07b96353"): 4,
}
_CHUNK: Final = 512
_HEADER: Final = Struct("<16sHHIBBHIIH")  # up to the chunks of a data record
_RECORD: Final = Struct("<II")  # type, flags
_RECORD_HEADER_SIZE: Final = 24
_ENTRY: Final = Struct("<HHHH")  # module, variable, length, reserved
DATA_RECORD: Final = 1
VALID, SCRAMBLED = 1, 2
SCRAMBLE: Final = 17  # added to each byte, modulo 256
_PLAIN: Final = bytes((byte - SCRAMBLE) & 0xFF for byte in range(256))
_AMT_MODULE: Final = 2
_PID, _PPS = 1, 2


def is_setupbin(data: bytes) -> bool:
    """Whether the bytes begin as a setup.bin does."""
    return data[:16] in FILE_TYPES


def unscrambled(data: bytes) -> bytes:
    """The bytes behind the header of a scrambled record, as they were before."""
    return data.translate(_PLAIN)


def psk_pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    """Give PID and PPS of each data record that has both, consumed records included. Never raises."""
    if len(data) < _HEADER.size:
        return []
    size = max(_HEADER.unpack_from(data)[-1], 1) * _CHUNK
    pairs = []
    for at in range(_CHUNK, len(data), size):
        record = data[at : at + size]
        if len(record) < _RECORD_HEADER_SIZE:
            break
        kind, flags = _RECORD.unpack_from(record)
        if kind != DATA_RECORD:
            continue
        entries = record[_RECORD_HEADER_SIZE:]
        if flags & SCRAMBLED:
            entries = unscrambled(entries)
        values = {variable: value for module, variable, value in _entries(entries) if module == _AMT_MODULE}
        pid, pps = (values.get(variable, b"").rstrip(b"\0") for variable in (_PID, _PPS))
        if pid and pps:
            pairs.append((pid, pps))
    return pairs


def _entries(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _ENTRY.size <= len(data):
        module, variable, length, _ = _ENTRY.unpack_from(data, at)
        if not module or not variable:
            return
        at += _ENTRY.size
        yield module, variable, data[at : at + length]
        at += -(-length // 4) * 4  # entries begin at multiples of four bytes
