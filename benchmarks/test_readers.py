"""Single readers, with pytest-benchmark: `pytest benchmarks/test_readers.py`. Each also checks what it read."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from amtdecode.capture import open_capture
from amtdecode.protocols.hello import read_hello
from benchmarks.makers import hello, tls
from benchmarks.makers.traffic import machine_uuid
from pcaps import messages
from pcaps.build import TO_SERVER, Pcap, Pcapng
from pcaps.tls import APPLICATION_DATA, TLS10, PskConnection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("pytest_benchmark")
Benchmark = Any  # pytest-benchmark ships no types

PACKETS = 10_000
HELLO_PSK = messages.hello_psk(machine_uuid(1))
HELLO_PKI = messages.hello_pki(machine_uuid(2), messages.ROOTS_SHA256[:23])


@pytest.fixture(scope="module")
def frames() -> list[tuple[int, bytes]]:
    """The first packets of the hello storm."""
    return list(islice(hello.hello_storm(PACKETS), PACKETS))


def _count(path: Path) -> int:
    return sum(1 for _ in open_capture(str(path)))


def test_pcap_reader(benchmark: Benchmark, frames: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """10,000 packets of a classic pcap file, none of them looked at."""
    path = tmp_path / "x.pcap"
    with path.open("wb") as file:
        capture = Pcap(file)
        for time_ns, frame in frames:
            capture.packet(time_ns, frame)
    assert benchmark(_count, path) == PACKETS


def test_pcapng_reader(benchmark: Benchmark, frames: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """The same in pcapng."""
    path = tmp_path / "x.pcapng"
    with path.open("wb") as file:
        capture = Pcapng(file)
        capture.interface()
        for time_ns, frame in frames:
            capture.packet(time_ns, frame)
    assert benchmark(_count, path) == PACKETS


def test_gzip_reader(benchmark: Benchmark, frames: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """The same, compressed."""
    import gzip

    path = tmp_path / "x.pcap.gz"
    with gzip.open(path, "wb") as file:
        capture = Pcap(file)  # type: ignore[arg-type]
        for time_ns, frame in frames:
            capture.packet(time_ns, frame)
    assert benchmark(_count, path) == PACKETS


@pytest.mark.parametrize("data", [HELLO_PSK, HELLO_PKI], ids=["psk", "pki-23-hashes"])
def test_hello_fast_reader(benchmark: Benchmark, data: bytes) -> None:
    """One hello message with `struct`."""
    found, size, _ = benchmark(read_hello, data)
    assert found is not None
    assert size == len(data)


@pytest.mark.parametrize("data", [HELLO_PSK, HELLO_PKI], ids=["psk", "pki-23-hashes"])
def test_hello_declaration(benchmark: Benchmark, data: bytes) -> None:
    """The same with `construct`."""
    from amtdecode.protocols.hello.spec import Hello

    assert benchmark(Hello.parse, data).version in (2, 3)


@pytest.mark.parametrize("data", [HELLO_PSK, HELLO_PKI], ids=["psk", "pki-23-hashes"])
def test_hello_fields(benchmark: Benchmark, data: bytes) -> None:
    """From a message to its flat fields, which `-T json` prints."""
    found, _, _ = read_hello(data)
    assert found is not None
    assert benchmark(lambda: dict(found.fields()))["iamt.hello.version"] in (2, 3)


def _engine(frames: list[tuple[int, bytes]], path: Path) -> Callable[[], int]:
    from amtdecode.engine import Engine

    with path.open("wb") as file:
        capture = Pcap(file)
        for time_ns, frame in frames:
            capture.packet(time_ns, frame)
    return lambda: sum(1 for _ in Engine().observe(open_capture(str(path))))


def test_engine_on_hellos(benchmark: Benchmark, frames: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """10,000 packets to observations, nothing printed."""
    assert benchmark(_engine(frames, tmp_path / "x.pcap")) > 800


def test_engine_on_bulk(benchmark: Benchmark, tmp_path: Path) -> None:
    """10,000 packets of TLS application data, whose bodies nobody needs."""
    frames = list(islice(tls.bulk(16 << 20), PACKETS))
    assert benchmark(_engine(frames, tmp_path / "x.pcap")) > 0


@pytest.mark.parametrize("size", [1024, 16384])
def test_cbc_record(benchmark: Benchmark, size: int) -> None:
    """One AES-128-CBC-SHA record of TLS 1.0, opened and its MAC checked."""
    from amtdecode.protocols.tls.crypto.records import open_ciphers

    secure = PskConnection(random.Random(1), b"0000037M", messages.PSK)
    secure.client_hello()
    secure.server_flight()
    flight = secure.client_flight()
    text = random.Random(2).randbytes(size)
    records = iter([secure.seal(TO_SERVER, APPLICATION_DATA, text) for _ in range(3000)])
    ciphers = open_ciphers(TLS10, 0x008C, secure.master, secure.client_random, secure.server_random)
    assert ciphers is not None
    assert ciphers[0].open(22, TLS10, flight[-48:]) is not None  # Finished: 16 bytes, a MAC of 20, padding
    opened = benchmark.pedantic(
        lambda record: ciphers[0].open(APPLICATION_DATA, TLS10, record),
        setup=lambda: ((next(records)[5:],), {}),
        rounds=3000,
    )
    assert opened == (APPLICATION_DATA, text)
