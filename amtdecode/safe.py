"""The one escape of captured text. Whatever comes from a capture passes here on its way to a terminal or page."""

from __future__ import annotations

from typing import Any


def _escapes() -> dict[int, str]:
    table = {code: f"\\x{code:02x}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)]}
    # what reorders or hides text on a terminal: bidirectional marks and overrides, zero-width characters, line ends
    # (Default_Ignorable_Code_Point of Unicode, without variation selectors, which only choose a glyph)
    hidden = [
        0x00AD,
        0x061C,
        0x115F,
        0x1160,
        0x180E,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0x3164,
        0xFEFF,
        0xFFA0,
        *range(0xFFF9, 0xFFFC),
    ]
    table.update({code: f"\\u{code:04x}" for code in hidden})
    table.update({code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)})  # tags
    return table


_TABLE = _escapes()


def safe(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_TABLE).encode("utf-8", "backslashreplace").decode()  # lone surrogates cannot be printed


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
