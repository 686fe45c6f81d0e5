"""Fuzzes the compiled modules under AddressSanitizer: `python tests/fuzz/fuzz_lane.py [SECONDS] [SEED]`.

Captures of `pcaps/` are mutated and read twice: by the lane, and by the loop alone. What they say must be the same, and
the sanitizer must see no fault. So are the envelopes in them: what the compiled reader says must be what the tree says,
or nothing; and of their fields as JSON the columns of tables. Packets come in runs, and one by one in buffers of their
own size, so that no read behind a packet goes unseen. Needs gcc and libasan, and the environment of the tests.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 20_000  # bytes of a capture


def build(folder: Path) -> None:
    """Compile the modules with the sanitizer, into `folder`."""
    include = sysconfig.get_path("include")
    flags = [
        "-std=c11",
        "-O1",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=undefined",
        "-fno-omit-frame-pointer",
        "-shared",
        "-fPIC",
    ]
    for name, place in (("_lane", "lane"), ("_texts", "lane/texts")):
        sources = sorted(map(str, (ROOT / place).glob("*.c")))
        subprocess.run(["cc", *flags, f"-I{include}", *sources, "-o", str(folder / f"{name}.abi3.so")], check=True)


def loaded(folder: Path, name: str):
    """A module of `folder`."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.abi3.so")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Bytes flipped, cut out, doubled and replaced."""
    found = bytearray(data)
    for _ in range(rng.choice((0, 1, 2, 4, 16, 64))):
        if not found:
            break
        at = rng.randrange(len(found))
        kind = rng.randrange(5)
        if kind <= 1:
            found[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            found[at] = rng.choice((0, 1, 2, 0x10, 0x11, 0x12, 0x18, 0x45, 0x7F, 0x80, 0xFF))
        elif kind == 3:
            del found[at : at + rng.randrange(1, 100)]
        else:
            size = rng.randrange(1, 200)
            found[at:at] = found[at : at + size]
    return bytes(found)


class Texts:
    """Bodies changed by chance, read by the compiled reader and as a tree."""

    def __init__(self, folder: Path) -> None:
        import bodies

        import amtdecode
        from amtdecode import model
        from amtdecode.masking import text
        from amtdecode.protocols.http import auth, body_framing, framing
        from amtdecode.protocols.soap import envelope, events, values
        from amtdecode.protocols.soap.dissector import SoapDissector

        texts = loaded(folder, "_texts")
        texts.set_stems(text._STEMS)
        for module in (envelope, events, values, auth, framing, body_framing, model):
            module.TEXTS = texts
        self.changed = bodies.changed
        self.columns = texts.columns
        self.found: list[bytes] = []
        receive = SoapDissector.receive_message

        def gathering(this, direction, message, size: int = -1):
            self.found.append(message.data)
            return receive(this, direction, message, size)

        SoapDissector.receive_message = gathering
        for _ in amtdecode.read(ROOT / "pcaps" / "wsman.pcap"):
            pass
        SoapDissector.receive_message = receive

    def agree(self, rng: random.Random) -> bool:
        """Try some; what is read otherwise is left in a file."""
        import msgspec

        from amtdecode.protocols.soap import document
        from amtdecode.protocols.soap.elements import Names
        from amtdecode.protocols.soap.envelope import content_of, message_of, usual

        for _ in range(20):
            body = self.changed(rng, rng.choice(self.found))
            read = usual(bytes(bytearray(body)), Names())
            if read is None:
                continue
            reading = document.read(body)
            same = not reading.faults and not reading.partial
            if same:
                tree = content_of(reading.document, Names())
                same = read == tree and all(
                    [*getattr(read, name).secrets] == [*getattr(tree, name).secrets]
                    for name in ("selectors", "headers", "arguments")
                )
                message = message_of(tree, answer=True)
                same = same and message.fields_json() == msgspec.json.encode(message.masked_fields())
                same = same and self.columns_agree(rng, message.fields_json() or b"{}")
            if not same:
                Path("lane-fuzz.xml").write_bytes(body)
                return False
        return True

    def columns_agree(self, rng: random.Random, fields: bytes) -> bool:
        """Make columns of changed JSON: texts are those that msgspec reads."""
        import msgspec

        changed = mutated(rng, fields)
        names = [*msgspec.json.decode(fields)]
        asked = tuple(
            (
                name,
                *rng.choice((("t", 0), ("t", 0), ("u", 1), ("i", 8), ("x", 0), ("g", 16), ("b", 0))),
                rng.random() < 0.3,
            )
            for name in names
        )
        made = self.columns([fields, changed], asked)
        try:
            read = [msgspec.json.decode(text, type=dict) for text in (fields, changed)]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return True
        return made is None or all(
            (column[5] if column else b"") == "".join(row.get(name) or "" for row in read).encode()
            for (name, kind, _, is_list), column in zip(asked, made, strict=True)
            if kind == "t" and not is_list
        )


def fuzz(folder: Path, seconds: float, seed: int) -> int:
    """Compare until the time is over."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import wire

    module = loaded(folder, "_lane")
    from amtdecode.capture.opening import identify
    from amtdecode.capture.pcap import pcap_records
    from amtdecode.capture.source import Source
    from amtdecode.engine import Engine, connections, lane, loop
    from amtdecode.errors import CaptureError
    from amtdecode.flow import table

    def alone(packets):
        for number, buffer, start, size, *rest in packets:
            yield number, buffer[start : start + size], 0, size, *rest

    def said(data: bytes, compiled, way: int, options) -> list:
        source = Source("x", io.BytesIO(data))
        is_pcap = identify(source) == "pcap"
        packets = pcap_records(source) if is_pcap and not way else alone(wire.raw_packets(data))
        lane.COMPILED = compiled
        return [
            (repr(one.event), one.packets, one.time_ns, one.flow, one.direction, one.offset)
            for one in Engine(**options).observe(packets)
        ]

    files = [path.read_bytes()[:LONGEST] for path in sorted(ROOT.glob("pcaps/*.pcap*"))]
    seed_caps = {name: getattr(table, name) for name in dir(table) if name.startswith("MAX_") or name == "EVICT"}
    texts = Texts(folder)
    began, rounds = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        rng = random.Random(f"{seed} {rounds}")
        data = mutated(rng, rng.choice(files))
        small = rng.random() < 0.3
        for name, value in seed_caps.items():
            setattr(table, name, rng.randrange(2, 6) if small else value)
        lane.EVERY = rng.choice((0, 0, 1, 2, 3, 7))
        lane.CHECKED = loop.CHECKED = connections.CHECKED = rng.choice((0, 1000, 16 * 1024))
        options = rng.choice(({}, {"connections": "all"}, {"batch_size": 256}))
        rounds += 1
        if not texts.agree(rng):
            print(f"round {rounds - 1} of seed {seed}: a body is read otherwise than its tree; it is in lane-fuzz.xml")
            return 1
        for way in (0, 1):
            try:
                by_lane, by_loop = (said(data, compiled, way, options) for compiled in (module.Lane, None))
            except CaptureError:
                break
            if by_lane != by_loop:
                Path("lane-fuzz.pcap").write_bytes(data)
                print(
                    f"round {rounds - 1} of seed {seed}: the lane and the loop differ; the capture is in lane-fuzz.pcap"
                )
                return 1
    print(f"{rounds} captures, no difference and no fault")
    return 0


def main() -> int:
    """Build, then go on in a process that has the sanitizer from its start."""
    seconds, seed = float([*sys.argv[1:], "60"][0]), int([*sys.argv[2:], "1"][0]) if len(sys.argv) > 2 else 1
    if folder := os.environ.get("LANE_FUZZ"):
        return fuzz(Path(folder), seconds, seed)
    library = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as made:
        build(Path(made))
        environment = {
            **os.environ,
            "LANE_FUZZ": made,
            "LD_PRELOAD": library.stdout.strip(),
            "PYTHONMALLOC": "malloc",  # each object apart, so that the sanitizer sees its ends
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself leaks at its end
        }
        return subprocess.run(
            [sys.executable, __file__, str(seconds), str(seed)], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
