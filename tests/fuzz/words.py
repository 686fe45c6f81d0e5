"""Words that libraries put into their exceptions, and that no user should have to read."""

from __future__ import annotations

import re

WORDS = """
Object contains; Object missing; Invalid enum value; Expected `
unpack_from; requires a buffer; struct.error; stream read less; Error in path; ConstructError; parsing
not well-formed (; mismatched tag; no element found; junk after; undefined entity; unbound prefix; XMLSyntax
ASN.1; ParseError; Unsupported; InvalidVersion; deserialize; EntryNotFound; openssl_error; InvalidTag; PKCS12 data
asn1crypto; insufficient data; universal class; Indefinite
codec can't; invalid start byte; invalid literal; non-hexadecimal; fromhex; embedded null; out of range; not in list
list index; NoneType; object is not; object has no; must be str; unexpected keyword; line contains NUL
larger than field; new-line character seen
Excess data; Incorrect padding; Only base64; Discontinuous padding; incorrect data check
Error -; CRC check failed; Compressed file ended; Not a gzipped; Corrupt input; Invalid data stream
does not appear to be an IPv; Exceeds the limit; maximum recursion; Traceback; Exception
"""
LIBRARY_WORDS = re.compile("|".join(re.escape(word) for word in re.split(r"; |\n", WORDS.strip())))


def check_words(text: str, own: str = "") -> None:
    """Raise `AssertionError` for a text that quotes a library's exception. `own`: captured text that may be in it."""
    found = LIBRARY_WORDS.search(text)
    assert found is None or found[0] in own, f"a library's words reach users: {text[:300]!r}"
