"""Names for the files that bodies are exported to."""

from __future__ import annotations

from amtdecode.protocols.http.events import HttpRequest, HttpResponse

# by the first of these that the Content-Type holds; then by how the body begins
_EXTENSIONS = (
    ("xml", "xml"),
    ("html", "html"),
    ("json", "json"),
    ("javascript", "js"),
    ("css", "css"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("icon", "ico"),
    ("text/", "txt"),
)


def file_name(message: HttpRequest | HttpResponse, stream: int, number: int, body: bytes) -> str:
    """Name the file of a body: connection, place in it, what it is, and an ending that fits.

    `stream` is the number of the flow, `number` counts its messages from 1. Nothing captured gets into the name, and
    names sort in the order of the messages: `tcp0003-0001-request.xml`, `tcp0003-0002-response-200.xml`.
    """
    what = f"response-{message.status}" if isinstance(message, HttpResponse) else "request"
    part = "" if message.complete else "-incomplete"
    return f"tcp{stream:04d}-{number:04d}-{what}{part}.{_extension(message.header('content-type').lower(), body)}"


def _extension(kind: str, body: bytes) -> str:
    for word, extension in _EXTENSIONS:
        if word in kind:
            return extension
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    return "xml" if start.startswith(b"<") else "bin"
