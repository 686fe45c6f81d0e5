"""Which captures there are, and what each is: where it comes from, when it begins and ends, the digest of its content.

The digest is of what a file holds, whatever it is packed in: so a capture is known again under another name, in another
folder, and as `.gz`.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from amtdecode.archive.opening import opened
from amtdecode.capture import NOTICE, open_capture
from amtdecode.capture.source import DamageError
from amtdecode.errors import AmtdecodeError, CaptureError, reason
from amtdecode.safe import encodable
from amtdecode.stores import About, is_remote, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.capture.source import Source

MAX_EARLIER: Final = 16  # captures of a sensor that another file may go on from, the latest ones


class Found(NamedTuple):
    """A file of a folder."""

    path: str
    sensor: str
    """The folder that it lies in, below the one given; of files that lie there, the name of that."""
    size: int
    changed: int
    """When, in nanoseconds since 1970; of a store, a number that is another one when the file is."""
    error: str = ""
    """Why it cannot be looked at."""


class Scan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one file."""

    path: str
    sensor: str
    size: int
    changed: int
    digest: str = ""
    """Of its content: the bytes that a packed file opens to."""
    length: int = 0
    """Bytes of its content."""
    packets: int = 0
    interface: str = ""
    """Name of the interface of its first packet, where the capture has it."""
    first: int | None = None
    """Time of its earliest packet, nanoseconds since 1970 UTC."""
    last: int | None = None
    grown: str = ""
    """Id of the capture that it was, and goes on from: it begins with all of it."""
    error: str = ""
    """Why it is no capture that can be read."""

    @property
    def id(self) -> str:
        """What tells captures apart: their content. Those without a packet are many, and of their sensor."""
        return self.digest if self.packets else f"{self.digest}@{self.sensor}"


class Earlier(NamedTuple):
    """A capture that a file may go on from."""

    length: int
    digest: str
    id: str


def find(folders: Sequence[str], without: str) -> Iterator[Found]:
    """All files of these folders, however deep, each once; not hidden ones, nor those in the folder `without`.

    Paths are absolute: from wherever and however a folder is named, its captures are the same.

    Raises `CaptureError` for what is no folder.
    """
    seen = set[str]()
    for given in folders:
        store = store_of(given)
        try:
            if not store.is_folder(given):
                raise CaptureError(f"{given}: is no folder")
            own = _name_of(store.absolute(given))
            for path, below, about in store.files(given, without):
                if path not in seen:
                    seen.add(path)
                    yield _found(path, below or own, about)
        except OSError as error:
            raise CaptureError(f"{given}: {reason(error)}") from error


def _found(path: str, sensor: str, about: About | OSError) -> Found:
    shown = encodable(path)
    if isinstance(about, OSError):
        return Found(shown, encodable(sensor), 0, 0, f"{shown}: {reason(about)}")
    if shown != path:
        return Found(shown, encodable(sensor), *about, f"{shown}: its name is not in UTF-8; give it another one")
    return Found(path, sensor, *about)


def _name_of(folder: str) -> str:
    return folder.rpartition("/")[2] if is_remote(folder) else os.path.basename(os.path.realpath(folder))


def scan(found: Found, earlier: Sequence[Earlier] = ()) -> Scan:
    """Look through one file. `earlier`: what it may go on from. Whatever is wrong is in `error`."""
    known = Scan(found.path, found.sensor, found.size, found.changed, error=found.error)
    if known.error:
        return known
    content = Content(earlier)
    try:
        known = _look(known, content)
        about = store_of(found.path).about(found.path)
    except OSError as error:
        return msgspec.structs.replace(known, error=f"{found.path}: {reason(error)}")
    except AmtdecodeError as error:
        return msgspec.structs.replace(known, error=str(error))
    finally:
        content.close()
    if about != (found.size, found.changed):
        return msgspec.structs.replace(known, error=f"{found.path}: is still growing; the next run reads it")
    return known


def _look(known: Scan, content: Content) -> Scan:
    """What its packets say, and the digest of all that is read for it."""
    name, first, last, count = "", None, None, 0
    with opened([known.path]) as (given,):
        for packet in open_capture(given, 0, content.watch):
            interface = packet[7]
            if interface.link_type == NOTICE:
                continue
            if not count:
                name = interface.name
            count += 1
            time = interface.time_ns(packet[5], packet[6])
            if time is not None:
                first = time if first is None or time < first else first
                last = time if last is None or time > last else last
        content.finish()
    return msgspec.structs.replace(
        known,
        digest=content.digest,
        length=content.length,
        packets=count,
        interface=name,
        first=first,
        last=last,
        grown=content.grown,
    )


class Content:
    """The digest of what a source gives."""

    def __init__(self, earlier: Sequence[Earlier]) -> None:
        self._digest = blake2b(digest_size=16)
        self._earlier = sorted(earlier, reverse=True)
        self._begins = ""
        self._begun = 0
        self._source: Source | None = None
        self._ended = False
        self.length = 0
        """Bytes so far."""

    def watch(self, source: Source) -> None:
        """From its first byte on."""
        self._source = source
        source.told = self._take

    def _take(self, piece: bytes) -> None:
        self._ended = not piece
        at, end = 0, self.length + len(piece)
        while self._earlier and self._earlier[-1].length <= end:
            length, digest, number = self._earlier.pop()
            self._digest.update(piece[at : length - self.length])
            at = length - self.length
            if self._digest.hexdigest() == digest:
                self._begins, self._begun = number, length
        self._digest.update(piece[at:])
        self.length = end

    def finish(self) -> None:
        """Take what the reader left behind damage."""
        try:
            while self._source is not None and not self._ended:
                self._source.read()
        except DamageError:
            pass

    def close(self) -> None:
        """Let go of the source."""
        if self._source is not None:
            self._source.told = None
            self._source.close()

    @property
    def digest(self) -> str:
        """Of all of it."""
        return self._digest.hexdigest()

    @property
    def grown(self) -> str:
        """The longest of the earlier captures that it begins with, and more follows."""
        return self._begins if self._begun < self.length else ""
