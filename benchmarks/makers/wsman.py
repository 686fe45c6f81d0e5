"""WS-Man over HTTP on 16992: a console asks 32 machines at a time for one object after another.

Requests and answers have bodies of about 2 KB, the answers chunked with AMT's zero-padded sizes: six packets an
exchange (two segments and an acknowledgement each way), 200 exchanges a connection. One packet in a hundred comes
before the one it follows. The envelopes have AMT's form; the values in them are made up.
"""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.makers.traffic import MICROSECOND, MILLISECOND, START, machine_host, machine_uuid, merge
from pcaps.build import TO_CLIENT, TO_SERVER, Connection, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.makers.traffic import Step

CONSOLE = Host("00:0c:29:00:00:0a", "10.255.0.10")
FLOWS, EXCHANGES, BODY = 32, 200, 2048
REORDERED = 0.015  # of the pairs of segments, so that one packet in a hundred is early
XML = '<?xml version="1.0" encoding="UTF-8"?>'
ENVELOPE, ADDRESSING = "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN, TRANSFER = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd", "http://schemas.xmlsoap.org/ws/2004/09/transfer"
AMT, CIM = "http://intel.com/wbem/wscim/1/amt-schema/1/", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
RESOURCES = tuple(
    [AMT + name for name in ("AMT_GeneralSettings", "AMT_SetupAndConfigurationService", "AMT_EthernetPortSettings",
                             "AMT_PublicKeyCertificate", "AMT_TLSSettingData", "AMT_TimeSynchronizationService",
                             "AMT_RedirectionService", "AMT_EnvironmentDetectionSettingData")]
    + [CIM + name for name in ("CIM_ComputerSystem", "CIM_SoftwareIdentity", "CIM_Chassis", "CIM_Card", "CIM_Processor",
                               "CIM_PhysicalMemory", "CIM_BIOSElement", "CIM_ServiceAvailableToElement")]
)  # fmt: skip


def request_body(resource: str, number: int) -> str:
    """A Get with selectors and options enough to reach its size."""
    head = (
        f'{XML}<Envelope xmlns="{ENVELOPE}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}"><Header>'
        f"<a:Action>{TRANSFER}/Get</a:Action><a:To>/wsman</a:To><w:ResourceURI>{resource}</w:ResourceURI>"
        f"<a:MessageID>uuid:{machine_uuid(number)}</a:MessageID><a:ReplyTo><a:Address>{ADDRESSING}/role/anonymous</a:Address>"
        "</a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout><w:SelectorSet>"
    )
    tail = "</w:SelectorSet></Header><Body/></Envelope>"
    return head + _filled("w:Selector", BODY - len(head) - len(tail), number) + tail


def response_body(resource: str, number: int) -> str:
    """A GetResponse with properties enough to reach its size; prefixes in AMT's order."""
    name = resource.rsplit("/", 1)[1]
    head = (
        f'{XML}<a:Envelope xmlns:a="{ENVELOPE}" xmlns:b="{ADDRESSING}" xmlns:c="{WSMAN}" '
        f'xmlns:g="{resource}"><a:Header><b:To>{ADDRESSING}/role/anonymous</b:To><b:RelatesTo>uuid:{machine_uuid(number)}'
        f'</b:RelatesTo><b:Action a:mustUnderstand="true">{TRANSFER}/GetResponse</b:Action><b:MessageID>'
        f"uuid:00000000-8086-8086-8086-{number:012X}</b:MessageID><c:ResourceURI>{resource}</c:ResourceURI></a:Header>"
        f"<a:Body><g:{name}><g:InstanceID>Intel(r) AMT: {number}</g:InstanceID>"
    )
    tail = f"</g:{name}></a:Body></a:Envelope>"
    return head + _filled("g:Property", BODY - len(head) - len(tail), number) + tail


def _filled(element: str, size: int, number: int) -> str:
    parts: list[str] = []
    if element == "w:Selector":
        parts = [
            f'<w:Selector Name="Key{index}">value {number + index:08d}</w:Selector>' for index in range(size // 48)
        ]
    else:
        parts = [f"<g:Property{index}>value {number + index:08d}</g:Property{index}>" for index in range(size // 46)]
    return "".join(parts)


def request(resource: str, number: int, host: str) -> bytes:
    """The HTTP request, digest header and all."""
    body = request_body(resource, number)
    head = (
        'POST /wsman HTTP/1.1\r\nAuthorization: Digest username="admin",'
        'realm="Digest:34BF4B5A0561F95248F58509A406E046",'
        f'nonce="bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX",uri="/wsman",qop=auth,response="{number:032x}",nc={number:08x},'
        f'cnonce="{number:016x}"\r\nHost: {host}:16992\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n'
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def response(resource: str, number: int) -> bytes:
    """The HTTP response, in two chunks."""
    body = response_body(resource, number)
    head = (
        "HTTP/1.1 200 OK\r\nDate: Mon, 5 Nov 2007 09:00:00 GMT\r\n"
        "Server: Intel(R) Active Management Technology 3.2.1\r\n"
        "Content-Type: application/soap+xml; charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    first, second = body[:1000], body[1000:]
    return f"{head}{len(first):04X}\r\n{first}\r\n{len(second):04X}\r\n{second}\r\n0\r\n\r\n".encode()


def conversation(rng: random.Random, number: int, exchanges: int = EXCHANGES) -> Iterator[Step]:
    """One connection of the console to machine `number`."""
    host = machine_host(number)
    seq = (rng.getrandbits(32), rng.getrandbits(32))
    tcp = Connection(CONSOLE, host, 49152 + number % 16384, 16992, seq=seq)
    delay = rng.randrange(100, 400) * MICROSECOND
    for frame in tcp.open():
        yield delay, frame
    pause = 0
    for exchange in range(exchanges):
        resource, serial = rng.choice(RESOURCES), number * exchanges + exchange
        for direction, data in (
            (TO_SERVER, request(resource, serial, host.ip)),
            (TO_CLIENT, response(resource, serial)),
        ):
            frames = tcp.send(direction, data)
            if rng.random() < REORDERED * 2:
                frames[0], frames[1] = frames[1], frames[0]
            for frame in frames:
                yield pause + delay, frame
                pause = 0
        pause = rng.randrange(1, 20) * MILLISECOND
    for frame in tcp.close():
        yield delay, frame


def wsman(packets: int) -> Iterator[tuple[int, bytes]]:
    """`packets` packets; whenever one connection ends the next machine's begins, so that 32 are open."""
    rng = random.Random(16992)
    serial = count()

    def one_after_another() -> Iterator[Step]:
        while True:
            yield from conversation(rng, next(serial))

    return merge(((START + flow * 3 * MILLISECOND, one_after_another()) for flow in range(FLOWS)), packets)
