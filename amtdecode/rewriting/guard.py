"""Looks for what should be gone: each original in each spelling, text or binary, in any case."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from amtdecode.provisioning.private import PUBLIC_USERS
from amtdecode.rewriting.pseudonyms import PUBLIC_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amtdecode.rewriting.pseudonyms import Pseudonyms

SHORTEST = 4  # letters of a name that are looked for: shorter ones are parts of any text
STEP = 2000  # patterns of one search


class Guard:
    """Knows every original that was renamed so far, and `names` besides; `own` words are nobody's name."""

    def __init__(self, known: Pseudonyms, names: Iterable[str] = (), own: frozenset[str] = frozenset()) -> None:
        binary, text, words = set[bytes](), set[bytes](), set[bytes]()
        for address, other in known.addresses.items():
            if address != other:
                binary.add(ip_address(address).packed)
                binary.add(ip_address(address).packed[::-1])
                text.update(_texts_of_address(address))
        for mac, other_mac in known.macs.items():
            if mac != other_mac:
                binary.add(mac)
                digits = mac.hex()
                pairs = [digits[at : at + 2] for at in range(0, 12, 2)]
                dotted = ".".join((digits[:4], digits[4:8], digits[8:]))
                text.update(each.encode() for each in (digits, ":".join(pairs), "-".join(pairs), dotted))
        for uuid in known.uuids:
            text.update(_texts_of_uuid(uuid))
            binary.update(_bytes_of_uuid(uuid))
        text.update(pid.lower().encode() for pid in known.pids)
        text.update(f"{pid[:4]}-{pid[4:]}".lower().encode() for pid in known.pids)
        for name in (*known.names, *known.labels, *names):
            low = name.lower().rstrip(".")
            if (
                len(low) >= SHORTEST
                and low not in PUBLIC_LABELS
                and low not in PUBLIC_USERS | own
                and not low.isdigit()
            ):
                words.add(low.encode("utf-8", "surrogateescape"))
        self._cover = _searches(text, re.IGNORECASE) + _searches(words, re.IGNORECASE, rb"(?<![\w-])(?:%s)(?![\w-])")
        text |= words
        text |= {b"\0".join(each[at : at + 1] for at in range(len(each))) for each in text}  # UTF-16, either order
        self._binary = _by_beginning(binary)
        self._text = _by_beginning(text)

    def finds(self, data: bytes) -> bytes | None:
        """An original that stands in the bytes, or nothing."""
        low = data.lower()
        return _found(self._text, low) or _found(self._binary, data)

    def cover(self, data: bytes) -> bytes:
        """Text with what is found as x; names only where they are words of their own."""
        for search in self._cover:
            data = search.sub(lambda found: re.sub(rb"\w", b"x", found[0]), data)
        return data


def _by_beginning(patterns: set[bytes]) -> dict[bytes, list[bytes]]:
    """Patterns by their first bytes; all have at least so many."""
    found: dict[bytes, list[bytes]] = {}
    for pattern in patterns:
        found.setdefault(pattern[:SHORTEST], []).append(pattern)
    return found


def _found(patterns: dict[bytes, list[bytes]], data: bytes) -> bytes | None:
    """One look-up for each place of the data, however many patterns there are."""
    begun = patterns.keys() & {data[at : at + SHORTEST] for at in range(len(data) - SHORTEST + 1)}
    return next((each for start in begun for each in patterns[start] if each in data), None)


def _searches(patterns: set[bytes], flags: int, around: bytes = b"%s") -> list[re.Pattern[bytes]]:
    ordered = sorted((each for each in patterns if each), key=lambda each: (-len(each), each))
    return [
        re.compile(around % b"|".join(map(re.escape, ordered[at : at + STEP])), flags | re.DOTALL)
        for at in range(0, len(ordered), STEP)
    ]


def _texts_of_address(address: str) -> Iterator[bytes]:
    known = ip_address(address)
    if known.version == 4:
        # not as part of a longer number
        yield address.encode()
        yield ".".join(reversed(address.split("."))).encode()
        if len(set(known.packed)) > 2:
            yield known.packed.hex().encode()
        return
    yield known.compressed.encode()
    yield known.exploded.encode()
    yield known.packed.hex().encode()
    yield known.reverse_pointer.removesuffix(".ip6.arpa").encode()


def _texts_of_uuid(uuid: str) -> Iterator[bytes]:
    digits = uuid.replace("-", "")
    swapped = _bytes_of_uuid(uuid)[1].hex()
    for each in (digits, swapped):
        yield each.encode()
        yield "-".join((each[:8], each[8:12], each[12:16], each[16:20], each[20:])).encode()


def _bytes_of_uuid(uuid: str) -> tuple[bytes, bytes]:
    from uuid import UUID

    known = UUID(uuid)
    return known.bytes, known.bytes_le
