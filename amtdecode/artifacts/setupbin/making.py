"""Makes a setup.bin for a stated AMT release. What that release does not take is refused, with the reason."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from amtdecode.artifacts.setupbin.variables import BY_KEY, FILE_TYPES, HASHES, POWER_PACKAGES, Shape, Variable
from amtdecode.errors import UsageError
from amtdecode.secrets.pid import pid_is_valid, pps_is_valid
from amtdecode.secrets.setupbin import CHUNK, DATA_RECORD, RECORD_HEADER, SCRAMBLED, VALID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CURRENT_PASSWORD, NEW_PASSWORD = (1, 1), (1, 2)
PID, PPS = (2, 1), (2, 2)
USER_HASH = (2, 8)
DEFAULT_PASSWORD = b"admin"  # of the MEBx as it leaves the factory
MAX_USER_HASHES = 3  # Intel AMT and USB Versions, "Up to three certificate hashes"
MAX_RECORDS = 100_000  # of a file; Intel's tool writes one for each machine
PASSWORD_SIZES = range(8, 33)  # Intel AMT Developers Guide, "Passwords"
LAST_PSK, NO_SHA1 = (10, 99), (16, 0)

Setting = tuple[Variable, bytes]


class Made(NamedTuple):
    """A file, and what whoever carries it should know."""

    data: bytes
    version: tuple[int, int]
    remarks: tuple[str, ...]


def release_of(text: str) -> tuple[int, int]:
    """An AMT release as major and minor number. Raises `UsageError` for what is none, or cannot read a setup.bin."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,5}){0,3}", text):
        raise UsageError(f"{text}: not an AMT version, such as 2.5 or 11.8")
    numbers = [*map(int, text.split(".")), 0]
    if numbers[0] < 2:
        raise UsageError(f"AMT {text} reads no setup.bin; 2.0 is the first")
    return numbers[0], numbers[1]


def format_of(release: tuple[int, int]) -> tuple[int, int]:
    """The version of the file that a release takes, the newest it knows."""
    for first, version in (((11, 0), (4, 0)), ((6, 0), (3, 0)), ((4, 0), (2, 1)), ((3, 0), (2, 0))):
        if release >= first:
            return version
    return 1, 0


def read_setting(variable: Variable, text: str) -> bytes:
    """The bytes of a value given as text: a number, a word of its values, a name, a UUID, an address, or `hex:…`.

    Raises `UsageError` for what the variable cannot hold. The text of a secret is in no error.
    """
    value = _value(variable, text)
    if not value:
        raise UsageError(f"{variable.name}: a value is wanted")
    if variable.size and (len(value) != variable.size if variable.exact else len(value) > variable.size):
        bound = "exactly" if variable.exact else "at most"
        raise UsageError(f"{variable.name}: {bound} {variable.size} bytes are wanted, this has {len(value)}")
    return value


def _value(variable: Variable, text: str) -> bytes:
    shape = variable.shape
    if text.startswith("hex:"):
        try:
            return bytes.fromhex(text[4:])
        except ValueError:
            raise UsageError(f"{variable.name}: not an even number of hexadecimal digits after hex:") from None
    if shape is Shape.TEXT:
        return _text(variable, text)
    shown = f"{variable.name}={text}"
    if shape is Shape.GUID:
        try:
            return UUID(text).bytes
        except ValueError:
            raise UsageError(f"{shown}: not a UUID") from None
    if shape is Shape.IPV4:
        try:
            return IPv4Address(text).packed[::-1]
        except AddressValueError:
            raise UsageError(f"{shown}: not an IPv4 address") from None
    if shape is Shape.ROOT_HASH:
        return _root_hash(shown, text)
    if shape is Shape.BYTES:
        raise UsageError(f"{variable.name}: no public source tells how this is written; give its bytes as hex:…")
    return _number(variable, shown, text)


def _text(variable: Variable, text: str) -> bytes:
    if variable.key in {PID, PPS}:
        text = text.replace("-", "").upper()
    if not text.isascii() or not text.isprintable():
        raise UsageError(f"{variable.name}: printable ASCII is wanted")
    return text.encode()


def _number(variable: Variable, shown: str, text: str) -> bytes:
    size = {Shape.BYTE: 1, Shape.SHORT: 2, Shape.INT: 4}[variable.shape]
    by_word = {word: number for number, word in variable.values.items()}
    number = by_word.get(text.lower(), int(text) if re.fullmatch(r"[0-9]{1,10}", text) else -1)
    allowed = variable.values or range(1 << 8 * size)
    if number not in allowed:
        choice = ", ".join(by_word) if by_word else f"a number from 0 to {(1 << 8 * size) - 1}"
        raise UsageError(f"{shown}: {choice} {'are' if by_word else 'is'} possible")
    return number.to_bytes(size, "little")


def _root_hash(shown: str, text: str) -> bytes:
    """`sha1:HEX` or `sha256:HEX`, and a name behind another colon."""
    kind, _, rest = text.partition(":")
    digits, _, name = rest.partition(":")
    for number, (algorithm, size) in HASHES.items():
        if algorithm == kind.lower().replace("-", ""):
            label = name.encode("ascii", "replace")
            if not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", digits) or len(label) > 32:
                raise UsageError(
                    f"{shown}: {algorithm} has {2 * size} hexadecimal digits, a name 32 characters at most"
                )
            return bytes((number,)) + bytes.fromhex(digits) + bytes((len(label),)) + label
    raise UsageError(f"{shown}: sha1:HEX[:NAME], sha256:HEX[:NAME] or sha384:HEX[:NAME] is wanted")


def make(
    release: tuple[int, int],
    settings: Sequence[Setting],
    pairs: Iterable[tuple[str, str]] = (),
    *,
    keep: bool = False,
    scramble: bool = False,
) -> Made:
    """Make a file for an AMT release: one record for each pair of PID and PPS, or one without a pair.

    `settings` go into every record. `keep`: machines do not consume records, all take the first. `scramble`: as Intel's
    tools write them; it hides nothing. Raises `UsageError` with the reason for what the release does not take, and for
    passwords that the MEBx would refuse.
    """
    version = format_of(release)
    _judge(release, version, settings, keep=keep)
    contents = [_with_pair(settings, pid, pps) for pid, pps in islice(pairs, MAX_RECORDS + 1)]
    if len(contents) > MAX_RECORDS:
        raise UsageError(f"more than {MAX_RECORDS:,} records")
    if not contents:
        contents = [[*settings]]
    modules = {variable.module for variable, _ in contents[0]}
    given = {variable.key for variable, _ in contents[0]}
    if PID in given and release > LAST_PSK:
        raise UsageError(f"AMT {_dotted(release)} has no PSK provisioning: it ended with AMT 10")
    header = _header(version, len(contents), sorted(modules), keep=keep)
    records = [_record(number, content, scramble=scramble) for number, content in enumerate(contents, 1)]
    remarks = _remarks(release, version, contents[0], len(records), keep=keep)
    return Made(b"".join((header, *records)), version, tuple(remarks))


def _judge(release: tuple[int, int], version: tuple[int, int], settings: Sequence[Setting], *, keep: bool) -> None:
    given: dict[tuple[int, int], bytes] = {}
    hashes = 0
    for variable, value in settings:
        if variable.since > version:
            raise UsageError(
                f"AMT {_dotted(release)} does not take {variable.name}: its setup.bin is version {_dotted(version)}, "
                f"and {variable.name} came with version {_dotted(variable.since)}"
            )
        if variable.key == USER_HASH:
            hashes += 1
            _judge_hash(release, version, value)
        elif variable.key in given:
            raise UsageError(f"{variable.name} is given twice")
        given[variable.key] = value
    if hashes > MAX_USER_HASHES:
        raise UsageError(f"{hashes} root hashes: at most {MAX_USER_HASHES} are possible")
    if keep and version < (2, 0):
        raise UsageError(f"AMT {_dotted(release)} consumes every record; only AMT 3.0 and later can do otherwise")
    if (PID in given) != (PPS in given):
        raise UsageError("a PID and a PPS go together: one of them is missing")
    _judge_passwords(given)


def _judge_hash(release: tuple[int, int], version: tuple[int, int], value: bytes) -> None:
    name = HASHES.get(value[0], ("", 0))[0]
    if name != "sha1" and version < (3, 0):
        raise UsageError(f"AMT {_dotted(release)} takes SHA-1 root hashes only; others came with AMT 6.0")
    if name == "sha1" and release >= NO_SHA1:
        raise UsageError(f"AMT {_dotted(release)} takes no SHA-1 root hash")


def _judge_passwords(given: Mapping[tuple[int, int], bytes]) -> None:
    current, new = given.get(CURRENT_PASSWORD), given.get(NEW_PASSWORD)
    if current is None:
        raise UsageError("current-password is wanted: the MEBx takes nothing without its password")
    if current == DEFAULT_PASSWORD and new is None:
        raise UsageError(
            "new-password is wanted: the password of the factory (admin) must be changed in the same record"
        )
    if new is not None and (fault := password_fault(new)):
        raise UsageError(f"new-password: {fault}")


def password_fault(password: bytes) -> str:
    """Why the MEBx would refuse a new password; empty where it would not. The password is not in the text.

    Source: Intel AMT Developers Guide, "Passwords": 8 to 32 characters, an upper-case and a lower-case letter, a digit
    and a special character.
    """
    text = password.decode("latin-1")
    if len(text) not in PASSWORD_SIZES:
        return f"8 to 32 characters are wanted, this has {len(text)}"
    wanted = {
        "an upper-case letter": r"[A-Z]",
        "a lower-case letter": r"[a-z]",
        "a digit": r"[0-9]",
        "a special character": r"[^A-Za-z0-9_]",  # inferred: the underscore is said to count as a letter
    }
    missing = [what for what, pattern in wanted.items() if not re.search(pattern, text)]
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""


def _with_pair(settings: Sequence[Setting], pid: str, pps: str) -> list[Setting]:
    pid, pps = (text.replace("-", "").upper() for text in (pid, pps))
    if not pid_is_valid(pid):
        raise UsageError(f"PID {pid}: not a PID with the right check character")
    if not pps_is_valid(pps):
        raise UsageError(f"the PPS of PID {pid}: not a PPS with the right check characters")
    if any(variable.key in {PID, PPS} for variable, _ in settings):
        raise UsageError("PID and PPS are given as settings and as pairs")
    return [*settings, (BY_KEY[PID], pid.encode()), (BY_KEY[PPS], pps.encode())]


def _record(number: int, settings: Sequence[Setting], *, scramble: bool) -> bytes:
    from amtdecode.artifacts.setupbin import spec

    body = b"".join(
        spec.Entry.build(
            {
                "head": {
                    "module": variable.module,
                    "variable": variable.number,
                    "length": len(value),
                    "reserved": 0,
                },
                "value": value,
            }
        )
        for variable, value in sorted(settings, key=lambda setting: setting[0].key)  # the order the MEBx asks for
    )
    room = CHUNK - RECORD_HEADER
    if len(body) > room:
        raise UsageError(f"the settings need {len(body)} bytes, a record has {room}")
    body = body.ljust(room, b"\0")
    header = spec.RecordHeader.build(
        {
            "kind": DATA_RECORD,
            "flags": VALID | (SCRAMBLED if scramble else 0),
            "reserved": bytes(8),
            "chunks": 1,
            "size": RECORD_HEADER,
            "number": number,
        }
    )
    record: bytes = header + (spec.scrambled(body) if scramble else body)
    return record


def _header(version: tuple[int, int], records: int, modules: Sequence[int], *, keep: bool) -> bytes:
    from amtdecode.artifacts.setupbin import spec

    listed = spec.Modules.build([*modules, 0])
    header = spec.Header.build(
        {
            "file_type": FILE_TYPES[version[0]],
            "chunks": 1,
            "size": spec.MODULES_AT + len(listed),
            "number": 0,
            "major": version[0],
            "minor": version[1],
            "flags": spec.NOT_CONSUMED if keep else 0,
            "records": records,
            "consumed": 0,
            "record_chunks": 1,
            "reserved": 0,
        }
    )
    whole: bytes = header + listed
    return whole.ljust(CHUNK, b"\0")


def _remarks(
    release: tuple[int, int], version: tuple[int, int], settings: Sequence[Setting], records: int, *, keep: bool
) -> Iterator[str]:
    given = {variable.key for variable, _ in settings}
    if version == (4, 0):
        yield f"that AMT {_dotted(release)} takes version 4 of the file is inferred"
    if version == (2, 1):
        yield "that version 2.1 is written with the file type of version 2 is inferred"
    if keep and records > 1:
        yield "records are not consumed: every machine takes the first one"
    if keep and PID in given:
        yield "every machine gets the same PID and PPS"
    if (2, 23) in given and (2, 11) not in given:
        yield "shared-fqdn counts only together with hostname"
    if USER_HASH in given and (2, 7) not in given:
        yield "root hashes are added, but user-hashes=on is not set"
    for variable, value in settings:
        if variable.name == "power-package" and value.hex() not in POWER_PACKAGES:
            yield "power-package: no package that is known"


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
