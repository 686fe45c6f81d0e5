"""Passwords in addresses: `http://admin:PASSWORD@host/` and `/?password=PASSWORD` (RFC 3986 §3.2.1, §3.4)."""

from __future__ import annotations

import re

from amtdecode.model import MASK

# each part begins where it may and never goes back over it: linear whatever is sent
_SECRET = re.compile(
    r"(//[^\s/?#@:]*+:)[^\s/?#]+(?=@)"
    r"|([?&;#](?=[^\s?&;#=]*?(?:pass|pwd|token|secret|api-?_?key))[^\s?&;#=]*+=)[^&#]+",
    re.ASCII | re.IGNORECASE,
)


def suspicious(text: str) -> bool:
    """Whether there may be something for `discreet` to mask: cheap, and true of few texts."""
    return "@" in text or ("=" in text and ("?" in text or "&" in text or ";" in text or "#" in text))


def discreet(text: str) -> str:
    """The text with the passwords of addresses in it masked."""
    return _SECRET.sub(rf"\1\2{MASK}", text) if suspicious(text) else text
