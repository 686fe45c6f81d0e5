"""The keys a run was given, behind the few questions a dissector asks."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from os import PathLike, fsdecode
from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.errors import KeyFileError, UsageError
from amtdecode.secrets.files import read_key_file
from amtdecode.secrets.keylog import KeyLog, KeyLogFile
from amtdecode.secrets.psk import PskTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.secrets.found import Found
    from amtdecode.secrets.rsa import RsaKey


class Keys:
    """All key material of a run. Falsy when there is none; its repr counts and never shows."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._psks = PskTable(self._notes)
        self._rsa_keys: list[RsaKey] = []
        self._log = KeyLog()
        self._log_files: list[KeyLogFile] = []
        self._http_passwords: dict[str, str] = {}
        self._ahead: dict[str, int] = {}  # key logs inside captures that were taken in before the reading, by name
        self._given = False  # the user gave any of these
        self._below: Keys | None = None  # asked for the secrets that the own log lacks
        self.found: Found | None = None
        """Where the secrets that opened something are put down; `None`: nowhere."""

    @classmethod
    def load(
        cls,
        psk: Sequence[str] = (),
        psk_files: Sequence[str | PathLike[str] | bytes] = (),
        rsa_keys: Sequence[str | PathLike[str]] = (),
        keylogs: Sequence[str | PathLike[str]] = (),
        http_passwords: Sequence[str] = (),
        *,
        await_keylogs: bool = False,
    ) -> Keys:
        """Read key material as the command line names it.

        `psk`: `IDENTITY=PPS`, `IDENTITY=hex:…`, `*=…`; `psk_files`: CSV with the header `pid,pps` or setup.bin, `-` for
        standard input, or the bytes of one; `rsa_keys`: `FILE` or `FILE:password`; `http_passwords`: `USER=FILE`;
        `await_keylogs`: a key log that does not exist yet is read once it does.
        Raises `KeyFileError`, one line, for the first that cannot be read or makes no sense, and `UsageError` for what
        is no list of texts.
        """
        keys = cls()
        for option in _texts("psk", psk):
            keys._psks.add_option(option)
        for file in _listed("psk_files", psk_files):
            keys._psks.add_file(file if isinstance(file, bytes) else _text("psk_files", file))
        for option in _texts("rsa_keys", rsa_keys):
            from amtdecode.secrets.rsa import load_rsa_keys

            keys._rsa_keys += load_rsa_keys(option)
        keys._log_files = [KeyLogFile(path, keys._log, awaited=await_keylogs) for path in _texts("keylogs", keylogs)]
        keys._notes += [
            f"key log {log.path}: is not there yet, and read once it is" for log in keys._log_files if log.missing
        ]
        for option in _texts("http_passwords", http_passwords):
            keys._add_http_password(option)
        keys._given = bool(keys._psks or keys._rsa_keys or keys._log_files or keys._http_passwords)
        return keys

    def copy(self) -> Keys:
        """Give keys to which a reading may add what it finds. Logs that grow go on growing for both."""
        keys = copy(self)
        keys._log, keys._log_files, keys._ahead, keys._below = KeyLog(), [], {}, self
        return keys

    def __bool__(self) -> bool:
        return self._given or self.logged

    def __repr__(self) -> str:
        secrets = sum(map(len, self._logs))
        return (
            f"Keys({counted(len(self._psks), 'PSK identity', 'PSK identities')}, "
            f"{counted(len(self._rsa_keys), 'RSA key')}, {counted(secrets, 'logged secret')}, "
            f"{counted(len(self._http_passwords), 'HTTP password')})"
        )

    @property
    def notes(self) -> list[str]:
        """What a user should know of the material: wrong check characters, lines of a key log that make no sense."""
        bad = sum(log.bad_lines for log in self._logs)
        return [*self._notes, f"key logs: {counted(bad, 'line')} of no known form"] if bad else list(self._notes)

    def psks(self, identity: bytes) -> Sequence[bytes]:
        """Give pre-shared keys to try for an identity as on the wire: its own first, then those for any identity."""
        return self._psks.lookup(identity)

    def rsa_keys(self, certificate: bytes | None) -> Sequence[RsaKey]:
        """Give the private keys of a certificate (DER): no other opens what is encrypted for it. All for `None`."""
        return self._rsa_keys if certificate is None else [key for key in self._rsa_keys if key.fits(certificate)]

    @property
    def logged(self) -> bool:
        """Whether there is any key log to look into."""
        return self._log.count > 0 or bool(self._log_files) or (self._below is not None and self._below.logged)

    def secret(self, label: str, client_random: bytes) -> bytes | None:
        """Look a client random up in the key logs under a label.

        `CLIENT_RANDOM` gives the master secret up to TLS 1.2; TLS 1.3 has `CLIENT_HANDSHAKE_TRAFFIC_SECRET`,
        `SERVER_HANDSHAKE_TRAFFIC_SECRET`, `CLIENT_TRAFFIC_SECRET_0`, `SERVER_TRAFFIC_SECRET_0`,
        `CLIENT_EARLY_TRAFFIC_SECRET`. Under `SESSION_ID` a session id gives the master secret where a log has it so.
        On a miss, files that have grown are read on.
        """
        if self._log_files or self._log.count:
            found = self._log.lookup(label, client_random)
            if found is None and self._refresh():
                found = self._log.lookup(label, client_random)
            if found is not None:
                return found
        return self._below.secret(label, client_random) if self._below is not None else None

    def proven(self, label: str, client_random: bytes, secret: bytes) -> None:
        """Put down a secret that opened a record, under its label in key logs."""
        if self.found is not None:
            self.found.add(label, client_random, secret)

    def rsa_premaster(self, encrypted: bytes) -> bytes | None:
        """Look an encrypted premaster secret (without its two-byte length) up in the `RSA` lines of key logs."""
        return self.secret("RSA", encrypted[:8])

    def add_keylog(self, data: bytes) -> None:
        """Take in a key log found in a capture (decryption secrets block of a pcapng), at any time."""
        self._log.feed(data)

    def add_ahead(self, data: bytes, source: str) -> None:
        """Take in a key log found in a capture before its packets are read; `source` is the name of the capture."""
        self._log.feed(data)
        self._ahead[source] = self._ahead.get(source, 0) + 1

    def taken_ahead(self, source: str) -> bool:
        """Whether the next key log that the reading finds in this capture was taken in ahead; it then counts as met."""
        left = self._ahead.get(source, 0)
        self._ahead[source] = max(0, left - 1)
        return left > 0

    def add_psk_file(self, file: str | PathLike[str] | bytes) -> None:
        """Take in a table of pre-shared keys or a setup.bin: its name, or what it holds. Raises `KeyFileError`."""
        self._notes = list(self._notes)
        self._psks = self._psks.copy(self._notes)  # those of the keys this is a copy of stay as they are
        self._psks.add_file(file if isinstance(file, bytes) else _text("file", file))
        self._given = True

    def http_password(self, user: str) -> str | None:
        """Give the password of an HTTP user."""
        return self._http_passwords.get(user)

    def material(self) -> Iterator[bytes]:
        """All of it, for a digest that tells other keys from these."""
        yield from self._psks.material()
        for key in self._rsa_keys:
            yield key.modulus
        yield from self.password_material()
        for log in self._logs:
            yield from log.material()

    def password_material(self) -> Iterator[bytes]:
        """The HTTP passwords with their users, the same way."""
        for user, password in sorted(self._http_passwords.items()):
            yield f"{user}={password}".encode("utf-8", "surrogateescape")

    @property
    def _logs(self) -> list[KeyLog]:
        return [self._log, *(self._below._logs if self._below is not None else ())]

    def _refresh(self) -> bool:
        return any([file.refresh() for file in self._log_files])  # noqa: C419  all of them, not up to the first

    def _add_http_password(self, option: str) -> None:
        user, equals, path = option.partition("=")
        if not (equals and user and path):
            raise KeyFileError("an HTTP password is given as USER=FILE, the file holding the password")
        shown = f"{user}=… (name a FILE that holds it)"
        data = read_key_file(path, "HTTP password", shown).removesuffix(b"\n").removesuffix(b"\r")
        try:
            self._http_passwords[user] = data.decode()
        except UnicodeDecodeError:
            self._http_passwords[user] = data.decode("latin-1")


def _listed(name: str, given: Any) -> list[Any]:
    """A list, also of what is given alone."""
    if isinstance(given, (str, bytes, PathLike)):
        return [given]
    if not isinstance(given, Iterable):
        raise UsageError(f"{name} takes a list of texts, not a value of type {type(given).__name__}")
    return list(given)


def _text(name: str, given: Any) -> str:
    if not isinstance(given, (str, PathLike)):
        raise UsageError(f"{name} takes texts or paths, not a value of type {type(given).__name__}")
    return fsdecode(given)


def _texts(name: str, given: Any) -> list[str]:
    return [_text(name, each) for each in _listed(name, given)]
