"""`read -w FILE`: the packets themselves, as `tshark -r FROM -Y FILTER -w TO` copies them."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from amtdecode.capture import NOTICE
from amtdecode.capture.packets import Notice, one_by_one
from amtdecode.capture.pcapng import Comment, DecryptionSecrets
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.capture.writing import PcapngWriter, PcapWriter, is_pcap_name
from amtdecode.cli.main import complain
from amtdecode.counting import counted
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.capture import RawPacket, Records
    from amtdecode.cli.common import Inputs
    from amtdecode.filter import Filter
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys


def copy_packets(
    inputs: Inputs, target: str, chosen: Filter | None, keys: Keys | None, rooms: tuple[Protocol, ...], *, quiet: bool
) -> int:
    """Write the packets, or those that pass a filter, with what the captures say beside them; gives the exit code.

    By its name the file is pcap, with packets alone, or pcapng. Secrets come first, as they may stand behind what they
    open. Raises `UsageError` for a file that is one of the inputs, `OutputError` where it cannot be written.
    """
    if not inputs.names:
        return inputs.exit_code
    count = 0
    secrets = [keylog for name in inputs.names for keylog in secrets_inside(name)]
    private = bool(secrets) or not all(map(os.path.isfile, inputs.names))  # a pipe may bring secrets yet
    with Outputs(inputs.names).file(target, "-w", private=private) as file:
        writer: PcapWriter | PcapngWriter
        if is_pcap_name(target):
            writer = PcapWriter(file)
        else:
            writer = PcapngWriter(file, ["packets copied by amtdecode read -w"], inputs=len(inputs.names))
            for keylog in secrets:
                writer.secrets(keylog)
        for packet in _passing(inputs.packets, chosen, keys, rooms):
            origin = packet[7]
            if origin.link_type != NOTICE:
                count += 1
            elif isinstance(origin, Notice) and _is_among(origin.event, secrets):
                continue
            writer.take(packet)
            if target == "-" and private:  # somebody may wait for each packet
                writer.flush()
                file.flush()
        writer.finish()
    if not quiet:
        complain(f"{counted(count, 'packet')} in {target}")
    return inputs.exit_code


def _is_among(event: object, secrets: list[bytes]) -> bool:
    return isinstance(event, DecryptionSecrets) and event.data in secrets


def _passing(
    pieces: Iterator[RawPacket | Records], chosen: Filter | None, keys: Keys | None, rooms: tuple[Protocol, ...]
) -> Iterator[RawPacket]:
    """The packets that pass, and the words of the capture: those about a packet if it passes."""
    packets = one_by_one(pieces)
    if chosen is None:
        yield from packets
        return
    from amtdecode.engine import Engine
    from amtdecode.filter.packets import Judge

    words: deque[tuple[int, RawPacket]] = deque()  # behind how many packets
    seen = judged_so_far = 0

    def watched() -> Iterator[RawPacket]:
        nonlocal seen
        for packet in packets:
            if packet[7].link_type == NOTICE:
                words.append((seen, packet))
            else:
                seen += 1
            yield packet

    def due(passed: bool) -> Iterator[RawPacket]:
        while words and words[0][0] <= judged_so_far:
            _, word = words.popleft()
            event = word[7].event if isinstance(word[7], Notice) else None
            if passed or not (isinstance(event, Comment) and event.subject == "packet"):
                yield word

    passed = False
    judge = Judge(chosen, lambda: Engine(keys, pdus=chosen.reads_messages, registry=chosen.rooms(rooms)))
    for judged in judge.judge(watched()):
        yield from due(passed)
        judged_so_far += 1
        passed = judged.passes
        if passed:
            yield judged.raw
    yield from due(passed)
