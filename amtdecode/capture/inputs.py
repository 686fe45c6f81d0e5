"""What a caller gives to be read, told apart: names, bytes, open files, packets, observations."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import chain
from operator import index
from os import PathLike, fsdecode, path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from amtdecode.capture.iterables import ETHERNET, Packet, Packets, is_packet
from amtdecode.capture.source import OpenFile
from amtdecode.errors import UsageError
from amtdecode.model import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

Given: TypeAlias = str | PathLike[str] | bytes | BinaryIO | Iterable[Packet]
"""One capture, as a caller may give it."""

Capture: TypeAlias = str | OpenFile | Packets
"""One capture, as the readers of this package take it."""

ACCEPTED = (
    "a capture is a file name, bytes, a file opened in binary mode, or an iterable of packets: (time, bytes), "
    "(time, bytes, link type), or scapy's"
)


class Observations:
    """What was observed before, for who goes on from there."""

    __slots__ = ("items",)

    def __init__(self, items: Iterator[Observation]) -> None:
        self.items = items


def inputs_of(given: Any) -> list[Capture | Observations]:
    """What is given, one input or several, as a list of inputs.

    The first item of an iterable decides whether it is one input or holds several; so a generator is asked for its
    first item here. Raises `UsageError`, which says what is accepted.
    """
    names = _Names()
    one = _named_or_open(given, names)
    if one is not None:
        return [one]
    items = _items(given)
    for first in items:
        if is_packet(first) or isinstance(first, Observation):
            return [_stream(given, chain((first,), items), first, names)]
        return [_input(each, names) for each in chain((first,), items)]
    return []


def captures_of(given: Any) -> list[Capture]:
    """The same where observations are no input."""
    captures: list[Capture] = []
    for each in inputs_of(given):
        if isinstance(each, Observations):
            raise UsageError(f"observations have been read already: {ACCEPTED}")
        captures.append(each)
    return captures


def can_be_read_again(capture: Capture) -> bool:
    """Whether a capture can be read a second time: files and bytes can, pipes and iterables of packets cannot.

    True of folders and missing files, too: the error of reading says what they are.
    """
    if isinstance(capture, str):
        return capture != "-" and (path.isfile(capture) or path.isdir(capture) or not path.exists(capture))
    return isinstance(capture, OpenFile) and capture.start is not None


class _Names:
    """Names for inputs that have none: `<bytes>`, `<bytes 2>` and so on."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def next(self, kind: str) -> str:
        number = self._count[kind] = self._count.get(kind, 0) + 1
        return f"<{kind}>" if number == 1 else f"<{kind} {number}>"


def _input(given: Any, names: _Names) -> Capture | Observations:
    """One of several inputs."""
    one = _named_or_open(given, names)
    if one is not None:
        return one
    items = _items(given)
    for first in items:
        return _stream(given, chain((first,), items), first, names)
    return Packets((), names.next("packets"))


def _named_or_open(given: Any, names: _Names) -> str | OpenFile | None:
    if isinstance(given, (str, PathLike)):
        return fsdecode(given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return OpenFile(io.BytesIO(bytes(given)), names.next("bytes"))
    if not hasattr(given, "read"):
        return None
    if isinstance(given, io.TextIOBase) or hasattr(given, "encoding"):
        raise UsageError('a file opened as text gives no bytes: open it in binary mode, open(name, "rb")')
    name = getattr(given, "name", None)
    return OpenFile(given, name if isinstance(name, str) else names.next("file"))


def _items(given: Any) -> Iterator[Any]:
    if is_packet(given):
        raise UsageError(f"a packet by itself is no capture, a list of packets is: {ACCEPTED}")
    if not isinstance(given, Iterable):
        raise _refusal(given)
    return iter(given)


def _stream(given: Any, items: Iterator[Any], first: Any, names: _Names) -> Packets | Observations:
    if isinstance(first, Observation):
        return Observations(items)
    if not is_packet(first):
        raise _refusal(first)
    datalink = getattr(given, "datalink", None)  # of dpkt's readers
    return Packets(items, names.next("packets"), index(datalink()) if callable(datalink) else ETHERNET)


def _refusal(given: Any) -> UsageError:
    return UsageError(f"cannot read what is of type {type(given).__name__}: {ACCEPTED}")
