"""Passwords in addresses: `http://admin:PASSWORD@host/` and `/?password=PASSWORD` (RFC 3986 §3.2.1, §3.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from amtdecode.fields import MASK
from amtdecode.tree import Node, node

if TYPE_CHECKING:
    from amtdecode.fields import Field

# each part begins where it may and never goes back over it: linear whatever is sent
_SECRET = re.compile(
    r"(//[^\s/?#@:]*+:)[^\s/?#]+(?=@)"
    r"|([?&;#](?=[^\s?&;#=]*?(?:pass|pwd|token|secret|api-?_?key))[^\s?&;#=]*+=)[^&#]+",
    re.ASCII | re.IGNORECASE,
)


def suspicious(text: str) -> bool:
    """Whether there may be something for `discreet` to mask: cheap, and true of few texts."""
    return "@" in text or ("=" in text and ("?" in text or "&" in text or ";" in text or "#" in text))


_AT, _EQUALS, *_BEFORE = b"@=?&;#"


def suspicious_json(text: bytes) -> bool:
    """The same of JSON. Single bytes are found fastest by their numbers."""
    if _AT in text:
        return True
    question, ampersand, semicolon, number_sign = _BEFORE
    return _EQUALS in text and (question in text or ampersand in text or semicolon in text or number_sign in text)


def discreet(text: str) -> str:
    """The text with the passwords of addresses in it masked."""
    return _SECRET.sub(rf"\1\2{MASK}", text) if suspicious(text) else text


def discreet_node(field: Field, value: Any, start: int, length: int, children: tuple[Node, ...] = ()) -> Node:
    """A node of a field that is secret, too, where its text has the password of an address in it."""
    made = node(field, value, start, length, children)
    if made.secret or not isinstance(value, str) or discreet(value) == value:
        return made
    return msgspec.structs.replace(made, secret=True)
