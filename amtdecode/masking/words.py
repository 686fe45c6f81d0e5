"""What free text is made of: quotes, tokens that look like secrets and such that are prose, where a value ends."""

from __future__ import annotations

import re

from amtdecode.masking.names import words

QUOTE = r"(?:\\{0,8}[\"'`]|&quot;|&apos;|&#34;|&#39;|%22|%27|[“‘«„])"
"""What opens a quoted value; what closes it is the same again, or its counterpart."""
_CLOSING = {"“": "”", "‘": "’", "«": "»", "„": "“"}
_BRACKETS = {"{": "}", "[": "]", "(": ")", "<": ">"}
_QUOTE = re.compile(QUOTE)

MAX_SENTENCE = 400  # characters
MAX_BRACKETS = 4096  # characters in which the end of a bracket is looked for

VERDICTS = words(
    """
    wrong incorrect invalid required missing not empty set unset too expired refused rejected denied accepted
    blank null none unknown changed failed failure fails error mismatch mismatched does did do is was were are
    be been has have had must should cannot can could will would may no yes true false ok authentication
    authorization validation check policy length complexity protected needed given found updated verified valid
    unavailable disabled enabled supported unsupported for from of on in at by to and or if when because the a
    an this that these it its you your lost forgotten stored kept read checked compared known correct right weak
    short long strong default closed open identity identities suite suites table store stores hint characters
    digits letters least most with without management manager prompt field file provided specified entered sent
    received supplied used
    """
)
"""Words behind "password" that begin a sentence about it, and are hardly one themselves."""
_PROSE = re.compile(
    r"(?:[a-z_]{1,30}=)?[(\"']*(?:[A-Z]?[a-z]+(?:[-'/][A-Z]?[a-z]+)*|[A-Z]|[A-Z]{2,6}|\d{1,3}|[-–—→&+/|?!.]+)[.,;:!?)\"'…]*"
)
_KNOWN = re.compile(
    r"(?:[a-z_]{1,30}=)?[(\[<\"']*(?:0x[0-9a-f]{1,16}|(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,12}(?::\d{1,5})?|\d{1,10}(?:[.:,/-]\d{1,6})*(?:ms|s|%|kb|mb)?"
    r"|https?://\S{1,200}|\*{8})[\])>.,;:!?\"']*",
    re.IGNORECASE,
)
"""Codes, addresses, UUIDs, names of hosts, numbers and times: what sentences about a password hold besides words."""


def is_prose(token: str) -> bool:
    """Tell whether a token is an ordinary word, number, code or address."""
    return _PROSE.fullmatch(token) is not None or _KNOWN.fullmatch(token) is not None


def is_all_prose(text: str) -> bool:
    """Tell the same of every token of a text, if it is no longer than a sentence."""
    return len(text) <= MAX_SENTENCE and all(map(is_prose, text.split()))


_NEXT = re.compile(
    r"[\r\n\0]"
    r"|&(?:amp;)?(?=[\w.%-]{1,60}=)"
    rf"|[,;]\s{{0,4}}(?={QUOTE}?[\w.$-]{{1,60}}{QUOTE}?\s{{0,4}}[:=])"
    r"|\s(?=\$?[\w.-]{1,60}\s{0,4}:?=)"
    r"|\s(?=--?[A-Za-z])"
    r"|\s(?=/[A-Za-z][\w-]{1,40}(?:[\s:=]|$))"
    r"|\s(?=HTTP/\d)"
    r"|<(?=/|[\w:.-]{1,60}[\s/>])|&lt;(?=/)|[}\])](?=[\s,;}\])]|$)"
)
"""Where something else begins behind an unquoted value: another key, option, tag."""
_PAUSE = re.compile(
    r"[,;.]\s+|\s+(?=(?:for|at|on|from|in|by|was|failed|refused|rejected|accepted|to|and|via|using|with|user|host|sent)\b)"
)
"""Where a sentence may go on behind an unquoted value."""
_TAGGED = re.compile(r"(?:<[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,200})?(?<!/)>\s{0,4})+[^<]{1,400}(?=</)")
"""A value with tags of its own around it, as in HTML."""
TOKEN = re.compile(r"\S+")
_STOP = re.compile(r"[\s,;)}\]>&<]|/>|\\{1,8}[rn]")


def value_end(text: str, start: int) -> int:
    """Where the value that begins at `start` ends.

    A quoted or bracketed one ends with its quote or bracket, any other where something else begins for certain, or at
    the end of the line: passwords hold blanks, commas and semicolons.
    """
    opening = _QUOTE.match(text, start)
    if opening is not None:
        return quoted_end(text, opening[0], opening.end())
    if (tagged := _TAGGED.match(text, start)) is not None:
        return tagged.end()
    if text[start : start + 1] in _BRACKETS and text[start : start + 2] != "</":
        return _bracketed_end(text, start)
    following = _NEXT.search(text, start)
    end = following.start() if following else len(text)
    prose = _prose_from(text, start, end)
    for pause in _PAUSE.finditer(text, start + 1, end):
        if pause.end() >= prose:
            return pause.start()
    return end


def _prose_from(text: str, start: int, end: int) -> int:
    """Where the ordinary words begin that go on to `end`."""
    first = end
    for token in reversed([*TOKEN.finditer(text, start, end)]):
        if not is_prose(token[0]):
            break
        first = token.start()
    return first


def quoted_end(text: str, quote: str, start: int) -> int:
    """Where a quoted value ends, behind what closes it; a quote inside it is none where no blank or mark follows."""
    closing = _CLOSING.get(quote, quote)
    at = start
    while True:
        found = text.find(closing, at)
        if found < 0:
            return len(text)
        escaped = len(closing) == 1 and _odd_backslashes(text, start, found)
        at = found + len(closing)
        if escaped:
            continue
        if found > start and text.startswith(closing, at):  # doubled, as SQL and PowerShell escape it
            at += len(closing)
            continue
        stop = _STOP.match(text, at)
        if stop is not None or at == len(text) or text[at] in ".:!?\"'\\":
            return at
        if text.find(closing, at) < 0:  # a quote inside what has none behind it: up to the next blank
            stop = _STOP.search(text, at)
            return stop.start() if stop else len(text)


def _odd_backslashes(text: str, start: int, end: int) -> bool:
    count = 0
    while end - count > start and text[end - count - 1] == "\\":
        count += 1
    return count % 2 == 1


def _bracketed_end(text: str, start: int) -> int:
    depth = 0
    opening = text[start]
    closing = _BRACKETS[opening]
    for at in range(start, min(len(text), start + MAX_BRACKETS)):
        if text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if not depth:
                return at + 1
    return len(text)
