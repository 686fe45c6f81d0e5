"""The sink for hellos and live capture, with real sockets."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import wire

from amtdecode.capture import listen as listen_module
from amtdecode.capture.listen import Listener
from amtdecode.engine import Engine
from amtdecode.errors import CaptureError, UsageError
from amtdecode.model import Note
from amtdecode.protocols.hello.strangers import no_hello


class Sink:
    """A listener at work in a thread, and what it has said so far."""

    def __init__(self, host="127.0.0.1"):
        self.listener = Listener(0, host)
        self.port = self.listener.port
        self.found = []
        self._over = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        for one in Engine().observe(self.listener.packets(lambda: self._over)):
            self.found.append(one)

    def connect(self, host="127.0.0.1"):
        return socket.create_connection((host, self.port), timeout=10)

    def wait(self, count):
        for _ in range(200):
            if len(self.found) >= count:
                break
            time.sleep(0.02)
        return [type(one.event).__name__ for one in self.found]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_hellos_are_told_as_they_come():
    with Sink() as sink, sink.connect() as machine:
        machine.sendall(wire.PSK_HELLO)
        assert sink.wait(1) == ["HelloMessage"]  # the connection is still open
        (one,) = sink.found
        assert one.event.pid == "0000037M"
        assert one.src.port == machine.getsockname()[1]
        assert (one.src.address, one.dst.address, one.dst.port) == ("127.0.0.1", "127.0.0.1", sink.port)
        assert abs(one.time_ns / 1e9 - time.time()) < 60


def test_a_hello_in_pieces_of_any_size():
    with Sink() as sink:
        with sink.connect() as machine:
            machine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(wire.PKI_HELLO), 7):
                machine.sendall(wire.PKI_HELLO[at : at + 7])
                time.sleep(0.005)
        assert sink.wait(1) == ["HelloMessage"]
        assert [entry.value for entry in sink.found[0].event.hashes] == [wire.SHA256_VALUE, bytes(range(20))]


def test_others_are_survived():
    """Browser, TLS client, scanner, half-open peer and a reset; then a machine is still heard."""
    with Sink() as sink:
        half_open = sink.connect()
        with sink.connect() as browser:
            browser.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with sink.connect() as scanner:
            scanner.shutdown(socket.SHUT_WR)
        reset = sink.connect()
        reset.sendall(wire.PKI_HELLO[:30])
        time.sleep(0.1)
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reset.close()
        with sink.connect() as machine:
            machine.sendall(wire.PSK_HELLO)
        for _ in range(200):
            names = sink.wait(0)
            if "HelloMessage" in names and "Truncated" in names:
                break
            time.sleep(0.02)
        assert names.count("HelloMessage") == 1
        assert names.count("Truncated") == 1
        cut = next(one.event for one in sink.found if type(one.event).__name__ == "Truncated")
        assert cut.reason == "the message ends early (RST)"
        half_open.sendall(wire.PSK_HELLO)
        for _ in range(200):
            if sink.wait(0).count("HelloMessage") == 2:
                break
            time.sleep(0.02)
        assert sink.wait(0).count("HelloMessage") == 2
        half_open.close()


def test_too_many_connections_close_the_longest_idle(monkeypatch):
    monkeypatch.setattr(listen_module, "MAX_CONNECTIONS", 3)
    with Sink() as sink:
        machines = []
        for _ in range(6):
            machines.append(sink.connect())
            time.sleep(0.03)
        machines[0].settimeout(5)
        with pytest.raises((ConnectionError, AssertionError)):
            assert machines[0].recv(1) != b""
        machines[-1].sendall(wire.PSK_HELLO)
        for _ in range(200):
            if "HelloMessage" in sink.wait(0):
                break
            time.sleep(0.02)
        assert "HelloMessage" in sink.wait(0)
        for machine in machines:
            machine.close()


@pytest.mark.skipif(os.name != "posix", reason="limits the descriptors of the process")
def test_no_descriptor_left_closes_the_longest_idle():
    """Idle scanners that take all that the system grants do not keep a machine out."""
    program = "import resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
    program += "from amtdecode.cli.main import run\nsys.exit(run(sys.argv[1:]))"
    words = [sys.executable, "-c", program, "listen", "--port", "0", "--host", "127.0.0.1", "-T", "json", "-a", "30"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        port = int(re.search(r"listening on port (\d+)", process.stderr.readline().decode())[1])
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        with socket.create_connection(("127.0.0.1", port)) as machine:
            machine.sendall(wire.PSK_HELLO)
            told = []
            while not told or told[-1]["event"] != "HelloMessage":
                told.append(json.loads(process.stdout.readline()))
        assert all(one["summary"].endswith("opened a connection and sent nothing") for one in told[:-1])
        for one in idle:
            one.close()
        process.kill()


def test_a_peer_closed_in_the_moment_it_speaks(monkeypatch):
    """All connections are taken, a new one comes and an old one speaks, both before the listener looks."""
    monkeypatch.setattr(listen_module, "MAX_CONNECTIONS", 2)
    listener = Listener(0, "127.0.0.1")
    calls = iter(range(12))
    old = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(2)]
    packets = listener.packets(lambda: next(calls, None) is None)
    for _ in range(4):
        next(packets)  # both are open
    new = socket.create_connection(("127.0.0.1", listener.port))
    for one in old:
        one.sendall(b"now")
    time.sleep(0.1)
    seen = [packet[1][40:] for packet in packets]
    assert seen.count(b"now") >= 1
    for one in (*old, new):
        one.close()


def talk_on(connection):
    for _ in range(10_000):
        connection.sendall(bytes(500))
        time.sleep(0.001)


def test_a_connection_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(listen_module, "MAX_BYTES", 1000)
    with Sink() as sink, sink.connect() as endless:
        endless.settimeout(10)
        with pytest.raises(ConnectionError):
            talk_on(endless)


def test_an_idle_connection_is_closed(monkeypatch):
    monkeypatch.setattr(listen_module, "IDLE", 0.3)
    with Sink() as sink, sink.connect() as idle:
        idle.settimeout(10)
        assert idle.recv(1) == b""


def test_both_families():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with Sink("") as sink:
        for host in ("127.0.0.1", "::1"):
            with sink.connect(host) as machine:
                machine.sendall(wire.PSK_HELLO)
        assert sink.wait(2) == ["HelloMessage"] * 2
        assert {one.src.address for one in sink.found} == {"127.0.0.1", "::1"}


def test_the_packets_made_are_right(tshark, tmp_path):
    """tshark finds nothing wrong in them, but for checksums left to the card."""
    listener = Listener(0, "127.0.0.1")
    over = []
    packets = listener.packets(lambda: bool(over))
    with socket.create_connection(("127.0.0.1", listener.port)) as machine:
        taken = [next(packets), next(packets)]
        machine.sendall(wire.PKI_HELLO)
        taken.append(next(packets))
    taken += [next(packets), next(packets)]
    over.append(True)
    assert list(packets) == []
    path = tmp_path / "x.pcap"
    path.write_bytes(wire.pcap([packet[1] for packet in taken], link=101))
    fields = ["tcp.flags.str", "tcp.seq", "tcp.ack", "tcp.len", "_ws.expert.group"]
    command = [tshark, "-n", "-r", str(path), "-o", "tcp.check_checksum:FALSE", "-T", "fields"]
    done = subprocess.run(
        [*command, *[p for f in fields for p in ("-e", f)]], capture_output=True, text=True, check=False
    )
    rows = [line.split("\t")[:4] for line in done.stdout.splitlines()]
    size = str(len(wire.PKI_HELLO))
    end = str(len(wire.PKI_HELLO) + 1)
    assert [row[1:] for row in rows] == [
        ["0", "0", "0"], ["0", "1", "0"], ["1", "1", size], [end, "1", "0"], ["1", str(int(end) + 1), "0"],
    ]  # fmt: skip
    assert [re.sub("[^A-Z]", "", row[0]) for row in rows] == ["S", "AS", "AP", "AF", "AF"]


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CaptureError, match=f"^cannot listen on port {port}: address already in use$"):
            Listener(port, "127.0.0.1")


@pytest.mark.parametrize("host", ["a\0b", "\udcff", 5])
def test_a_host_that_cannot_be_one(host):
    with pytest.raises(UsageError, match=r"^host takes an address or a name, not "):
        Listener(0, host)


def test_a_host_that_is_none():
    with pytest.raises(CaptureError, match=r"^cannot listen on no\.such\.invalid: no such host or address$"):
        Listener(0, "no.such.invalid")


@contextmanager
def command(*arguments):
    environment = {key: value for key, value in os.environ.items() if key != "SSLKEYLOGFILE"}
    with subprocess.Popen(
        [sys.executable, "-m", "amtdecode", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_listen_command():
    with command("listen", "--port", "0", "--host", "127.0.0.1", "-T", "json") as process:
        note = process.stderr.readline().decode()
        port = int(re.search(r"listening on port (\d+)", note)[1])
        with socket.create_connection(("127.0.0.1", port)) as machine:
            machine.sendall(wire.PSK_HELLO)
            line = json.loads(process.stdout.readline())
        assert (line["event"], line["fields"]["iamt.hello.uuid"]) == ("HelloMessage", wire.UUID_TEXT)
        process.send_signal(2)
        assert process.wait(20) in (0, 130)
        assert process.stderr.read().strip() == b""


def test_live_on_loopback():
    """Real TCP traffic, told while it passes, each packet once although loopback shows it twice."""
    pytest.importorskip("scapy")
    if not hasattr(socket, "AF_PACKET") or os.geteuid() != 0:
        pytest.skip("needs Linux and the right to capture")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with command("live", "-i", "lo", "-a", "30", "-T", "json", "-f", f"tcp port {port}") as process:
            note = process.stderr.readline().decode()
            assert "watching lo" in note, note
            client = socket.create_connection(("127.0.0.1", port))
            peer, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in (wire.PKI_HELLO[:30], wire.PKI_HELLO[30:]):
                client.sendall(piece)
                assert peer.recv(100) == piece
            line = json.loads(process.stdout.readline())
            client.close()
            peer.close()
    assert line["event"] == "HelloMessage"
    assert line["dst"] == f"127.0.0.1:{port}"
    assert line["fields"]["iamt.hello.hash.value"] == [wire.SHA256_VALUE.hex(), bytes(range(20)).hex()]
    assert len(line["packets"]) == 2


def test_live_names_what_is_missing():
    pytest.importorskip("scapy")
    from amtdecode.capture.live import read_live

    with pytest.raises(CaptureError, match=r"^nosuch0: no such interface; there are .*lo"):
        read_live("nosuch0")


def test_a_capture_filter_that_is_none_is_one_line():
    pytest.importorskip("scapy")
    if not hasattr(socket, "AF_PACKET") or os.geteuid() != 0:
        pytest.skip("needs Linux and the right to capture")
    from amtdecode.capture.live import read_live

    with pytest.raises(CaptureError, match=r"^lo: [^\n]*no such filter"):
        read_live("lo", bpf="no such filter")


def test_the_tag_that_linux_takes_off_is_put_back():
    """struct tpacket_auxdata of if_packet.h: status, length, captured length, two offsets, tag, Ethertype."""
    from amtdecode.capture.live import tagged

    frame = wire.ether(b"x" * 50)
    for status, tag, ethertype, put in (
        (0x51, 0x2005, 0x8100, "81002005"),
        (0x51, 0, 0x88A8, "88a80000"),
        (0x11, 7, 0, "81000007"),
        (0x01, 7, 0x8100, ""),
    ):
        beside = [(1, 35, bytes(16)), (263, 8, struct.pack("=IIIHHHH", status, 64, 64, 0, 14, tag, ethertype))]
        assert tagged(frame, beside) == frame[:12] + bytes.fromhex(put) + frame[12:]
    assert tagged(frame, []) == tagged(frame, [(263, 8, bytes(8))]) == frame


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "opened a connection and sent nothing"),
        (wire.PSK_HELLO, ""),
        (wire.PSK_HELLO + b"more", ""),
        (wire.PSK_HELLO[:7], "sent the first 7 bytes of a hello, and no more"),
        (b"\0", "sent the first 1 byte of a hello, and no more"),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 'sent no hello but 27 bytes of HTTP: "GET / HTTP/1.0"'),
        (
            b"GET /?password=hush HTTP/1.0\r\n\r\n",
            'sent no hello but 32 bytes of HTTP: "GET /?password=******** HTTP/1.0"',
        ),
        (b"\x16\x03\x01\x00\x05", "sent no hello but 5 bytes of TLS: 16 03 01 00 05"),
        (b"SSH-2.0-x\r\n", 'sent no hello but 11 bytes of SSH: "SSH-2.0-x"'),
        (b"\xff\x1b[31m", "sent no hello but 6 bytes: ff 1b 5b 33 31 6d"),
        (b"x" * 100, f'sent no hello but 100 bytes: "{"x" * 32}"'),
    ],
)
def test_what_comes_and_is_no_hello(data, said):
    assert no_hello(data[:64], len(data)) == said


def test_connections_that_bring_no_hello_are_told():
    """On any port: who it was, and what came; a hello is told as ever, and by nothing else."""
    found, over = [], []
    listener = Listener(0, "127.0.0.1", no_hello)
    names = []
    thread = threading.Thread(target=lambda: found.extend(Engine().observe(listener.packets(lambda: bool(over)))))
    thread.start()
    for data in (b"GET / HTTP/1.0\r\n\r\n", wire.PSK_HELLO, b""):
        with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as peer:
            names.append("{}:{}".format(*peer.getsockname()))
            peer.sendall(data)
    time.sleep(0.5)
    over.append(True)
    thread.join(10)
    told = [one.event.what for one in found if isinstance(one.event, Note)]
    assert told == [
        f'{names[0]} sent no hello but 18 bytes of HTTP: "GET / HTTP/1.0"',
        f"{names[2]} opened a connection and sent nothing",
    ]
    assert [type(one.event).__name__ for one in found if str(one.src) == names[1]] == ["HelloMessage"]


class Sniffing:
    """Stands in for a libpcap socket of scapy: frames with their times, `None` where none came in time."""

    ins = None

    def __init__(self, *frames):
        self.frames = list(frames)
        self.waited = []
        self.closed = 0

    def select(self, sockets, patience):
        self.waited.append(patience)
        assert sockets == [self]
        if self.frames[0] is None:
            del self.frames[0]
            return []
        return [self]

    def recv_raw(self):
        return None, *self.frames.pop(0)

    def close(self):
        self.closed += 1


def test_the_link_type_of_an_interface(monkeypatch):
    import builtins
    import io

    from amtdecode.capture.live import _link_type

    def kind(text):
        monkeypatch.setattr(builtins, "open", lambda name, **_: io.StringIO(text))
        return _link_type("x")

    assert [kind(text) for text in ("1\n", "772\n", "65534\n", "512", "776", "x")] == [1, 1, 101, 101, 101, 1]
