"""The one escape of captured text. Whatever comes from a capture passes here on its way to a terminal or page."""

from __future__ import annotations


def _escapes() -> dict[int, str]:
    table = {code: f"\\x{code:02x}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)]}
    # what reorders or hides text on a terminal: bidirectional marks and overrides, zero-width characters, line ends
    hidden = [
        0x061C,
        0x200B,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2060, 0x206A),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
    ]
    table.update({code: f"\\u{code:04x}" for code in hidden})
    return table


_TABLE = _escapes()


def safe(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_TABLE).encode("utf-8", "backslashreplace").decode()  # lone surrogates cannot be printed


def safe_html(text: str) -> str:
    """The same, for HTML."""
    from html import escape

    return escape(safe(text))
