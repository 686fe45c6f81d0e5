"""Values by path. Machines of one kind send the same paths over and over: what follows from them is worked out once.

Plain values are a tuple of pairs. `Listing` is such a tuple, made by a plan, that can also write itself as JSON.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeGuard

import msgspec

from amtdecode.protocols.soap import tables

Values = tuple[tuple[str, str], ...]
"""Paths of elements (local names joined with `/`) and their texts, in document order; paths repeat."""

Texts = tuple[str, ...]

encode = msgspec.json.encode
_FORMS = 1024  # of the last sequences of paths that were asked for; those of plans live as long as these


class Form:
    """What a sequence of paths settles, whatever the texts."""

    __slots__ = ("choices", "hidden", "parts", "paths")

    def __init__(self, paths: Texts) -> None:
        self.paths = paths
        self.hidden = any(map(tables.is_secret, paths))
        self.choices = tuple([(at, path) for at, path in enumerate(paths) if tables.may_have_name(path)])
        """Places of the values that may be an enumeration's."""
        parts: list[str] = []
        for path in paths:
            parts += ('","' + encode(path).decode()[1:-1] + "=", "")
        if paths:
            parts[0] = '["' + parts[0][3:]
        self.parts = [*parts, '"]']
        """JSON of the list, with room for each text."""


form_of = lru_cache(_FORMS)(Form)


class Listing(tuple[tuple[str, str], ...]):  # noqa: SLOT001 - a tuple in all respects, which carries its JSON along
    """Values in ASCII, none of which JSON would escape, no path being a secret's."""

    form: Form
    texts: Texts
    _json = ""

    @property
    def json(self) -> str:
        """`["path=text",…]`."""
        if not self._json:
            parts = self.form.parts.copy()
            parts[1::2] = self.texts
            self._json = "".join(parts)
        return self._json


def listing(form: Form, texts: Texts) -> Values:
    """Make values of texts that JSON takes as they are."""
    if form.hidden:
        return tuple(zip(form.paths, texts, strict=True))
    values = Listing(zip(form.paths, texts, strict=True))
    values.form, values.texts = form, texts
    return values


def is_listing(values: Values) -> TypeGuard[Listing]:
    """Whether they can write themselves, if only because there are none."""
    return not values or type(values) is Listing


def json_text(text: str) -> str:
    """A string as JSON."""
    return encode(text).decode()
