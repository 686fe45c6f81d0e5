"""Secrets told by their looks, without a name: a PPS, a token, a private key, a line of a key log."""

from __future__ import annotations

import re

from amtdecode.fields import MASK

_BY_ITSELF = re.compile(
    r"(?P<key>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(?=-----END|\Z)"
    r"|(?P<log>\b(?:CLIENT_RANDOM|PMS_CLIENT_RANDOM|RSA|[A-Z_]{4,40}_SECRET(?:_\d)?)\s+[0-9a-fA-F]{8,}+\s+)\S++"
    r"|(?<![\w-])(?:[A-Za-z0-9]{4}-){7}[A-Za-z0-9]{4}(?![\w-])"  # a PPS as people write it
    r"|(?<![\w+/=])(?P<pps>[A-Za-z0-9]{32})(?![\w+/=])"
    r"|(?P<jwt>\beyJ[\w-]{8,}+(?:\.[\w-]*+){1,4})"
    r"|(?<![\w+/=])(?P<base64>[A-Za-z0-9+/]{56,}+={0,2})(?![\w+/=])",
    re.DOTALL,
)
_HEX = re.compile(r"[0-9a-fA-F]*")


def _cover(match: re.Match[str]) -> str:
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


def cover_looks(text: str) -> str:
    """Cover what is a secret by its looks."""
    return _BY_ITSELF.sub(_cover, text)
