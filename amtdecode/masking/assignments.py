"""Secrets behind their names: `password=X`, `"otp": "X"`, `PPS => X`, `/AdminPassword X`, `password is X`."""

from __future__ import annotations

import re
from operator import itemgetter

from amtdecode.fields import MASK
from amtdecode.masking.logins import SCHEME_NAMES
from amtdecode.masking.names import NONE, STRONG, grade, is_secret_name, words
from amtdecode.masking.words import QUOTE, TOKEN, VERDICTS, is_all_prose, is_prose, value_end

_LETTER = r"(?:[\w$-]|\.(?=\w)|%(?!2[267c]|3[ade]|7[bd])[0-9a-f]{2})"
_ASSIGNMENT = re.compile(
    rf"(?:(?<![\w%])|(?<=%2[267])|(?<=%3[ad])|(?<=%7b))(?<!//)({_LETTER}{{1,256}}+)(?:\[\w{{0,20}}(?=\]))?({QUOTE}|\]|\))?({QUOTE})?\s{{0,4}}"
    r"(:=|=>|==?>?|：|＝|\\u003[ad]|\\x3[ad]|:(?!//)|\.{2,64}+:?(?=\s)|->|→|%3d|%3a|&#58;|&#61;|\((?=[^)\s])"
    r"|(?<=\s)(?:is|was|equals|are|lautet|ist|est|es|set to|is set to|now)(?=\s))\s{0,4}",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"([\w$-]{2,40})([ \t(]{1,2})$")
_COUNT = re.compile(r"\d{1,3}(?![\w.-])")
_DONE_WITH = words("used given sent entered tried typed supplied provided received")
_NOUNS = words(
    """
    key value data id code hash text string blob bytes hex base64 new old is now confirm again md5
    word used given sent entered tried typed supplied provided received
    """
)
_IN_PROSE = re.compile(r"\w[ \t]$")


def cover_assignments(text: str) -> str:
    """Cover the values of names: `password=X`, `"otp": "X"`, `$pwd := 'X'`, `PPS => X`, `password is X`."""
    pieces, done, at = [], 0, 0
    while (match := _ASSIGNMENT.search(text, at)) is not None:
        at = start = match.end()
        name, sign = match[1][-128:], match[4]
        sure, before = grade(name), None
        if sure < STRONG:
            sure, before = max((sure, None), _grade_of_words(text, match.start(), name), key=itemgetter(0))
        if sure == NONE or _DONE.match(text, start):
            continue
        if sign == "(":  # SetPassword("X")
            end = text.find(")", value_end(text, start))
            end = end if end >= 0 else len(text)
            if text[start] not in "\"'\\`&“‘" and is_all_prose(text[start:end]):
                continue
            at = end
            pieces += [text[done:start], MASK]
            done = at
            continue
        if before is not None and _COUNT.match(text, start):  # the token was sent: 200
            continue
        spoken = sign.isalpha() or " " in sign or (sign == ":" and text[start - 1] == " ")
        if sign[0] == "." and _reports(text, start):
            continue
        if spoken and _is_sentence(text, start, sure, match.start()):
            end = value_end(text, start)
            pieces += [text[done:start], TOKEN.sub(_cover_odd, text[start:end])]
            done = at = end
            continue
        end = value_end(text, start)
        if end > start:
            pieces += [text[done:start], MASK]
            done = at = end
    return "".join([*pieces, text[done:]])


def _grade_of_words(text: str, start: int, name: str) -> tuple[int, str | None]:
    """Judge a name of two words, `session id`, or one with something in brackets behind it, `password (admin)`.

    Also gives the word that tells what was done with the secret: `token sent`.
    """
    before = _BEFORE.search(text, max(0, start - 42), start)
    if before is None:
        return NONE, None
    if "(" in before[2]:
        return grade(before[1]), None
    low = name.lower()
    return (grade(f"{before[1]} {name}"), low if low in _DONE_WITH else None) if low in _NOUNS else (NONE, None)


_DONE = re.compile(
    rf"{QUOTE}?(?:(?:{SCHEME_NAMES})[\s:]+)?\*{{8}}|(?<=Digest:)[0-9A-F]{{32}}(?![0-9A-F])", re.IGNORECASE
)
"""Behind a name: what is covered already; the realm of AMT, which is public."""


def _is_sentence(text: str, start: int, sure: int, before: int) -> bool:
    """Tell whether behind a name and a colon, or "is", a sentence goes on instead of a value."""
    token = TOKEN.match(text, start)
    if token is None:
        return True
    if token[0].strip("\"'.,;:!()").lower() in VERDICTS:
        return True
    return sure < STRONG and is_prose(token[0]) and _IN_PROSE.search(text, max(0, before - 2), before) is not None


def _reports(text: str, start: int) -> bool:
    """Tell whether behind dots stands how something went, `checking password ... OK`, not a value."""
    token = TOKEN.match(text, start)
    return token is None or is_prose(token[0])


def _cover_odd(token: re.Match[str]) -> str:
    return token[0] if is_prose(token[0]) or MASK in token[0] else MASK


_OPTION = re.compile(
    rf"(?<![\w/.:-])(?:--?|/)({_LETTER}++)\s{{1,4}}(?!--?[A-Za-z]|/[A-Za-z]\w+(?:[\s:=]|$))", re.IGNORECASE
)
_COMMANDS = re.compile(
    rf"(ConvertTo-SecureString\s+(?:-String\s+)?)(?=[^-\s])"
    rf"|((?:PSCredential|NetworkCredential|ConvertTo-SecureString)\s*(?={QUOTE}?\())"
    r"|(\bnet1?\s+use\s+(?:\S+\s+)?\\\\\S+\s+)(?=[^\s/])"
    r"|((?<![\w-])(?:-u|--user|--proxy-user|-U)[\s=]+[^\s:/]{1,64}:)(?=[^\s/])"
    r"|((?<![\w-])(?:-u|--user(?:name)?|/user|-user(?:name)?|-l)[\s:=]\S{1,80}\s+(?:\S+\s+){0,6}?(?:(?:-p|-pw|/p|-w)[\s:=]{1,2}|-p(?!ass|sk|rof|fx|w\b|k\b|ort|id|ps)))(?=\S)"
    r"|(\bsshpass\s+-p\s*)(?=\S)"
    r"|(\bcurl\b[^\n]{0,200}?\s-u(?=[^\s:-])[^\s:/]{1,64}:)(?=[^\s/])"
    r"|(\b(?:ldap\w+|amtterm|amttool|amtctrl|wsman\w*|ipmitool|mosquitto_\w+|mesh\w+)\b[^\n]{0,200}?\s-[pwP]\s+)(?=[^\s-])(?!\d{2,5}(?!\S))"
    r"|((?<![\w-])-U[\s=]?[^\s%]{1,64}%)(?=\S)|(\bidentified\s+by\s+)(?=\S)"
    r"|(\bcertutil\b[^\n]{0,200}?\s-p\s+)(?=\S)"
    r"|(\bnetdom\b[^\n]{0,200}?\s/p[do]:)(?=[^\s*])"
    r"|(\bschtasks\b[^\n]{0,200}?\s/rp\s+)(?=[^\s*])"
    r"|(\b(?:runas|net1?\s+use)\b[^\n]{0,200}?\s/u(?:ser)?:\S{1,80}\s+)(?=[^\s/-])"
    r"|(\bREG_(?:EXPAND_)?SZ\s+(?:/d\s+)?)(?=[^\s/])"
    r"|(\b(?:user(?:name)?|login|account)(?:/|,| and )pass(?:word|wd)?\W{1,4}[^\s/,:]{1,64}\s{0,2}[/,:]\s{0,2})(?=\S)",
    re.IGNORECASE,
)


_PIPED = re.compile(r"([\"'])(?!\*{8})[^\"'\n]{1,128}\1(?=\s*\|\s*ConvertTo-SecureString)", re.IGNORECASE)


def _is_of_secret(match: re.Match[str]) -> bool:
    """Tell of a value of the registry whether its name is that of a secret; of all other commands it is."""
    if "REG_" not in match[0].upper():
        return True
    named = _REGISTRY_NAME.search(match.string, max(0, match.start() - 80), match.start())
    return named is not None and is_secret_name(named[1])


_REGISTRY_NAME = re.compile(r"([\w.-]{1,64})\"?\s+(?:/t\s+)?$")


def cover_options(text: str) -> str:
    """Cover what options carry: `/AdminPassword X`, `--psk X`, and the commands that take passwords without a name."""
    for pattern in (_OPTION, _COMMANDS):
        pieces, done = [], 0
        for match in pattern.finditer(text):
            start = match.end()
            if start <= done or text.startswith(MASK, start):
                continue
            if not (is_secret_name(match[1]) if pattern is _OPTION else _is_of_secret(match)):
                continue
            end = value_end(text, start)
            if end > start:
                pieces += [text[done:start], MASK]
                done = end
        text = "".join([*pieces, text[done:]])
    return _PIPED.sub(rf"\1{MASK}\1", text) if "|" in text else text
