"""`live`: files, rings, limits, drops, the fleet's table; and Ctrl-C, which tells what is known so far."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import wire

from amtdecode.capture import NOTICE
from amtdecode.capture.opening import open_capture

PCAPS = Path(__file__).parents[2] / "pcaps"
OFFICE = PCAPS / "office.pcapng"
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
UNUSED = 9  # discard: nobody answers on loopback but ICMP


def packets(path):
    return [one for one in open_capture(str(path)) if one[7].link_type != NOTICE]


def may_capture():
    pytest.importorskip("scapy")
    if os.geteuid():
        pytest.skip("capturing needs root")
    from amtdecode.capture.live import Live
    from amtdecode.errors import CaptureError

    try:
        Live(["lo"]).close()
    except CaptureError as error:
        pytest.skip(str(error))


class Talker:
    """Sends datagrams to this machine, each with its number, until it is told to end."""

    def __init__(self, size=200):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sink.bind(("127.0.0.1", 0))
        self._ends = threading.Event()
        self._size = size
        self._thread = threading.Thread(target=self._talk)

    def _talk(self):
        number = 0
        while not self._ends.wait(0.01):
            self._socket.sendto(number.to_bytes(4, "big").ljust(self._size, b"."), self._sink.getsockname())
            number += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        self._socket.close()
        self._sink.close()


@pytest.fixture
def talker():
    may_capture()
    with Talker() as talking:
        yield talking


def numbers(path, talking):
    """The numbers in the datagrams of a capture, in order."""
    found = [one[1][one[2] + 42 : one[2] + 46] for one in packets(path)]
    return [int.from_bytes(data, "big") for data in found]


def test_a_file_holds_what_passed(run, tmp_path, talker):
    """Whole packets in order, 40 bytes of each, nanoseconds; the counts of kernel and file agree."""
    bpf = f"udp src port {talker.port}"
    done = run("live", "-i", "lo", "-f", bpf, "-c", "20", "-s", "46", "-w", "x.pcapng")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "amtdecode: watching lo; end with Ctrl-C",
        "amtdecode: 20 packets captured, 0 dropped",
    ]
    held = packets(tmp_path / "x.pcapng")
    assert len(held) == 20
    assert {(one[3], one[4]) for one in held} == {(46, 242)}
    seen = numbers(tmp_path / "x.pcapng", talker)
    assert seen == list(range(seen[0], seen[0] + 20))
    times = [one[7].time_ns(one[5], one[6]) for one in held]
    assert times == sorted(times)
    assert abs(times[-1] - time.time_ns()) < 60 * 10**9
    assert held[0][7].name == "lo"
    assert (tmp_path / "x.pcapng").stat().st_mode & 0o777 == 0o600
    raw = (tmp_path / "x.pcapng").read_bytes()
    assert raw[-52:-48] == b"\5\0\0\0"  # an interface statistics block ends the file: 20 received, none dropped
    assert b"\4\0\x08\0" + (20).to_bytes(8, "little") + b"\5\0\x08\0" + bytes(8) in raw[-52:]


@pytest.mark.parametrize(
    ("began", "now", "files"), [(7199.9, 7200.0, 2), (7200.0, 10799.9, 1), (7300.0, 10800.5, 2), (3599.0, 14400.0, 2)]
)
def test_an_interval_turns_files_over_at_its_multiples(tmp_path, monkeypatch, began, now, files):
    from amtdecode.cli import recording
    from amtdecode.cli.autostop import Limit, limits_of
    from amtdecode.outputs import Outputs

    class Nothing:
        interfaces = ()

        def counts(self):
            return ()

    clock = [began]
    monkeypatch.setattr(recording.time, "time", lambda: clock[0])
    ring = limits_of([Limit().convert("interval:3600", None, None)])
    made = recording.Recording(Outputs([]), str(tmp_path / "r.pcap"), Nothing(), ring)
    clock[0] = now
    made.tick()
    made.close()
    assert made.files == files


def test_a_ring_keeps_the_newest_files(run, tmp_path, talker):
    bpf = f"udp src port {talker.port}"
    done = run("live", "-q", "-i", "lo", "-f", bpf, "-c", "23", "-w", "r.pcap", "-b", "packets:5", "-b", "files:3")
    assert (done.code, done.err) == (0, "")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [re.fullmatch(r"r_(\d{5})_\d{14}\.pcap", name)[1] for name in names] == ["00003", "00004", "00005"]
    held = [numbers(tmp_path / name, talker) for name in names]
    assert [len(one) for one in held] == [5, 5, 3]
    together = [number for one in held for number in one]
    assert together == list(range(together[0], together[0] + 13))


@pytest.mark.parametrize("number", ["0", "-1", "x", "nan", "1e3", "9" * 400, "9" * 5000, "1000000000000", ""])
def test_limits_are_numbers_that_make_sense(number):
    import click

    from amtdecode.cli.autostop import Limit

    with pytest.raises(click.BadParameter, match="is none of duration:SECONDS, filesize:KB, files:N, packets:N"):
        Limit(bare=True).convert(f"filesize:{number}", None, None)
    assert Limit().convert("filesize:999999999999", None, None) == ("filesize", 999999999999.0)


@pytest.mark.parametrize(
    ("limit", "files"),
    [
        (["-a", "filesize:2"], 1),
        (["-b", "filesize:1", "-a", "files:2"], 3),
        (["-a", "duration:1"], 1),
        (["-a", "1"], 1),
    ],
)
def test_it_stops_by_itself(run, tmp_path, talker, limit, files):
    done = run("live", "-i", "lo", "-f", f"udp src port {talker.port}", "-w", "x.pcapng", *limit)
    assert done.code == 0
    written = sorted(tmp_path.iterdir())
    assert len(written) == files
    sizes = [path.stat().st_size for path in written]
    if "filesize:2" in limit:
        assert 2000 <= sizes[0] < 2600
    if files == 3:
        assert all(1000 <= size < 1600 for size in sizes[:2])
    assert sum(len(packets(path)) for path in written) == int(re.search(r"(\d+) packets captured", done.err)[1])


def test_several_interfaces_are_one_stream(run, talker):
    bpf = f"udp src port {talker.port}"
    done = run("live", "-i", "any", "-f", bpf, "-c", "5", "-w", "x.pcapng")
    assert done.code == 0
    assert re.search(r"5 packets captured, 0 dropped", done.err)
    listed = run("live", "-D").out.splitlines()
    names = [line.split(". ", 1)[1] for line in listed]
    assert [line.split(". ", 1)[0] for line in listed] == [str(number) for number in range(1, len(names) + 1)]
    by_number = run("live", "-i", str(names.index("lo") + 1), "-f", bpf, "-c", "2", "-w", "y.pcapng")
    assert by_number.err.startswith("amtdecode: watching lo;")


def test_what_the_kernel_drops_is_counted():
    """A socket with a small buffer that nobody reads for a while."""
    may_capture()
    from amtdecode.capture.live import Live

    with Talker() as talking:
        live = Live(["lo"], bpf=f"udp src port {talking.port}")
        live._sockets[0].raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        time.sleep(1.5)
        taken = list(live.packets(count=3))
    (counts,) = live.counts()
    assert counts.captured == len(taken) == 3
    assert counts.dropped > 10


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "-D lists"),
        (["-i", "lo", "-b", "packets:1"], "-b goes with -w"),
        (["-i", "lo", "-a", "files:1"], "go with -w"),
        (["-i", "lo", "-w", "-", "-b", "packets:1"], "several files"),
        (["-i", "lo", "-w", "x", "-b", "files:1"], "-b files:N needs"),
        (["-i", "lo", "-w", "x", "-a", "files:1"], "-a files:N needs"),
        (["-i", "lo", "-w", "x", "-a", "sizes:1"], "is none of"),
        (["-i", "lo", "-w", "x", "-b", "10"], "is none of"),
        (["-i", "lo", "-w", "x", "-b", "packets:0"], "is none of"),
        (["-i", "lo", "-w", "x", "-Y", "dns"], "-Y chooses what is printed"),
        (["-i", "lo", "--diagnose", "-T", "ek"], "--diagnose goes with"),
    ],
)
def test_options_that_make_no_sense_are_one_line(run, tmp_path, options, says):
    pytest.importorskip("scapy")
    done = run("live", *options)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not list(tmp_path.iterdir())


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


def interrupted(arguments, data, tmp_path, shown=b""):
    """Feeds a pipe that stays open, waits until the program has read it, and interrupts it."""
    words = [sys.executable, "-m", "amtdecode", *arguments]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    process.stdin.write(data)
    process.stdin.flush()
    if shown:
        line = process.stdout.readline()
        assert line
    else:
        import fcntl
        import termios

        unread = bytes(4)
        while int.from_bytes(fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, unread), sys.byteorder):
            time.sleep(0.1)
        time.sleep(4)  # its rooms are loaded behind the first bytes
    process.send_signal(signal.SIGINT)
    with process:
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(30)
    return process.returncode, out.decode(), err.decode()


@posix
@pytest.mark.parametrize("cut", [0, 7])
def test_diagnose_of_a_pipe_tells_what_it_knows(tmp_path, cut):
    data = OFFICE.read_bytes()
    code, out, err = interrupted(["diagnose", "-"], data[: len(data) - cut], tmp_path)
    assert code == 130
    assert out.startswith("4 machines in 1 input")
    assert "AMT-CONN-002" in out
    assert "damage" not in out
    assert err == "amtdecode: note: interrupted; the report is about what was read until then\n"


@posix
def test_read_of_a_pipe_ends_well(tmp_path):
    data = (PCAPS / "hello.pcap").read_bytes()
    code, _, err = interrupted(["read", "-"], data, tmp_path, shown=b"Hello")
    assert (code, err) == (130, "")
    assert "Traceback" not in err
    code, _, err = interrupted(["read", "-w", "x.pcapng", "-"], data, tmp_path)
    assert code == 130
    assert [one[1][one[2] : one[2] + one[3]] for one in packets(tmp_path / "x.pcapng")] == [
        one[1][one[2] : one[2] + one[3]] for one in packets(PCAPS / "hello.pcap")
    ]


@posix
def test_a_pipe_is_read_for_so_long(tmp_path):
    words = [sys.executable, "-m", "amtdecode", "read", "-a", "duration:1", "-"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write((PCAPS / "hello.pcap").read_bytes())
    process.stdin.flush()
    with process:
        assert b"Hello" in process.stdout.read()  # to the end, though the pipe is open
        assert process.wait(30) == 0


def hello_to(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(wire.PSK_HELLO)


@posix
def test_a_live_diagnosis_ends_with_its_report(tmp_path):
    may_capture()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = [
            sys.executable,
            "-m",
            "amtdecode",
            "live",
            "-i",
            "lo",
            "-f",
            f"tcp port {port}",
            "--diagnose",
            "-w",
            "x.pcapng",
        ]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
        assert b"watching lo" in process.stderr.readline()
        hello_to(port)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out.decode().startswith("1 machine in 1 input")
    assert wire.UUID_TEXT in out.decode()
    assert re.search(rb"\d+ packets captured, 0 dropped", err)
    assert len(packets(tmp_path / "x.pcapng")) >= 5


@posix
def test_on_a_terminal_the_table_stays_up_to_date(tmp_path):
    """Before the end: the machine is on the screen while the capture goes on."""
    may_capture()
    import pty

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        master, slave = pty.openpty()
        words = [sys.executable, "-m", "amtdecode", "live", "-i", "lo", "-f", f"tcp port {port}", "--diagnose"]
        process = subprocess.Popen(
            words,
            stdout=slave,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "150", "TERM": "xterm"},
        )
        os.close(slave)
        assert b"watching lo" in process.stderr.readline()
        hello_to(port)
        screen = b""
        while wire.UUID_TEXT.encode() not in screen and select.select([master], [], [], 30)[0]:
            screen += os.read(master, 4096)
        assert process.poll() is None
        assert b"MACHINE" in screen
        process.send_signal(signal.SIGINT)
        try:
            while piece := os.read(master, 4096):
                screen += piece
        except OSError:  # how a terminal ends on Linux
            pass
        process.wait(30)
        process.stderr.close()
        os.close(master)
    assert process.returncode == 130
    assert b"stopped after hello" in screen
