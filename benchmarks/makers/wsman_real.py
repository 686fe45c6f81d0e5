"""WS-Man with real bodies: a console asks 32 machines at a time, and they answer as AMT answers.

The answers are the 297 recorded and sanitised responses of go-wsman-messages (device-management-toolkit, Apache-2.0).
They are read where they lie below the folder of shared captures and never copied into this repository; without them
this capture is not made. Each request is written for its answer: its action, its class, its MessageID. Letters and
digits of every text in a Body are drawn anew each time, and the ids count, so that no document comes twice.

Packets an exchange: 6 (segments of 1,460 bytes, each side acknowledges), 3 (whole messages in one segment, as captured
on a host whose network card cuts segments itself, and one acknowledgement), 1 (the same, no acknowledgement, and two
requests sent at once).
"""

from __future__ import annotations

import random
import re
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import captures
from benchmarks.makers.traffic import MICROSECOND, MILLISECOND, START, machine_host, merge
from benchmarks.makers.wsman import ADDRESSING, CONSOLE, ENVELOPE, WSMAN, XML
from pcaps.build import TO_CLIENT, TO_SERVER, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.makers.traffic import Step

FLOWS, EXCHANGES = 32, 200
LARGEST_SEGMENT = 32_000  # bytes; more than the longest message has

_TEXT = re.compile(r">([^<>]+)</")
_VALUE = {name: re.compile(rf"<\w+:{name}[^>]*>([^<]*)<") for name in ("Action", "ResourceURI")}
_MESSAGE_ID = re.compile(r"(<\w+:MessageID>)[^<]*")
_RELATES_TO = re.compile(r"(<\w+:RelatesTo>)[^<]*")
_VERBS = {
    "Get": "http://schemas.xmlsoap.org/ws/2004/09/transfer/",
    "Put": "http://schemas.xmlsoap.org/ws/2004/09/transfer/",
    "Create": "http://schemas.xmlsoap.org/ws/2004/09/transfer/",
    "Delete": "http://schemas.xmlsoap.org/ws/2004/09/transfer/",
    "Enumerate": "http://schemas.xmlsoap.org/ws/2004/09/enumeration/",
    "Pull": "http://schemas.xmlsoap.org/ws/2004/09/enumeration/",
}


class Recorded(NamedTuple):
    """A recorded answer: what it answers, and its text up to its Body and from there on."""

    method: str
    resource: str
    head: str
    body: str


def recorded(folder: Path) -> list[Recorded]:
    """All recorded answers below a folder, in the order of their paths."""
    return [_recorded(path.read_text("utf-8").strip()) for path in sorted(folder.rglob("*.xml"))]


def _recorded(text: str) -> Recorded:
    action, resource = (found[1].strip() if (found := pattern.search(text)) else "" for pattern in _VALUE.values())
    at = text.index("Header>", text.index("Header>") + 1)
    return Recorded(action.rpartition("/")[2].removesuffix("Response"), resource, text[:at], text[at:])


def _varied(rng: random.Random, found: re.Match[str]) -> str:
    """Other letters and digits in place of those of a text; short ones stay, as they are codes and flags."""
    text = found[1]
    if len(text) < 4 or text in ("true", "false") or text.isspace() or "://" in text:
        return found[0]
    drawn = [
        rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter.isupper() else "abcdefghijklmnopqrstuvwxyz")
        if letter.isalpha() and letter.isascii()
        else rng.choice("123456789")
        if letter.isdigit()
        else letter
        for letter in text
    ]
    return f">{''.join(drawn)}</"


def response_body(answer: Recorded, rng: random.Random, number: int) -> str:
    """The answer with its own ids and texts."""
    head = _RELATES_TO.sub(rf"\g<1>{number}", answer.head)
    head = _MESSAGE_ID.sub(rf"\g<1>uuid:00000000-8086-8086-8086-{number:012X}", head)
    return head + _TEXT.sub(partial(_varied, rng), answer.body)


def request_body(answer: Recorded, rng: random.Random, number: int) -> str:
    """What a console sends to be answered so, in MeshCentral's form."""
    method, resource = answer.method, answer.resource
    action = _VERBS[method] + method if method in _VERBS else f"{resource}/{method}"
    selectors, body = "", ""
    if method in ("Get", "Put", "Delete"):
        key = f"Intel(r) AMT: {rng.randrange(1 << 32):08x}"
        selectors = f'<w:SelectorSet><w:Selector Name="InstanceID">{key}</w:Selector></w:SelectorSet>'
    if method == "Enumerate":
        body = f'<Enumerate xmlns="{_VERBS[method][:-1]}" />'
    elif method == "Pull":
        context = f"{rng.randrange(1 << 60):X}-0000-0000-0000"
        body = (
            f'<Pull xmlns="{_VERBS[method][:-1]}"><EnumerationContext>{context}</EnumerationContext>'
            "<MaxElements>999</MaxElements><MaxCharacters>99999</MaxCharacters></Pull>"
        )
    elif method == "Put":
        name = resource.rpartition("/")[2]
        texts = "".join(f"<r:Setting{at}>{rng.randrange(10**6)}</r:Setting{at}>" for at in range(8))
        body = f'<r:{name} xmlns:r="{resource}">{texts}</r:{name}>'
    elif method not in _VERBS:
        body = f'<r:{method}_INPUT xmlns:r="{resource}"><r:Value>{rng.randrange(10**9)}</r:Value></r:{method}_INPUT>'
    return (
        f'{XML}<Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns="{ENVELOPE}">'
        f"<Header><a:Action>{action}</a:Action><a:To>/wsman</a:To><w:ResourceURI>{resource}</w:ResourceURI>"
        f"<a:MessageID>{number}</a:MessageID><a:ReplyTo><a:Address>{ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>"
        f"<w:OperationTimeout>PT60S</w:OperationTimeout>{selectors}</Header><Body>{body}</Body></Envelope>"
    )


def exchange(answer: Recorded, rng: random.Random, number: int, host: str) -> tuple[bytes, bytes]:
    """Request and response as HTTP messages."""
    asked = request_body(answer, rng, number).encode()
    told = response_body(answer, rng, number).encode()
    request = (
        'POST /wsman HTTP/1.1\r\nAuthorization: Digest username="admin",'
        'realm="Digest:34BF4B5A0561F95248F58509A406E046",'
        f'nonce="{rng.randrange(1 << 120):030x}",uri="/wsman",qop=auth,response="{rng.randrange(1 << 128):032x}",'
        f'nc={number & 0xFFFFFFFF:08x},cnonce="{rng.randrange(1 << 64):016x}"\r\nHost: {host}:16992\r\n'
        f"Content-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {len(asked)}\r\n\r\n"
    )
    response = (
        f"HTTP/1.1 200 OK\r\nDate: Mon, 5 Nov 2007 09:{number // 60 % 60:02d}:{number % 60:02d} GMT\r\n"
        "Server: Intel(R) Active Management Technology 14.0.39.1339\r\nX-Frame-Options: DENY\r\n"
        "Content-Type: application/soap+xml; charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [told[at : at + 1000] for at in range(0, len(told), 1000)]
    written = b"".join([b"%04X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks])
    return request.encode() + asked, response.encode() + written + b"0\r\n\r\n"


def conversation(rng: random.Random, number: int, answers: list[Recorded], packets: int) -> Iterator[Step]:
    """One connection of the console to machine `number`, with `packets` packets an exchange."""
    host = machine_host(number)
    large = packets < 6
    seq = (rng.getrandbits(32), rng.getrandbits(32))
    tcp = Connection(CONSOLE, host, 49152 + number % 16384, 16992, seq=seq, mss=LARGEST_SEGMENT if large else 1460)
    delay = rng.randrange(100, 400) * MICROSECOND
    for frame in tcp.open():
        yield delay, frame
    at_once = 2 if packets == 1 else 1
    for start in range(0, EXCHANGES, at_once):
        pairs = [
            exchange(rng.choice(answers), rng, number * EXCHANGES + start + more, host.ip) for more in range(at_once)
        ]
        asked, told = (b"".join(side) for side in zip(*pairs, strict=True))
        frames = tcp.send(TO_SERVER, asked, acknowledge=packets == 6)
        frames += tcp.send(TO_CLIENT, told, acknowledge=packets > 1)
        pause = rng.randrange(1, 20) * MILLISECOND
        for frame in frames:
            yield pause + delay, frame
            pause = 0
    for frame in tcp.close():
        yield delay, frame


def wsman_real(answers: list[Recorded], packets: int, exchange_packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` packets; whenever one connection ends the next machine's begins, so that 32 are open."""
    rng = random.Random(16992 + exchange_packets)
    serial = count()

    def one_after_another() -> Iterator[Step]:
        while True:
            yield from conversation(rng, next(serial), answers, exchange_packets)

    return merge(((START + flow * 3 * MILLISECOND, one_after_another()) for flow in range(FLOWS)), packets)


def one(packets: int) -> Iterator[tuple[int, bytes]]:
    """1 packet an exchange."""
    return wsman_real(recorded(captures.shared() / captures.RECORDED), packets, 1)


def three(packets: int) -> Iterator[tuple[int, bytes]]:
    """3 packets an exchange."""
    return wsman_real(recorded(captures.shared() / captures.RECORDED), packets, 3)


def six(packets: int) -> Iterator[tuple[int, bytes]]:
    """6 packets an exchange."""
    return wsman_real(recorded(captures.shared() / captures.RECORDED), packets, 6)
