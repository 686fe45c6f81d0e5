"""Secrets beside the name of an account: `admin/X refused`, `admin:X`, `u=admin p=X`, `-p X -u admin`."""

from __future__ import annotations

import re

from amtdecode.fields import MASK
from amtdecode.masking.words import QUOTE, TOKEN, is_prose, value_end

_ANY = re.compile(r"admin|root|\bsa\b|user|uid|u=|log[io]n|-[pPw]|digest:|\w\(", re.IGNORECASE)
_USER = r"(?:admin(?:istrator)?|\$\$osadmin|root|sa)"
_PAIR = re.compile(
    rf"(?<![\w./\\%@-])({_USER}(?:\s{{0,2}}/\s{{0,2}}|:))(?![/\s*])(?P<value>[^\s,;)\]}}\"'<>]+)", re.IGNORECASE
)
_REFUSED = re.compile(
    r"[\s,;:.()\"']{0,4}(?:was |is |were )?(?:refused|rejected|denied|failed|wrong|invalid|accepted|incorrect)",
    re.IGNORECASE,
)
_LOGIN = re.compile("auth|log[io]n|logged|credential|connect|user|-u", re.IGNORECASE)
_SHORT = re.compile(
    rf"(?<![\w-])(?:u|user(?:name)?|uid|login|account){QUOTE}?\s{{0,2}}[=:]\s{{0,2}}[^\s,;&]{{1,80}}[\s,;&]{{1,3}}{QUOTE}?p{QUOTE}?\s{{0,2}}[=:]\s{{0,2}}(?=\S)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?<![\w./\\-])(?:user(?:name)? \S{{1,64}}|{_USER})\s{{1,3}}(?:with|using|by|and|/)\s{{1,3}}(?=\S)"
    r"|\b\w{0,64}(?:Acl|Cred|User|Login|Auth|Account)\w{0,64}\(\s{0,2}[\"']?[\w.\\$-]{1,64}[\"']?,\s{0,2}(?=\S)"
    rf"|\blog(?:in|on|ging in)\s{{1,3}}(?:as\s{{1,3}}|for\s{{1,3}})?{_USER}\s{{1,3}}(?=\S)",
    re.IGNORECASE,
)
_BEFORE_USER = re.compile(
    r"(?<![\w-])(?:-p|-pw|-P|-w|--pass)[\s=]{1,2}(?=[^\s-])(?P<value>(?:\"[^\"]*\"|'[^']*'|\S+))(?=(?:\s+\S+){0,8}?\s+(?:-u|-U|-l|--user(?:name)?)[\s=])"
)
_LISTED = re.compile(rf"(?<![\w-])-(?:p|pw|pass|w)({QUOTE}?\s{{0,2}},\s{{0,2}}{QUOTE}?)([^\s,\"'\]]+)")
_REALM = re.compile(r"(?<=Digest:)([0-9A-F]{32}):([^\s,;\"']+)", re.IGNORECASE)  # HA1 before it is hashed


def cover_accounts(text: str) -> str:
    """Cover what stands beside the name of an account, in the place of its password."""
    if _ANY.search(text) is None:
        return text
    if "-p" in text or "-P" in text or "-w" in text:
        text = _BEFORE_USER.sub(_cover_value, text)
        if "," in text:
            text = _LISTED.sub(lambda found: f"{found[0][: -len(found[2])]}{MASK}", text)
    text = _REALM.sub(rf"\1:{MASK}", text)
    text = _PAIR.sub(_cover_pair, text)
    for pattern in (_SHORT, _AFTER):
        pieces, done = [], 0
        for match in pattern.finditer(text):
            start = match.end()
            token = TOKEN.match(text, start)
            if start < done or token is None or MASK in token[0]:
                continue
            quoted = re.match(QUOTE, token[0]) is not None
            if pattern is _AFTER and not quoted and is_prose(token[0]):
                continue
            end = value_end(text, start) if quoted else token.end()
            pieces += [text[done:start], MASK]
            done = end
        text = "".join([*pieces, text[done:]])
    return text


def _cover_value(match: re.Match[str]) -> str:
    return match[0] if match["value"] == MASK else match[0][: -len(match["value"])] + MASK


def _cover_pair(match: re.Match[str]) -> str:
    value = match["value"]
    text, at = match.string, match.start()
    doubted = _REFUSED.match(text, match.end()) or (match[1][-1] == ":" and _LOGIN.search(text, 0, at))
    if is_prose(value) and not (doubted and value.isalnum()):
        return match[0]
    if "/" in value or value.startswith("Digest:"):  # a path; the realm of AMT
        return match[0]
    return match[1] + MASK
