"""Key logs in the format of NSS, which browsers and TLS libraries write (`SSLKEYLOGFILE`), also while they grow.

A line is a label, the client random in hexadecimal, and a secret in hexadecimal; `RSA` lines of old have the first 8
bytes of the encrypted premaster secret instead, or `Session-ID:` and `Master-Key:`. Anything else is counted, and no
reason to stop. Sources: "NSS Key Log Format" (Mozilla), draft-ietf-tls-keylogfile.
"""

from __future__ import annotations

import os
import re
import stat
from binascii import Error as NoDigitsError
from binascii import unhexlify
from typing import TYPE_CHECKING, Final

from amtdecode.errors import KeyFileError, reason
from amtdecode.secrets.packed import MAX_SIZE, Packed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SECRETS: Final = 1 << 20  # remembered; then the older half of them goes
MAX_LABELS: Final = 64
MAX_LINE: Final = 4096  # bytes; the longest that makes sense has a few hundred
MAX_SPECIAL_FILE: Final = 64 << 20  # bytes read of a pipe or device, which is read once
_STEP: Final = 1 << 20  # bytes read at a time

SESSION_ID: Final = "SESSION_ID"
"""The label under which master secrets of `RSA Session-ID:… Master-Key:…` lines are kept."""

_LINE: Final = re.compile(rb"([A-Z][A-Z0-9_]*) +([0-9a-fA-F]+) +([0-9a-fA-F]+)")
_SESSION_LINE: Final = re.compile(rb"RSA Session-ID:([0-9a-fA-F]*) Master-Key:([0-9a-fA-F]+)")


class KeyLog:
    """Secrets of all key logs together, by label and client random."""

    def __init__(self) -> None:
        self._labels: dict[bytes, int] = {}
        self._newer, self._older = Packed(), Packed()
        self.bad_lines = 0

    def __len__(self) -> int:
        return self.count

    @property
    def count(self) -> int:
        """Secrets remembered; one that came again after the older half was set aside counts twice."""
        return self._newer.count + self._older.count

    def lookup(self, label: str, key: bytes) -> bytes | None:
        """Find a secret."""
        number = self._labels.get(label.encode())
        if number is None:
            return None
        found = self._newer.get(number, key)
        return self._older.get(number, key) if found is None else found

    def material(self) -> Iterator[bytes]:
        """All secrets as they lie in memory, for a digest."""
        yield repr(sorted(self._labels.items())).encode()
        for packed in (self._older, self._newer):
            yield bytes(packed.__getstate__()[0])

    def feed(self, data: bytes) -> None:
        """Take in whole lines."""
        matched = _LINE.fullmatch
        for line in data.splitlines():
            match = matched(line) if len(line) <= MAX_LINE else None
            if match is None:
                line = line[: MAX_LINE + 1].strip()
                if not line or (line.startswith(b"#") and len(line) <= MAX_LINE):
                    continue
                match = matched(line) or _SESSION_LINE.fullmatch(line)
            try:
                if match is None or not self._add(match):
                    self.bad_lines += 1
            except NoDigitsError:  # an odd number of digits
                self.bad_lines += 1

    def _add(self, match: re.Match[bytes]) -> bool:
        label, key, secret = match.groups() if match.re is _LINE else (SESSION_ID.encode(), *match.groups())
        number = self._labels.get(label)
        if number is None:
            if len(self._labels) >= MAX_LABELS:
                return False
            number = self._labels[label] = len(self._labels)
        if len(key) > 2 * MAX_SIZE or len(secret) > 2 * MAX_SIZE:
            return False
        newer = self._newer
        if newer.written >= MAX_SECRETS // 2:
            newer, self._older = Packed(), newer
            self._newer = newer
        newer.put(number, unhexlify(key), unhexlify(secret))
        return True


class KeyLogFile:
    """One key log file, read to its end, and further when it has grown.

    `awaited`: it may come later, as a program writes it only when it has its first secret.
    """

    def __init__(self, path: str, log: KeyLog, *, awaited: bool = False) -> None:
        self.path = path
        self._log = log
        self._offset = 0
        self._rest = b""  # of the last line, not yet ended
        self._regular = True
        self.missing = False
        try:
            self._regular = stat.S_ISREG(os.stat(path).st_mode)
            self._read()
        except OSError as error:
            self.missing = awaited and isinstance(error, FileNotFoundError)
            if self.missing:
                return
            raise KeyFileError(f"key log {path}: {reason(error)}") from None
        except ValueError:  # a null character in the name
            raise KeyFileError("key log: not a file name") from None

    def refresh(self) -> bool:
        """Read what was appended since; true if there was something. What cannot be read any more is let be."""
        if not self._regular:
            return False
        try:
            found = os.stat(self.path)
            size = found.st_size
            if size == self._offset or not stat.S_ISREG(found.st_mode):
                return False
            if size < self._offset:  # begun anew
                self._offset, self._rest = 0, b""
            return self._read()
        except OSError:
            return False

    def _read(self) -> bool:
        start = self._offset
        with open(self.path, "rb") as file:
            if self._regular:
                file.seek(self._offset)
            while data := file.read(_STEP):
                self._offset += len(data)
                self._take(data)
                if not self._regular and self._offset >= MAX_SPECIAL_FILE:
                    break
        return self._offset != start

    def _take(self, data: bytes) -> None:
        """Give whole lines on; a last line without its end is given too, and once more when it has grown."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        if end:
            self._log.feed(data[:end])
        self._rest = data[end:][-MAX_LINE - 1 :]
        if self._rest and _is_whole(self._rest):
            self._log.feed(self._rest)


def _is_whole(line: bytes) -> bool:
    """Whether a line without an end can stand as it is: all of its 48 or more bytes of secret are there."""
    match = _LINE.fullmatch(line.strip())
    return match is not None and len(match[3]) in {64, 96, 128}
