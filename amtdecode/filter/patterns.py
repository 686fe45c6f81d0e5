r"""Regular expressions of `matches`, from PCRE2's way of writing them to Python's.

They work on bytes and ignore the case of ASCII letters, as in Wireshark. What Python writes otherwise is translated:
flags inside the pattern, named groups, POSIX classes, `\z`, `\h`. Python cannot stop a search that would take for ever,
so a pattern that can fall into one is refused, and no more than `MAX_SEARCHED` bytes of a value are searched.
"""

from __future__ import annotations

import re
from re import _constants as opcodes  # type: ignore[attr-defined]  # without stubs
from re import _parser as parsing  # type: ignore[attr-defined]
from typing import Any

MAX_SEARCHED = 64 * 1024  # bytes of a value
MAX_PATTERN = 4096  # characters
REASONS = {
    "unterminated character set": "missing terminating ] for character class",
    "missing ), unterminated subpattern": "missing closing parenthesis",
    "unbalanced parenthesis": "unmatched closing parenthesis",
    "nothing to repeat": "quantifier does not follow a repeatable item",
    "multiple repeat": "quantifier does not follow a repeatable item",
    "min repeat greater than max repeat": "numbers out of order in {} quantifier",
}
"""Python's words for what is wrong, and PCRE2's."""
POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "0-9a-zA-Z",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
    "word": r"\w",
    "cntrl": r"\x00-\x1f\x7f",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
}
ESCAPES = {"z": r"\Z", "Z": r"(?=\n?\Z)", "h": r"[ \t]", "H": r"[^ \t]", "R": r"(?:\r\n|[\n\x0b\f\r])", "N": r"[^\n]"}
_FLAGS = re.compile(r"\(\?([imsx]*)(?:-([imsx]+))?\)")
_POSIX = re.compile(r"\[:(\^?)([a-z]+):\]")


class PatternError(ValueError):
    """A pattern that cannot be used; the text says why."""


def pattern(text: bytes) -> re.Pattern[bytes]:
    """Compile a pattern. Raises `PatternError`."""
    source = text.decode("latin-1")
    if len(source) > MAX_PATTERN:
        raise PatternError(f"the pattern has more than {MAX_PATTERN} characters")
    try:
        written = _translated(source)
        encoded = written.encode("latin-1")
        if _may_never_end(parsing.parse(encoded, re.IGNORECASE)):
            raise PatternError("a repetition inside a repetition can match the same text in too many ways")
        return re.compile(encoded, re.IGNORECASE)
    except re.error as error:
        raise PatternError(REASONS.get(error.msg, error.msg)) from None
    except (RecursionError, OverflowError, MemoryError):
        raise PatternError("the pattern is too large") from None


def _translated(source: str) -> str:
    """The pattern as Python writes it."""
    parts: list[str] = []
    scopes: list[list[str]] = [[]]  # flags set inside each open group, to be set again behind each `|`
    at = 0
    while at < len(source):
        char = source[at]
        if char == "\\":
            escape = source[at + 1 : at + 2]
            parts.append(ESCAPES.get(escape, char + escape))
            at += 2
        elif char == "[":
            end = _class_end(source, at)
            parts.append(_POSIX.sub(_posix, source[at:end]))
            at = end
        elif found := _FLAGS.match(source, at):
            on, off = found[1], found[2] or ""
            scope = f"(?{on}{f'-{off}' if off else ''}:" if on or off else "(?:"
            parts.append(scope)
            scopes[-1].append(scope)
            at = found.end()
        elif char == "|":
            parts.append(")" * len(scopes[-1]) + "|" + "".join(scopes[-1]))
            at += 1
        elif char == "(":
            opened = "(?P<" if re.match(r"\(\?<[^=!]", source[at : at + 4]) else "("
            parts.append(opened)
            scopes.append([])
            at += 3 if len(opened) > 1 else 1
        elif char == ")" and len(scopes) > 1:
            parts.append(")" * len(scopes.pop()) + ")")
            at += 1
        else:
            parts.append(char)
            at += 1
    return "".join(parts) + ")" * len(scopes[0]) if len(scopes) == 1 else "".join(parts)


def _class_end(source: str, at: int) -> int:
    """Behind the bracket that closes a character class."""
    end = at + 1
    if source[end : end + 1] == "^":
        end += 1
    if source[end : end + 1] == "]":
        end += 1
    while end < len(source) and source[end] != "]":
        if source[end] == "\\":
            end += 1
        elif found := _POSIX.match(source, end):
            end = found.end() - 1
        end += 1
    return min(end + 1, len(source))


def _posix(found: re.Match[str]) -> str:
    if found[1] or found[2] not in POSIX:
        raise PatternError("unknown POSIX class name")
    return POSIX[found[2]]


# -- patterns that may never end --------------------------------------------------------------------------------------

_REPEATS = (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT)
_FEW = 8  # repetitions that do no harm, whatever is inside


def _may_never_end(items: Any) -> bool:
    """Whether some repetition holds another one, with nothing in each round that only one of them can match."""
    for operation, argument in items:
        if operation in _REPEATS:
            _, most, inside = argument
            if most > _FEW and _ambiguous(inside):
                return True
        if any(_may_never_end(inside) for inside in _parts(operation, argument)):
            return True
    return False


def _parts(operation: Any, argument: Any) -> list[Any]:
    """The patterns inside an item."""
    if operation in _REPEATS or operation is opcodes.POSSESSIVE_REPEAT:
        return [argument[2]]
    if operation is opcodes.SUBPATTERN:
        return [argument[3]]
    if operation is opcodes.BRANCH:
        return list(argument[1])
    if operation in (opcodes.ASSERT, opcodes.ASSERT_NOT):
        return [argument[1]]
    if operation is opcodes.ATOMIC_GROUP:
        return [argument]
    if operation is opcodes.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part is not None]
    return []


def _ambiguous(items: Any) -> bool:
    """Whether the inside of a repetition can match one text in several ways.

    It can where a repetition in it may take what stands beside it or in the next round, and where two branches begin
    alike. A fixed byte that the repetition cannot take keeps the rounds apart.
    """
    flat = _flat(items)
    for operation, argument in flat:
        if operation is opcodes.BRANCH:
            firsts = [_bytes_of_first(branch) for branch in argument[1]]
            seen: set[int] = set()
            for first in firsts:
                if not first or seen & first:
                    return True
                seen |= first
            if any(_ambiguous(branch) for branch in argument[1]):
                return True
    repeats = [n for n, (operation, argument) in enumerate(flat) if operation in _REPEATS and argument[1] > 1]
    for place in repeats:
        taken = _bytes_in(flat[place][1][2])
        others = [item for n, item in enumerate(flat) if n != place]
        if not any(_always(item) and not (_bytes_of(item) & taken) for item in others):
            return True
    return bool(flat) and not any(_always(item) for item in flat) and not repeats and len(flat) > 1


def _flat(items: Any) -> list[Any]:
    """The items of a pattern, groups opened."""
    found: list[Any] = []
    for operation, argument in items:
        if operation is opcodes.SUBPATTERN:
            found += _flat(argument[3])
        else:
            found.append((operation, argument))
    return found


def _always(item: Any) -> bool:
    """Whether an item takes at least one byte."""
    operation, argument = item
    if operation in _REPEATS or operation is opcodes.POSSESSIVE_REPEAT:
        return bool(argument[0] > 0)
    return operation in (opcodes.LITERAL, opcodes.NOT_LITERAL, opcodes.IN, opcodes.ANY)


ALL_BYTES = frozenset(range(256))
CATEGORIES = {
    "CATEGORY_DIGIT": rb"\d",
    "CATEGORY_NOT_DIGIT": rb"\D",
    "CATEGORY_SPACE": rb"\s",
    "CATEGORY_NOT_SPACE": rb"\S",
    "CATEGORY_WORD": rb"\w",
    "CATEGORY_NOT_WORD": rb"\W",
}


def _bytes_of(item: Any) -> frozenset[int]:
    """The bytes that an item may begin with; all where that is not plain."""
    operation, argument = item
    if operation is opcodes.LITERAL:
        return frozenset({argument, *(ord(c) for c in (chr(argument).lower(), chr(argument).upper()) if ord(c) < 256)})
    if operation is opcodes.IN:
        if argument and argument[0][0] is opcodes.NEGATE:
            return ALL_BYTES - frozenset().union(*(_members(each) for each in argument[1:]))
        return frozenset().union(*(_members(each) for each in argument))
    if operation in _REPEATS:
        return _bytes_in(argument[2])
    return ALL_BYTES


def _members(item: Any) -> frozenset[int]:
    operation, argument = item
    if operation is opcodes.RANGE:
        low, high = argument
        return frozenset().union(*(_bytes_of((opcodes.LITERAL, code)) for code in range(low, high + 1)))
    if operation is opcodes.CATEGORY:
        name = CATEGORIES.get(str(argument))
        return frozenset(code for code in ALL_BYTES if name is None or re.match(name, bytes([code])))
    return _bytes_of(item)


def _bytes_in(items: Any) -> frozenset[int]:
    """All bytes that a pattern may take."""
    found: frozenset[int] = frozenset()
    for operation, argument in _flat(items):
        if operation is opcodes.BRANCH:
            found = found.union(*(_bytes_in(branch) for branch in argument[1]))
        else:
            found |= _bytes_of((operation, argument))
    return found


def _bytes_of_first(items: Any) -> frozenset[int]:
    """The bytes that a branch may begin with; none where it may take nothing."""
    flat = _flat(items)
    return _bytes_of(flat[0]) if flat and _always(flat[0]) else frozenset()
