"""Secrets near a word for one, wherever in the sentence: `old "X" new "Y", MEBx`, `mismatch: expected X, got Y`.

The last step, for what has no form of its own: a token that looks chosen or drawn, and what is called the old or the
new one. Paths, files, hosts, suites, classes and codes stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.fields import MASK
from amtdecode.masking.words import QUOTE, TOKEN, is_prose, value_end

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = 120  # characters between the word and what may be a secret
_WORD = re.compile(
    r"passw|passphr|passcode|pwd|kennwort|mebx|secret|credential|p[a@4][s$5]{2}w[o0]rd"
    r"|(?<![a-z])(?:p[/.]w|pass|pin|otp|pps|psk|pw)s?(?![a-z])"
    r"|парол|contrase|geheim|has[lł]o|lozinka|wachtw|mot de passe|(?:consent|opt-?in) ?code",
    re.IGNORECASE,
)
_OLD_OR_NEW = re.compile(
    r"(?<![\w-])(?:old|new|previous|current|former|expected|got|default|instead of|rather than)"
    r"\s{0,2}[:=]?\s{0,2}(?=\S)",
    re.IGNORECASE,
)
_NEXT_OF_LIST = re.compile(r"(?<=\*{8})(\s{0,2}(?:/|->|=>|→)\s{0,2})([^\s,;)\]}*\"'=:\\]+)(?![\w\"'\\]*\s{0,2}[:=])")
_LOOSE = re.compile(r"[^\s&\"'`,;()\[\]{}<>=|“”‘’«»]+")
_ODD = re.compile(
    r"(?:(?=.*[a-z])(?=.*[A-Z])(?=.*\d)|(?=.*[A-Za-z])(?=.+[!$%^*#&+?~@].)(?=.*\d)"
    r"|(?=.*[A-Za-z])(?=.*[!$%^*#&?~@].*[!$%^*#&?~@]))[!-~]{5,64}"
)
"""Letters of both cases and digits, or marks within: what somebody chose or drew."""
_KNOWN = re.compile(
    r"(?:[A-Za-z]:)?(?:[\w.+-]*[\\/]){1,32}[\w.+-]*|\w+://.*"
    r"|[\w.+-]+\.(?:log|txt|xml|exe|pem|pfx|cer|crt|bin|pcap\w*|dll|json|toml|ini|ps1|go|py|cpp|cs)(?::\d+)?"
    r"|(?:AMT|CIM|IPS|Msvm|PT|Win32|REG|TLS|SSL|SHA|AES|RSA|IP|ECDHE|DHE)[\w.-]*"
    r"|(?:[\w-]+\.)+[A-Za-z]{2,12}(?::\d+)?|\w+@[\w.-]+|[A-F0-9:-]+|[a-f0-9:-]+|0x[0-9A-Fa-f]+"
    r"|[A-Z][a-z]+(?:[A-Z][a-z]+)+\d?|\d+[A-Za-z]{1,5}|[\d:.T-]+Z"
)
"""What has digits and capitals, and is no secret."""


_KEY = re.compile(r"(?<![\w-])key\s{1,3}(?:\S{1,40}?\s{0,2}(?:=>|->|:)\s{0,2})?(?=\S)", re.IGNORECASE)
_CODE = re.compile(r"(?<![\w-])code\s{1,3}(?=\S+\s(?:to|by|from|of)\s(?:the\s)?user)", re.IGNORECASE)
_SIX_DIGITS = re.compile(r"\d{6}")  # of user consent (Intel AMT guide, user consent)


def cover_chosen(text: str) -> str:
    """Cover near a word for a password whatever looks chosen or drawn, and what is called its old or new one."""
    pieces, done = [], 0
    for start, end in sorted([*_found(text, _spans(text)), *_behind(text)]):
        if start >= done and MASK not in text[start:end]:
            pieces += [text[done:start], MASK]
            done = end
    text = "".join([*pieces, text[done:]])
    if MASK in text:
        text = _NEXT_OF_LIST.sub(lambda found: found[0] if is_prose(found[2]) else found[1] + MASK, text)
    return text


def _found(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        for match in _LOOSE.finditer(text, start, end):
            token = match[0].rstrip(".:!?")
            if _is_chosen(token):
                found.append((match.start(), match.start() + len(token)))
        for match in _OLD_OR_NEW.finditer(text, start, end):
            value = TOKEN.match(text, match.end())
            quoted = value is not None and re.match(QUOTE, value[0]) is not None
            if value is not None and (quoted or match[0][-1] in ":=" or not is_prose(value[0])):
                found.append((match.end(), value_end(text, match.end()) if quoted else value.end()))
    return found


def _behind(text: str) -> Iterator[tuple[int, int]]:
    """What looks so right behind "key", or behind "code" of a user."""
    for pattern in (_KEY, _CODE):
        for match in pattern.finditer(text):
            value = _LOOSE.match(text, match.end())
            if value is not None and (_is_chosen(value[0]) or (pattern is _CODE and _SIX_DIGITS.fullmatch(value[0]))):
                yield value.span()


def _is_chosen(token: str) -> bool:
    return _ODD.fullmatch(token) is not None and _KNOWN.fullmatch(token) is None and not is_prose(token)


def _spans(text: str) -> list[tuple[int, int]]:
    """The parts of a text near a word for a password, in order, without overlap, from blank to blank."""
    spans: list[tuple[int, int]] = []
    for word in _WORD.finditer(text):
        start, end = max(0, word.start() - NEAR), min(len(text), word.end() + NEAR)
        start = text.rfind(" ", 0, start) + 1 if start else 0
        end = text.find(" ", end)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end if end >= 0 else len(text)))
    return spans
