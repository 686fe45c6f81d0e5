"""Pre-shared keys by identity, as given on the command line, in a table, or in a setup.bin."""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeAlias

from amtdecode.counting import counted
from amtdecode.errors import KeyFileError
from amtdecode.secrets.files import read_key_file, read_standard_input
from amtdecode.secrets.pid import check_character, is_pid_shaped, is_pps_shaped, wrong_pps_groups
from amtdecode.secrets.setupbin import is_setupbin, psk_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_NOTES: Final = 100
MAX_KEYS: Final = 512  # given for one identity or for any that are tried
ANY: Final = "*"
HEX: Final = "hex:"

Given: TypeAlias = bytes | dict[bytes, None]
"""The keys of an identity as they were given: mostly one; several are a dict as an ordered set."""


class PskTable:
    """Keys by identity. Identities compare with dashes removed, upper and lower case as they are."""

    def __init__(self, notes: list[str]) -> None:
        self._by_identity: dict[bytes, Given] = {}
        self._any: dict[bytes, None] = {}
        self._notes = notes

    def copy(self, notes: list[str]) -> PskTable:
        """A table with the same keys, which may be given more; what is odd about those goes to `notes`."""
        table = PskTable(notes)
        for identity, given in self._by_identity.items():
            table._by_identity[identity] = given if isinstance(given, bytes) else dict(given)
        table._any = dict(self._any)
        return table

    def __repr__(self) -> str:
        return f"PskTable({counted(len(self), 'identity', 'identities')})"

    def __len__(self) -> int:
        return len(self._by_identity) + bool(self._any)

    def lookup(self, identity: bytes) -> Sequence[bytes]:
        """Give the keys to try for an identity as it was on the wire: its own first, then those for any identity."""
        own = self._by_identity.get(identity.replace(b"-", b"").rstrip(b"\0"), ())  # some stacks send the string's end
        if isinstance(own, bytes) and not self._any:
            return [*_readings(own)]
        given = chain((own,) if isinstance(own, bytes) else own, self._any)
        keys: dict[bytes, None] = {}
        for secret in islice(given, MAX_KEYS):
            keys.update(dict.fromkeys(_readings(secret)))
        return [*keys]

    def material(self) -> Iterator[bytes]:
        """All identities and keys, as they were given, for a digest."""
        for identity, given in sorted(self._by_identity.items()):
            for secret in (given,) if isinstance(given, bytes) else given:
                yield identity + b"=" + secret
        yield from self._any

    def add_option(self, option: str) -> None:
        """Take in `IDENTITY=PPS`, `IDENTITY=hex:…` or `*=…`."""
        identity, equals, secret = option.partition("=")
        if not (equals and identity and secret):
            raise KeyFileError("a PSK is given as IDENTITY=PPS, IDENTITY=hex:… or *=…")
        self._add(identity, secret, f"PSK of {identity}")

    def add_file(self, file: str | bytes) -> None:
        """Take in a table (CSV with header `pid,pps`) or a setup.bin: its name (`-`: standard input) or its bytes."""
        what = "PSK file"
        if isinstance(file, bytes):
            name, data = f"{what} <bytes>", file
        else:
            name = f"{what} {file}"
            data = _read(file, what)
        if is_setupbin(data):
            pairs = psk_pairs(data)
            if not pairs:
                raise KeyFileError(f"{name}: this setup.bin holds no PID and PPS")
            for pid, pps in pairs:
                identity = pid.decode("latin-1")
                self._add(identity, pps.decode("latin-1"), f"{name}, PID {identity}")
        else:
            self._add_table(data, name)

    def _add_table(self, data: bytes, name: str) -> None:
        for line, pid, pps in _rows(data, name):
            if pid and pps:
                self._add(pid, pps, f"{name}, line {line}, PID {pid}")
            else:
                self._note(f"{name}, line {line}: no {'PPS' if pid else 'PID'}, line passed over")

    def _add(self, identity: str, secret: str, name: str) -> None:
        given = secret.encode("utf-8", "surrogateescape")
        if secret[:4].lower() == HEX:
            try:
                key = _readings(given)[0]
            except ValueError:
                raise KeyFileError(f"{name}: not an even number of hexadecimal digits after hex:") from None
            if not key:
                raise KeyFileError(f"{name}: no digits after hex:")
        else:
            self._judge(identity, secret, name)
        if identity == ANY:
            self._any[given] = None
            return
        of = _identity(identity)
        known = self._by_identity.setdefault(of, given)
        if known != given:
            if isinstance(known, bytes):
                known = self._by_identity[of] = {known: None}
            known[given] = None

    def _judge(self, identity: str, secret: str, name: str) -> None:
        """Note wrong check characters, which never speak against using a key; nothing of the PPS itself is told."""
        if len(self._notes) >= MAX_NOTES:
            return
        pid, pps = identity.replace("-", ""), secret.replace("-", "").upper()
        if is_pid_shaped(pid) and (check := check_character(pid[:-1])) != pid[-1]:
            self._note(f"{name}: the check character of the PID is {pid[-1]} and should be {check}; used all the same")
        if is_pps_shaped(pps):
            if wrong := wrong_pps_groups(pps):
                groups = ", ".join(map(str, wrong))
                plural = "s" if len(wrong) > 1 else ""
                self._note(f"{name}: wrong check character in group{plural} {groups} of the PPS; used all the same")
        elif is_pid_shaped(pid):
            self._note(f"{name}: a PPS is 32 characters A-Z 0-9, this has {len(pps)}; used all the same")

    def _note(self, text: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text)


def read_pairs(file: str) -> list[tuple[str, str]]:
    """PID and PPS of each row of a table (CSV with header `pid,pps`) or record of a setup.bin; `-`: standard input.

    Raises `KeyFileError` for what is neither, and for a row that lacks one of them.
    """
    what = "file of pairs"
    name, data = f"{what} {file}", _read(file, what)
    if is_setupbin(data):
        return [(pid.decode("latin-1"), pps.decode("latin-1")) for pid, pps in psk_pairs(data)]
    pairs = []
    for line, pid, pps in _rows(data, name):
        if not (pid and pps):
            raise KeyFileError(f"{name}, line {line}: no {'PPS' if pid else 'PID'}")
        pairs.append((pid, pps))
    return pairs


def _read(file: str, what: str) -> bytes:
    return read_standard_input(what) if file == "-" else read_key_file(file, what, _shown(file))


def _rows(data: bytes, name: str) -> Iterator[tuple[int, str, str]]:
    """Number of the line, PID and PPS of each row of a table that is not empty. Raises `KeyFileError`."""
    import csv

    # UTF-8, or UTF-16 with its byte order mark as PowerShell writes it; decoded line by line, as a table is large
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    try:
        header = text.readline()
        delimiter = max(",;\t", key=header.count)  # what spreadsheets write depends on the country
        rows = csv.reader(chain([header], text), delimiter=delimiter)
        columns = [column.strip().lower() for column in next(rows, [])]
        if "pid" not in columns or "pps" not in columns:
            raise KeyFileError(f"{name}: neither a setup.bin nor a table whose first line names the columns pid,pps")
        pid_column, pps_column = columns.index("pid"), columns.index("pps")
        for row in rows:
            pid, pps = (row[at].strip() if at < len(row) else "" for at in (pid_column, pps_column))
            if any(row):
                yield rows.line_num, pid, pps
    except csv.Error:
        fault = f"a value is longer than {csv.field_size_limit()} characters, or its quote does not end"
        raise KeyFileError(f"{name}, line {rows.line_num}: {fault}") from None
    except UnicodeError:
        raise KeyFileError(f"{name}: neither a setup.bin nor a table in UTF-8") from None


def _shown(path: str) -> str:
    """The name of a file for an error: without what is likely a key, as `--psk` takes it."""
    identity, equals, _ = path.partition("=")
    if not equals and not is_pps_shaped(path.replace("-", "").upper()):
        return path
    return f"{identity + equals if equals else ''}… (a FILE is wanted)"


def _identity(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape").replace(b"-", b"")


@lru_cache(2 * MAX_KEYS)
def _readings(given: bytes) -> tuple[bytes, ...]:
    """Ways to read a key given as text, likeliest first: a PPS without its dashes, the text as it stands."""
    secret = given.decode("utf-8", "surrogateescape")
    if secret[:4].lower() == HEX:
        return (bytes.fromhex(secret[4:].replace(":", "")),)
    bare = secret.replace("-", "")
    readings = [bare, bare.upper(), secret] if is_pps_shaped(bare.upper()) else [secret, bare]
    return tuple(dict.fromkeys([reading.encode("utf-8", "surrogateescape") for reading in readings if reading]))
