"""Secrets in free text: addresses, headers, XML, JSON, command lines, and what people write in logs.

What stands behind a name that `names` knows is covered, up to where something else begins for certain; so is what looks
like a secret by itself (a PPS, a token, a private key). Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.fields import MASK
from amtdecode.masking.assignments import cover_assignments, cover_options
from amtdecode.masking.logins import cover_addresses, cover_logins
from amtdecode.masking.markup import cover_elements, cover_pairs
from amtdecode.masking.sentences import cover_sentences
from amtdecode.masking.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TRIGGER = re.compile(
    r"pass|pw|psk|pps|phrase|secret|key|token|pin|otp|cred|auth|digest|sig|priv|cookie|sess|jwt|jws|pfx|p12|ha1|nonce"
    r"|ticket|csrf|xsrf|mebx|salt|seed|sid|hmac|tgt|bearer|basic|negotiate|ntlm|kerberos|kennw|geheim|wachtw"
    r"|passe|contras|senha|clave|mdp|heslo|haslo|parola|puk|code|consent|_random|user|net1? +use|response|secur"
    r"|log(?:ging|ged|s)?[ -]?(?:in|on)|-u\s|@|%[2-7][0-9a-f]|[^\x00-\x7f]",
    re.IGNORECASE,
)
MAX_TEXT = 1 << 14  # characters that are looked through; what is behind them is covered as a whole where it is doubtful
_ALONE = 20  # characters: what is told by itself, without a name, is not shorter


_STEMS = tuple(
    words(
        """
        pass pw psk pps phrase secret key token pin otp cred auth digest sig priv cookie sess jwt pfx p12
        ha1 nonce ticket csrf xsrf login logon mebx salt seed hmac bearer basic negotiat ntlm kerb kennw
        geheim wachtw contras senha clave heslo haslo parola code consent response secur -u @ % <
        """
    )
)


def doubtful(texts: Sequence[str]) -> bool:
    """Tell whether one of many short texts may hold a secret: as fast as Python can, and true of more than do.

    What only its looks tell, a bare PPS, is left to `masked`.
    """
    joined = "\n".join(texts)
    if any(map(joined.__contains__, _SIGNS)) or not joined.isascii():
        return True
    loose = "\n".join([text for text in texts if " " in text or ":" in text or "/" in text]).lower()
    return any(map(loose.__contains__, _STEMS))


_SIGNS = ("=", "@", "<", "%", '"', "&", ";", "(")
"""What stands in no plain value; behind a blank, colon or slash the words decide."""
_PLAIN = re.compile(r"(?:urn:)?(?:uuid:)?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\d{0,20}")

MAX_KEPT = 2048  # texts kept with what is shown of them
MAX_KEPT_SIZE = 160  # characters of one of them


class _Kept(dict[str, str]):
    """Texts as they are shown: captures say the same again and again. Emptied when full."""

    def __missing__(self, text: str) -> str:
        shown = _masked(text)
        if len(text) <= MAX_KEPT_SIZE:
            if len(self) >= MAX_KEPT:
                self.clear()
            self[text] = shown
        return shown


_KEPT = _Kept()


def masked(text: str) -> str:
    """The text with passwords, keys, tokens and other secrets in it covered."""
    return text if _PLAIN.fullmatch(text) else _KEPT[text]


def _masked(text: str) -> str:
    if len(text) > MAX_TEXT:
        rest = text[MAX_TEXT:]
        return _masked(text[:MAX_TEXT]) + (MASK if doubtful((rest,)) else rest)
    if len(text) >= _ALONE:
        text = _BY_ITSELF.sub(_cover_by_itself, text)
    if _TRIGGER.search(text) is None:
        return text
    for step in _STEPS:
        text = step(text)
    return text


_BY_ITSELF = re.compile(
    r"(?P<key>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:(?!-----END).)*+"
    r"|(?P<log>\b(?:CLIENT_RANDOM|PMS_CLIENT_RANDOM|RSA|[A-Z_]{4,40}_SECRET(?:_\d)?)\s+[0-9a-fA-F]{8,}+\s+)\S++"
    r"|(?<![\w-])(?:[A-Za-z0-9]{4}-){7}[A-Za-z0-9]{4}(?![\w-])"  # a PPS as people write it
    r"|(?<![\w+/=])(?P<pps>[A-Za-z0-9]{32})(?![\w+/=])"
    r"|(?P<jwt>\beyJ[\w-]{8,}+(?:\.[\w-]*+){1,4})"
    r"|(?<![\w+/=])(?P<base64>[A-Za-z0-9+/]{56,}+={0,2})(?![\w+/=])",
    re.DOTALL,
)
_HEX = re.compile(r"[0-9a-fA-F]*")


def _cover_by_itself(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[0]
    if kind in ("key", "log"):
        return match[kind] + MASK
    if kind == "pps":  # 32 letters and digits that are no UUID and no name
        mixed = any(map(str.isdigit, text)) or text.isupper()
        return text if not mixed or _HEX.fullmatch(text) else MASK
    if kind == "base64":
        plain = _HEX.fullmatch(text) or text.isalpha() or text.isdigit() or "/" in text[:1] or text.count("/") > 4
        return text if plain else MASK
    return MASK


_STEPS: tuple[Callable[[str], str], ...] = (
    cover_elements,
    cover_pairs,
    cover_logins,
    cover_addresses,
    cover_options,
    cover_assignments,
    cover_sentences,
)
