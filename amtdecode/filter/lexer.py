"""A filter's text as tokens, each with its column. Which word is a field and which a value, `check` decides."""

from __future__ import annotations

import enum
import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from amtdecode.errors import FilterError

MAX_FILTER = 64 * 1024  # characters; nobody writes so long a one, and a program that does had better split it


class Sort(enum.Enum):
    """What a token is."""

    WORD = "word"  # a field, a protocol, a function or a value
    FIELD = "field"  # a word behind a full stop, which must be a field
    LITERAL = "literal"  # can only be a value: it has a colon or a slash
    STRING = "string"
    CHARACTER = "character"
    SYMBOL = "symbol"
    REFERENCE = "reference"  # ${field}
    RANGE = "range"  # what stands in brackets, part by part
    END = "end"


class Token(NamedTuple):
    """One token: what it is, its text in the filter, its offset there, and what it says."""

    sort: Sort
    text: str
    at: int
    value: str | bytes = ""


WORDS = {
    "and": "and",
    "or": "or",
    "not": "not",
    "in": "in",
    "any": "any",
    "all": "all",
    "eq": "==",
    "any_eq": "==",
    "ne": "!=",
    "all_ne": "!=",
    "all_eq": "===",
    "any_ne": "!==",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "contains": "contains",
    "matches": "matches",
    "bitwise_and": "&",
}
"""Words that are operators, and the symbol each stands for."""

SYMBOLS = {
    **{each: each for each in ("===", "!==", "==", "!=", ">=", "<=", ">", "<", "..")},
    **{each: each for each in ("(", ")", "{", "}", ",", "+", "-", "*", "/", "%", "&", "[")},
    "~=": "!==",
    "&&": "and",
    "||": "or",
    "!": "not",
    "~": "matches",
}
_SYMBOLS = sorted(SYMBOLS, key=len, reverse=True)

_BLANKS = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*")
_CIDR = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}")
_COLONS = re.compile(r":?[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})+|:[0-9a-fA-F]{1,4}")
_MAYBE_IPV6 = re.compile(r"[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
_PREFIX = re.compile(r"/\d{1,3}")
_MACRO = re.compile(r"\$\{?")
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]+)((?:#\d+)?)\}")
_RANGE_PART = re.compile(r"\s*([^,\]]*?)\s*(?=[,\]]|$)")
_LAYER = re.compile(r"#(\d+)")
_ESCAPES = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "'": 39, '"': 34, "\\": 92,
}  # fmt: skip
MAX_ADDRESS = 45  # characters of an IPv6 address


class Lexer:
    """Cuts a filter into tokens, up to what is none. Raises `FilterError` for a text that is too long."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_FILTER:
            raise FilterError(f"The filter has more than {MAX_FILTER} characters.", text[:64])
        self._text = text
        self._at = 0
        self.tokens: list[Token] = []
        self.fault: FilterError | None = None
        """What is wrong behind the last token, to be told when that is reached."""
        try:
            while self._next():
                pass
        except FilterError as error:
            self.fault = error
        self.tokens.append(Token(Sort.END, "", len(text)))

    def _fail(self, reason: str, at: int, length: int) -> FilterError:
        return FilterError(reason, self._text, at + 1, length)

    def _add(self, sort: Sort, end: int, value: str | bytes = "") -> bool:
        text = self._text[self._at : end]
        self.tokens.append(Token(sort, text, self._at, value or text))
        self._at = end
        return True

    def _next(self) -> bool:
        text = self._text
        blanks = _BLANKS.match(text, self._at)
        at = self._at = blanks.end() if blanks else self._at
        if at >= len(text):
            return False
        first = text[at]
        if first == '"' or text[at : at + 2] in ('r"', 'R"'):
            return self._string(raw=first != '"')
        if first == "'":
            return self._character()
        if first == "$":
            return self._reference()
        if first == "#":
            return self._layer()
        end = self._word_end(at)
        if end > at:
            word = text[at:end]
            if word in WORDS:
                self.tokens.append(Token(Sort.SYMBOL, word, at, WORDS[word]))
                self._at = end
                return True
            return self._add(Sort.LITERAL if ":" in word or "/" in word else Sort.WORD, end)
        if first == "." and (found := _WORD.match(text, at + 1)):
            return self._add(Sort.FIELD, found.end(), found[0])
        if text.startswith("!in", at) and not _WORD.match(text[at + 3 : at + 4]):
            return self._add(Sort.SYMBOL, at + 1, "not")
        for symbol in _SYMBOLS:
            if text.startswith(symbol, at):
                self._add(Sort.SYMBOL, at + len(symbol), SYMBOLS[symbol])
                return self._range() if symbol == "[" else True
        if not (first.isascii() and first.isprintable()):
            raise self._fail("Non-printable ASCII characters may only appear inside double-quotes.", at, 1)
        raise self._fail(f'"{first}" was unexpected in this context.', at, 1)

    def _word_end(self, at: int) -> int:
        """Behind the longest word or value that begins here."""
        text = self._text
        end = at
        for form in (_WORD, _CIDR, _COLONS):
            found = form.match(text, at)
            if found is not None and found.end() > end:
                end = found.end()
        found = _MAYBE_IPV6.match(text, at)
        if found is not None:
            for length in range(min(len(found[0]), MAX_ADDRESS), 1, -1):
                if at + length <= end:
                    break
                if _is_ipv6(text[at : at + length]):
                    end = at + length
                    prefix = _PREFIX.match(text, end)
                    return prefix.end() if prefix else end
        return end

    # -- what stands in quotes ----------------------------------------------------------------------------------------

    def _string(self, *, raw: bool) -> bool:
        """A string, as the bytes it stands for; the escapes of a raw one stay as they are."""
        text, place, parts = self._text, self._at + 1 + raw, bytearray()
        while place < len(text) and text[place] != '"':
            if text[place] != "\\":
                parts += text[place].encode("utf-8", "surrogatepass")
                place += 1
            elif raw:
                parts += text[place : place + 2].encode("utf-8", "surrogatepass")
                place += 2
            else:
                if place + 1 >= len(text):
                    place += 1
                    break
                value, size = self._escape(place)
                parts.append(value)
                place += size
        if place >= len(text):
            raise self._fail("The final quote was missing from a quoted string.", len(text), 1)
        self.tokens.append(Token(Sort.STRING, text[self._at : place + 1], self._at, bytes(parts)))
        self._at = place + 1
        return True

    def _escape(self, at: int) -> tuple[int, int]:
        """The byte that an escape stands for, and the characters it takes."""
        text = self._text
        kind = text[at + 1]
        if kind in _ESCAPES:
            return _ESCAPES[kind], 2
        if kind == "x" and (found := re.compile(r"[0-9a-fA-F]{1,2}").match(text, at + 2)):
            return int(found[0], 16), found.end() - at
        if found := re.compile(r"[0-7]{1,3}").match(text, at + 1):
            if int(found[0], 8) > 0xFF:
                raise self._fail(f"\\{found[0]} is larger than 255.", at, found.end() - at)
            return int(found[0], 8), found.end() - at
        if kind in "uU" and (found := re.compile(r"[uU][0-9a-fA-F]+").match(text, at + 1)):
            raise self._fail(f"\\{found[0]} is not a valid universal character name", at, found.end() - at)
        raise self._fail(f"\\{kind} is not a valid character escape sequence", at, 2)

    def _character(self) -> bool:
        """A character constant, as its byte."""
        text, start = self._text, self._at
        place = start + 1
        while place < len(text) and text[place] != "'":
            place += 2 if text[place] == "\\" else 1
        if place >= len(text):
            raise self._fail("The final quote was missing from a character constant.", len(text), 1)
        whole, inside = text[start : place + 1], text[start + 1 : place]
        self._at = place + 1
        if not inside:
            raise self._fail("Empty character constant.", start, 2)
        if inside[0] == "\\":
            value = _character_escape(inside[1:])
            if value is None and inside[1:] in _ESCAPES:
                raise self._fail(f"{whole} is too long to be a valid character constant.", start, len(whole))
            if value is None:
                raise self._fail(f"{whole} isn't a valid character constant.", start, len(whole))
        else:
            encoded = inside.encode("utf-8", "surrogatepass")
            if len(encoded) > 1:
                reason = f"{whole} is too long to be a valid character constant."
                raise self._fail(reason, start, len(whole))
            value = encoded[0]
        self.tokens.append(Token(Sort.CHARACTER, whole, start, bytes([value])))
        return True

    # -- what stands behind a field -----------------------------------------------------------------------------------

    def _reference(self) -> bool:
        """`${field}`, a value of the packet that Wireshark has selected."""
        found = _REFERENCE.match(self._text, self._at)
        if found is None:
            if "}" in self._text[self._at :] or not self._text.startswith("${", self._at):
                if self._text.startswith("${", self._at):
                    raise FilterError("invalid character in macro name", self._text)
                raise self._fail('"$" was unexpected in this context.', self._at, 1)
            raise FilterError("end of filter in the middle of a macro expression", self._text)
        return self._add(Sort.REFERENCE, found.end(), found[1])

    def _layer(self) -> bool:
        """`#1`, `#[1-2]`."""
        text, at = self._text, self._at
        if found := _LAYER.match(text, at):
            self._add(Sort.SYMBOL, at + 1, "#")
            self.tokens.append(Token(Sort.RANGE, found[1], at + 1, found[1]))
            self._at = found.end()
            return True
        if text.startswith("#[", at):
            self._add(Sort.SYMBOL, at + 2, "#")
            return self._range()
        shown = text[at + 1 : at + 2]
        if not shown:
            raise FilterError("Unexpected end of filter expression.", text)
        raise self._fail(f'Expected digit or "[", not "{shown}"', at + 1, 1)

    def _range(self) -> bool:
        """The parts in brackets, up to the closing one."""
        text = self._text
        while True:
            part = _RANGE_PART.match(text, self._at)
            if part is None or part.end() >= len(text):
                raise self._fail("The right bracket was missing from a slice.", len(text), 1)
            stop = text[part.end()]
            if not part[1]:
                raise self._fail(f'"{stop}" was unexpected in this context.', part.end(), 1)
            self.tokens.append(Token(Sort.RANGE, part[1], part.start(1), part[1]))
            self._at = part.end() + 1
            if stop == "]":
                self.tokens.append(Token(Sort.SYMBOL, "]", part.end(), "]"))
                return True


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _character_escape(escape: str) -> int | None:
    """What the escape in a character constant stands for. Wireshark 4.0 takes numbers and quotes, no letters."""
    if escape in ("'", "\\", '"'):
        return ord(escape)
    if re.fullmatch(r"x[0-9a-fA-F]{1,2}", escape):
        return int(escape[1:], 16)
    if re.fullmatch(r"[0-7]{1,3}", escape) and int(escape, 8) <= 0xFF:
        return int(escape, 8)
    return None
