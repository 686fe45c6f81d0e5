"""Makes the benchmarks' captures: `python -m benchmarks.captures [NAME…]`, all of them when none is named.

They go to `benchmarks/captures/`, or where AMTDECODE_BENCH_DIR says, and are kept: remove a file to have it made anew.
Each comes from a fixed seed. All of them are synthetic.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.makers import fleet, hello, office, scslog, tls, wsman
from pcaps.build import Pcap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GIB, MIB = 1 << 30, 1 << 20


class Maker(NamedTuple):
    """How a file is made: `size` is what the maker counts (packets or bytes), `quick` a small size for a trial run."""

    file: str
    make: Callable[[int], Iterator[tuple[int, bytes]]] | Callable[[int], Iterator[str]]
    size: int
    quick: int
    what: str


MAKERS = {
    "hello-storm": Maker("hello-storm.pcap", hello.hello_storm, 200_000, 20_000, "hello messages of 2,700 machines"),
    "office-noise": Maker(
        "office-noise.pcap", office.office_noise, 1_500_000, 50_000, "an office; 2 % of its flows are AMT's"
    ),
    "tls-bulk": Maker(
        "tls-bulk.pcap", tls.bulk, GIB, 16 * MIB, "TLS application data on 16993, 8 flows, records of 16 KB"
    ),
    "psk-handshakes": Maker("psk-handshakes.pcap", tls.psk_handshakes, 80_000, 8_000, "TLS 1.0 PSK connections"),
    "tls-cbc": Maker(
        "tls-cbc.pcap",
        lambda size: tls.bulk(size, records=(512, 4096)),
        128 * MIB,
        4 * MIB,
        "TLS 1.0 AES-CBC-SHA application data to open, records of 0.5 to 4 KB",
    ),
    "wsman": Maker(
        "wsman.pcap", wsman.wsman, 200_000, 20_000, "WS-Man exchanges on 16992, 32 flows at a time, 1 % reordered"
    ),
    "fleet": Maker("fleet.pcap", fleet.fleet, 10_000, 500, "10,000 machines: hellos and contacts back"),
    "scs-log": Maker("scs-log.log", scslog.scs_log, 1_000_000_000, 10_000_000, "a log such as SCS might write"),
}


def folder() -> Path:
    """Where the captures are kept."""
    return Path(os.environ.get("AMTDECODE_BENCH_DIR", Path(__file__).parent / "captures"))


def path(name: str, *, quick: bool = False) -> Path:
    """Where the capture of this name is kept."""
    file = MAKERS[name].file
    return folder() / (f"quick-{file}" if quick else file)


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
    maker = MAKERS[name]
    items = maker.make(maker.quick if quick else maker.size)
    if target.suffix == ".log" or maker.file.endswith(".log"):
        with target.open("w", encoding="utf-8", newline="") as text:
            text.writelines(items)  # type: ignore[arg-type]
        return
    with target.open("wb", buffering=1 << 20) as file:
        capture = Pcap(file)
        for time_ns, frame in items:
            capture.packet(time_ns, frame)


def main() -> int:
    """Make the captures named on the command line."""
    names = sys.argv[1:] or list(MAKERS)
    for name in names:
        if name not in MAKERS:
            print(f"unknown capture {name!r}; there are: {', '.join(MAKERS)}", file=sys.stderr)
            return 2
    for name in names:
        started = time.perf_counter()
        target = ensure(name)
        print(
            f"{name}: {target} {target.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
