"""Reading hostile XML: what is refused, what is capped, which encodings are read.

Two readers that agree (a property test holds them to it): `tokeniser` for the plain ASCII that AMT and its consoles
write, and lxml (`builder`) for everything else. What the tokeniser does not like, it leaves to lxml; it never guesses.

Never done: DTDs, entities, network, encodings other than those in `tree.ENCODINGS`.
Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.model import LimitReached, Malformed, Note
from amtdecode.protocols.soap.outline import outline
from amtdecode.protocols.soap.plans import read_plain
from amtdecode.protocols.soap.tree import EBCDIC_BEGINNING, ENCODINGS, LAYER, MAX_ALL_ATTRIBUTES, MAX_BODY_SIZE

if TYPE_CHECKING:
    from amtdecode.model import Event
    from amtdecode.protocols.soap.outline import Outline


class Reading(NamedTuple):
    """What came of reading a body."""

    outline: Outline | None
    faults: tuple[Event, ...] = ()  # Malformed, LimitReached, Note
    partial: bool = False  # the outline holds only what stands before the fault


def read(data: bytes) -> Reading:
    """Read one body, UTF-8 unless it says otherwise. Never raises."""
    if len(data) > MAX_BODY_SIZE:
        return Reading(None, (_limit("MAX_BODY_SIZE", MAX_BODY_SIZE),))
    plain = read_plain(data)
    if plain is not None:
        return Reading(plain)
    return _read_carefully(data)


def _limit(name: str, value: int) -> LimitReached:
    return LimitReached(LAYER, name, value, "the body is not read further")


def _read_carefully(data: bytes) -> Reading:
    try:
        text = _decode(data)
    except (UnicodeError, LookupError) as error:
        return Reading(None, (Malformed(LAYER, _encoding_reason(error)),))
    faults: tuple[Event, ...] = ()
    if text[:1] in "\ufeff \t\r\n":
        trimmed = text.lstrip("\ufeff \t\r\n")
        if text[:1] != "\ufeff" and trimmed.startswith("<?xml"):
            faults = (Note(LAYER, "blanks before the XML declaration"),)
        text = trimmed
    # searched after decoding: in UTF-16 the bytes of the keyword do not stand together
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return Reading(None, (*faults, Malformed(LAYER, "holds a DTD, which SOAP forbids; not read")))
    if text.count('="') + text.count("='") + text.count("= ") > MAX_ALL_ATTRIBUTES:
        return Reading(None, (*faults, _limit("MAX_ALL_ATTRIBUTES", MAX_ALL_ATTRIBUTES)))

    from amtdecode.protocols.soap import builder  # lxml: only when needed

    tree, fault, limit = builder.build(text)
    if limit is not None:
        faults = (*faults, _limit(limit.name, limit.value))
    elif fault:
        faults = (*faults, Malformed(LAYER, f"not well-formed XML: {fault}"))
    return Reading(outline(tree) if tree is not None else None, faults, partial=bool(fault or limit))


_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _decode(data: bytes) -> str:
    """Decode a body by its byte order mark, its first bytes or its declaration; strictly."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"<\0\0\0", b"\0\0\0<")):
        raise LookupError("utf-32")
    if data.startswith(EBCDIC_BEGINNING):
        raise LookupError("ebcdic")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    if data[:2] == b"<\0":
        return data.decode("utf-16-le")
    if data[:2] == b"\0<":
        return data.decode("utf-16-be")
    declared = _DECLARED.match(data.lstrip()[:200])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in ENCODINGS:
        raise LookupError(name)
    if name.startswith("utf-16"):  # says UTF-16 but is written in bytes: a common slip of consoles
        name = "utf-8"
    return data.decode(name)


def _encoding_reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not valid {error.encoding} at byte {error.start}"
    return f"encoding {error} is not read" if isinstance(error, LookupError) else "cannot be decoded"
