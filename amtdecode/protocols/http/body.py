"""From the bytes on the wire to the body a sender meant: how its end is told, and its content codings undone."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from amtdecode.protocols.http.lines import LENGTH_DIGITS
from amtdecode.protocols.http.message_reader import CHUNKED, LENGTH, NO_BODY, UNTIL_CLOSE

if TYPE_CHECKING:
    from collections.abc import Mapping

DECODED_LIMIT = 4 << 20
"""Bytes of a body out of its compression; a bomb makes a thousand bytes of one."""
CODINGS_LIMIT = 4
"""Codings on top of each other that are undone."""

_INFLATED = ("gzip", "x-gzip", "deflate")


def body_end(index: Mapping[str, str], of_response: bool) -> tuple[int, int, str]:
    """Tell how the body behind these headers ends (RFC 9112 §6.3), its size where given, and what is wrong with them.

    What the request says of it (HEAD, CONNECT) and the status (1xx, 204, 304) is the caller's.
    """
    coding = index.get("transfer-encoding")
    if coding is not None:
        if coding == "chunked" and "content-length" not in index:
            return CHUNKED, 0, ""
        problem = "both Content-Length and Transfer-Encoding are given" if "content-length" in index else ""
        last = coding.rpartition(",")[2].strip().lower()
        if last == "chunked":
            return CHUNKED, 0, problem
        if last != "identity":
            return _unknown(of_response), 0, f"Transfer-Encoding {coding[:64]} does not tell where the body ends"
    return length_end(index.get("content-length"), of_response)


def length_end(length: str | None, of_response: bool) -> tuple[int, int, str]:
    """Tell the same of headers without Transfer-Encoding, by their Content-Length."""
    if length is None:
        return _unknown(of_response), 0, ""
    if len(length) <= LENGTH_DIGITS and length.isdigit() and length.isascii():
        return LENGTH, int(length), ""
    if not (length.isascii() and length.isdigit()):  # the same number several times is one (RFC 9112 §6.3)
        values = {value.strip() for value in length.split(",")}
        length = values.pop()
        if values or not (length.isascii() and length.isdigit()):
            return _unknown(of_response), 0, "Content-Length is no number"
    if len(length.lstrip("0")) > LENGTH_DIGITS:
        return _unknown(of_response), 0, f"Content-Length has {len(length)} digits"
    return LENGTH, int(length[-LENGTH_DIGITS:]), ""


def _unknown(of_response: bool) -> int:
    return UNTIL_CLOSE if of_response else NO_BODY


def codings(index: Mapping[str, str]) -> list[str]:
    """Name the codings of a body, those to undo first in front; chunks are undone already."""
    content = [name.strip().lower() for name in index.get("content-encoding", "").split(",")]
    transfer = [name.strip().lower() for name in index.get("transfer-encoding", "").split(",")]
    names = [name for name in content if name not in ("", "identity")] + [
        name for name in transfer if name in _INFLATED
    ]
    return names[::-1]


def decoded(body: bytes, names: list[str], complete: bool) -> tuple[bytes, str, bool]:
    """Undo codings: the body as far as that goes, what hindered it ("" if nothing), and whether a limit was reached."""
    for name in names[:CODINGS_LIMIT]:
        if name in _INFLATED:
            body, problem, limited = _inflated(body, name, complete)
            if problem or limited:
                return body, problem, limited
        else:
            return body, f"coding {name[:32]} is not undone", False
    return body, "" if len(names) <= CODINGS_LIMIT else f"{len(names)} codings on top of each other", False


def _inflated(body: bytes, name: str, complete: bool) -> tuple[bytes, str, bool]:
    if not body:
        return body, "", False
    # "deflate" is a zlib stream by RFC 9110 §8.4.1.2, but many senders leave the zlib header out
    windows = [47, -15] if name == "deflate" else [47]
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            data = inflater.decompress(body, DECODED_LIMIT)
        except zlib.error:
            continue
        if inflater.unconsumed_tail and not inflater.eof:
            return data, "", True
        problem = "" if inflater.eof or not complete else f"{name} stream stops before its end"
        return data, problem, False
    return body, f"no {name} stream", False
