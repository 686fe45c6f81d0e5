"""Steps of a provisioning story as packets on one timeline. A `Scene` is written once and knows what time it is."""

from __future__ import annotations

import random
import struct
import uuid
from typing import TYPE_CHECKING, NamedTuple

from pcaps import messages, tls
from pcaps.build import ARP as ARP_TYPE
from pcaps.build import BROADCAST, TO_CLIENT, TO_SERVER, Connection, Host, arp, datagram, ethernet, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MILLISECOND, SECOND = 1_000_000, 1_000_000_000
START = 1_194_253_200 * SECOND
"""2007-11-05 09:00:00 UTC"""


class Machine(NamedTuple):
    """An AMT machine: its interface, its identity, its DHCP domain, its name."""

    host: Host
    uuid: uuid.UUID
    domain: str
    name: str


class Network(NamedTuple):
    """The servers of an office."""

    dhcp: Host
    dns: Host
    scs: Host


class Scene:
    """Packets with times, in order. `step` is the time between two packets of one exchange."""

    def __init__(self, seed: int, start: int = START, step: int = MILLISECOND) -> None:
        self.rng = random.Random(seed)
        self.now = start
        self.step = step
        self.packets: list[tuple[int, bytes, str]] = []
        self._port = 49152

    def put(self, frames: Iterable[bytes], comment: str = "") -> None:
        """Frames one step apart; the comment belongs to the first."""
        for data in frames:
            self.packets.append((self.now, data, comment))
            comment = ""
            self.now += self.step

    def wait(self, seconds: float) -> None:
        """Nothing happens."""
        self.now += round(seconds * SECOND)

    def at(self, seconds: float) -> None:
        """Go to a time after the start; scenes told machine by machine overlap so. The writer sorts."""
        self.now = START + round(seconds * SECOND)

    def connection(self, client: Host, server: Host, port: int) -> Connection:
        """A new TCP connection from the next free port."""
        self._port += 1
        seq = (self.rng.getrandbits(32), self.rng.getrandbits(32))
        return Connection(client, server, self._port, port, seq=seq)

    def lease(self, network: Network, machine: Machine, *, domain: str | None = None) -> None:
        """DISCOVER, OFFER, REQUEST, ACK; without a `domain` given, option 15 is the machine's."""
        transaction, host = self.rng.getrandbits(32), machine.host
        told = messages.lease_options(
            network.dhcp.ip, domain=machine.domain if domain is None else domain, dns=network.dns.ip
        )
        asked = [(61, b"\x01" + bytes.fromhex(host.mac.replace(":", ""))), (55, bytes([1, 3, 6, 15]))]
        nobody, everybody = Host(host.mac, "0.0.0.0"), Host(BROADCAST, "255.255.255.255")

        def say(kind: int, options: list[tuple[int, bytes]], yours: str = "0.0.0.0") -> bytes:
            body = messages.dhcp(kind, transaction, host.mac, yours=yours, options=options)
            from_client = yours == "0.0.0.0"
            src = nobody if from_client else network.dhcp
            return datagram(src, everybody, *((68, 67) if from_client else (67, 68)), body)

        self.put([say(messages.DISCOVER, asked)], f"{machine.name}: DHCP lease")
        self.put([say(messages.OFFER, told, host.ip)])
        wanted = [(50, packed(host.ip)), (54, packed(network.dhcp.ip)), *asked]
        self.put([say(messages.REQUEST, wanted)])
        self.put([say(messages.ACKNOWLEDGE, told, host.ip)])

    def resolve(self, client: Host, server: Host) -> None:
        """ARP: who has the server's address?"""
        self.put(
            [ethernet(client.mac, BROADCAST, arp(1, client.mac, client.ip, "00:00:00:00:00:00", server.ip), ARP_TYPE)]
        )
        self.put([ethernet(server.mac, client.mac, arp(2, server.mac, server.ip, client.mac, client.ip), ARP_TYPE)])

    def lookup(self, network: Network, host: Host, name: str, answer: str | None, code: int = messages.NOERROR) -> None:
        """One DNS question and its answer."""
        number, port = self.rng.getrandbits(16), 32768 + self.rng.getrandbits(12)
        answers = [(name, messages.A, packed(answer))] if answer else []
        self.put([datagram(host, network.dns, port, 53, messages.dns_query(number, name))], f"DNS: {name}")
        self.put(
            [datagram(network.dns, host, 53, port, messages.dns_response(number, name, code=code, answers=answers))]
        )

    def hello(self, network: Network, machine: Machine, data: bytes, comment: str = "") -> None:
        """One hello: connect to 9971, send, close."""
        tcp = self.connection(machine.host, network.scs, 9971)
        self.put(tcp.open(), comment or f"{machine.name}: hello")
        self.put(tcp.send(TO_SERVER, data))
        self.put(tcp.close())

    def refused(self, client: Host, server: Host, port: int, comment: str = "") -> None:
        """A connection that a reset refuses."""
        self.put(self.connection(client, server, port).refuse(), comment)

    def set_up_psk(
        self, network: Network, machine: Machine, calls: Iterable[tuple[str, str, str]], *, psk: bytes = messages.PSK
    ) -> str:
        """The contact back on 16993: a TLS 1.0 PSK handshake, and inside it EOI calls. Returns the key log line."""
        pid = messages.PID.replace("-", "").encode()
        secure = tls.PskConnection(self.rng, pid, psk, hint=pid)
        tcp = self.connection(network.scs, machine.host, 16993)
        self.put(tcp.open(), f"{machine.name}: contact back")
        self.put(tcp.send(TO_SERVER, secure.client_hello()))
        self.put(tcp.send(TO_CLIENT, secure.server_flight()))
        self.put(tcp.send(TO_SERVER, secure.client_flight()))
        self.put(tcp.send(TO_CLIENT, secure.server_finish()))

        def exchange(request: bytes, response: bytes) -> None:
            self.put(tcp.send(TO_SERVER, secure.data(TO_SERVER, request)))
            self.wait(0.05)
            self.put(tcp.send(TO_CLIENT, secure.data(TO_CLIENT, response)))

        _converse(exchange, machine.host.ip, calls)
        self.put(tcp.send(TO_SERVER, secure.close_notify(TO_SERVER)))
        self.put(tcp.close())
        return secure.key_log()


def _converse(exchange: Callable[[bytes, bytes], None], host: str, calls: Iterable[tuple[str, str, str]]) -> None:
    """EOI calls with digest authentication: the first try is unauthorised, as the protocol wants it."""
    realm = "Digest:84910000000000000000000000000000"
    challenge = messages.nonce(1)
    for number, (service, method, arguments) in enumerate(calls):
        if number == 0:
            exchange(
                messages.eoi_request(service, method, arguments, host=host), messages.unauthorized(realm, challenge)
            )
        proof = messages.digest(realm, challenge, f"/{service}Service", number + 1)
        request = messages.eoi_request(service, method, arguments, proof, host)
        exchange(request, messages.eoi_response(service, method))


def machine(number: int, domain: str, *, network: str = "192.0.2.") -> Machine:
    """Machine `number` of an office: documentation addresses (RFC 5737, RFC 7042), a UUID that tells the number."""
    host = Host(f"00:00:5e:00:53:{number:02x}", f"{network}{number}")
    identity = uuid.UUID(
        bytes=struct.pack(">IHHHHI", 0xA3700000 + number, 0x1DE5, 0x11DC, 0x8000, 0x5E00, 0x5300 + number)
    )
    return Machine(host, identity, domain, f"desk-{number:02d}")
