"""Inputs of every kind: compressed, piped, several as one timeline, and what cannot be read at all."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tempfile
import threading
import tracemalloc

import pytest
import wire

from amtdecode.capture import NOTICE, open_capture, open_captures, probe
from amtdecode.capture.source import CHUNK, Source
from amtdecode.errors import CaptureError
from amtdecode.model import Truncated

zstandard = pytest.importorskip("zstandard")
lz4_frame = pytest.importorskip("lz4.frame")

COMPRESS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    "lz4": lambda data: lz4_frame.compress(data, content_checksum=True, block_size=lz4_frame.BLOCKSIZE_MAX64KB),
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", sorted(COMPRESS))


def made(count=3000, seed=1):
    source = random.Random(seed)
    return [source.randbytes(source.randrange(200)) for _ in range(count)]


def written(tmp_path, data, name="x.pcap"):
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


@KINDS
def test_compressed_captures(tmp_path, kind):
    packets = made()
    path = written(tmp_path, COMPRESS[kind](wire.pcap(packets)))
    assert wire.split(open_capture(path)) == (packets, [])


@KINDS
def test_frame_after_frame_is_one_file(tmp_path, kind):
    data = wire.pcap(made(50))
    path = written(tmp_path, b"".join(COMPRESS[kind](data[at : at + 1000]) for at in range(0, len(data), 1000)))
    assert wire.split(open_capture(path)) == (made(50), [])
    padded = written(tmp_path, COMPRESS[kind](data) + bytes(600))
    assert wire.split(open_capture(padded)) == (made(50), [])


@KINDS
@pytest.mark.parametrize("part", [0.45, 0.6, 0.999])
def test_cut_compressed_captures_give_what_opens(tmp_path, kind, part):
    packets = made()
    data = COMPRESS[kind](wire.pcap(packets))
    taken, told = wire.split(open_capture(written(tmp_path, data[: int(len(data) * part)])))
    assert taken == packets[: len(taken)]
    # random bytes do not compress: blocks of at most 128 KiB, the cut one is lost
    assert len(taken) >= len(packets) * part - 128 * 1024 / 100 - 20
    (event,) = told
    assert isinstance(event, Truncated)
    assert event.reason == f"the {kind} data ends before its end mark"
    assert 0 <= event.offset - len(wire.pcap(packets[: len(taken)])) < 16 + 200


@KINDS
def test_a_wrong_checksum_costs_no_packet(tmp_path, kind):
    packets = made()
    data = bytearray(COMPRESS[kind](wire.pcap(packets)))
    data[-6 if kind == "gzip" else -2] ^= 1
    taken, (event,) = wire.split(open_capture(written(tmp_path, data)))
    assert taken == packets
    assert event.offset == len(wire.pcap(packets))
    assert event.reason == f"damaged {kind} data"


def test_damaged_gzip_gives_every_packet_before_the_damage(tmp_path):
    packets = [b"the same packet again and again"] * 5000
    data = bytearray(gzip.compress(wire.pcap(packets)))
    data[-8:-4] = b"\xff" * 4  # the sum of what was compressed
    taken, (event,) = wire.split(open_capture(written(tmp_path, data)))
    assert taken == packets
    assert event.reason == "damaged gzip data"
    noise = made()
    data = bytearray(gzip.compress(wire.pcap(noise), 0))  # stored blocks
    at = data.index(b"\x00\xff\xff\x00\x00", 70_000)  # a stored block's header: its length, and that inverted
    data[at + 1] ^= 1
    taken, (event,) = wire.split(open_capture(written(tmp_path, data)))
    assert taken == noise[: len(taken)]
    assert 0 <= event.offset - len(wire.pcap(taken)) < 16 + 200
    assert event.offset > 60_000


@KINDS
def test_cut_inside_the_first_packet(tmp_path, kind):
    """Damage right behind the file header is no reason to refuse the file."""
    head = COMPRESS[kind](wire.pcap([]))
    path = written(tmp_path, head + COMPRESS[kind](b"x" * 10)[:-1])
    taken, (event,) = wire.split(open_capture(path))
    assert taken == []
    assert isinstance(event, Truncated)


@KINDS
def test_a_bomb_is_opened_in_bounded_memory(tmp_path, kind):
    bomb = COMPRESS[kind](wire.pcap([bytes(200_000)] * 500))
    assert len(bomb) < 1_000_000
    path = written(tmp_path, bomb)
    tracemalloc.start()
    try:
        count = sum(1 for _ in open_capture(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 500
    assert peak < 16 << 20


def test_a_long_file_is_read_in_bounded_memory(tmp_path):
    path = written(tmp_path, wire.pcap([bytes(1000)] * 20_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_capture(path)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * CHUNK


class OneByte(io.BytesIO):
    def read(self, size=-1):
        return super().read(1)


@pytest.mark.parametrize(
    "data",
    [
        wire.pcap(made(20)),
        wire.shb(">") + wire.idb(">") + b"".join(wire.epb(one, order=">") for one in made(20)),
        wire.shb() + wire.idb() + b"".join(wire.spb(one) for one in made(20)),
    ],
    ids=["pcap", "pcapng", "simple"],
)
def test_any_split_of_the_file_gives_the_same_packets(data):
    from amtdecode.capture.pcap import is_pcap, read_pcap
    from amtdecode.capture.pcapng import read_pcapng

    read = read_pcap if is_pcap(data) else read_pcapng
    source = Source("x", OneByte(data))
    source.peek(4)
    assert wire.split(read(source)) == (made(20), [])


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_pipe_is_read_packet_by_packet(tmp_path, kind):
    """Each packet is given out before the writer writes the next one."""
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    # 64 bytes are looked at to tell formats apart
    packets = [bytes([n]) * 70 for n in range(5)]
    pieces = [wire.pcap([one])[24:] for one in packets] if kind == "pcap" else [wire.epb(one) for one in packets]
    head = wire.pcap([]) if kind == "pcap" else wire.shb() + wire.idb()
    proceed = threading.Semaphore(1)

    def write():
        with open(pipe, "wb", buffering=0) as file:
            file.write(head[:10])
            file.write(head[10:])
            for piece in pieces:
                assert proceed.acquire(timeout=20)
                file.write(piece[:7])
                file.write(piece[7:])
            assert proceed.acquire(timeout=20)  # open until the last packet was seen

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    taken = []
    for _, buffer, start, captured, *_ in open_capture(pipe):
        taken.append(buffer[start : start + captured])
        proceed.release()
    writer.join(20)
    assert taken == packets


def test_standard_input_is_observed_before_the_writer_closes():
    talk = wire.Talk()
    first = wire.frames([*talk.open(), *talk.say(wire.PSK_HELLO)])
    command = [sys.executable, "-m", "amtdecode", "read", "-T", "fields", "-e", "iamt.hello.uuid", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(wire.pcap(first))
        process.stdin.flush()
        line = process.stdout.readline()  # the writer has not closed yet
        rest, _ = process.communicate(wire.pcap(wire.frames(talk.close()))[24:], timeout=30)
    assert (line, rest, process.returncode) == (wire.UUID_TEXT.encode() + b"\n", b"", 0)


# -- what cannot be read -----------------------------------------------------------------------------------------------


def refusal(path):
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    return str(caught.value)


def test_what_is_no_capture(tmp_path):
    path = written(tmp_path, b"")
    assert refusal(path) == f"{path}: is empty, not a capture"
    path = written(tmp_path, b"GET / HTTP/1.1\r\n\r\n")
    assert refusal(path) == f"{path}: is not a capture (neither pcap nor pcapng)"
    assert refusal(str(tmp_path)) == f"{tmp_path}: is a directory, not a capture"
    assert refusal(str(tmp_path / "none")) == f"{tmp_path / 'none'}: no such file or directory"
    assert refusal("a\0b") == "a\0b: not a file name"
    path = written(tmp_path, gzip.compress(b""))
    assert refusal(path) == f"{path}: is empty, not a capture"
    path = written(tmp_path, gzip.compress(b"text"))
    assert refusal(path) == f"{path}: is not a capture (neither pcap nor pcapng)"
    path = written(tmp_path, gzip.compress(wire.pcap([]))[:10])
    assert refusal(path) == f"{path}: the gzip data ends before its end mark"


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"snoop\0\0\0" + bytes(8), "x", ("Solaris snoop", "editcap")),
        (b"GMBU" + bytes(60), "x", ("Network Monitor 2", "editcap")),
        (b"RTSS" + bytes(60), "x", ("Network Monitor 1", "editcap")),
        (
            (65536).to_bytes(4, "little") + (400).to_bytes(4, "little") * 2 + bytes(60),
            "x",
            ("event trace", "etl2pcapng"),
        ),
        (b"anything", "trace.ETL", ("event trace", "etl2pcapng")),
    ],
)
def test_other_formats_name_their_converter(tmp_path, head, name, words):
    text = refusal(written(tmp_path, head, name))
    assert "\n" not in text
    assert all(word in text for word in words)


def test_no_permission():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "x.pcap")
        with open(path, "wb") as file:
            file.write(wire.pcap([]))
        os.chmod(path, 0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            assert refusal(path) == f"{path}: permission denied"
        finally:
            if root:
                os.seteuid(0)


def test_a_file_that_cannot_be_read(tmp_path):
    if not os.path.exists("/proc/self/mem"):
        pytest.skip("needs Linux")
    assert refusal("/proc/self/mem") == "/proc/self/mem: reading failed: input/output error"


# -- several -----------------------------------------------------------------------------------------------------------


def numbered(path, start, count=3, step=1000):
    data = wire.pcap([b"%s %d" % (path.name.encode(), n) for n in range(count)], start=start, step=step)
    path.write_bytes(data)
    return str(path)


def test_several_captures_are_one_timeline(tmp_path):
    """Rotated files in any order of names, and captures that overlap in time."""
    late = numbered(tmp_path / "a", wire.T0 + 10)
    early = numbered(tmp_path / "b", wire.T0)
    between = numbered(tmp_path / "c", wire.T0, 2, step=1500)
    taken, told = wire.split(open_captures([late, early, between]))
    assert taken == [b"b 0", b"c 0", b"b 1", b"c 1", b"b 2", b"a 0", b"a 1", b"a 2"]
    assert told == []
    numbers = [(packet[0] >> 40, packet[0] & 0xFFFFFFFF) for packet in open_captures([late, early, between])]
    assert numbers == [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (0, 1), (0, 2), (0, 3)]


def test_packets_without_time_stay_behind_the_one_before(tmp_path):
    one = tmp_path / "one"
    one.write_bytes(wire.shb() + wire.idb() + wire.epb(b"1", 5_000_000) + wire.spb(b"2") + wire.epb(b"3", 7_000_000))
    two = tmp_path / "two"
    two.write_bytes(wire.shb() + wire.idb() + wire.epb(b"x", 6_000_000))
    assert wire.split(open_captures([str(one), str(two)]))[0] == [b"1", b"2", b"x", b"3"]


def test_damage_in_one_of_several(tmp_path):
    one = written(tmp_path, wire.pcap([b"1"])[:-1], "one")
    two = written(tmp_path, wire.pcap([b"2"])[:10], "two")
    three = numbered(tmp_path / "three", wire.T0)
    taken, told = wire.split(open_captures([one, two, three]))
    assert taken == [b"three 0", b"three 1", b"three 2"]
    assert sorted(event.reason for event in told) == [
        "the file ends inside a packet",
        "the file ends inside its header",
    ]


def test_what_is_read_once_only_is_refused_among_several(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    good = numbered(tmp_path / "good", wire.T0)
    for name in (pipe, "-"):
        with pytest.raises(CaptureError, match="name it alone"):
            open_captures([good, name])
        with pytest.raises(CaptureError, match="name it alone"):
            probe(name)
    probe(good)


def test_many_files_are_not_open_at_once(tmp_path):
    """Rotated files are opened when their turn comes, and closed behind their last packet."""
    count = 50
    names = [numbered(tmp_path / f"{n:03}", wire.T0 + n * 100) for n in range(count)]
    before = len(os.listdir("/proc/self/fd"))
    most = 0
    for packet in open_captures(names):
        assert packet[7].link_type != NOTICE
        most = max(most, len(os.listdir("/proc/self/fd")) - before)
    assert most <= 2
    assert len(os.listdir("/proc/self/fd")) == before
