"""Bytes of one input, whatever they come in: a file, standard input, a pipe; plain, gzip, zstd or lz4.

Everything is read in order and in pieces: a pipe is decoded as it fills, and no file is ever held whole.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from typing import IO, TYPE_CHECKING, Protocol, cast

from amtdecode.errors import CaptureError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import RawIOBase

CHUNK = 256 * 1024  # bytes a read; as fast as mapping the file, in a fraction of the memory
STANDARD_INPUT = "-"

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878
LZ4_MAGIC = b"\x04\x22\x4d\x18"  # LZ4 frame format 1.6


class Readable(Protocol):
    """Gives the next bytes, at most `size`; b"" only at the end."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


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
        self._stream = stream
        self._ahead = b""
        self._close = close

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without consuming them; fewer only at the end."""
        while len(self._ahead) < size:
            more = self._stream.read(CHUNK)
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self) -> bytes:
        """The next piece, b"" at the end."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        try:
            return self._stream.read(CHUNK)
        except OSError as error:
            raise DamageError(f"reading failed: {error.strerror or error}") from error

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

    def read(self, size: int) -> bytes:
        data = os.read(self._descriptor, size)
        self.position += len(data)
        return data


class _Gzip:
    """Gzip without end checks that would lose the last bytes: what inflates is given out, then the damage told."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(wbits=31)
        self._waiting = b""

    def read(self, size: int) -> bytes:
        while True:
            raw = self._waiting or self._stream.read(CHUNK)
            if not raw:
                if not self._inflate.eof:
                    raise DamageError("the gzip data ends before its end mark")
                return b""
            self._waiting = b""
            if self._inflate.eof:  # several members in one file, or padding behind the last
                if not raw.startswith(GZIP_MAGIC[:1]):
                    return b""
                self._inflate = zlib.decompressobj(wbits=31)
            try:
                data = self._inflate.decompress(raw, size)
            except zlib.error as error:
                raise DamageError(f"damaged gzip data ({error})") from error
            self._waiting = self._inflate.unconsumed_tail or self._inflate.unused_data
            if data:
                return data


class _Frames:
    """zstd and lz4 through their libraries' streaming readers."""

    def __init__(self, stream: Readable, kind: str) -> None:
        self._kind = kind
        self._reader = _zstd_reader(stream) if kind == "zstd" else _lz4_reader(stream)

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size)
        except Exception as error:  # each library has its own family of errors
            raise DamageError(f"damaged {self._kind} data ({error})") from error


def _zstd_reader(stream: Readable) -> Readable:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("this capture is compressed with zstd: install amtdecode[zstd]") from None
    opened = zstandard.ZstdDecompressor().stream_reader(cast("IO[bytes]", stream), read_across_frames=True)
    return cast("Readable", opened)


def _lz4_reader(stream: Readable) -> Readable:
    try:
        import lz4.frame
    except ImportError:
        raise MissingExtraError("this capture is compressed with lz4: install amtdecode[lz4]") from None
    return cast("Readable", _Lz4(stream, lz4.frame.LZ4FrameDecompressor))


class _Lz4:
    def __init__(self, stream: Readable, decompressor: Callable[[], object]) -> None:
        self._stream = stream
        self._new = decompressor
        self._open = decompressor()

    def read(self, size: int) -> bytes:
        from typing import Any

        opened: Any = self._open
        while True:
            if opened.eof:
                rest = opened.unused_data or self._stream.read(CHUNK)
                if not rest:
                    return b""
                opened = self._open = self._new()
                data = opened.decompress(rest, max_length=size)
            elif opened.needs_input:
                raw = self._stream.read(CHUNK)
                if not raw:
                    raise DamageError("the lz4 data ends before its end mark")
                data = opened.decompress(raw, max_length=size)
            else:
                data = opened.decompress(b"", max_length=size)
            if data:
                return bytes(data)


def open_source(name: str) -> Source:
    """Open a file or standard input ("-") for reading.

    Raises `CaptureError` when it is missing, forbidden or a directory, `MissingExtraError` for zstd and lz4 without
    their extra.
    """
    stream, size, close = _open_file(name)
    source = Source(name, stream, size, close)
    head = source.peek(4)
    if head.startswith(GZIP_MAGIC):
        source = _inside(source, _Gzip(_Rest(source)))
    elif head == ZSTD_MAGIC:
        source = _inside(source, _Frames(_Rest(source), "zstd"))
    elif head == LZ4_MAGIC:
        source = _inside(source, _Frames(_Rest(source), "lz4"))
    source.raw_position = lambda: stream.position
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
    except OSError as error:
        raise CaptureError(f"{name}: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:  # a NUL in the name
        raise CaptureError(f"{name!r}: {error}") from None
    regular = stat.S_ISREG(status.st_mode)
    return _Unbuffered(file), status.st_size if regular else None, file.close
