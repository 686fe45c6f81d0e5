"""Secrets in free text: addresses, headers, XML, JSON, command lines, and what people write in logs.

What stands behind a name that `names` knows is covered, up to where something else begins for certain; so is what looks
like a secret by itself (a PPS, a token, a private key). Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from amtdecode.compiled import TEXTS
from amtdecode.fields import MASK
from amtdecode.masking.names import words

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT = 1 << 14  # characters that are looked through; what is behind them is covered as a whole where it is doubtful
MAX_KEPT = 2048  # texts kept with what is shown of them
MAX_KEPT_SIZE = 160  # characters of one of them
LONG = 28  # characters of a word: what is told by its looks, without a name, is not shorter

_STEMS = tuple(
    sorted(
        {
            "answered with",
            "answered by",
            "-p ",
            "-p,",
            '-p"',
            "-p'",
            "-p`",
            "admin/",
            "admin /",
            "admin:",
            "admin with",
            "(admin",
            "u=admin",
        }
        | words(
            """
            pass pw psk pps phrase secret key token pin otp cred auth digest sig priv cookie sess jwt jws pfx p12 ha1
            nonce ticket csrf xsrf login logon logg mebx salt seed sid tgt hmac bearer basic negotiat ntlm kerb kennw
            geheim wachtw contras senha clave mdp heslo haslo parola puk code consent response secur random user
            netdom schtasks ldap identified -u p/w p.w. lozinka salasana sas
            (1) (2)
            """
        )
    )
)
"""Without one of these, and without "@" and "%", only the looks of a word may tell a secret."""
_PLAIN = re.compile(r"(?:urn:)?(?:uuid:)?[0-9A-Za-z]{8,16}(?:-[0-9A-Za-z]{4}){3}(?:-[0-9A-Za-z]{12})?|\d{0,20}")
"""UUIDs, contexts of enumerations, numbers: most of what no capture says twice."""


_BASE64 = re.compile(r"(?!/|.*/[a-z_]{3,20}/)[A-Za-z0-9+/]{28,}={0,2}", re.DOTALL)  # no path


def is_word(text: str) -> bool:
    """Tell whether a text is one word or number, or bytes as base64, in which nothing can be the name of anything."""
    return text.isalnum() or text.isidentifier() or (len(text) > LONG and _BASE64.fullmatch(text) is not None)


def doubtful(texts: Sequence[str]) -> bool:
    """Tell whether one of many short texts may hold a secret: as fast as Python can, and true of more than do.

    What only its looks tell, a bare PPS, is left to `masked`.
    """
    loose = [text for text in texts if not (text.isalnum() or hash(text) in _NO_DOUBT or is_word(text))]
    if not loose:
        return False
    if _has_stem("\n".join(loose)):
        return True
    if len(_NO_DOUBT) >= MAX_KEPT:
        _NO_DOUBT.clear()
    _NO_DOUBT.update([hash(text) for text in loose if len(text) <= MAX_KEPT_SIZE])
    return False


def _has_stem(text: str) -> bool:
    if not text.isascii() or "@" in text or "%" in text:
        return True
    return _stems().search(text.lower()) is not None


if TEXTS is not None:
    TEXTS.set_stems(_STEMS)
    _has_stem = TEXTS.has_stem


@cache
def _stems() -> re.Pattern[str]:
    """The stems as a pattern that branches letter by letter, which is found much faster than one after another."""
    return re.compile(_branches(_STEMS))


def _branches(endings: Sequence[str]) -> str:
    if "" in endings:
        return ""
    by_letter: dict[str, list[str]] = {}
    for ending in endings:
        by_letter.setdefault(ending[0], []).append(ending[1:])
    return f"(?:{'|'.join([re.escape(letter) + _branches(rest) for letter, rest in by_letter.items()])})"


_NO_DOUBT: set[int] = set()
"""Texts that `doubtful` has cleared, by their hashes: consoles and machines say most of them again and again."""
_SHOWN: dict[int, str | None] = {}
"""What is shown of texts, by their hashes, so that no secret is held; `None`: all. Emptied when full."""


def masked(text: str) -> str:
    """The text with passwords, keys, tokens and other secrets in it covered."""
    shown = _SHOWN.get(hash(text), "")
    if shown is None:
        return text
    return shown or _looked_through(text)


def _looked_through(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    shown = _masked(text)
    if len(text) <= MAX_KEPT_SIZE:
        if len(_SHOWN) >= MAX_KEPT:
            _SHOWN.clear()
        _SHOWN[hash(text)] = None if shown == text else shown
    return shown


def _masked(text: str) -> str:
    if len(text) > MAX_TEXT:
        rest = text[MAX_TEXT:]
        return _masked(text[:MAX_TEXT]) + (MASK if _has_stem(rest) else rest)
    if _has_stem(text):
        from amtdecode.masking.steps import STEPS

        for step in STEPS:
            text = step(text)
    elif len(text) >= LONG and max(map(len, text.split()), default=0) >= LONG:
        from amtdecode.masking.looks import cover_looks

        text = cover_looks(text)
    return text
