"""The packets that prove findings, as a capture of their own (`export --pcap`).

A handshake is kept whole, from SYN to the end of the handshake: a subset without it could not be opened again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from amtdecode.capture import NOTICE, limited, open_captures, open_records
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.capture.writing import PcapngWriter
from amtdecode.cli.common import Inputs
from amtdecode.cli.main import EXIT_INPUT, complain
from amtdecode.counting import counted
from amtdecode.errors import UsageError
from amtdecode.flow.events import Connection
from amtdecode.secrets.keylog import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.diagnosis.rule import Rule
    from amtdecode.filter import Filter
    from amtdecode.model import FlowKey, Observation
    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

PROOF = "packets that prove findings"
Packets = dict[str, set[int]]
"""Packet numbers by input."""


def write_packets(
    captures: Sequence[str],
    outputs: Outputs,
    target: str,
    chosen: Filter | None,
    device: str | None,
    keys: Keys | None,
    keylogs: Sequence[str],
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write the packets that pass a filter, or without one those that prove the findings."""
    if "-" in captures:
        raise UsageError("--pcap reads its input twice; it cannot be standard input")
    if chosen is None:
        return write_proof(captures, outputs, target, device, keys, keylogs, rooms, rules, count=count, quiet=quiet)
    return write_passing(captures, outputs, target, chosen, keys, keylogs, rooms, count=count, quiet=quiet)


def write_proof(
    captures: Sequence[str],
    outputs: Outputs,
    target: str,
    device: str | None,
    keys: Keys | None,
    keylogs: Sequence[str],
    rooms: tuple[Protocol, ...],
    rules: Sequence[Rule],
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write the packets that prove the findings (about one device) to `target`, in their order, with their secrets."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.diagnosis import diagnose
    from amtdecode.diagnosis.inputs import gather, sort_inputs
    from amtdecode.diagnosis.report import evidence_packets

    inputs = Inputs(captures, quiet=quiet)
    if not inputs.names:
        return EXIT_INPUT
    outputs.refuse(target, "--pcap")
    keys = with_secrets_inside(inputs.names, keys)
    story = gather(sort_inputs(inputs.names), keys, count=count, registry=rooms)
    report = diagnose(story, rules=rules)
    if device is not None and not any(device.lower() == known.name.lower() for known in story.devices):
        known = ", ".join(sorted(machine.name for machine in story.devices)) or "none"
        raise UsageError(f"--device {device}: no such machine in these captures; there are: {known}")
    wanted = evidence_packets(report, device, story)
    randoms = _add_handshakes(inputs.names, keys, wanted, count, rooms)
    keylog = _lines(inputs.names, keylogs, randoms)
    with outputs.file(target, "--pcap", private=True) as file:
        count = _copy(inputs.names, file, wanted, keylog)
    if not quiet:
        complain(f"{counted(count, 'packet')} in {target}; secrets in them are not masked")
    return inputs.exit_code


def write_passing(
    captures: Sequence[str],
    outputs: Outputs,
    target: str,
    chosen: Filter,
    keys: Keys | None,
    keylogs: Sequence[str],
    rooms: tuple[Protocol, ...],
    *,
    count: int | None,
    quiet: bool,
) -> int:
    """Write the packets that pass a filter to `target`, in their order, with the secrets of their connections."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.engine import Engine
    from amtdecode.filter.packets import Judge

    inputs = Inputs(captures, quiet=quiet, count=count)
    if not inputs.names:
        return EXIT_INPUT
    outputs.refuse(target, "--pcap")
    keys = with_secrets_inside(inputs.names, keys)
    judge = Judge(chosen, lambda: Engine(keys, pdus=chosen.reads_messages, registry=rooms))
    passing: Packets = {}
    for judged in judge.judge(inputs.packets):
        if judged.passes:
            passing.setdefault(judged.packet.input, set()).add(judged.packet.number)
    around = {name: set(numbers) for name, numbers in passing.items()}
    keylog = _lines(inputs.names, keylogs, _add_handshakes(inputs.names, keys, around, count, rooms))
    with outputs.file(target, "--pcap", private=True) as file:
        written = _copy(inputs.names, file, passing, keylog, "packets that pass a filter")
    if not quiet:
        complain(f"{counted(written, 'packet')} in {target}; secrets in them are not masked")
    return inputs.exit_code


def _add_handshakes(
    names: Sequence[str], keys: Keys | None, wanted: Packets, count: int | None, rooms: tuple[Protocol, ...]
) -> set[str]:
    """Add the handshakes of all flows that the wanted packets belong to; returns the client randoms in them, as hex."""
    from amtdecode.engine import Engine

    chosen = _Handshakes(wanted)
    engine = Engine(keys, connections="all", registry=rooms)
    for observation in engine.observe(limited(open_records(names), count)):
        if observation.flow is not None and observation.protocol in ("tcp", "tls"):
            chosen.take(observation.flow, observation)
    chosen.finish()
    return chosen.randoms


class _Handshakes:
    """What carried the handshakes of flows of which a packet is wanted; others are let go when they end."""

    def __init__(self, wanted: Packets) -> None:
        self.randoms: set[str] = set()
        self._wanted = wanted
        self._open: dict[FlowKey, list[Observation]] = {}
        self._kept: set[FlowKey] = set()

    def take(self, flow: FlowKey, observation: Observation) -> None:
        """One observation of a flow; a `Connection` is mostly its last."""
        self._open.setdefault(flow, []).append(observation)
        if type(observation.event) is Connection:
            self._settle(flow)

    def finish(self) -> None:
        """The captures end."""
        for flow in list(self._open):
            self._settle(flow)

    def _settle(self, flow: FlowKey) -> None:
        wanted, observations = self._wanted, self._open.pop(flow)
        if flow not in self._kept:
            if not any(set(o.packets) & wanted.get(o.input, set()) for o in observations):
                return
            self._kept.add(flow)
        for observation in observations:
            wanted.setdefault(observation.input, set()).update(observation.packets)
            for name, number in observation.elsewhere:
                wanted.setdefault(name, set()).add(number)
            if type(observation.event).__name__ == "ClientHello":
                self.randoms.add(getattr(observation.event, "random", b"").hex())


def _all_lines(names: Sequence[str], keylogs: Sequence[str]) -> Iterator[bytes]:
    for log in (log for name in names for log in secrets_inside(name)):
        yield from log.splitlines()
    for name in keylogs:
        try:
            with open(name, "rb") as file:
                while line := file.readline(MAX_LINE):
                    yield line
        except OSError:  # told when the keys were loaded
            continue


def _lines(names: Sequence[str], keylogs: Sequence[str], randoms: set[str]) -> bytes:
    """The lines of all key logs that belong to these client randoms."""
    lines: dict[bytes, None] = {}
    for line in _all_lines(names, keylogs):
        words = line.split()
        if len(words) == 3 and words[1].decode("latin-1").lower() in randoms:
            lines[line.strip()] = None
    return b"".join([line + b"\n" for line in lines])


def _copy(names: Sequence[str], file: BinaryIO, wanted: Packets, keylog: bytes, what: str = PROOF) -> int:
    from amtdecode.engine.provenance import NUMBER_MASK

    count = 0
    writer = PcapngWriter(file, f"{what}, chosen by amtdecode export --pcap")
    if keylog:
        writer.secrets(keylog)
    for packet in open_captures(names):
        interface = packet[7]
        if interface.link_type != NOTICE and packet[0] & NUMBER_MASK in wanted.get(interface.input, ()):
            writer.packet(packet)
            count += 1
    return count
