"""`read -w FILE`: the packets themselves, as `tshark -r FROM -Y FILTER -w TO` copies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture import NOTICE
from amtdecode.capture.packets import one_by_one
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.capture.writing import PcapngWriter
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
    """Write the packets, or those that pass a filter, as pcapng with the secrets of the captures; gives the exit code.

    Raises `UsageError` for a file that is one of the inputs, `OutputError` where it cannot be written.
    """
    if not inputs.names:
        return inputs.exit_code
    count = 0
    secrets = [keylog for name in inputs.names for keylog in secrets_inside(name)]
    with Outputs(inputs.names).file(target, "-w", private=bool(secrets)) as file:
        writer = PcapngWriter(file, "packets copied by amtdecode read -w")
        for keylog in secrets:
            writer.secrets(keylog)
        for packet in _passing(inputs.packets, chosen, keys, rooms):
            writer.packet(packet)
            count += 1
    if not quiet:
        complain(f"{counted(count, 'packet')} in {target}")
    return inputs.exit_code


def _passing(
    pieces: Iterator[RawPacket | Records], chosen: Filter | None, keys: Keys | None, rooms: tuple[Protocol, ...]
) -> Iterator[RawPacket]:
    if chosen is None:
        for packet in one_by_one(pieces):
            if packet[7].link_type != NOTICE:
                yield packet
        return
    from amtdecode.engine import Engine
    from amtdecode.filter.packets import Judge

    judge = Judge(chosen, lambda: Engine(keys, pdus=chosen.reads_messages, registry=rooms))
    for judged in judge.judge(pieces):
        if judged.passes:
            yield judged.raw
