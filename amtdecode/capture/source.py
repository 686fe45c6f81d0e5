"""Bytes of one input, whatever they come in: a file, standard input, a pipe, an open file; plain, gzip, zstd or lz4.

Everything is read in order and in pieces: a pipe is decoded as it fills, and no file is ever held whole.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import zlib
from errno import EAGAIN, EIO
from functools import partial
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol

from amtdecode.errors import CaptureError, MissingExtraError, UsageError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import RawIOBase

    from _typeshed import WriteableBuffer

CHUNK = 64 * 1024  # bytes a read: larger pieces cost a fresh mapping from the system each, smaller ones more reads
STANDARD_INPUT = "-"

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878
LZ4_MAGIC = b"\x04\x22\x4d\x18"  # LZ4 frame format 1.6
SKIPPABLE = bytes(range(0x50, 0x60))  # first bytes of frames without data, the same for both
PIECE = (
    256  # compressed bytes of zstd and lz4 opened at a time: what damage costs, and a cap on what a bomb makes of them
)
POLL = 0.2  # seconds between looks at whether to stop waiting for a pipe
CHECKSUMS = 16  # bytes at the end opened one by one, so that a wrong checksum does not cost the data before it


class Readable(Protocol):
    """Gives the next bytes, at most `size`; b"" only at the end."""

    def read(self, size: int, /) -> bytes:
        """Give the next bytes."""
        ...


class OpenFile:
    """A binary file that a program has opened, or bytes it holds; read from where it stands, and never closed here.

    A file that can go back is read by position: another reader of it, or the program itself, may move it meanwhile.
    """

    __slots__ = ("file", "name", "start")

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self.name = name
        self.start: int | None = None
        """Where it stands; `None` for a file that cannot go back, and so can be read only once."""
        try:
            if file.seekable():
                self.start = file.tell()
        except (AttributeError, OSError, ValueError):  # ValueError: it is closed, which reading it will say
            pass

    def reading(self) -> OpenFileReading:
        """A stream that begins where the file stood; another one begins there again, where the file can go back."""
        return OpenFileReading(self.file, self.start)


class OpenFileReading(io.RawIOBase):
    """An `OpenFile` read on. Whatever its file raises is an `OSError`."""

    def __init__(self, file: BinaryIO, start: int | None) -> None:
        self._file = file
        self._start = start
        self._read: Callable[[int], bytes | None] = getattr(file, "read1", file.read)
        """Gives what a pipe has; `read` would wait for all that is asked for."""
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer with the next bytes, and give how many came."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; b"" only at the end."""
        try:
            if self._start is not None:
                self._file.seek(self._start + self.position)
            data = self._read(size)
        except (EOFError, ValueError, zlib.error) as error:  # closed; or it decompresses what is damaged
            damage = "its data end too soon" if isinstance(error, EOFError) else "its data are damaged"
            raise OSError(EIO, "the file is closed" if getattr(self._file, "closed", False) else damage) from error
        if data is None:
            raise OSError(EAGAIN, "nothing is there yet, and the file does not wait for it (non-blocking)")
        if isinstance(data, str):
            raise UsageError("a file that gives text is no capture: open it in binary mode")
        self.position += len(data)
        return data if type(data) is bytes else bytes(data)


class Source:
    """The bytes of an input in order, with what was looked at ahead of time given back first.

    Failing disks and damaged compression raise `DamageError`, behind the last good byte.
    """

    def __init__(
        self, name: str, stream: Readable, size: int | None = None, close: Callable[[], None] | None = None
    ) -> None:
        self.name = name
        self.size = size
        """Bytes of the file as it lies, for progress; `None` for a pipe."""
        self.raw_position: Callable[[], int] | None = None
        self.end_when: Callable[[Callable[[], bool]], None] | None = None
        """Takes what says when a pipe is given up, though it is still open; `None` where reading never waits."""
        self.told: Callable[[bytes], None] | None = None
        """Shown each piece that is read, and b"" at the end or before damage."""
        self._stream = stream
        self._ahead = b""
        self._close = close
        self.damage: DamageError | None = None
        """What `peek` met behind the bytes it looked at; `read` raises it in its turn."""

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without consuming them; fewer only at the end or before damage."""
        while len(self._ahead) < size and self.damage is None:
            try:
                more = self._next()
            except DamageError as error:
                self.damage = error
                break
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self) -> bytes:
        """The next piece, b"" at the end."""
        if self.told is None:
            return self._piece()
        try:
            piece = self._piece()
        except DamageError:
            self.told(b"")
            raise
        self.told(piece)
        return piece

    def _piece(self) -> bytes:
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        if self.damage is not None:
            raise self.damage
        return self._next()

    def _next(self) -> bytes:
        try:
            return self._stream.read(CHUNK)
        except OSError as error:
            raise DamageError(f"reading failed: {reason(error)}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._close:
            self._close()

    def __del__(self) -> None:
        self.close()  # of a reading given up halfway


class DamageError(Exception):
    """Compressed data that cannot be opened further; never leaves `capture`."""


class _Unbuffered:
    """Gives what a pipe has, without waiting for a full piece: packet by packet decoding of live pipes."""

    def __init__(self, file: RawIOBase | IO[bytes]) -> None:
        self._descriptor = file.fileno()
        self.position = 0
        self.waits = os.name == "posix" and not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        """Whether reading may wait, and can be given up meanwhile: on Windows, select takes no pipes."""
        self.stop: Callable[[], bool] | None = None
        """Says when to end, though the other side writes on."""

    def read(self, size: int) -> bytes:
        if self.stop is not None and not self._wait(self.stop):
            return b""
        data = os.read(self._descriptor, size)
        self.position += len(data)
        return data

    def _wait(self, stop: Callable[[], bool]) -> bool:
        """Until something can be read; false when it is time to end."""
        from select import select

        while not stop():
            if select([self._descriptor], [], [], POLL)[0]:
                return True
        return False


class _Unpacked:
    """What a compressed stream opens to, frame after frame: all that opens is given out, then the damage told."""

    kind = ""
    magics = b""
    """First bytes of what may follow a frame: another one, or one to skip. Anything else is padding."""

    def __init__(self, stream: Readable, new_frame: Callable[[], Any]) -> None:
        self._stream = stream
        self._new_frame = new_frame
        self._frame = new_frame()
        self._raw, self._at = b"", 0
        self._fault: DamageError | None = None

    def read(self, size: int) -> bytes:
        while self._fault is None:
            if self._at >= len(self._raw):
                self._raw, self._at = self._stream.read(CHUNK), 0
                if not self._raw:
                    if self._frame.eof:
                        return b""
                    raise DamageError(f"the {self.kind} data ends before its end mark")
            if self._frame.eof:
                if self._raw[self._at] not in self.magics:
                    return b""
                self._frame = self._new_frame()
            data = self._open(size)
            if data:
                return data
        raise self._fault

    def _open(self, size: int) -> bytes:
        raise NotImplementedError

    def _damaged(self) -> None:
        self._fault = DamageError(f"damaged {self.kind} data")


class _Gzip(_Unpacked):
    """Opens as much as it can at once; where that fails, once more from there byte by byte."""

    kind = "gzip"
    magics = GZIP_MAGIC[:1]

    def __init__(self, stream: Readable) -> None:
        super().__init__(stream, lambda: zlib.decompressobj(wbits=31))

    def _open(self, size: int) -> bytes:
        raw = self._raw[self._at :]
        before = self._frame.copy()
        try:
            data: bytes = self._frame.decompress(raw, size)
        except zlib.error:
            self._damaged()
            return b"".join(_until_damage(before, raw))
        self._at = len(self._raw) - len(self._frame.unconsumed_tail or self._frame.unused_data)
        return data


def _until_damage(frame: Any, raw: bytes) -> Iterator[bytes]:
    for at in range(len(raw)):
        try:
            yield frame.decompress(raw[at : at + 1])
        except zlib.error:
            return


class _Frames(_Unpacked):
    """zstd and lz4. Damage costs the piece it is in: pieces are small, and single bytes where checksums stand."""

    def __init__(self, stream: Readable, kind: str) -> None:
        super().__init__(stream, _zstd_frames() if kind == "zstd" else _lz4_frames())
        self.kind = kind
        self.magics = (ZSTD_MAGIC if kind == "zstd" else LZ4_MAGIC)[:1] + SKIPPABLE

    def _open(self, size: int) -> bytes:  # noqa: ARG002 - a piece opens to a few megabytes at most
        left = len(self._raw) - self._at
        count = min(PIECE, left - CHECKSUMS) if left > CHECKSUMS else 1
        try:
            data: bytes = self._frame.decompress(self._raw[self._at : self._at + count])
        except Exception:  # each library has its own family of errors
            self._damaged()
            return b""
        self._at += count - len(self._frame.unused_data or b"")
        return data


def _zstd_frames() -> Callable[[], Any]:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("this capture is compressed with zstd: install amtdecode[zstd]") from None
    return zstandard.ZstdDecompressor().decompressobj


def _lz4_frames() -> Callable[[], Any]:
    try:
        import lz4.frame
    except ImportError:
        raise MissingExtraError("this capture is compressed with lz4: install amtdecode[lz4]") from None
    opener: Callable[[], Any] = lz4.frame.LZ4FrameDecompressor
    return opener


def open_source(given: str | OpenFile) -> Source:
    """Open a file or standard input ("-") for reading, or read on in a file that is open.

    Raises `CaptureError` when it is missing, forbidden or a directory, `MissingExtraError` for zstd and lz4 without
    their extra.
    """
    stream: _Unbuffered | OpenFileReading
    if isinstance(given, OpenFile):
        stream = given.reading()
        source = Source(given.name, stream)
    else:
        stream, size, close = _open_file(given)
        source = Source(given, stream, size, close)
    head = source.peek(4)
    if head.startswith(GZIP_MAGIC):
        source = _inside(source, _Gzip(_Rest(source)))
    elif head == ZSTD_MAGIC:
        source = _inside(source, _Frames(_Rest(source), "zstd"))
    elif head == LZ4_MAGIC:
        source = _inside(source, _Frames(_Rest(source), "lz4"))
    source.raw_position = lambda: stream.position
    if isinstance(stream, _Unbuffered) and stream.waits:
        source.end_when = partial(setattr, stream, "stop")
    return source


class _Rest:
    """A source as a stream, for the decompressor on top of it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - pieces come in the source's own size
        return self._source.read()


def _inside(outer: Source, stream: Readable) -> Source:
    return Source(outer.name, stream, outer.size, outer.close)


def _open_file(name: str) -> tuple[_Unbuffered, int | None, Callable[[], None] | None]:
    if name == STANDARD_INPUT:
        return _Unbuffered(sys.stdin.buffer), None, None
    try:
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise CaptureError(f"{name}: is a directory, not a capture")
        file = open(name, "rb", buffering=0)  # noqa: SIM115 - closed by the source
    except (OSError, ValueError) as error:
        raise CaptureError(f"{name}: {reason(error)}") from None
    regular = stat.S_ISREG(status.st_mode)
    return _Unbuffered(file), status.st_size if regular else None, file.close
