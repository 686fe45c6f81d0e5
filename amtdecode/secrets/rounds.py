"""How often a file wants its password hashed before it opens, found before anybody begins.

PFX and PKCS #8 name the number themselves (RFC 8018 appendix A.2 and A.3, RFC 7292 section 4 and appendix C, RFC 7914
section 7): in each of these the integer follows the salt, an octet string. A number of 2^31 keeps a processor busy for
half an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ROUNDS: Final = 10_000_000  # of a key derivation; 600,000 are advised (OWASP), and some stores have a million
_MAX_DEPTH: Final = 32  # elements inside each other
_INTEGER, _OCTETS, _PARTS = 0x02, 0x04, 0x24  # an octet string may come in parts (X.690 section 8.7.3)


def wants_too_much(data: bytes) -> bool:
    """Whether a PFX file or an encrypted key (DER or BER) asks for more than MAX_ROUNDS. Never raises."""
    return any(rounds > MAX_ROUNDS for rounds in _rounds(data, 0, len(data), 0))


def _rounds(data: bytes, start: int, end: int, depth: int) -> Iterator[int]:
    before = 0
    for tag, inside, stop in _elements(data, start, end):
        if tag == _INTEGER and before in (_OCTETS, _PARTS):
            yield int.from_bytes(data[inside : min(stop, inside + 16)], "big")
        if depth < _MAX_DEPTH:
            if tag & 0x20 or (tag == _OCTETS and data[inside : inside + 1] == b"\x30"):
                yield from _rounds(data, inside, stop, depth + 1)
            if tag == _PARTS:
                parts = (data[first:last] for kind, first, last in _elements(data, inside, stop) if kind == _OCTETS)
                joined = b"".join(parts)
                yield from _rounds(joined, 0, len(joined), depth + 1)
        before = tag or before


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tags of the elements between two offsets, and where the content of each begins and ends."""
    while at + 2 <= end:
        tag, size, inside = data[at], data[at + 1], at + 2
        if size == 0x80:  # no length (X.690 section 8.1.3.6): up to its end mark, which reads as an empty element
            size = end - inside
        elif size > 0x80:
            inside += size & 0x7F
            size = int.from_bytes(data[at + 2 : inside], "big")
        stop = min(inside + size, end)
        yield tag, inside, stop
        at = max(stop, at + 2)
