"""Registry keys exported to a .reg file: reading them, and the texts that turn the SCS debug log on and off.

Format  "Windows Registry Editor Version 5.00" (UTF-16 with mark, as regedit writes, or any other encoding) or
        "REGEDIT4" (Windows-1252); [key], "name"="text", "name"=dword:…, "name"=hex:…, with a backslash at the end of a
        line that goes on; [-key] and "name"=- delete
Source  Microsoft, "How to add, modify, or delete registry subkeys and values by using a .reg file"; the key and its
        value: the 2007 article on SCS debug logging
Limits  MAX_VALUE characters of a value, MAX_VALUES keys and values; only keys that name AMTConfServer are kept
"""

from __future__ import annotations

import io
import os
import re
from typing import IO, TYPE_CHECKING, NamedTuple

from amtdecode.errors import ArtifactError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\INTEL\AMTConfServer\Log"
VALUE = "LogLevel"
LEVELS = {"V": "verbose", "W": "warnings and errors", "E": "errors only"}
VERBOSE = "V"

MAX_VALUE = 1 << 16  # characters
MAX_VALUES = 10_000
HEADERS = ("windows registry editor version 5.00", "regedit4")
OF_INTEREST = "\\amtconfserver"

_VALUE = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|@)\s*=\s*(.*)', re.DOTALL)
_THUMBPRINT = re.compile(r"[0-9a-f]{40}")
_DWORD = re.compile(r"[0-9a-fA-F]{1,8}")


class RegFile(NamedTuple):
    """What a .reg file says of the SCS service. Keys and names compare without case."""

    keys: Mapping[str, Mapping[str, str | int | bytes | None]]  # `None`: the file deletes the value
    deleted: tuple[str, ...]  # keys the file deletes
    other_keys: int  # keys not kept
    faults: tuple[str, ...]

    @property
    def log_key_seen(self) -> bool:
        """True where the file has the key of the debug log, or the whole key of the service above it."""
        return any(key.endswith(("\\amtconfserver\\log", "\\amtconfserver")) for key in self.keys)

    @property
    def log_level(self) -> str | None:
        """V, W or E, upper case, or whatever else is there; `None` where it is absent or deleted: logging is off.

        The key is also taken below Wow6432Node, where 64-bit Windows keeps it for a 32-bit service [inferred].
        """
        for key, values in self.keys.items():
            if key.endswith("\\amtconfserver\\log"):
                value = values.get(VALUE.lower())
                if isinstance(value, str):
                    return value.strip().upper()
        return None

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """Values that look like the SHA-1 of a certificate, lower case hex: what loadcert may have written."""
        found = []
        for values in self.keys.values():
            for value in values.values():
                text = value.hex() if isinstance(value, bytes) else str(value).replace(" ", "").replace(":", "").lower()
                if _THUMBPRINT.fullmatch(text):
                    found.append(text)
        return tuple(dict.fromkeys(found))


class _NoValueError(Exception):
    """What stands behind the equals sign is no value; the text says why."""


def _lines(stream: IO[bytes]) -> Iterator[tuple[str, bool]]:
    """Lines of text, joined where they go on, and whether something was cut off."""
    head = stream.read(4)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le" if head[1:2] == b"\0" else ""
    rest = io.BufferedReader(_Rejoined(head, stream))  # type: ignore[type-var]
    if not encoding:
        encoding = "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "cp1252"
    text = io.TextIOWrapper(rest, encoding, errors="replace", newline=None)
    while line := text.readline(MAX_VALUE):
        pieces, size = [line.rstrip("\n")], len(line)
        goes_on = pieces[0].endswith("\\")
        while goes_on and (more := text.readline(MAX_VALUE)):
            more = more.strip()
            goes_on = more.endswith("\\")
            size += len(more)
            if size <= MAX_VALUE:
                pieces.append(more)
        yield "".join(piece.removesuffix("\\") for piece in pieces).strip(), size > MAX_VALUE


class _Rejoined(io.RawIOBase):
    """The bytes already read, and the rest of a stream."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._head or self._stream.read(len(buffer))
        self._head = data[len(buffer) :]
        data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


def _value(text: str) -> str | int | bytes | None:
    """The value behind the equals sign. `_NoValueError` where it is none."""
    if text == "-":
        return None
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    kind, _, digits = text.partition(":")
    if kind.lower() == "dword":
        if not _DWORD.fullmatch(digits):
            raise _NoValueError("a dword is up to 8 hexadecimal digits")
        return int(digits, 16)
    if kind.lower() == "hex" or re.fullmatch(r"hex\([0-9a-f]+\)", kind, re.IGNORECASE):
        try:
            data = bytes.fromhex(digits.replace(",", " "))
        except ValueError:
            raise _NoValueError("not bytes in hexadecimal digits, with commas between them") from None
        if kind.lower() in ("hex(1)", "hex(2)"):  # REG_SZ and REG_EXPAND_SZ, UTF-16
            return data.decode("utf-16-le", "replace").rstrip("\0")
        return data
    raise _NoValueError("neither text nor dword nor hex")


def read_reg(source: str | os.PathLike[str] | IO[bytes]) -> RegFile:
    """Read an exported .reg file. ArtifactError where it cannot be opened or is no .reg file."""
    if not isinstance(source, str | os.PathLike):
        return _read(source, str(getattr(source, "name", "-")))
    name = os.fspath(source)
    try:
        with open(name, "rb") as stream:
            return _read(stream, name)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{name}: {reason(error)}") from error


def looks_like_reg(head: bytes) -> bool:
    """Tell a .reg file by its first bytes."""
    text = head[:200].replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n").lower()
    return text.startswith(tuple(header.encode() for header in HEADERS))


def _read(stream: IO[bytes], name: str) -> RegFile:
    lines = _lines(stream)
    first = next((line for line, _ in lines if line), "")
    if first.lstrip("\ufeff").lower() not in HEADERS:
        raise ArtifactError(f"{name}: not a .reg file: it does not begin with the name of the registry editor")
    keys: dict[str, dict[str, str | int | bytes | None]] = {}
    deleted: list[str] = []
    faults: list[str] = []
    current: dict[str, str | int | bytes | None] | None = None
    others = count = 0
    for line, cut in lines:
        if not line or line.startswith(";"):
            continue
        if line.startswith("[") and line.endswith("]"):
            key = line[1:-1].lower()
            count += OF_INTEREST in key
            if OF_INTEREST not in key or count > MAX_VALUES:
                current, others = None, others + 1
            elif key.startswith("-"):
                deleted.append(key[1:])
                current = None
            else:
                current = keys.setdefault(key, {})
        elif current is not None and count < MAX_VALUES:
            count += 1
            _take(line, cut, current, faults)
    if count >= MAX_VALUES:
        faults.append(f"MAX_VALUES = {MAX_VALUES} reached: further keys and values are not read")
    return RegFile(keys, tuple(deleted), others, tuple(faults))


def _take(line: str, cut: bool, values: dict[str, str | int | bytes | None], faults: list[str]) -> None:
    match = _VALUE.fullmatch(line)
    if match is None:
        faults.append(f"not a value: {line[:80]}")
        return
    name = re.sub(r"\\(.)", r"\1", match[1] or "").lower()
    if cut:
        faults.append(f"value {name} is longer than MAX_VALUE = {MAX_VALUE}: cut")
        return
    try:
        values[name] = _value(match[2])
    except _NoValueError as error:
        faults.append(f"value {name}: {error}")


def log_on_text(level: str = VERBOSE) -> str:
    """The text of a .reg file that turns the SCS debug log on; level V, W or E. Save it with `reg_bytes`."""
    if level not in LEVELS:
        raise ValueError(f"level {level!r} is none of {', '.join(LEVELS)}")
    return (
        "Windows Registry Editor Version 5.00\r\n\r\n"
        f"; Turns the debug log of Intel SCS on: {LEVELS[level]}.\r\n"
        "; Restart the AMTconfig service afterwards. The logs appear in the root of C: and grow without bound:\r\n"
        "; turn the log off again when done.\r\n\r\n"
        f'[{KEY}]\r\n"{VALUE}"="{level}"\r\n'
    )


def log_off_text() -> str:
    """The text of a .reg file that removes the value, and with it the SCS debug log."""
    return (
        "Windows Registry Editor Version 5.00\r\n\r\n"
        "; Turns the debug log of Intel SCS off. Restart the AMTconfig service afterwards.\r\n\r\n"
        f'[{KEY}]\r\n"{VALUE}"=-\r\n'
    )


def reg_bytes(text: str) -> bytes:
    """A .reg text as regedit saves it: UTF-16 little-endian with its mark."""
    return b"\xff\xfe" + text.encode("utf-16-le")
