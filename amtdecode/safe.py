"""The one escape of captured text. Whatever comes from a capture passes here on its way to a terminal, page or table.

What is escaped is told by the character's category in Unicode: controls (Cc), formats (Cf: marks of direction and
width, tags), private use (Co), halves of surrogate pairs (Cs), line and paragraph separators (Zl, Zp); and what fills
space without being seen though its category is that of letters and marks.
"""

from __future__ import annotations

from typing import Any
from unicodedata import category

HIDDEN = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
FILLERS = frozenset(
    (
        0x034F,  # combining grapheme joiner
        0x115F,  # Hangul fillers
        0x1160,
        0x17B4,  # Khmer vowels that are not written
        0x17B5,
        *range(0x180B, 0x1810),  # Mongolian selectors and separator
        0x2065,  # reserved for what is not seen
        0x2800,  # a Braille pattern without dots
        0x3164,
        0xFFA0,
        *range(0xFFF0, 0xFFF9),
    )
)
"""Default_Ignorable_Code_Point of Unicode beyond the categories above, and blank patterns. Variation selectors of the
Basic Multilingual Plane are left: they only choose a glyph."""
TAGS = range(0xE0000, 0xE1000)  # tags, further selectors, and what is reserved beside them

MAX_KEPT = 4096  # characters kept with what is shown of them


def is_hidden(code: int) -> bool:
    """Tell whether a terminal obeys a character, or shows nothing of it."""
    return category(chr(code)) in HIDDEN or code in FILLERS or code in TAGS


class _Shown(dict[int, "str | int"]):
    """What is shown of each character: itself, or its escape. For `str.translate`; emptied when full."""

    def __missing__(self, code: int) -> str | int:
        if len(self) >= MAX_KEPT:
            self.clear()
        shown = self[code] = self.escape(code) if is_hidden(code) else code
        return shown

    def escape(self, code: int) -> str:
        r"""As Python writes it: `\x1b`, `\u200b`, `\U000e0041`."""
        return (
            f"\\x{code:02x}"
            if category(chr(code)) == "Cc"
            else f"\\u{code:04x}"
            if code < 0x10000
            else f"\\U{code:08x}"
        )


class _ShownInJson(_Shown):
    def escape(self, code: int) -> str:
        r"""As JSON writes it, in UTF-16: `\u200b`, `\udb40\udc41`."""
        if code < 0x10000:
            return f"\\u{code:04x}"
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_TEXT, _JSON = _Shown(), _ShownInJson()


def safe(text: str) -> str:
    """The text on one line, without anything that a terminal would obey, or that hides."""
    return text if text.isascii() and text.isprintable() else text.translate(_TEXT)


DEL = 0x7F  # found five times as fast by its number than as bytes
ARROW = "→".encode()  # in the summary of every call


def safe_json(line: bytes) -> bytes:
    """The same of a line of JSON, which means the same then: JSON itself escapes only the first 32 characters."""
    plain = line if line.isascii() else line.replace(ARROW, b"")
    if plain.isascii() and DEL not in plain:
        return line
    return line.decode("utf-8", "replace").translate(_JSON).encode()


def encodable(value: Any) -> Any:
    """A value of lists, dicts and texts in which texts that UTF-8 cannot write, as odd file names, are made safe."""
    if isinstance(value, str):
        return value if value.isascii() or _is_utf8(value) else safe(value)
    if isinstance(value, dict):
        return {encodable(name): encodable(each) for name, each in value.items()}
    return [encodable(each) for each in value] if isinstance(value, list) else value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def safe_html(text: str) -> str:
    """The same, for HTML."""
    from html import escape

    return escape(safe(text))
