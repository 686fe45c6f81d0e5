"""Secrets in headers and addresses of HTTP as they stand in texts: credentials, user and password before a host."""

from __future__ import annotations

import re

from amtdecode.fields import MASK
from amtdecode.masking.names import SCHEMES, STRONG, grade
from amtdecode.masking.words import QUOTE, is_prose, quoted_end, value_end

SCHEME_NAMES = "|".join(sorted(SCHEMES))
_AUTHORIZATION = re.compile(
    rf"(?<![\w])((?:proxy-)?authori[sz]ation(?:{QUOTE}|\]|\)){{0,2}}\s{{0,4}}[:=]\s{{0,4}}{QUOTE}?)"
    rf"(?:({SCHEME_NAMES})(\s+|:))?",
    re.IGNORECASE,
)
_LOOSE_LOGIN = re.compile(
    r"(?<![\w-])((?:basic|bearer|negotiate|ntlm|kerberos)\s{1,4})([\w+/=.~-]{6,}+)", re.IGNORECASE
)
_RESPONSE = re.compile(r"(\bresponse\s*=\s*\\{0,8}[\"']?)([^\s\",*]{16,}+)", re.IGNORECASE)  # of a digest login
# what MeshCentral's server writes of a login over CIRA that it refuses: user name and password behind it, as they are
_MESHCENTRAL = re.compile(
    r"(\bIncorrect password|\bUsername length not 16|\bDevice group not found \([12]\)(?::? [^\s,]+)?)([\s,:]+)"
    r"(?!(?:or|and|for|from|by|in)\b)[^\n]+",
    re.IGNORECASE,
)


_OF_DIGEST = re.compile(r"(\b(?:response|cnonce)\s*=\s*\\{0,8}[\"'])([^\s\",*'\\]+)", re.IGNORECASE)


def cover_logins(text: str) -> str:
    """Cover credentials: `Authorization: Basic X`, whatever stands there in place of a scheme, `Bearer X` alone."""
    text = _MESHCENTRAL.sub(rf"\1\2{MASK}", text)
    pieces, done = [], 0
    for match in _AUTHORIZATION.finditer(text):
        start = match.end()
        if match[2] is None and text[start : start + len(MASK)] == MASK:
            continue
        opened = re.search(rf"{QUOTE}$", match[1])
        end = value_end(text, start) if opened is None else quoted_end(text, opened[0], start) - 1
        if text[start:end] and text[start:end] != MASK:
            pieces += [text[done:start], MASK]
            done = end
    text = "".join([*pieces, text[done:]])
    text = _LOOSE_LOGIN.sub(lambda found: found[0] if is_prose(found[2]) else found[1] + MASK, text)
    text = _RESPONSE.sub(rf"\1{MASK}", text)
    return _OF_DIGEST.sub(rf"\1{MASK}", text) if "igest" in text or "username" in text else text


_USER_INFO = re.compile(
    r"((?:/|%2f){2})(?:([^\s/?#@:\"'<>]*?)(:|%3a))?([^\s\"'<>]+?)(?=(?:@|%40)(?!\S*?(?<!%40)@))", re.IGNORECASE
)
_LOOSE_INFO = re.compile(r"(?<![\w/:.@-])(?!mailto:|sip:|xmpp:)([\w.-]{1,64}:)([^\s/@:\"'<>]{1,128}+)(?=@[\w.-])")
_SEGMENT = re.compile(r"(?<=/)([\w%.-]++)/([^\s/?#;&\"'<>]++)")


def cover_addresses(text: str) -> str:
    """Cover what addresses hold: the password before the host (RFC 3986 §3.2.1), a part of the path behind its name."""
    if "@" in text or "%40" in text:
        text = _USER_INFO.sub(_cover_user, text)
        text = _LOOSE_INFO.sub(rf"\1{MASK}", text)
    if "/" in text:
        text = _segments(text)
    return text


def _cover_user(match: re.Match[str]) -> str:
    slashes, user, colon, _ = match.groups()
    return f"{slashes}{user}{colon}{MASK}" if colon else f"{slashes}{MASK}"


def _segments(text: str) -> str:
    pieces, done, at = [], 0, 0
    while (match := _SEGMENT.search(text, at)) is not None:
        at = match.end(1)
        if grade(match[1]) == STRONG and not is_prose(match[2]) and match[2] != MASK:
            pieces += [text[done : match.start(2)], MASK]
            done = at = match.end()
    return "".join([*pieces, text[done:]])
