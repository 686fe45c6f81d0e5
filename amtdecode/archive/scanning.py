"""Which captures there are, and what each is: where it comes from, when it begins and ends, the digest of its bytes."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from amtdecode.capture import NOTICE, open_capture
from amtdecode.errors import AmtdecodeError, CaptureError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK: Final = 1 << 20  # bytes digested together


class Found(NamedTuple):
    """A file of a folder."""

    path: str
    sensor: str
    """The folder that it lies in, below the one given; of files that lie there, the name of that."""
    size: int
    changed: int
    """When, in nanoseconds since 1970."""


class Scan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one capture."""

    path: str
    sensor: str
    size: int
    changed: int
    digest: str = ""
    interface: str = ""
    """Name of the interface of its first packet, where the capture has it."""
    first: int | None = None
    """Time of its first packet, nanoseconds since 1970 UTC."""
    last: int | None = None
    grown: bool = False
    """It begins with all that it was before."""
    error: str = ""
    """Why it is no capture that can be read."""


def find(folders: Sequence[str], without: str) -> Iterator[Found]:
    """All files of these folders, however deep, each once; not hidden ones, nor those in the folder `without`.

    Paths are absolute: from wherever and however a folder is named, its captures are the same.

    Raises `CaptureError` for what is no folder.
    """
    avoided = os.path.realpath(without)
    seen = set[str]()
    for given in folders:
        if not os.path.isdir(given):
            raise CaptureError(f"{given}: is no folder")
        own = os.path.basename(os.path.realpath(given))
        for folder, folders_below, names in os.walk(os.path.abspath(given)):
            folders_below[:] = sorted(
                name
                for name in folders_below
                if not name.startswith(".") and os.path.realpath(os.path.join(folder, name)) != avoided
            )
            below = os.path.relpath(folder, os.path.abspath(given))
            sensor = own if below == os.curdir else below.replace(os.sep, "/")
            for name in sorted(names):
                path = os.path.join(folder, name)
                if path in seen:
                    continue
                seen.add(path)
                with suppress(OSError):
                    about = os.stat(path)
                    if os.path.isfile(path) and not name.startswith("."):
                        yield Found(path, sensor, about.st_size, about.st_mtime_ns)


def scan(found: Found, before: tuple[int, str] | None = None) -> Scan:
    """Look through one file. `before`: size and digest that it had. Whatever is wrong is in `error`."""
    known = Scan(found.path, found.sensor, found.size, found.changed)
    try:
        digest, grown = _digest(found.path, before)
        interface, first, last = _span(found.path)
        about = os.stat(found.path)
    except OSError as error:
        return msgspec.structs.replace(known, error=f"{found.path}: {reason(error)}")
    except AmtdecodeError as error:
        return msgspec.structs.replace(known, digest=digest, grown=grown, error=str(error))
    if (about.st_size, about.st_mtime_ns) != (found.size, found.changed):
        return msgspec.structs.replace(known, error=f"{found.path}: is still growing; the next run reads it")
    return msgspec.structs.replace(known, digest=digest, grown=grown, interface=interface, first=first, last=last)


def _digest(path: str, before: tuple[int, str] | None) -> tuple[str, bool]:
    """The digest of a file, and whether it begins with what it was."""
    size, expected = before or (-1, "")
    digest, position, grown = blake2b(digest_size=16), 0, False
    with open(path, "rb") as file:
        while data := file.read(min(CHUNK, size - position) if position < size else CHUNK):
            digest.update(data)
            position += len(data)
            if position == size:
                grown = digest.hexdigest() == expected
    return digest.hexdigest(), grown and position > size


def _span(path: str) -> tuple[str, int | None, int | None]:
    """Name of the first interface, and the times of the earliest and latest packet."""
    name, first, last = "", None, None
    known = False
    for packet in open_capture(path):
        interface = packet[7]
        if interface.link_type == NOTICE:
            continue
        if not known:
            name, known = interface.name, True
        time = interface.time_ns(packet[5], packet[6])
        if time is not None:
            first = time if first is None or time < first else first
            last = time if last is None or time > last else last
    return name, first, last
