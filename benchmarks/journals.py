"""Merging the stories of many machines: processor time and peak memory, from bytes to the judged story.

    python -m benchmarks.journals [MACHINES]

Each machine is that of `pcaps/psk_clean.pcapng` (lease, name, hello, handshake, setup) with its own UUID, MAC, address
and ports. Its connections lie in two journals, in turns, of one of ten sensors. The journals are made by another
process, so that its memory does not count.
"""

from __future__ import annotations

import resource
import sys
import time
import uuid
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from amtdecode.capture import open_records
from amtdecode.engine import Engine
from amtdecode.provisioning.journal import Journal, Keeper, tell
from amtdecode.provisioning.journal.facts import Comment, Connection, Dhcp, Fact, Health, Hello
from amtdecode.provisioning.journal.reading import Entry, Flow, Head, made, packed

FIRST_UUID = 0x1234567800001000800000005E000000
STRETCH = 100  # machines written together
MACHINES, SENSORS, APART_NS = 100_000, 10, 40_000_000
CAPTURE = str(Path(__file__).resolve().parents[1] / "pcaps" / "psk_clean.pcapng")


def _said(said: Fact, number: int) -> Fact:
    """The same of another machine."""
    later = number * APART_NS
    mac = f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    if isinstance(said, Hello):
        return replace(said, uuid=str(uuid.UUID(int=FIRST_UUID + number)))
    if isinstance(said, Dhcp):
        return replace(said, mac=mac, your_address=_address(number) if said.your_address != "0.0.0.0" else "0.0.0.0")
    if isinstance(said, Connection):
        times = (said.first_time_ns or 0) + later, (said.last_time_ns or 0) + later
        return replace(said, first_time_ns=times[0], last_time_ns=times[1], client_mac=mac)
    return said


def _address(number: int) -> str:
    return ".".join(map(str, _packed(number)))


def _packed(number: int) -> bytes:
    return bytes((10, 1 + number // 62_500, number // 250 % 250, 1 + number % 250))


def write(folder: str, machines: int) -> None:
    """The journals."""
    keeper = Keeper("", (CAPTURE,))
    for observation in Engine(None, connections="all").observe(open_records([CAPTURE])):
        keeper.feed(observation)
    (model,) = keeper.journal().readings.values()
    entries = [each for each in model.entries() if not isinstance(each.said, Health | Comment)]
    flows = [model.flows()[index] for index in range(1 + max(each.flow for each in entries))]
    hello = next(each for each in entries if isinstance(each.said, Hello))
    own = flows[hello.flow].client
    for sensor in range(SENSORS):
        for half in range(2):
            _write_one(folder, sensor, half, range(sensor, machines, SENSORS), flows, entries, own)


def _write_one(
    folder: str, sensor: int, half: int, numbers: range, flows: list[Flow], entries: list[Entry], own: bytes
) -> None:
    head = Head(f"site {sensor}", (f"{sensor}-{half}.pcapng",), first=entries[0].time)
    flow_blocks, entry_blocks = [], []
    mine = [each for each in entries if each.flow % 2 == half]
    for at in range(0, len(numbers), STRETCH):
        these: list[Entry] = []
        ends: list[Flow] = []
        for place, number in enumerate(numbers[at : at + STRETCH], at):
            packed_address, later, first = _packed(number), number * APART_NS, place * len(flows)
            for flow in flows:
                client = packed_address if flow.client == own else flow.client
                server = packed_address if flow.server == own else flow.server
                ends.append(replace(flow, number=first + flow.number, client=client, server=server))
            for each in mine:
                moved = (each.time or 0) + later
                flow_index = -1 if each.flow < 0 else first + each.flow
                these.append(replace(each, known=moved, time=moved, flow=flow_index, said=_said(each.said, number)))
        flow_blocks.append(packed(ends))
        entry_blocks.append(packed(sorted(these, key=lambda each: each.known or 0)))
    reading = made(replace(head, entries=len(mine) * len(numbers)), flow_blocks, entry_blocks)
    Path(folder, f"{sensor}-{half}.journal").write_bytes(Journal({reading.digest: reading}).to_bytes())


def main(machines: int) -> None:
    """Make them, merge them, and say what it took."""
    with TemporaryDirectory() as folder:
        process = get_context("spawn").Process(target=write, args=(folder, machines))
        process.start()
        process.join()
        files = sorted(Path(folder).iterdir())
        size = sum(each.stat().st_size for each in files)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.process_time()
        journal = Journal.merged(Journal.from_bytes(each.read_bytes(), each.name) for each in files)
        story = tell(journal)
        took = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    entries = sum(each.head.entries for each in journal.readings.values())
    print(
        f"{len(story.devices)} machines, {entries} entries in {len(files)} journals of {size / 1e6:.1f} MB: "
        f"{took:.1f} s of processor time, peak {peak / 1024:.0f} MiB ({before / 1024:.0f} MiB before)"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MACHINES)
