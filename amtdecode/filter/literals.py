"""Values written in a filter: each family reads them its own way, and refuses in Wireshark's words what it cannot."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from amtdecode.fields import Kind
from amtdecode.filter.lexer import Sort
from amtdecode.filter.schema import Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.filter.lexer import Token
    from amtdecode.filter.schema import Known

ETHER_SIZE = 6
TRUE_OR_FALSE = {"True": True, "TRUE": True, "False": False, "FALSE": False}
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*")
_BYTES = re.compile(r":?[0-9a-fA-F]+(?:([:.-])[0-9a-fA-F]+(?:\1[0-9a-fA-F]+)*)?")
_ONE_BYTE = re.compile(r"0[xX]([0-9a-fA-F]{2})")
_DURATION = re.compile(r"(\d+)(?:\.(\d{1,9}))?")
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?(.*)", re.DOTALL | re.ASCII
)
_WORDED = re.compile(
    r"([A-Z][a-z]{2}) +(\d{1,2}), (\d{4}) (\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(.*)", re.DOTALL | re.ASCII
)
_ZONE = re.compile(r"\s*(?:Z|UTC)|\s*([+-])(\d{2}):?(\d{2})")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EXAMPLE = 'Example: "Nov 12, 1999 08:55:44.123" or "2011-07-04 12:34:56"'


class Refused(Exception):  # noqa: N818 - it says what was refused
    """A value makes no sense for its field; the text says why."""


class Network(NamedTuple):
    """Addresses that share their first bits: compared by these."""

    value: int
    mask: int


def literal(token: Token, known: Known) -> Any:
    """A value for a field, from a token that names no field. Raises `Refused`."""
    if token.sort is Sort.CHARACTER:
        return _character(token, known)
    return _READERS[known.family](token, known)


def _refuse_string(token: Token, known: Known) -> None:
    if token.sort is Sort.STRING:
        raise Refused(f"{known.words} cannot be converted from a string ({token.text}).")


def _character(token: Token, known: Known) -> Any:
    data = bytes(token.value)  # type: ignore[arg-type]  # of a character constant it is bytes
    if known.family in (Family.UNSIGNED, Family.SIGNED):
        return data[0]
    if known.family is Family.BOOLEAN:
        return bool(data[0])
    if known.family in (Family.TEXT, Family.PROTOCOL) or known.kind is Kind.BYTES:
        return data
    raise Refused(f"Character constant {token.text} (0x{data[0]:02x}) cannot be converted to {known.words}.")


def _text_of(token: Token) -> str:
    return token.value.decode("utf-8", "replace") if isinstance(token.value, bytes) else token.value


def _named(token: Token, known: Known) -> Any:
    """The value that has this name."""
    wanted = _text_of(token).casefold()
    for value, name in known.names.items():
        if name.casefold() == wanted:
            return value
    raise Refused(f'"{_text_of(token)}" cannot be found among the possible values for {known.name}.')


def number(text: str) -> int | None:
    """A number in decimal, octal (`017`), hex (`0x1f`) or binary (`0b11`)."""
    if _NUMBER.fullmatch(text) is None:
        return None
    if text[:1] == "0" and text.isdecimal():
        return int(text, 8)
    return int(text, 0)


def _integer(token: Token, known: Known) -> Any:
    text = token.text
    if token.sort is Sort.STRING:
        if not known.names:
            _refuse_string(token, known)
        return _named(token, known)
    value = number(text)
    if value is None:
        if known.names:
            return _named(token, known)
        raise Refused(f'"{text}" is not a valid number.')
    if value >= 1 << 64:
        raise Refused(f'"{text}" causes an integer overflow.')
    most = (1 << known.bits - (known.family is Family.SIGNED)) - 1
    if value > most:
        raise Refused(f'"{text}" too big for this field, maximum {most}.')
    return value


def _boolean(token: Token, known: Known) -> Any:
    text = token.text
    if token.sort is not Sort.STRING:
        value = number(text)
        if value is not None:
            return value != 0
    if _text_of(token) in TRUE_OR_FALSE:
        return TRUE_OR_FALSE[_text_of(token)]
    return _named(token, known)


def _float(token: Token, known: Known) -> Any:
    _refuse_string(token, known)
    try:
        return float(token.text)
    except ValueError:
        raise Refused(f'"{token.text}" is not a valid floating-point number.') from None


def _text(token: Token, _known: Known) -> Any:
    return token.value if isinstance(token.value, bytes) else token.text.encode("utf-8", "surrogatepass")


def _ipv4(token: Token, known: Known) -> Any:
    _refuse_string(token, known)
    address, slash, bits = token.text.partition("/")
    try:
        value = int(IPv4Address(address))
    except AddressValueError:
        raise Refused(f'"{token.text}" is not a valid hostname or IPv4 address.') from None
    return _network(value, bits, 32, "IPv4") if slash else value


def _ipv6(token: Token, known: Known) -> Any:
    _refuse_string(token, known)
    address, slash, bits = token.text.partition("/")
    try:
        if "%" in address:
            raise AddressValueError
        value = int(IPv6Address(address))
    except AddressValueError:
        raise Refused(f'"{token.text}" is not a valid hostname or IPv6 address.') from None
    return _network(value, bits, 128, "IPv6") if slash else value


def _network(value: int, bits: str, width: int, name: str) -> Network:
    if int(bits) > width:
        raise Refused(f"Netmask bits in a CIDR {name} address should be <= {width}, not {int(bits)}")
    mask = (1 << width) - (1 << width - int(bits))
    return Network(value & mask, mask)


def byte_string(text: str) -> bytes:
    """Hex digits, in pairs or with `:`, `-` or `.` between groups of them. Raises `Refused`."""
    one = _ONE_BYTE.fullmatch(text)
    if one is not None:
        return bytes.fromhex(one[1])
    if _BYTES.fullmatch(text) is None:
        raise Refused(f'"{text}" is not a valid byte string.')
    groups = re.split(r"[:.-]", text.removeprefix(":"))
    return bytes.fromhex("".join([g if len(g) % 2 == 0 else f"{g[:-1]}0{g[-1]}" for g in groups]))


def _bytes(token: Token, known: Known) -> Any:
    if known.kind is Kind.ETHER:
        return _ether(token, known)
    if known.kind is Kind.GUID:
        return _guid(token, known)
    return token.value if isinstance(token.value, bytes) else byte_string(token.text)


def _ether(token: Token, known: Known) -> bytes:
    _refuse_string(token, known)
    try:
        data = byte_string(token.text)
    except Refused:
        raise Refused(f'"{token.text}" is not a valid hostname or Ethernet address.') from None
    if len(data) != ETHER_SIZE:
        few = "few" if len(data) < ETHER_SIZE else "many"
        raise Refused(f'"{token.text}" contains too {few} bytes to be a valid Ethernet address.')
    return data


def _guid(token: Token, known: Known) -> bytes:
    _refuse_string(token, known)
    if re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", token.text) is None:
        raise Refused(f'"{token.text}" is not a valid GUID.')
    return UUID(token.text).bytes


def _duration(token: Token, known: Known) -> Any:
    _refuse_string(token, known)
    found = _DURATION.fullmatch(token.text)
    if found is None:
        raise Refused(f'"{token.text}" is not a valid time.')
    return int(found[1]) * 10**9 + int((found[2] or "").ljust(9, "0"))


def _moment(token: Token, _known: Known) -> Any:
    return moment_of(_text_of(token))


def moment_of(text: str) -> int:
    """A date and time as nanoseconds since 1970 UTC; UTC where it names no zone. Raises `Refused`."""
    invalid = Refused(f'"{text}" is not a valid absolute time. {EXAMPLE}')
    found = _ISO.fullmatch(text)
    if found is not None:
        year, month, day, hour, minute, second, fraction, rest = found.groups()
    else:
        found = _WORDED.fullmatch(text)
        if found is None or found[1] not in MONTHS:
            raise invalid
        name, day, year, hour, minute, second, fraction, rest = found.groups()
        month = str(MONTHS.index(name) + 1)
    zone = _ZONE.fullmatch(rest)
    if rest.strip() and zone is None:
        raise Refused("Unexpected data after time value.")
    try:
        time = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
        if zone is not None and zone[1]:
            away = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
            time += -away if zone[1] == "+" else away
    except (ValueError, OverflowError):
        raise invalid from None
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "")[:9].ljust(9, "0"))


def _label(_token: Token, known: Known) -> Any:
    raise Refused(f"{known.name} has no value.")


def _protocol(token: Token, _known: Known) -> Any:
    return token.value if isinstance(token.value, bytes) else byte_string(token.text)


_READERS: dict[Family, Callable[[Token, Known], Any]] = {
    Family.UNSIGNED: _integer,
    Family.SIGNED: _integer,
    Family.BOOLEAN: _boolean,
    Family.FLOAT: _float,
    Family.TEXT: _text,
    Family.BYTES: _bytes,
    Family.IPV4: _ipv4,
    Family.IPV6: _ipv6,
    Family.MOMENT: _moment,
    Family.DURATION: _duration,
    Family.PROTOCOL: _protocol,
    Family.LABEL: _label,
}
