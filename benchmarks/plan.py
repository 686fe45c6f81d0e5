"""What is measured on which capture, against whom, and what must be reached."""

from __future__ import annotations

import sys
from typing import NamedTuple

PID, PPS = "0000-037M", "NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
"""Intel's documented pair, with which the captures are made (pcaps/messages.py)."""
PSK = f"{PID}={PPS}"
PSK_HEX = PPS.replace("-", "").encode().hex()
MIB = 1 << 20


class Subject(NamedTuple):
    """One program at work on one file. `{file}` and `{limit}` are filled in."""

    name: str
    command: tuple[str, ...]
    limit: int | None = None
    """It reads only so many packets of the file, being slow; its figure is scaled by them."""
    needs: str = ""
    """The program or the module that must be there."""
    codes: tuple[int, ...] = (0,)
    cores: int = 1
    """It may use so many."""


class Target(NamedTuple):
    """`subject` must do at least `must` times as many packets a second as `against`."""

    subject: str
    against: str
    must: float
    aim: float | None = None


class Ceiling(NamedTuple):
    """Peak memory of `subject`: at most `mib`, above that of another subject where one is named."""

    subject: str
    mib: float
    above: str = ""


class Throughput(NamedTuple):
    """`subject` must read at least so many MB (10^6 bytes) a second."""

    subject: str
    must: float


class Benchmark(NamedTuple):
    """A capture, who reads it, and the goals."""

    capture: str
    subjects: tuple[Subject, ...]
    goals: tuple[Target | Ceiling | Throughput, ...]


def amtdecode(name: str, *words: str, codes: tuple[int, ...] = (0,)) -> Subject:
    """This project's command line, as users start it."""
    return Subject(
        f"amtdecode {name}", (sys.executable, "-m", "amtdecode", *words, "{file}"), None, "amtdecode.__main__", codes
    )


def tshark(name: str, *words: str, limit: int | None = None) -> Subject:
    """tshark without name resolution."""
    some = ("-c", "{limit}") if limit else ()
    return Subject(f"tshark {name}", ("tshark", "-n", "-r", "{file}", *some, *words), limit, "tshark")


def peer(name: str, module: str, limit: int | None = None) -> Subject:
    """A program of `benchmarks/peers`; warnings of the peers' own making are not shown."""
    words = (sys.executable, "-W", "ignore", "-m", f"benchmarks.peers.{module}", "{file}")
    return Subject(name, (*words, "{limit}") if limit else words, limit, name.split(maxsplit=1)[0])


READ = amtdecode("read -T json", "read", "-T", "json")
READ_2 = amtdecode("read -T json --jobs 2", "read", "-T", "json", "--jobs", "2")._replace(cores=2)
READ_PSK_2 = amtdecode("read -T json --psk --jobs 2", *("read", "-T", "json", "--psk", PSK, "--jobs", "2"))._replace(
    cores=2
)
READ_PSK = amtdecode("read -T json --psk", "read", "-T", "json", "--psk", PSK)
FLOWS = amtdecode("flows", "flows")
DIAGNOSE = amtdecode("diagnose", "diagnose", "-T", "json", codes=(0, 1))
STORY = Subject("the story alone", (sys.executable, "-m", "benchmarks.story", "{file}"))
DIAGNOSE_LOG = amtdecode("diagnose (log)", "diagnose", "-T", "json", codes=(0, 1, 4))
IO_STAT = tshark("-q -z io,stat,0", "-q", "-z", "io,stat,0")
EK = tshark("-T ek", "-T", "ek", limit=40_000)
HTTP_FIELDS = tshark(
    "-Y http -T fields",
    *("-d", "tcp.port==16992,http", "-Y", "http", "-T", "fields"),
    *("-e", "frame.number", "-e", "http.request.method", "-e", "http.response.code", "-e", "http.file_data"),
)
HTTP_FIELDS_IN_ORDER = HTTP_FIELDS._replace(
    name=f"{HTTP_FIELDS.name}, in order", command=(*HTTP_FIELDS.command, "-o", "tcp.reassemble_out_of_order:TRUE")
)
PSK_FIELDS = tshark(
    "-o tls.psk -T fields",
    *("-d", "tcp.port==16993,tls", "-o", f"tls.psk:{PSK_HEX}", "-T", "fields"),
    *("-e", "frame.number", "-e", "tls.handshake.type", "-e", "tls.app_data_proto", "-e", "data.data"),
)
SEGMENTS = ("-Y", "tcp.port == 9971 && tcp.len > 0", "-T", "fields", "-e", "frame.number")
REFUSED = ("-Y", "http.response.code == 401", "-T", "fields", "-e", "frame.number")
SEGMENTS_HERE, SEGMENTS_THERE = amtdecode("-Y tcp…", "read", *SEGMENTS), tshark("-Y tcp…", *SEGMENTS)
REFUSED_HERE = amtdecode("-Y http…", "read", *REFUSED)
REFUSED_THERE = tshark("-Y http…", "-d", "tcp.port==16992,http", *REFUSED)
ADDRESSES = ("-T", "fields", "-e", "http.request.uri", "-e", "http.response.code")
ADDRESSES_HERE = amtdecode("-e http…", "read", *ADDRESSES)
ADDRESSES_THERE = tshark(
    "-e http…",
    *("-d", "tcp.port==16992,http", "-Y", "http", "-o", "tcp.reassemble_out_of_order:TRUE", *ADDRESSES),
)
NUMBERS = amtdecode("read -T fields", "read", "-T", "fields", "-e", "frame.number")
HELLOS = amtdecode("-Y iamt.hello…", *("read", "-Y", "iamt.hello.version == 3", "-T", "fields", "-e", "frame.number"))
DPKT = peer("dpkt with reassembly", "dpkt_reassembly")
SCAPY = peer("scapy TCPSession", "scapy_read", 10_000)
PYSHARK = peer("pyshark", "pyshark_read", 2_000)
LIBRARIES = (DPKT, SCAPY, PYSHARK)

READ_CEILING = Ceiling(READ.name, 40)

BENCHMARKS = {
    "hello-storm": Benchmark(
        "hello-storm",
        (READ, FLOWS, SEGMENTS_HERE, NUMBERS, HELLOS, SEGMENTS_THERE, IO_STAT, EK, *LIBRARIES),
        (
            Target(READ.name, IO_STAT.name, 2.7, 3.3),
            Target(READ.name, EK.name, 40),
            Target(SEGMENTS_HERE.name, SEGMENTS_THERE.name, 3, 5),
            Target(HELLOS.name, NUMBERS.name, 1 / 1.15),
            READ_CEILING,
        ),
    ),
    "office-noise": Benchmark(
        "office-noise",
        (READ, FLOWS, IO_STAT, *LIBRARIES),
        (Target(READ.name, IO_STAT.name, 7, 10), Target(READ.name, DPKT.name, 10), READ_CEILING),
    ),
    "office-short": Benchmark(
        "office-short",
        (READ, FLOWS, IO_STAT),
        (Target(READ.name, IO_STAT.name, 6, 8.4), READ_CEILING),
    ),
    "tls-bulk": Benchmark(
        "tls-bulk",
        (READ, FLOWS, IO_STAT, *LIBRARIES),
        (Target(READ.name, IO_STAT.name, 20, 50), READ_CEILING),
    ),
    "tls-bulk-one-way": Benchmark(
        "tls-bulk-one-way",
        (READ, IO_STAT),
        (Target(READ.name, IO_STAT.name, 20), READ_CEILING),
    ),
    "psk-handshakes": Benchmark(
        "psk-handshakes",
        (READ, FLOWS, READ_PSK, READ_PSK_2, IO_STAT, EK, PSK_FIELDS),
        (
            Target(READ.name, EK.name, 8, 15),
            Target(FLOWS.name, IO_STAT.name, 3),
            Target(READ_PSK.name, PSK_FIELDS.name, 1.5, 2),
            Target(READ_PSK_2.name, READ_PSK.name, 1.5),
            READ_CEILING,
        ),
    ),
    "tls-cbc": Benchmark(
        "tls-cbc",
        (READ_PSK, PSK_FIELDS),
        (Target(READ_PSK.name, PSK_FIELDS.name, 2), Ceiling(READ_PSK.name, 40)),
    ),
    "wsman": Benchmark(
        "wsman",
        (READ, REFUSED_HERE, HTTP_FIELDS, HTTP_FIELDS_IN_ORDER, REFUSED_THERE, IO_STAT),
        (
            Target(READ.name, HTTP_FIELDS.name, 3, 5),
            Target(REFUSED_HERE.name, REFUSED_THERE.name, 2, 4),
            Ceiling(READ.name, 60),
        ),
    ),
    "http-bulk": Benchmark("http-bulk", (READ, IO_STAT), (Ceiling(READ.name, 60),)),
    "apf-bulk": Benchmark("apf-bulk", (READ, IO_STAT), (Ceiling(READ.name, 60),)),
    **{
        f"wsman-real-{packets}": Benchmark(
            f"wsman-real-{packets}",
            (READ, READ_2, HTTP_FIELDS, HTTP_FIELDS_IN_ORDER, ADDRESSES_HERE, ADDRESSES_THERE),
            (
                Target(READ.name, HTTP_FIELDS_IN_ORDER.name, must, aim),
                Target(READ_2.name, READ.name, 1.7),
                Ceiling(READ.name, 60),
                *((Target(ADDRESSES_HERE.name, ADDRESSES_THERE.name, 3, 5),) if packets == 3 else ()),
            ),
        )
        for packets, must, aim in ((1, 1, None), (3, 1.5, 2), (6, 1.5, None))
    },
    "fleet": Benchmark(
        "fleet",
        (READ, DIAGNOSE, STORY, IO_STAT),
        # 4 KB a machine for 10,000 machines, findings not counted
        (Target(DIAGNOSE.name, READ.name, 0.5), Ceiling(STORY.name, 4 * 10_000 / 1024, above=READ.name)),
    ),
    "scs-log": Benchmark(
        "scs-log",
        (DIAGNOSE_LOG,),
        (Throughput(DIAGNOSE_LOG.name, 30), Ceiling(DIAGNOSE_LOG.name, 100)),
    ),
}
