"""Secrets in XML as it stands in texts, escaped or not, and in pairs of a name and a value."""

from __future__ import annotations

import re

from amtdecode.fields import MASK
from amtdecode.masking.names import is_reference, is_secret_name
from amtdecode.masking.words import QUOTE, value_end

_OPEN, _CLOSE = r"(?:<|&lt;|\\u003c|%3c)", r"(?:>|&gt;|\\u003e|%3e)"
_ELEMENT = re.compile(rf"{_OPEN}(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*?)?(?<!/){_CLOSE}(?!\s*{_OPEN}/)", re.IGNORECASE)
_END = re.compile(rf"{_OPEN}/", re.IGNORECASE)
_ADD = re.compile(rf"{_OPEN}([\w.:-]+)\s([^<>]*)", re.IGNORECASE)


def cover_elements(text: str) -> str:
    """Cover the text of elements by their names: up to the end tag of that name, or the end of what there is."""
    if "<" not in text and "&lt;" not in text and "u003c" not in text and "%3" not in text:
        return text
    pieces, done = [], 0
    for match in _ELEMENT.finditer(text):
        name = match[1]
        if match.start() < done or not is_secret_name(name) or is_reference(name):
            continue
        end = _end_of(text, name, match.end())
        if text[match.end() : end] != MASK:
            pieces += [text[done : match.end()], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _end_of(text: str, name: str, start: int) -> int:
    low = name.lower()
    for tag in _END.finditer(text, start):
        found = re.compile(r"(?:[\w.-]+:)?([\w.-]*)").match(text, tag.end())
        if found is not None and found[1].lower() == low:
            return tag.start()
    return len(text)


_NAMING = r"(?:[\w.]{0,64}name|key|id|field|property|param(?:eter)?|setting|option|variable|attribute)"
_PAIR = re.compile(
    rf"(?<![\w]){_NAMING}(?:{QUOTE}|\s|[=:>]){{1,12}}([\w .-]{{2,64}}?)(?={QUOTE}|<|&lt;|[,;}}])", re.IGNORECASE
)
_VALUE_OF_PAIR = re.compile(
    rf"(?<![\w])(?:new|old|property|parameter)?(?:value|val|data|text|content|string)\d?(?:(?:\s[^<>\"']*)?{_CLOSE}|{QUOTE}?\s{{0,4}}[=:]\s{{0,4}})",
    re.IGNORECASE,
)
_REST_OF_TAG = re.compile(rf"{QUOTE}[^<>]{{0,240}}?(?<!/){_CLOSE}", re.IGNORECASE)
_REACH = 240  # characters between a name and its value


def cover_pairs(text: str) -> str:
    """Cover values whose names stand beside them: `<Name>AdminPassword</Name><Value>X</Value>`."""
    pieces, done = [], 0
    for match in _PAIR.finditer(text):
        if match.start() < done or not is_secret_name(match[1]):
            continue
        value = _VALUE_OF_PAIR.search(text, match.end(), match.end() + _REACH) or _REST_OF_TAG.match(text, match.end())
        if value is None or text.startswith(MASK, value.end()):
            continue
        start = value.end()
        if value[0][-1:] in ">;eE":
            closing = _END.search(text, start)
            end = closing.start() if closing else len(text)
        else:
            end = value_end(text, start)
        pieces += [text[done:start], MASK]
        done = end
    return "".join([*pieces, text[done:]])
