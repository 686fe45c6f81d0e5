"""Heads alike but for their values: a client and a machine write the same headers in the same order again and again.

A `Layout` is what the names settle: how to cut the lines, and the JSON around the values. A `DigestForm` is the same
for the parameters of a digest response. Both read only what is written plainly, `lines` and `auth` the rest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from amtdecode.fields import MASK
from amtdecode.protocols.addresses import discreet
from amtdecode.protocols.http.auth import PARAMETERS_LIMIT
from amtdecode.protocols.http.lines import LENGTH_DIGITS
from amtdecode.protocols.http.names import ADDRESS_FIELDS, FIELD_OF_HEADER, REPEATED, SECRET_FIELDS, SECRET_WORDS
from amtdecode.protocols.pairs import Pairs, picker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_LAYOUTS = 256
"""Sequences of header names of which it is kept what they settle."""
MAX_LAYOUT_SIZE = 2 << 10
"""Characters of such a sequence."""
MAX_LAYOUT_PATTERNS = 256
"""Layouts that get a pattern, for the life of the process: each takes a millisecond to make."""
MAX_DIGEST_FORMS = 128
"""Ways to write a digest response that are kept, for the life of the process: each takes a millisecond to make."""

encode = msgspec.json.encode


def json_text(text: str) -> str:
    """A string as JSON."""
    return encode(text).decode()


def field_of(name: str) -> tuple[str, bool]:
    """Tell the field of a header, by its lower-case name, and whether its name stands before its value there."""
    field = FIELD_OF_HEADER.get(name)
    if field is not None:
        return field, False
    return "iamt.http.secret_header" if any(word in name for word in SECRET_WORDS) else "http.unknown_header", True


class Layout:
    """What a sequence of header names settles. No two of them are the same."""

    __slots__ = (
        "_match",
        "addresses",
        "authorization_at",
        "compressed",
        "digest",
        "learned",
        "length_at",
        "lowers",
        "names",
        "parts",
        "pick",
        "server_at",
        "transfer_at",
    )

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.lowers = tuple([name.lower() for name in names])
        self.learned = False
        self._match: Callable[[str], re.Match[str] | None]
        """A head with these names, up to the empty line: its first line and the values are groups."""
        self.authorization_at, self.length_at, self.server_at, self.transfer_at = (
            self.lowers.index(name) if name in self.lowers else -1
            for name in ("authorization", "content-length", "server", "transfer-encoding")
        )
        self.compressed = "content-encoding" in self.lowers
        """Whether the body may have to be, apart from Transfer-Encoding."""
        self.digest: DigestForm | None = None
        """Of the last Authorization header behind these names."""
        self._settle()

    def _settle(self) -> None:
        """Lay out the JSON of the fields: the values picked stand between the parts."""
        fields: dict[str, list[tuple[int, str]]] = {}
        for at, name in enumerate(self.lowers):
            field, named = field_of(name)
            fields.setdefault(field, []).append((at, f"{self.names[at]}: " if named else ""))
        text = ""
        parts: list[str] = []
        picked: list[int] = []
        addresses: list[int] = []
        for field, values in fields.items():
            listed = field in REPEATED
            text += f',"{field}":' + "[" * listed
            for number, (at, before) in enumerate(values):
                text += "," if number else ""
                if field in SECRET_FIELDS:
                    text += f'"{MASK}"'
                    continue
                parts += (f'{text}"{encode(before).decode()[1:-1]}', "")
                if field in ADDRESS_FIELDS:
                    addresses.append(len(picked))
                picked.append(at)
                text = '"'
            text += "]" * listed
        self.parts = [*parts, text]
        self.pick = picker(picked)
        self.addresses = tuple(addresses)

    def learn(self) -> None:
        """Make the pattern, once these names have come again."""
        global _patterns  # noqa: PLW0603
        if _patterns < MAX_LAYOUT_PATTERNS:
            _patterns += 1
            lines = [rf"{re.escape(name)}: ([^ \r][^\r]*+)(?<! )\r\n" for name in self.names]
            self._match = re.compile(rf"([^\r]++\r)\n{''.join(lines)}\r\n").fullmatch
            self.learned = True

    def read(self, head: str) -> tuple[str, ...] | None:
        """Read a head up to the empty line: its first line and the values; `None` if it is not written plainly."""
        found = self._match(head)
        if found is None or "\t" in head:
            return None
        texts = found.groups()
        return None if "\n" in "".join(texts) else texts

    def json(self, values: tuple[str, ...]) -> str:
        """Write the fields of these headers, each with a comma before it, secrets masked."""
        chosen = self.pick(values)
        if self.addresses:
            chosen = tuple([discreet(value) if at in self.addresses else value for at, value in enumerate(chosen)])
        joined = "".join(chosen)
        if len(encode(joined)) != len(joined) + 2:  # JSON would escape something
            chosen = tuple([encode(value).decode()[1:-1] for value in chosen])
        parts = self.parts.copy()
        parts[1::2] = chosen
        if self.length_at >= 0:
            length = values[self.length_at]
            if is_length(length):
                parts.append(f',"http.content_length":{int(length[-LENGTH_DIGITS:])}')
        return "".join(parts)


def is_length(text: str) -> bool:
    """Whether a Content-Length is a number that is believed."""
    return text.isascii() and text.isdigit() and len(text.lstrip("0")) <= LENGTH_DIGITS


_layout = lru_cache(MAX_LAYOUTS)(Layout)
_patterns = 0  # made so far


def layout_of(headers: Sequence[tuple[str, str]]) -> Layout | None:
    """Give the layout of headers; `None` where names repeat, or it is not worth keeping."""
    names = tuple([name for name, _ in headers])
    lowers = set(map(str.lower, names))
    if sum(map(len, names)) > MAX_LAYOUT_SIZE or len(lowers) < len(names) or "www-authenticate" in lowers:
        return None
    return _layout(names)


class Headers(Pairs):
    """Names and values of the headers of a message, by a layout. Equal to the tuple of their pairs."""

    __slots__ = ("_digest", "_json", "_looked", "layout", "values")

    def __init__(self, layout: Layout, values: tuple[str, ...]) -> None:
        self.layout = layout
        self.values = values  # in the order of the names
        self._json = ""
        self._looked = layout.authorization_at < 0
        self._digest: Digest | None = None

    def json(self) -> str:
        """See `Layout.json`."""
        if not self._json:
            self._json = self.layout.json(self.values)
        return self._json

    def digest(self) -> Digest | None:
        """The digest response in the Authorization header, if it is written plainly."""
        if not self._looked:
            self._looked = True
            self._digest = _digest(self.layout, self.values[self.layout.authorization_at])
        return self._digest

    def coded(self) -> bool:
        """Whether the body may have to be decoded, once it is out of its chunks."""
        layout = self.layout
        at = layout.transfer_at
        return layout.compressed or (at >= 0 and self.values[at] != "chunked")

    @property
    def columns(self) -> tuple[Sequence[str], Sequence[str]]:
        """See `Pairs`."""
        return self.layout.names, self.values


class Digest(msgspec.Struct, gc=False):
    """A digest response: its user, and its fields as JSON, each with a comma before it, secrets masked."""

    user: str
    json: str


_PARAMETER = re.compile(r'([A-Za-z]+)=("[^"\\\x00-\x1f]*"|[^\s=",\\\x00-\x1f]+)(, ?|$)')
_SHOWN = ("realm", "nonce", "algorithm", "opaque", "uri", "nc", "cnonce", "response")


class DigestForm:
    """A way to write digest responses: which parameters in which order, with which quotes and blanks."""

    __slots__ = ("match", "parts", "pick", "qop", "uri", "user")

    def __init__(self, pattern: str, names: list[str]) -> None:
        self.match = re.compile(pattern).fullmatch
        self.user = names.index("username")
        self.qop = names.index("qop") if "qop" in names else -1
        parts = [',"iamt.http.auth.scheme":"Digest","iamt.http.auth.user":"', ""]
        text, picked, self.uri = '"', [self.user], 0
        for name in _SHOWN:
            if name in names:
                field = f"iamt.http.digest.{name}"
                text += f',"{field}":"'
                if field in SECRET_FIELDS:
                    text += f'{MASK}"'
                else:
                    parts += (text, "")
                    if field in ADDRESS_FIELDS:
                        self.uri = len(picked)
                    picked.append(names.index(name))
                    text = '"'
        self.parts = [*parts, text]
        self.pick = picker(picked)

    def read(self, value: str) -> Digest | None:
        """Read one; `None` if it is written otherwise."""
        found = self.match(value)
        if found is None or "\\" in value:
            return None
        texts = found.groups()
        user = texts[self.user]
        chosen = self.pick(texts)
        joined = "".join(chosen)
        if not user or len(encode(joined)) != len(joined) + 2:
            return None
        parts = self.parts.copy()
        parts[1::2] = chosen
        if self.uri and ("=" in joined or "@" in joined):
            parts[2 * self.uri + 1] = discreet(chosen[self.uri])
        if self.qop >= 0:
            parts.append(_qop(texts[self.qop]))
        return Digest(user, "".join(parts))


@lru_cache(16)
def _qop(text: str) -> str:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    return f',"iamt.http.digest.qop":{encode(words).decode()}' if words else ""


def _digest(layout: Layout, value: str) -> Digest | None:
    digest = layout.digest.read(value) if layout.digest is not None else None
    if digest is None:
        form = _form_of(value)
        if form is not None:
            layout.digest = form
            digest = form.read(value)
    return digest


_forms: dict[str, DigestForm] = {}
"""By pattern."""


def _form_of(value: str) -> DigestForm | None:
    """Learn how a digest response is written; `None` where that is not plain."""
    if len(value) > MAX_LAYOUT_SIZE or not value.startswith("Digest "):
        return None
    names, pattern, at = [], "Digest ", len("Digest ")
    while at < len(value):
        found = _PARAMETER.match(value, at)
        if found is None:
            return None
        name, text, comma = found.groups()
        names.append(name.lower())
        pattern += f"{name}=" + (r'"([^"]*+)"' if text[0] == '"' else r'([^\s=",\\\x00-\x1f]+)') + comma
        at = found.end()
    distinct = len(set(names)) == len(names) <= PARAMETERS_LIMIT
    if not distinct or "username" not in names or "stale" in names or value[-1] in ", ":
        return None
    form = _forms.get(pattern)
    if form is None and len(_forms) < MAX_DIGEST_FORMS:
        form = _forms[pattern] = DigestForm(pattern, names)
    return form
