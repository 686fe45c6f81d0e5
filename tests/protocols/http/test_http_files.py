"""Names of exported bodies."""

from __future__ import annotations

import pytest

from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.protocols.http.files import file_name


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/soap+xml; charset=UTF-8", b"x", "xml"),
        ("Text/HTML", b"x", "html"),
        ("image/gif", b"GIF89a", "gif"),
        ("text/plain", b"<a/>", "txt"),
        ("", b"\xef\xbb\xbf<?xml?>", "xml"),
        ("", b" <!DOCTYPE HTML PUBLIC>", "html"),
        ("", b"{}", "bin"),
        ("../../etc/passwd", b"", "bin"),
    ],
)
def test_endings(kind: str, body: bytes, expected: str) -> None:
    message = HttpResponse(200, "../OK", "HTTP/1.1", (("Content-Type", kind),), len(body))
    assert file_name(message, 3, 2, body) == f"tcp0003-0002-response-200.{expected}"


def test_requests_and_parts() -> None:
    message = HttpRequest("POST", "/../..", "HTTP/1.1", (), 0, complete=False)
    assert file_name(message, 12345, 10000, b"<a") == "tcp12345-10000-request-incomplete.xml"
