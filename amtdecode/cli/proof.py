"""Chosen packets as a capture of their own (`export --pcap`): those that prove findings, pass a filter, or are named.

A subset that lacks a handshake could not be opened again: so a connection that was opened with keys is kept whole, with
its secrets, and of others that findings are about the handshake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.capture import NOTICE, limited, one_by_one, open_captures, open_records
from amtdecode.capture.writing import PcapngWriter
from amtdecode.cli.annotating import MAX_SECTION_COMMENTS, Names, comments_of, kept_comments
from amtdecode.cli.common import Inputs, copies, told_copies
from amtdecode.cli.handshakes import Handshakes, keylog_lines
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted
from amtdecode.engine.provenance import NUMBER_MASK
from amtdecode.errors import UsageError
from amtdecode.frame.reading import PacketReader
from amtdecode.secrets.found import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.filter import Filter
    from amtdecode.net.copies import Copies
    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Story
    from amtdecode.secrets import Keys

Packets = dict[str, set[int]]
"""Packet numbers by input."""

ADDRESSES = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst")


class Choice(NamedTuple):
    """Which packets, and what comes with them. Without `frames` and `filter`, those that prove the findings."""

    device: str | None = None
    """The machine that findings must be about."""
    frames: Callable[[int], bool] | None = None
    """Chosen by their number."""
    filter: Filter | None = None
    """Chosen by a display filter."""
    exact: bool = False
    """No other packets with them, such as the rest of their TLS connections."""
    comments: bool = True
    """With the findings as comments."""


class Reading(NamedTuple):
    """What is read, and how."""

    names: Sequence[str]
    keys: Keys | None
    keylogs: Sequence[str]
    rooms: tuple[Protocol, ...]
    limit: int | None

    def records(self) -> Iterator[RawPacket | Records]:
        """All that is to be read."""
        packets, found = limited(open_records(self.names), self.limit), copies()
        return packets if found is None else found.watch(packets)


class Picked:
    """The packets to write, and what goes with them."""

    def __init__(self, wanted: Packets) -> None:
        self.wanted = wanted
        self.whole: set[int] = set()
        """TCP streams of which all packets are written."""
        self.randoms: set[bytes] = set()
        """Client randoms of the connections concerned."""
        self.names = Names()
        self.comments: list[str] = []
        """Of sections and interfaces that were read."""


def write_packets(
    captures: Sequence[str],
    outputs: Outputs,
    target: str,
    choice: Choice,
    keys: Keys | None,
    keylogs: Sequence[str],
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write the packets of a choice to `target`, in their order, with findings as comments, names and secrets."""
    from amtdecode.api import with_secrets_inside

    if "-" in captures:
        raise UsageError("--pcap reads its input several times; it cannot be standard input")
    inputs = Inputs(captures, quiet=quiet)
    if not inputs.names:
        return EXIT_INPUT
    outputs.refuse(target, "--pcap")
    reading = Reading(inputs.names, with_secrets_inside(inputs.names, keys), keylogs, rooms, count)
    remarks: dict[tuple[str, int], list[str]] = {}
    found: tuple[Report, Story] | None = None
    of_findings = choice.frames is None and choice.filter is None
    if of_findings or choice.comments:
        found = _diagnosed(reading, rules)
        if choice.device is not None:
            choice = choice._replace(device=machine_of(choice.device, found[1]))
        if choice.comments:
            remarks = comments_of(found[0], choice.device)
    picked = Picked(_wanted(reading, choice, found))
    asked = sum(map(len, picked.wanted.values()))
    keylog = _look_through(reading, picked, handshakes=of_findings and not choice.exact, exact=choice.exact)
    if found is not None:
        picked.names.machines(found[1])
    what = "packets that pass a filter" if choice.filter is not None else "chosen packets"
    what = "packets that prove findings" if of_findings else what
    with outputs.file(target, "--pcap", private=True) as file:
        written, found_copies = _write(reading, file, picked, keylog, remarks, what)
    if not quiet:
        if found_copies is not None:
            complain(told_copies(found_copies))
        more = f", {written - asked} of them so that TLS can be opened again" if written > asked else ""
        where = "" if target == "-" else f" in {target}"
        complain(f"{counted(written, 'packet')}{where}{more}; secrets in them are not masked")
    return inputs.exit_code


def _diagnosed(reading: Reading, rules: Sequence[Rule]) -> tuple[Report, Story]:
    from amtdecode.diagnosis import diagnose
    from amtdecode.diagnosis.inputs import gather, sort_inputs

    story = gather(sort_inputs(reading.names), reading.keys, reading.records(), registry=reading.rooms)
    return diagnose(story, rules=rules), story


def machine_of(given: str, story: Story) -> str:
    """What reports call the machine that is given by UUID, name or address. Raises `UsageError` where there is none."""
    wanted = given.lower()
    for device in story.devices:
        if wanted in (device.name.lower(), device.uuid, device.fqdn.lower()):
            return device.name
    for device in story.devices:
        if wanted in device.addresses:
            return device.name
    names = ", ".join(sorted(machine.name for machine in story.devices)) or "none"
    raise UsageError(f"--device {given}: no such machine in these captures; there are: {names}")


def _wanted(reading: Reading, choice: Choice, found: tuple[Report, Story] | None) -> Packets:
    if choice.filter is not None:
        return _passing(reading, choice.filter)
    if choice.frames is None:
        from amtdecode.diagnosis.report import evidence_packets

        assert found is not None  # noqa: S101 - diagnosed for this choice
        return evidence_packets(found[0], choice.device, found[1])
    wanted: Packets = {}
    for packet in one_by_one(reading.records()):
        number = packet[0] & NUMBER_MASK
        if packet[7].link_type != NOTICE and choice.frames(number):
            wanted.setdefault(packet[7].input, set()).add(number)
    return wanted


def _passing(reading: Reading, chosen: Filter) -> Packets:
    from amtdecode.engine import Engine
    from amtdecode.filter.packets import Judge

    judge = Judge(
        chosen, lambda: Engine(reading.keys, pdus=chosen.reads_messages, registry=chosen.rooms(reading.rooms))
    )
    passing: Packets = {}
    for judged in judge.judge(reading.records()):
        if judged.passes:
            passing.setdefault(judged.packet.input, set()).add(judged.packet.number)
    return passing


def _look_through(reading: Reading, picked: Picked, *, handshakes: bool, exact: bool) -> bytes:
    """Find what goes with the packets: the rest of their connections, names, comments; gives their key log."""
    from amtdecode.engine import Engine

    found = Found()
    if reading.keys is not None:
        reading.keys.found = found
    chosen = Handshakes(picked.wanted)
    touched: set[int] = set()
    at_first = {name: set(numbers) for name, numbers in picked.wanted.items()}
    reader = PacketReader(("tcp.stream", *ADDRESSES))

    def watched() -> Iterator[RawPacket]:
        for raw in one_by_one(reading.records()):
            if raw[7].link_type != NOTICE:
                packet = reader.read(raw)
                if packet.number in at_first.get(packet.input, ()):
                    touched.update(packet.values("tcp.stream"))
                    for name in ADDRESSES:
                        picked.names.wanted.update(packet.values(name))
            yield raw

    engine = Engine(reading.keys, connections="all", registry=reading.rooms)
    for observation in engine.observe(watched()):
        if observation.flow is not None and observation.protocol in ("tcp", "tls"):
            chosen.take(observation.flow, observation)
        elif observation.protocol == "dns":
            picked.names.dns(observation.event)
        elif observation.protocol == "pcapng":
            picked.names.capture(observation.event)
            if len(picked.comments) < MAX_SECTION_COMMENTS:
                picked.comments += kept_comments(observation.event)
    if reading.keys is not None:
        reading.keys.found = None
    chosen.finish(touched, add=handshakes)
    picked.randoms = chosen.randoms
    if not exact:
        picked.whole = touched & chosen.opened
    return keylog_lines(reading.names, reading.keylogs, found, picked.randoms)


def _write(
    reading: Reading,
    file: BinaryIO,
    picked: Picked,
    keylog: bytes,
    remarks: dict[tuple[str, int], list[str]],
    what: str,
) -> tuple[int, Copies | None]:
    writer = PcapngWriter(
        file, [f"{what}, written by amtdecode export --pcap", *picked.comments], inputs=len(reading.names)
    )
    if keylog:
        writer.secrets(keylog)
    writer.names(picked.names.known())
    reader = PacketReader(("tcp.stream",)) if picked.whole else None
    count, waiting, own, found = 0, None, list[str](), copies()
    left = reading.limit
    for raw in open_captures(reading.names):
        interface, number = raw[7], raw[0] & NUMBER_MASK
        if interface.link_type == NOTICE:
            if waiting is not None and waiting[0] == raw[0]:
                own += kept_comments(getattr(interface, "event", None), "packet")
            continue
        if waiting is not None:
            writer.packet(waiting, own)
            waiting, own = None, []
        if left is not None:
            left -= 1
            if left < 0:
                break
        if found is not None and found.is_copy(raw):
            continue
        stream = reader.read(raw).values("tcp.stream") if reader is not None else ()
        if number in picked.wanted.get(interface.input, ()) or not picked.whole.isdisjoint(stream):
            waiting, own = raw, list(remarks.get((interface.input, number), ()))
            count += 1
    if waiting is not None:
        writer.packet(waiting, own)
    writer.finish()
    return count, found
