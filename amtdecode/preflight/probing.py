"""Asks the network: the resolver for ProvisionServer, and TCP ports of the hosts that were named, and no others.

DNS as RFC 1035 has it, over UDP; an answer is believed only from the address asked and with the number of the question.
A port is only connected to: nothing is sent. All questions are asked side by side, each with a short time-out.
"""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_address
from struct import pack
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from amtdecode import ports as amt
from amtdecode.diagnosis.circumstances import NameAnswer, PortAnswer, Probed
from amtdecode.errors import UsageError, reason
from amtdecode.protocols.dns.fields import AAAA, REPLY_CODES, A
from amtdecode.protocols.dns.message import DnsMessage, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amtdecode.diagnosis.site import Site

PROVISION_SERVER = "ProvisionServer"
TIMEOUT = 2.0  # seconds for each answer
MAX_HOSTS = 256  # of a probe; whoever has more looks at some of them
AT_ONCE = 32  # questions asked side by side
MAX_ANSWER = 4096  # bytes of a DNS answer
DNS_PORT = 53
SYSTEM = "the resolver of this computer"

Question = TypeVar("Question")
Answered = TypeVar("Answered")


class Place(NamedTuple):
    """A host and a port."""

    host: str
    port: int


def probe(site: Site, resolver: Place | None = None, further: Sequence[Place] = (), timeout: float = TIMEOUT) -> Probed:
    """Ask for ProvisionServer in each domain of the site, and try the ports of its servers and machines.

    `resolver`: who is asked for names, else the first of dhcp.dns, as the machines do, else the resolver of this
    computer. `further`: ports beside those of the site. Raises `UsageError` for more than `MAX_HOSTS` hosts.
    """
    if resolver is None and site.dhcp.dns:
        resolver = Place(site.dhcp.dns[0], DNS_PORT)
    names = [f"{PROVISION_SERVER}.{domain.rstrip('.')}" for domain in site.dhcp.domains] or [PROVISION_SERVER]
    places = places_of(site, further)
    if len({place.host for place in places}) > MAX_HOSTS:
        raise UsageError(f"--probe: more than {MAX_HOSTS} hosts are named; name fewer")
    answers = _side_by_side(
        names, lambda name: ask(name, resolver, timeout), lambda name: _late(name, resolver), 4 * timeout
    )
    states = _side_by_side(
        places, lambda place: attempt(place, timeout), lambda place: PortAnswer(*place, "no answer"), 2 * timeout
    )
    return Probed(tuple(answers), tuple(states))


def places_of(site: Site, further: Iterable[Place] = ()) -> list[Place]:
    """The ports that a probe tries: of the setup server, machines listed, and further ones; networks are left out."""
    servers = [site.scs.fqdn, *(each for each in site.scs.addresses if "/" not in each), *site.dns.provisionserver]
    machines = [machine.address or machine.fqdn for machine in site.machine]
    found = [Place(host, site.scs.port) for host in servers if host]
    found += [Place(host, port) for host in machines if host for port in (amt.HTTP, amt.HTTPS)]
    return list(dict.fromkeys([*found, *further]))


def ask(name: str, resolver: Place | None, timeout: float = TIMEOUT) -> NameAnswer:
    """The addresses of a name."""
    if resolver is None:
        return _ask_system(name)
    server = resolver.host if resolver.port == DNS_PORT else f"{resolver.host}, port {resolver.port}"
    found: list[str] = []
    fault = ""
    for kind in (A, AAAA):
        answer = _question(name, kind, resolver, timeout)
        if isinstance(answer, DnsMessage) and not answer.reply_code:
            found += answer.addresses
        elif not fault:
            code = answer.reply_code if isinstance(answer, DnsMessage) else -1
            fault = f"the answer is {REPLY_CODES.get(code, f'code {code}')}" if code > 0 else str(answer)
        if fault:
            break
    return NameAnswer(name, server, tuple(found), "" if found else fault or "the answer holds no address")


def query(number: int, name: str, kind: int) -> bytes:
    """The bytes of a question; big-endian, RFC 1035 section 4.1. Recursion is desired."""
    labels = b"".join(bytes((len(label),)) + label for label in name.encode("ascii").split(b"."))
    return pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + pack(">HH", kind, 1)


def _question(name: str, kind: int, resolver: Place, timeout: float) -> DnsMessage | str:
    """The answer to a question, or why there is none."""
    import secrets

    number = secrets.randbelow(1 << 16)
    family = socket.AF_INET6 if ":" in resolver.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect(resolver)  # so that only this server is heard
            asking.send(query(number, name, kind))
            until = time.monotonic() + timeout
            while (left := until - time.monotonic()) > 0:
                asking.settimeout(left)
                event = read(asking.recv(MAX_ANSWER))[0]
                if isinstance(event, DnsMessage) and event.is_response and event.id == number:
                    if event.is_truncated and not event.answers:
                        return "the answer is too long for one datagram"
                    return event
    except TimeoutError:
        pass
    except OSError as error:
        return reason(error)
    return "no answer"


def _ask_system(name: str) -> NameAnswer:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return NameAnswer(name, SYSTEM, fault=reason(error) if isinstance(error, OSError) else "no such name")
    return NameAnswer(name, SYSTEM, tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))


def _late(name: str, resolver: Place | None) -> NameAnswer:
    return NameAnswer(name, resolver.host if resolver else SYSTEM, fault="no answer")


def attempt(place: Place, timeout: float = TIMEOUT) -> PortAnswer:
    """Whether a port is open. Nothing is sent."""
    try:
        socket.create_connection(place, timeout).close()
    except ConnectionRefusedError:
        return PortAnswer(*place, "refused")
    except TimeoutError:
        return PortAnswer(*place, "no answer")
    except (OSError, UnicodeError) as error:
        return PortAnswer(*place, reason(error) if isinstance(error, OSError) else "no such name")
    return PortAnswer(*place, "open")


def _side_by_side(
    questions: Sequence[Question],
    answer: Callable[[Question], Answered],
    late: Callable[[Question], Answered],
    seconds: float,
) -> list[Answered]:
    """The answer to each question; `late` where it takes longer: a system's resolver knows no time-out."""
    found: dict[int, Answered] = {}
    for start in range(0, len(questions), AT_ONCE):
        batch = range(start, min(start + AT_ONCE, len(questions)))

        def work(number: int) -> None:
            found[number] = answer(questions[number])

        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in batch]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
    return [found.get(number) or late(question) for number, question in enumerate(questions)]


def place_of(text: str, default: int | None = None) -> Place:
    """A host with a port, as HOST:PORT or [ADDRESS]:PORT; without a port `default`. Raises `UsageError`."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or (not port and default is None):
        raise UsageError(f"{text}: HOST:PORT is wanted")
    if port and not (port.isdecimal() and port.isascii() and 0 < int(port) < 1 << 16):
        raise UsageError(f"{text}: {port} is no port, which is a number from 1 to 65535")
    return Place(host, int(port) if port else default or 0)


def resolver_of(text: str) -> Place:
    """The same of a resolver, which is named by its address. Raises `UsageError`."""
    place = place_of(text, DNS_PORT)
    try:
        ip_address(place.host)
    except ValueError:
        raise UsageError(f"--resolver {text}: an address is wanted, not a name") from None
    return place
