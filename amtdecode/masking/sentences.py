"""Secrets in what people write: `Invalid password 'X'`, `changed the password from X to Y`, `X is no valid PIN`."""

from __future__ import annotations

import re

from amtdecode.fields import MASK
from amtdecode.masking.words import QUOTE, TOKEN, VERDICTS, is_prose, value_end

_WORD = (
    r"(?:[\w-]{0,40}(?:passw|passphr|passcode|passwd|pwd|kennwort|secret|credential)[\w-]{0,40}"
    r"|(?:(?:user |opt-?in )?consent|opt-?in|access|security|verification|unlock|activation|one[ -]time|pairing"
    r"|pin)[ -]?code"
    r"|passe|pass|jwt|ticket|pin|otp|pps|psk|pw|token|phrase|login|geheim\w*|парол[а-я]{1,4}|contraseña|senha|clave"
    r"|p[a@4][s$5]{2}w[o0]rd|p[/.]w\.?|api[ -]?key|(?:ntlm|md5|sha\d*) hash|has[łl]o|lozinka|jelszó|salasana|lösenord)"
)
_ABOUT = re.compile(
    rf"(?<![\w-]){_WORD}\s{{1,3}}(?:for|of|on|used by|für|fuer|pour|para|per|von|de)\s{{1,3}}"
    rf"(?:[^\s:=,;]{{1,60}}\s{{1,3}}){{0,3}}?[^\s:=,;]{{1,60}}?"
    r"\s{0,3}(:=|=>|=|:(?=\s)|(?<=\s)(?:is|was)(?=\s))\s{0,3}",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    rf"(?<![\w-]){_WORD}\s{{1,3}}(?:(?:\w{{2,12}}\s{{1,3}}){{0,4}}?(?:from|to|as|with))\s{{1,3}}", re.IGNORECASE
)
_WITH = re.compile(
    rf"\b(?:with|using|used|use|enter(?:ed|ing)?|typed?|typing|try|tried|trying|sent|send|sending)\s{{1,3}}(?:(?:the|a|an|his|her|my"
    rf"|your|new|old|this|default|mebx|amt|admin|as|for)\s{{1,3}}){{0,4}}{_WORD}\s{{1,3}}(?=\S)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    rf"(?<![\w-]){_WORD}['\"]?[\s,;|?/…–—#~^\[({{:.-]{{1,4}}(?:(?:is|was|of|the|value|as|now|to|and|or)\s{{1,3}}){{0,3}}(?=\S)",
    re.IGNORECASE,
)
_IS_ONE = re.compile(
    rf"(?<!\S)(\S++)(?=\s{{1,3}}(?:is|was|as|are|isn't|wasn't)\s{{1,3}}(?:[\w']{{1,16}}\s{{1,3}}){{0,4}}{_WORD}\b)",
    re.IGNORECASE,
)
_AND_TO = re.compile(
    r"(?<=\*{8})([,;]?\s{1,3}(?:to|into|instead of|and not|but|not|or)\s{1,3})"
    rf"(?!\*{{8}}|[\"']?(?:the\s)?{_WORD}(?:\s(?:prompt|field|box)\b|[\"']?:))\S+"
)
_SPELLED = re.compile(
    r"(?<![\w-])(?:p[a@4][s$5]{2}w[o0]rd|p[/.]w\.?|has[łl]o|lozinka|jelszó|salasana|lösenord)\s{0,3}[:=]\s{0,3}(?=\S)",
    re.IGNORECASE,
)
_OPTION = re.compile("--?[a-z]+")
_HAS_WORD = re.compile(rf"(?<![\w-]){_WORD}(?![\w-])", re.IGNORECASE)
_IN_QUOTES = re.compile(r"(?<![\w*])(\\{0,8}[\"'`])([^\s\"'`*=<>]{1,128})\1(?![\w:])")
_CURLED = re.compile(r"([“‘«„])([^“”‘’«»„\s*]{1,128})([”’»])")
_LOGGED_ON = re.compile(r"(\blog(?:s|ged|ging)?[ -]?(?:in|on)\b[^=:]{1,80}?\b(?:with|by)\s{1,3})(\S+)", re.IGNORECASE)
_RESPONSE = re.compile(
    r"(\b(?:(?:net[ -]?)?(?:nt|lm|ntlm)(?:v[12])?|digest|cram-md5|challenge)[ -]response"
    r"(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:(?:is|was)\s{1,3})?)"
    r"|\bchallenge (?:was )?answered (?:with|by)\s{1,3})(\S+)",
    re.IGNORECASE,
)
_AT_PROMPT = re.compile(
    rf"(\b(?:type|sen[dt]|enter|g[ai]ve|wr[oi]te)(?:d|ed)?\s{{1,3}})(\S+)(?=\s{{1,3}}(?:at|to|into|on)\s{{1,3}}(?:the\s)?{_WORD}\s(?:prompt|field|box)\b)"
    rf"|(\b{_WORD}\s(?:prompt|field|box)\s(?:(?:was|is)\s)?(?:(?:answered|filled)\s)?with\s{{1,3}})(\S+)",
    re.IGNORECASE,
)


def cover_sentences(text: str) -> str:
    """Cover what people write about passwords: next to the word, in quotes, `X is not a valid password`."""
    text = _RESPONSE.sub(_cover_last, text)
    if _HAS_WORD.search(text) is None:
        return _LOGGED_ON.sub(_cover_last, text) if "og" in text else text
    for pattern in (_SPELLED, _ABOUT, _CHANGED, _WITH, _BESIDE):
        pieces, done, at = [], 0, 0
        while (match := pattern.search(text, at)) is not None:
            at = start = match.end()
            token = TOKEN.match(text, start)
            if start <= done or token is None or MASK in token[0]:
                continue
            plain = _OPTION.fullmatch(token[0]) is not None or token[0].strip("\"'.,;:!()").lower() in VERDICTS
            if pattern is _BESIDE or pattern is _CHANGED:
                plain = plain or (is_prose(token[0]) and not re.match(QUOTE, token[0]))
            if plain:
                continue
            end = value_end(text, start) if pattern is _ABOUT or re.match(QUOTE, token[0]) else token.end()
            pieces += [text[done:start], MASK]
            done = at = end
        text = "".join([*pieces, text[done:]])
    text = _AND_TO.sub(rf"\1{MASK}", text)
    text = _AT_PROMPT.sub(lambda found: (found[1] or found[3]) + MASK, text)
    text = _IS_ONE.sub(lambda found: found[0] if is_prose(found[1]) or MASK in found[1] else MASK, text)
    text = _IN_QUOTES.sub(lambda found: found[0] if is_prose(found[2]) else MASK, text)
    text = _CURLED.sub(lambda found: found[0] if is_prose(found[2]) else MASK, text)
    return _LOGGED_ON.sub(_cover_last, text)


def _cover_last(match: re.Match[str]) -> str:
    return match[0] if is_prose(match[2]) or MASK in match[2] else match[1] + MASK
