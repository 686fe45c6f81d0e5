"""What may come next in a filter that is being typed."""

from __future__ import annotations

import re

from amtdecode.filter.functions import FUNCTIONS
from amtdecode.filter.schema import Family, Schema

_LAST = re.compile(r"[A-Za-z0-9_.]*$")
_VALUE = re.compile(r'([A-Za-z0-9_.]+)\s*(?:===?|!==?|eq|ne|in\s*\{(?:[^}]*,)?)\s*("?[^"]*)$')


def complete(text: str) -> list[str]:
    """The whole text with each word that may be its last one."""
    schema = Schema()
    named = _VALUE.search(text)
    if named is not None:
        known = schema.find(named[1])
        if known is not None and (known.names or known.family is Family.BOOLEAN):
            begun = named[2].lstrip('"').lower()
            names = known.names.values() if known.names else ("True", "False")
            head = text[: named.start(2)]
            return [f'{head}"{name}"' for name in names if name.lower().startswith(begun)]
    last = _LAST.search(text)
    begun = last[0] if last else ""
    head = text[: len(text) - len(begun)]
    words = [*schema.names, *(f"{name}(" for name in FUNCTIONS)]
    return [head + word for word in words if word.startswith(begun)]
