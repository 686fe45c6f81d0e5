"""Secrets in free text: addresses, headers, XML, JSON, command lines, and what people write in logs.

What stands behind a name that `names` knows is covered, up to where something else begins for certain; so is what looks
like a secret by itself (a PPS, a token, a private key). Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
        words(
            """
            pass pw psk pps phrase secret key token pin otp cred auth digest sig priv cookie sess jwt jws pfx p12 ha1
            nonce ticket csrf xsrf login logon logg mebx salt seed sid tgt hmac bearer basic negotiat ntlm kerb kennw
            geheim wachtw contras senha clave mdp heslo haslo parola puk code consent response secur random user -u use
            """
        )
    )
)
"""Without one of these, and without "@" and "%", only the looks of a word may tell a secret."""
_PLAIN = re.compile(r"(?:urn:)?(?:uuid:)?[0-9A-Za-z]{8,16}(?:-[0-9A-Za-z]{4}){3}(?:-[0-9A-Za-z]{12})?|\d{0,20}")
"""UUIDs, contexts of enumerations, numbers: most of what no capture says twice."""


def is_word(text: str) -> bool:
    """Tell whether a text is one word or number, in which nothing can be the name of anything."""
    return text.isalnum() or text.isidentifier()


def doubtful(texts: Sequence[str]) -> bool:
    """Tell whether one of many short texts may hold a secret: as fast as Python can, and true of more than do.

    What only its looks tell, a bare PPS, is left to `masked`.
    """
    return _has_stem("\n".join([text for text in texts if not is_word(text)]))


def _has_stem(text: str) -> bool:
    if not text.isascii() or "@" in text or "%" in text:
        return True
    return any(map(text.lower().__contains__, _STEMS))


class _Kept(dict[str, str]):
    """Texts as they are shown: captures say the same again and again. Emptied when full."""

    def __missing__(self, text: str) -> str:
        if _PLAIN.fullmatch(text):
            return text
        shown = _masked(text)
        if len(text) <= MAX_KEPT_SIZE:
            if len(self) >= MAX_KEPT:
                self.clear()
            self[text] = shown
        return shown


_KEPT = _Kept()


def masked(text: str) -> str:
    """The text with passwords, keys, tokens and other secrets in it covered."""
    return _KEPT[text]


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
