"""Envelopes changed by chance: tags moved, names, attributes and texts of other kinds put in, bytes flipped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

PIECES = re.compile(rb"<[^>]*>|[^<]+")
TEXTS = (
    b"",
    b" ",
    b"\r\n\t",
    b" a\rb ",
    b"a &amp; b &lt;&gt;&quot;&apos;",
    b"&#65;",
    b"&nbsp;",
    b"a > b",
    b"]]>",
    b"caf\xc3\xa9 \xe2\x82\xac",
    b"\xff",
    b"\xef\xbf\xbe",
    b"\xed\xa0\x80",
    b"\x7f",
    b"\x01",
    b"P@ssw0rd",
    b"AdminPassword",
    b"x" * 600,
    b"12",
)
TAGS = (
    b"<!-- c -->",
    b"<![CDATA[x<y]]>",
    b"<?pi x?>",
    b"<a:b>",
    b"</a:b>",
    b"<q/>",
    b"<Password>s</Password>",
    b"<Name>Password</Name><Value>s</Value>",
    b"<Items/>",
    b"<Items><Item>1</Item><Item>2</Item></Items>",
    b'<Selector Name="Password">s</Selector>',
    b'<Selector Name="InstanceID">s</Selector>',
    b"<Token><UserName>u</UserName><Code>c</Code></Token>",
    b'<x:y xmlns:x="urn:x" x:z="1" w="2"><x:y>deep</x:y></x:y>',
    b'<y xmlns="urn:y"/>',
)
ATTRIBUTES = (
    b' Name="InstanceID"',
    b" Name='Password'",
    b' a="1"',
    b' a="1" a="2"',
    b' xmlns="urn:n"',
    b' xmlns:p="urn:p" p:a="1"',
    b' xmlns:p=""',
    b' xmlns:xml="urn:x"',
    b' xml:lang="en"',
    b' u:a="1"',
    b' a="&amp;"',
    b' a="\n"',
    b' xmlns:b="urn:}"',
    b" a=1",
    b' password = "x"',
)


def changed(rng: random.Random, body: bytes) -> bytes:
    """One of the many bodies that are nearly this one."""
    pieces = PIECES.findall(body)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(pieces) + 1)
        kind = rng.randrange(8)
        if kind == 0:
            del pieces[at : at + rng.randrange(1, 4)]
        elif kind == 1:
            end = at + rng.randrange(1, 12)
            pieces[at:at] = pieces[at:end]
        elif kind <= 3:
            pieces.insert(at, rng.choice(TEXTS))
        elif kind == 4:
            pieces.insert(at, rng.choice(TAGS))
        elif at < len(pieces) and pieces[at][:1] == b"<" and kind == 5:
            cut = len(pieces[at]) - (2 if pieces[at][-2:] == b"/>" else 1)
            pieces[at] = pieces[at][:cut] + rng.choice(ATTRIBUTES) + pieces[at][cut:]
        elif at < len(pieces) and kind == 6:
            pieces[at] = pieces[at].replace(rng.choice((b"a", b"i", b":", b"=", b'"', b"/")), b"", 1)
        elif at < len(pieces) and pieces[at]:
            held = bytearray(pieces[at])
            held[rng.randrange(len(held))] ^= 1 << rng.randrange(8)
            pieces[at] = bytes(held)
    made = b"".join(pieces)
    return made[: rng.randrange(len(made) + 1)] if made and rng.random() < 0.05 else made
