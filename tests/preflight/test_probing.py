"""Probing, on loopback: a DNS server of a few lines, open and closed ports."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

from amtdecode.diagnosis.circumstances import NameAnswer, PortAnswer
from amtdecode.diagnosis.site import Dhcp, Machine, Scs, Site
from amtdecode.errors import UsageError
from amtdecode.preflight.probing import MAX_HOSTS, Place, ask, attempt, place_of, places_of, probe, query, resolver_of
from amtdecode.protocols.dns.message import DnsMessage, read

LOOPBACK = "127.0.0.1"
NAME = "ProvisionServer.corp.example"


@contextlib.contextmanager
def dns_server(answer):
    """A server that answers a question with what `answer(bytes)` gives; the questions it got."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind((LOOPBACK, 0))
        heard.settimeout(0.1)
        got, over = [], threading.Event()

        def serve():
            while not over.is_set():
                try:
                    data, who = heard.recvfrom(512)
                except TimeoutError:
                    continue
                got.append(data)
                for each in answer(data):
                    heard.sendto(each, who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Place(*heard.getsockname()), got
        finally:
            over.set()
            thread.join()


def answered(data, *, code=0, address=None, number=None):
    """The answer to a question for an address (RFC 1035 section 4.1)."""
    kind = int.from_bytes(data[-4:-2], "big")
    records = b"" if address is None or kind != 1 else b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    head = (data[:2] if number is None else number) + (0x8180 | code).to_bytes(2, "big")
    return head + b"\0\1" + (b"\0\1" if records else b"\0\0") + bytes(4) + data[12:] + records


@pytest.fixture
def port():
    """An open port."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed():
    """A port that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return server.getsockname()[1]


def test_the_question_is_read_as_one():
    [event] = read(query(0x1234, NAME, 1))
    assert isinstance(event, DnsMessage)
    assert (event.id, event.name, event.type, event.flags, event.is_response) == (0x1234, NAME, 1, 0x0100, False)


def test_an_address(port):
    with dns_server(lambda data: [answered(data, address="192.0.2.10")]) as (server, got):
        found = ask(NAME, server)
    assert found == NameAnswer(NAME, f"{LOOPBACK}, port {server.port}", ("192.0.2.10",))
    assert [read(each)[0].type for each in got] == [1, 28]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda data: [answered(data, code=3)], "the answer is NXDOMAIN"),
        (lambda data: [answered(data, code=2)], "the answer is SERVFAIL"),
        (lambda data: [answered(data)], "the answer holds no address"),
        (lambda _data: [], "no answer"),
        (lambda data: [answered(data, address="192.0.2.66", number=b"\0\0")], "no answer"),
        (lambda data: [b"", b"\xff" * 20, data], "no answer"),
    ],
)
def test_no_address(answer, fault, monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda _bound: 7)
    with dns_server(answer) as (server, _):
        found = ask(NAME, server, timeout=0.3)
    assert (found.addresses, found.fault) == ((), fault)


def test_a_wrong_answer_before_the_right_one(monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda _bound: 7)
    both = lambda data: [answered(data, address="192.0.2.66", number=b"\0\0"), answered(data, address="192.0.2.10")]  # noqa: E731
    with dns_server(both) as (server, _):
        assert ask(NAME, server).addresses == ("192.0.2.10",)


def test_ports(port, closed):
    assert attempt(Place(LOOPBACK, port)) == PortAnswer(LOOPBACK, port, "open")
    assert attempt(Place(LOOPBACK, closed)) == PortAnswer(LOOPBACK, closed, "refused")
    assert attempt(Place("no such host.invalid", 1)).state not in ("open", "refused")


def test_a_whole_probe(port, closed):
    site = Site(
        scs=Scs(addresses=(LOOPBACK, "198.51.100.0/24"), port=port), dhcp=Dhcp(domains=("corp.example", "lab.example."))
    )
    with dns_server(lambda data: [answered(data, address=LOOPBACK)]) as (server, got):
        found = probe(site, server, [Place(LOOPBACK, closed)], timeout=1)
    assert [(each.name, each.addresses) for each in found.names] == [
        (NAME, (LOOPBACK,)),
        ("ProvisionServer.lab.example", (LOOPBACK,)),
    ]
    assert [(each.port, each.state) for each in found.ports] == [(port, "open"), (closed, "refused")]
    assert len(got) == 4


def test_dnsmasq_gives_what_its_text_says(tmp_path, closed):
    """The ready text, in a real server, asked by the probe."""
    path = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin:/sbin")
    if path is None:
        pytest.skip("dnsmasq is not installed")
    from amtdecode.preflight.texts import Materials, kind_named

    site = Site(scs=Scs(addresses=("192.0.2.10",)), dhcp=Dhcp(domains=("corp.example",)))
    [written] = kind_named("dns-dnsmasq").write(Materials(site))
    conf = tmp_path / "amt.conf"
    conf.write_bytes(written.data)
    options = [
        "--no-daemon",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={LOOPBACK}",
        f"--port={closed}",
    ]
    server = subprocess.Popen([path, *options, f"--conf-file={conf}", "--pid-file="], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while (found := ask(NAME, Place(LOOPBACK, closed), timeout=0.5)).fault and time.monotonic() < until:
            time.sleep(0.05)
        assert found.addresses == ("192.0.2.10",)
        assert ask("other.corp.example", Place(LOOPBACK, closed)).fault
    finally:
        server.terminate()
        server.wait()


def test_only_hosts_that_were_named_are_asked():
    site = Site(
        scs=Scs(fqdn="scs.corp.example", addresses=("192.0.2.10", "192.0.2.0/24")),
        machine=(Machine(address="192.0.2.30"), Machine(fqdn="pc.corp.example"), Machine(uuid="x")),
    )
    assert places_of(site) == [
        Place("scs.corp.example", 9971),
        Place("192.0.2.10", 9971),
        *(Place(host, port) for host in ("192.0.2.30", "pc.corp.example") for port in (16992, 16993)),
    ]
    assert places_of(Site()) == []
    many = Site(machine=tuple(Machine(fqdn=f"pc{number}.corp.example") for number in range(MAX_HOSTS + 1)))
    with pytest.raises(UsageError, match=f"more than {MAX_HOSTS} hosts"):
        probe(many)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("scs:9971", Place("scs", 9971)),
        ("[2001:db8::1]:80", Place("2001:db8::1", 80)),
        ("192.0.2.1:1", Place("192.0.2.1", 1)),
    ],
)
def test_places(text, place):
    assert place_of(text) == place


@pytest.mark.parametrize("text", ["scs", "scs:", ":80", "scs:0", "scs:65536", "scs:x", "scs:²", "[::1]"])
def test_no_places(text):
    with pytest.raises(UsageError):
        place_of(text)


def test_resolvers():
    assert resolver_of("192.0.2.53") == Place("192.0.2.53", 53)
    assert resolver_of("2001:db8::53") == Place("2001:db8::53", 53)
    assert resolver_of("127.0.0.1:5353") == Place("127.0.0.1", 5353)
    with pytest.raises(UsageError, match="an address is wanted"):
        resolver_of("dns.corp.example")
