"""Makes the benchmarks' captures: `python -m benchmarks.captures [--quick] [NAME…]`, all of them when none is named.

They go to `benchmarks/captures/`, or where AMTDECODE_BENCH_DIR says, and are kept: remove a file to have it made anew.
Each comes from a fixed seed. All of them are synthetic.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

GIB, MIB = 1 << 30, 1 << 20


RECORDED = "captures/third-party/go-wsman-responses"


class Maker(NamedTuple):
    """How a file is made: `size` is what the maker counts (packets or bytes), `quick` a small size for a trial run."""

    file: str
    function: str  # module of benchmarks.makers, and function; imported only when something is to be made
    size: int
    quick: int
    what: str
    needs: str = ""  # a folder of the shared captures; the file is not made where it is absent


MAKERS = {
    "hello-storm": Maker("hello-storm.pcap", "hello:hello_storm", 200_000, 20_000, "a storm of hello messages"),
    "office-noise": Maker(
        "office-noise.pcap", "office:office_noise", 1_500_000, 50_000, "an office; 2 % of its flows are AMT's"
    ),
    "office-short": Maker(
        "office-short.pcap", "office:short_connections", 400_000, 20_000, "connections of 8 packets; 2 % are hellos"
    ),
    "tls-bulk": Maker(
        "tls-bulk.pcap", "tls:bulk", GIB, 16 * MIB, "1 GiB of TLS application data on 16993, 8 flows, records of 16 KB"
    ),
    "tls-bulk-one-way": Maker(
        "tls-bulk-one-way.pcap", "tls:bulk_one_way", GIB // 2, 16 * MIB, "half as much, only what the machines send"
    ),
    "psk-handshakes": Maker(
        "psk-handshakes.pcap", "tls:psk_handshakes", 80_000, 8_000, "TLS 1.0 PSK connections, 16 packets each"
    ),
    "tls-cbc": Maker(
        "tls-cbc.pcap", "tls:small_records", 128 * MIB, 4 * MIB, "AES-CBC-SHA data to open, records of 0.5 to 4 KB"
    ),
    "wsman": Maker("wsman.pcap", "wsman:wsman", 200_000, 20_000, "WS-Man on 16992, 32 flows at a time, 1 % reordered"),
    "wsman-real-1": Maker(
        "wsman-real-1.pcap",
        "wsman_real:one",
        30_000,
        3_000,
        "WS-Man, 297 recorded bodies, no document twice, 1 packet an exchange",
        needs=RECORDED,
    ),
    "wsman-real-3": Maker(
        "wsman-real-3.pcap", "wsman_real:three", 90_000, 9_000, "the same, 3 packets an exchange", needs=RECORDED
    ),
    "wsman-real-6": Maker(
        "wsman-real-6.pcap", "wsman_real:six", 180_000, 18_000, "the same, 6 packets an exchange", needs=RECORDED
    ),
    "http-bulk": Maker(
        "http-bulk.pcap", "apf:bare", 64 * MIB, 2 * MIB, "HTTP on one connection: WS-Man and large pages"
    ),
    "apf-bulk": Maker("apf-bulk.pcap", "apf:carried", 64 * MIB, 2 * MIB, "the same in one channel of APF"),
    "fleet": Maker("fleet.pcap", "fleet:fleet", 10_000, 500, "10,000 machines: hellos and contacts back"),
    "scs-log": Maker("scs-log.log", "scslog:scs_log", 1_000_000_000, 10_000_000, "a log such as SCS might write"),
}


def folder() -> Path:
    """Where the captures are kept."""
    return Path(os.environ.get("AMTDECODE_BENCH_DIR", Path(__file__).parent / "captures"))


def path(name: str, *, quick: bool = False) -> Path:
    """Where the capture of this name is kept."""
    file = MAKERS[name].file
    return folder() / (f"quick-{file}" if quick else file)


def shared() -> Path:
    """Where third-party captures lie that are not part of this repository."""
    return Path(os.environ.get("AMTDECODE_SHARED", Path(__file__).parents[2] / "shared"))


def missing(name: str) -> str:
    """The shared captures that a maker needs and that are not there; "" where it lacks nothing."""
    needs = MAKERS[name].needs
    return "" if not needs or (shared() / needs).is_dir() else needs


def ensure(name: str, *, quick: bool = False) -> Path:
    """The path of a capture, which is made first where it is missing."""
    target = path(name, quick=quick)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".part")
        write(name, unfinished, quick=quick)
        unfinished.rename(target)
    return target


def write(name: str, target: Path, *, quick: bool = False) -> None:
    """Make a capture into a file."""
    from pcaps.build import Pcap

    maker = MAKERS[name]
    module, function = maker.function.split(":")
    items = getattr(import_module(f"benchmarks.makers.{module}"), function)(maker.quick if quick else maker.size)
    if maker.file.endswith(".log"):
        with target.open("w", encoding="utf-8", newline="") as text:
            text.writelines(items)
        return
    with target.open("wb", buffering=1 << 20) as file:
        capture = Pcap(file)
        for time_ns, frame in items:
            capture.packet(time_ns, frame)


def main() -> int:
    """Make the captures named on the command line."""
    quick = "--quick" in sys.argv[1:]
    names = [word for word in sys.argv[1:] if word != "--quick"] or list(MAKERS)
    for name in names:
        if name not in MAKERS:
            print(f"unknown capture {name!r}; there are: {', '.join(MAKERS)}", file=sys.stderr)
            return 2
    for name in names:
        if lacks := missing(name):
            print(f"{name}: left out, {lacks} is not there")
            continue
        started = time.perf_counter()
        target = ensure(name, quick=quick)
        print(
            f"{name}: {target} {target.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
