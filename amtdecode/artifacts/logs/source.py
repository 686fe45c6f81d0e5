"""The bytes of a log: opened, decompressed, brought to one encoding, and cut into blocks of whole lines."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import IO, TYPE_CHECKING

from amtdecode.errors import ArtifactError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT = "-"
BLOCK = 1 << 18  # bytes read at once
MAX_LINE = 1 << 16  # bytes of a line that are kept; the rest of it is dropped and counted
MAX_ENDLESS = 1 << 26  # bytes without the end of a line after which reading stops: no log has such a line

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def open_source(source: str | os.PathLike[str] | IO[bytes]) -> tuple[IO[bytes], str, bool]:
    """A binary stream, its name, and whether it is ours to close. ArtifactError for what cannot be opened."""
    if not isinstance(source, str | os.PathLike):
        return source, str(getattr(source, "name", "-")), False
    name = os.fspath(source)
    if name == STANDARD_INPUT:
        return sys.stdin.buffer, name, False
    try:
        return open(name, "rb"), name, True  # the reader closes it
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{name}: {reason(error)}") from error


def decompressed(stream: IO[bytes]) -> tuple[IO[bytes], str]:
    """The stream with gzip, bzip2 or xz taken off, told by its first bytes."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(_Raw(stream), BLOCK)  # type: ignore[type-var]
    head = buffered.peek(6)[:6]
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.GzipFile(fileobj=buffered), "gzip"  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        import bz2

        return bz2.BZ2File(buffered), "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        import lzma

        return lzma.LZMAFile(buffered), "xz"
    return buffered, ""


class _Raw(io.RawIOBase):
    """Anything with `read` as a raw stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def encoding_of(head: bytes) -> str:
    """The encoding a text begins with: by its mark, or UTF-16 by where its zero bytes stand; else "bytes"."""
    for mark, name in _UTF16.items():
        if head.startswith(mark):
            return name
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    sample = head[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) >= 4 and max(even, odd) > len(sample) * 0.3 and min(even, odd) < len(sample) * 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "bytes"


class Blocks:
    """Iterates over blocks of whole lines, each ending in a newline; what was UTF-16 is UTF-8, the rest as it came."""

    def __init__(self, stream: IO[bytes], *, interruptible: bool = False) -> None:
        self._interruptible = interruptible
        self.interrupted = False
        """Ctrl-C ended the reading; what had come by then is given."""
        self._stream, self.compression = decompressed(stream)
        self.encoding = "bytes"
        self.cut_lines = 0
        self.fault = ""
        """Why reading stopped before the end, in words."""
        self.open_end = False
        """The last line has no newline."""

    def _raw(self) -> Iterator[bytes]:
        read = getattr(self._stream, "read1", self._stream.read)  # which gives what comes ahead of damage
        ended = False
        while not (ended or self.fault):
            pieces: list[bytes] = []
            size = 0
            try:
                while size < BLOCK:
                    piece = read(BLOCK - size)
                    if not piece:
                        ended = True
                        break
                    pieces.append(piece)
                    size += len(piece)
            except KeyboardInterrupt:
                if not self._interruptible:
                    raise
                self.interrupted = ended = True
            except EOFError:
                self.fault = f"cannot be read further: the {self.compression} data ends before its end mark"
            except OSError as error:  # without a number: gzip and bzip2 on damage
                why = reason(error) if error.errno else f"damaged {self.compression} data"
                self.fault = f"cannot be read further: {why}"
            except Exception:  # zlib.error, and lzma.LZMAError, without importing lzma
                self.fault = f"cannot be read further: damaged {self.compression} data"
            if pieces:
                yield pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _text(self) -> Iterator[bytes]:
        decoder = None
        first = True
        for data in self._raw():
            if first:
                first = False
                self.encoding = encoding_of(data)
                if self.encoding == "utf-8-sig":
                    data = data[len(codecs.BOM_UTF8) :]
                elif self.encoding != "bytes":
                    decoder = codecs.getincrementaldecoder(self.encoding)("replace")
                    data = data[2:] if data[:2] in _UTF16 else data
            yield data if decoder is None else decoder.decode(data).encode("utf-8", "replace")

    def __iter__(self) -> Iterator[bytes]:
        carry, dropped = b"", 0  # bytes of the line under way
        for data in self._text():
            if dropped:
                at = data.find(b"\n")
                if at < 0:
                    dropped += len(data)
                    if dropped > MAX_ENDLESS:
                        self.fault = f"cannot be read further: no end of a line in {MAX_ENDLESS >> 20} MiB"
                        return
                    continue
                data, dropped = data[at + 1 :], 0
            end = data.rfind(b"\n") + 1
            block = b"".join((carry, memoryview(data)[:end])) if end else b""
            carry = data[end:] if end else carry + data
            del data  # a block is large: one copy of it is held, not two
            if end:
                yield block
            if len(carry) > MAX_LINE:
                yield carry[:MAX_LINE] + b"\n"
                self.cut_lines += 1
                carry, dropped = b"", len(carry)
        if carry:
            self.open_end = True
            yield carry + b"\n"
