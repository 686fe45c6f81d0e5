"""Real bodies, real clients, and agreement with tshark."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import oracle
import pytest
from http_streams import events, followed, messages, run, tshark_streams

from amtdecode.model import End, Payload, Truncated
from amtdecode.protocols.http.events import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from pathlib import Path

# What tshark calls the same. Header lines with no field of their own are compared by the tests of headers.
COMPARED = (
    "http.request.method", "http.request.uri", "http.request.version",
    "http.response.version", "http.response.code", "http.response.phrase",
    "http.accept", "http.accept_encoding", "http.accept_language", "http.authorization", "http.cache_control",
    "http.connection", "http.content_encoding", "http.content_length", "http.content_length_header",
    "http.content_type", "http.cookie", "http.date", "http.host", "http.last_modified", "http.location",
    "http.proxy_authenticate", "http.proxy_authorization", "http.referer", "http.server", "http.set_cookie",
    "http.transfer_encoding", "http.upgrade", "http.user_agent", "http.www_authenticate", "http.x_forwarded_for",
)  # fmt: skip

Message = tuple[tuple[str, tuple[str, ...]], ...]


def by_tshark(tshark: str, capture: Path) -> dict[int, Counter[Message]]:
    """Every HTTP message of a capture as tshark has it: stream to fields."""
    options = ["-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "http", "-T", "pdml", "-J", "http tcp"]
    command = [tshark, "-n", "-r", str(capture), *options]
    text = oracle.run(command, check=False).stdout
    found: dict[int, Counter[Message]] = {}
    for packet in ET.fromstring(text).iter("packet"):
        stream = -1
        for protocol in packet.iter("proto"):
            if protocol.get("name") == "tcp":
                numbers = [
                    field.get("show", "") for field in protocol.iter("field") if field.get("name") == "tcp.stream"
                ]
                stream = int(numbers[0])
            elif protocol.get("name") == "http":
                fields: dict[str, list[str]] = {}
                for field in protocol.iter("field"):
                    name = field.get("name", "")
                    if name in COMPARED:
                        fields.setdefault(name, []).append(field.get("show", ""))
                if "http.request.method" in fields or "http.response.code" in fields:
                    found.setdefault(stream, Counter())[normal(fields)] += 1
    return found


def normal(fields: dict[str, Any]) -> Message:
    """Fields in one form: values as text, several of a name in one list."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in fields.items() if name in COMPARED}
    return tuple(
        sorted((name, (", ".join(str(value).strip() for value in values),)) for name, values in listed.items())
    )


def by_us(parts: list[tuple[int, bytes | int]]) -> Counter[Message]:
    """Every message of a stream as we have it; the client is who does not begin with a status line."""
    node, first = next((node, part) for node, part in parts if isinstance(part, bytes))
    flip = node ^ first.startswith(b"HTTP/")
    statements = run([(node ^ flip, part) for node, part in parts])
    return Counter(normal(dict(event.fields())) for event, _ in messages(statements))


GAP = "behind a gap, or cut off: tshark states no message that is not whole, we state what there is of it"
RESYNC = "behind bytes that are no HTTP: tshark gives the stream up or joins them to a body, we find the next message"
FOLDED = "a folded header: tshark reads its first line only"
SPACES = "a target with a space in it: tshark ends it there"
OLD = "no version: HTTP/0.9 or nonsense, for us no request"
METHOD = "a method that tshark 4.0 does not know"

# capture to how many messages only tshark states, how many only we, and why
AGREEMENT = {
    "wireshark/captures/http.pcap": (0, 0, ""),
    "wireshark/captures/http-ooo.pcap": (0, 0, ""),
    "zeek/http/100-continue.pcap": (0, 0, ""),
    "zeek/http/261/variant-08-leading_zeros.pcap": (0, 0, ""),
    "zeek/http/byteranges.pcap": (0, 0, ""),
    "zeek/http/docker-http-upgrade.pcap": (0, 0, ""),
    "zeek/http/m57-long-49600-80.pcap": (0, 0, ""),
    "zeek/http/pipelined-requests.pcap": (0, 0, ""),
    "zeek/http/proxy.pcap": (0, 0, ""),
    "zeek/http/smuggle-http-request.pcap": (0, 0, ""),
    "zeek/http/version-mismatch.pcap": (0, 0, ""),
    "zeek/http/websocket.pcap": (0, 0, ""),
    "zeek/http/x-gzip.pcap": (0, 0, ""),
    "zeek/http/1000-requests-one-dropped-response.pcap.gz": (0, 999, GAP),
    "zeek/http/content-range-gap.pcap": (0, 1, GAP),
    "zeek/http/entity_gap.pcap": (0, 1, GAP),
    "zeek/http/putty-upload.pcap": (0, 1, GAP),
    "zeek/http/zero-length-bodies-with-drops.pcap": (0, 9, GAP),
    "zeek/http/261/variant-01-chunk_2pow64_overflow.pcap": (0, 1, RESYNC),
    "zeek/http/http-bad-request-with-version.pcap": (0, 1, RESYNC),
    "zeek/http/261/variant-09-te_obs_fold.pcap": (1, 2, FOLDED),
    "zeek/http/connect-with-smtp.pcap": (1, 1, SPACES),
    "zeek/http/http-09-content-length-confusion.pcap": (1, 0, OLD),
    "zeek/http/no-uri.pcap": (1, 0, OLD),
    "zeek/http/query-method.pcap": (0, 1, METHOD),
}


@pytest.mark.parametrize("name", AGREEMENT)
def test_tshark_states_the_same_messages(shared: Path, tshark: str, name: str) -> None:
    capture = shared / "captures" / "third-party" / name
    theirs = by_tshark(tshark, capture)
    assert theirs
    streams = tshark_streams(tshark, capture, theirs)
    ours = {number: by_us(streams[number]) for number in theirs}
    theirs_only = sum((theirs[number] - ours[number]).total() for number in theirs)
    ours_only = sum((ours[number] - theirs[number]).total() for number in theirs)
    assert (theirs_only, ours_only) == AGREEMENT[name][:2]


def test_answers_of_amt_15(shared: Path) -> None:
    # device-management-toolkit/mps, Apache-2.0, recorded from AMT 15.0.23.1706
    folder = shared / "data" / "http"
    whole = (folder / "http200_cimCardResponse.bin").read_bytes()
    ((event, body),) = messages(run([(1, whole)]))
    assert isinstance(event, HttpResponse)
    assert (event.status, event.amt_version, event.complete) == (200, "15.0.23.1706", True)
    names = ["Date", "Server", "X-Frame-Options", "Content-Type", "Transfer-Encoding"]
    assert [name for name, _ in event.headers] == names
    assert event.fields()["http.unknown_header"] == ["X-Frame-Options: DENY"]
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><a:Envelope ')
    assert ET.fromstring(body).tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
    # its chunks say their sizes in lines of four digits, of which there are none in the body
    assert len(body) == sum(int(line, 16) for line in whole.split(b"\r\n") if len(line) == 4)
    # the same answer broken off at every byte
    for size in range(whole.index(b"\r\n\r\n") + 4, len(whole)):
        statements = run([(1, whole[:size])], (End.CAPTURE, End.CAPTURE))
        ((event, part),) = messages(statements)
        assert body.startswith(part)
        assert event.complete == (size >= len(whole) - 2)
        assert isinstance(statements[-1].event, Truncated)

    other = (folder / "http200_cimComputerPackageResponse.bin").read_bytes()
    three = messages(run([(1, whole + other + whole)]))
    assert [len(part) for _, part in three] == [len(body), 1921, len(body)]

    refusal = (folder / "http401_unauthorized.bin").read_bytes()
    statements = run([(1, refusal)])
    ((event, body),) = messages(statements)
    assert isinstance(event, HttpResponse)
    assert (event.status, event.complete, body, event.challenges[0].qop) == (401, False, b"", ["auth"])
    assert event.challenges[0].parameters["realm"] == "Digest:34BF4B5A0561F95248F58509A406E046"
    assert statements[-1].event == Truncated("http", "inside the body: FIN", len(refusal), 693)


@pytest.mark.parametrize("name", ["soap_digest_16992_amttool.pcap", "wsman_digest_16992_meshcentral.pcap"])
def test_real_clients(shared: Path, tshark: str, name: str) -> None:
    capture = shared / "captures" / "loopback" / "wsman" / name
    theirs = by_tshark(tshark, capture)
    streams = tshark_streams(tshark, capture, theirs)
    assert theirs
    for number, expected in theirs.items():
        statements = run(streams[number])
        found = messages(statements)
        assert Counter(normal(dict(event.fields())) for event, _ in found) == expected
        assert {payload.hint for payload in events(statements, Payload)} == {"iamt.soap"}  # type: ignore[attr-defined]
        asked = [event for event, _ in found if isinstance(event, HttpRequest)]
        answered = [event for event, _ in found if isinstance(event, HttpResponse)]
        assert [event.exchange for event in answered] == [event.exchange for event in asked]
        assert all(event.auth_user == "admin" for event in asked if event.header("authorization"))
        assert all(ET.fromstring(body).tag.endswith("Envelope") for event, body in found if event in asked)


def test_a_real_client_inside_tls(shared: Path) -> None:
    # tshark opened the TLS; its nodes are told apart by content
    text = (shared / "captures" / "loopback" / "wsman" / "wsman_mtls_16993_meshcentral.keylog.expected.txt").read_text()
    seen = 0
    for parts in followed(text).values():
        assert isinstance(parts[0][1], bytes)
        flip = parts[0][0] if parts[0][1].startswith(b"POST") else 1 - parts[0][0]
        statements = run([(node ^ flip, part) for node, part in parts])
        found = messages(statements)
        seen += len(found)
        answered = [event.target for event, _ in found if isinstance(event, HttpResponse)]
        assert answered == ["/wsman"] * (len(found) // 2)
        assert all(event.complete for event, _ in found)
        assert len(events(statements)) == len(found)
    assert seen == 16
