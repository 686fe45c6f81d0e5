"""What is taken for AMT's HTTP, and what is refused at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from http_streams import CLIENT, CONTEXT, SERVER

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, Endpoint
from amtdecode.protocols.dissector import MORE, NO, YES, Context, Verdict
from amtdecode.protocols.http import HTTP

ELSEWHERE = CONTEXT._replace(server=Endpoint(SERVER.packed, 80))
IN_TLS = ELSEWHERE._replace(carrier="tls")
AMT = b"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 15.0.23.1706\r\n\r\n"
APACHE = b"HTTP/1.1 200 OK\r\nServer: Apache\r\n\r\nServer: Intel(R) Active Management Technology 1\r\n"


@pytest.mark.parametrize(
    ("data", "direction", "home", "elsewhere"),
    [
        (b"GET / HTTP/1.1\r\n", TO_SERVER, YES, MORE),
        (b"GET /logon.htm HTTP/1.1\r\n", TO_SERVER, YES, MORE),
        (b"GET /style.css HTTP/1.1\r\n", TO_SERVER, YES, NO),
        (b"GET http://example.com/ HTTP/1.1\r\n", TO_SERVER, YES, NO),
        (b"POST /wsman HTTP/1.1\r\n", TO_SERVER, YES, YES),
        (b"POST /wsman?x HTTP/1.0\r\n", TO_SERVER, YES, YES),
        (b"POST /SecurityAdministrationService HTTP/1.1\r\n", TO_SERVER, YES, YES),
        (b"POST /submit HTTP/1.1\r\nContent-Type: text/html\r\n\r\n", TO_SERVER, YES, NO),
        (b"POST /submit HTTP/1.1\r\nContent-Type: text/html\r\n", TO_SERVER, YES, MORE),
        (b"POST /x HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<a", TO_SERVER, YES, MORE),
        (
            b"POST /x HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/Event<",
            TO_SERVER, YES, YES,
        ),
        (b"GET", TO_SERVER, MORE, MORE),
        (b"GET / HTTP/1", TO_SERVER, MORE, MORE),
        (b"GET / HTTP/2.0\r\n", TO_SERVER, YES, MORE),
        (b"GET /" + b"x" * 5000, TO_SERVER, YES, NO),
        (b"GET /" + b"x" * 2000, TO_SERVER, MORE, MORE),
        (b"GET /" + b"x" * 2000 + b" y" * 50, TO_SERVER, NO, NO),
        (b"NOTIFY /x HTTP/1.1\r\n", TO_SERVER, YES, NO),
        (b"BREW / HTTP/1.1\r\n", TO_SERVER, NO, NO),
        (b"\x16\x03\x01", TO_SERVER, NO, NO),
        (b"SSH-2.0-x\r\n", TO_SERVER, NO, NO),
        (AMT, TO_SERVER, NO, NO),
        (b"HTTP/1.1 200 OK\r\n", TO_CLIENT, YES, MORE),
        (AMT, TO_CLIENT, YES, YES),
        (AMT.replace(b"Active Management Technology", b"Standard Manageability"), TO_CLIENT, YES, YES),
        (APACHE, TO_CLIENT, YES, NO),
        (b"HTTP/1.1 200 OK\r\nServer: Apa", TO_CLIENT, YES, MORE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000, TO_CLIENT, YES, NO),
        (b"HTTP/1.", TO_CLIENT, MORE, MORE),
        (b"HTTP/2 200 OK", TO_CLIENT, NO, NO),
        (b"HTTP/2.0 200 OK", TO_CLIENT, YES, MORE),
        (b"HTTP/1.1  200", TO_CLIENT, MORE, MORE),
        (b"HTTP/1.1  200 OK\r\n", TO_CLIENT, YES, MORE),
        (b"HTTP/1.1     200 OK\r\n", TO_CLIENT, NO, NO),
        (b"HTTP/1.1 2x0 OK\r\n", TO_CLIENT, NO, NO),
        (b"\x15\x03", TO_CLIENT, NO, NO),
    ],
)  # fmt: skip
def test_verdicts(data: bytes, direction: Direction, home: Verdict, elsewhere: Verdict) -> None:
    assert HTTP.recognise(data, direction, CONTEXT) == home
    assert HTTP.recognise(data, direction, IN_TLS) == home
    assert HTTP.recognise(data, direction, ELSEWHERE) == elsewhere


@pytest.mark.parametrize("context", [CONTEXT, ELSEWHERE])
@pytest.mark.parametrize(
    "data",
    [
        AMT,
        APACHE,
        b"POST /wsman HTTP/1.1\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n",
        b"HTTP/1.1   200 OK\r\n\r\n",
        b"HTTP/1.1  xyz OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
    ],
)
def test_a_verdict_does_not_change_with_more_bytes(data: bytes, context: Context) -> None:
    direction = TO_CLIENT if data.startswith(b"HTTP") else TO_SERVER
    final = HTTP.recognise(data, direction, context)
    verdicts = [HTTP.recognise(data[:size], direction, context) for size in range(1, len(data))]
    assert set(verdicts) <= {MORE, final}
    assert sorted(verdicts, key=lambda verdict: verdict != MORE) == verdicts  # once told, told


def test_the_entry() -> None:
    assert (HTTP.name, HTTP.transport, sorted(HTTP.ports)) == ("http", "tcp", [623, 664, 16992, 16993])
    assert len({field.name for field in HTTP.fields()}) == len(HTTP.fields()) == 67
    assert type(HTTP.dissector(Context("tcp", CLIENT, SERVER))).__name__ == "HttpDissector"


def test_the_entry_loads_little() -> None:
    code = (
        "import sys, amtdecode.protocols.http as h; print([name for name in sys.modules if h.__name__ + '.' in name])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "['amtdecode.protocols.http.names', 'amtdecode.protocols.http.recognise']"
