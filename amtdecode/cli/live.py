"""`amtdecode live`: the same as read, on network interfaces; or only into files; or with the fleet's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.autostop import Limit, limits_of
from amtdecode.cli.common import (
    Until,
    key_files,
    key_options,
    load_keys,
    output_options,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.filtering import Filtered, filter_option
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amtdecode.capture import RawPacket
    from amtdecode.capture.live import Live


@click.command()
@click.option("-i", "interfaces", multiple=True, metavar="IFACE", help="Interface to watch; repeatable; any for all.")
@click.option("-D", "--list-interfaces", "listing", is_flag=True, help="List the interfaces.")
@click.option("-c", "count", type=click.IntRange(min=1), metavar="N", help="Stop after N packets.")
@click.option(
    "-a",
    "ends",
    metavar="KIND:N",
    multiple=True,
    type=Limit(bare=True),
    help="Stop after duration:SECONDS or packets:N; with -w after filesize:KB or files:N.",
)
@click.option("-f", "bpf", metavar="FILTER", help="Capture filter, as tcpdump takes it.")
@click.option(
    "-s", "snap_length", type=click.IntRange(min=0), default=0, metavar="BYTES", help="Keep no more of each packet."
)
@click.option("-w", "target", metavar="FILE", help="Write the packets, pcapng or by its name pcap, and print nothing.")
@click.option(
    "-b",
    "ring",
    metavar="KIND:N",
    multiple=True,
    type=Limit(),
    help="With -w: another file after duration:SECONDS, filesize:KB, packets:N or each interval:SECONDS; keep files:N.",
)
@click.option("-P", "printing", is_flag=True, help="Print, though -w writes.")
@click.option(
    "--diagnose", "diagnosing", is_flag=True, help="Keep the table of machines up to date; report at the end."
)
@click.option("-q", "--quiet", is_flag=True, help="No notes on standard error.")
@filter_option
@output_options
@key_options
@plugin_option
def live(
    interfaces: tuple[str, ...],
    listing: bool,
    count: int | None,
    ends: tuple[tuple[str, float], ...],
    bpf: str | None,
    snap_length: int,
    target: str | None,
    ring: tuple[tuple[str, float], ...],
    printing: bool,
    diagnosing: bool,
    quiet: bool,
    display_filter: str | None,
    plugins: bool,
    **options: Any,
) -> int:
    """Watch network interfaces: one line per observation as it becomes known. Ends with Ctrl-C."""
    from amtdecode.capture.live import Live, interface_names
    from amtdecode.cli.main import complain
    from amtdecode.cli.recording import Ends, Recording, summary
    from amtdecode.cli.writing import OUTPUT_OPTIONS
    from amtdecode.outputs import Outputs

    if listing:
        for number, name in enumerate(interface_names(), 1):
            click.echo(f"{number}. {name}")
        return 0
    shown = {name: options.pop(name) for name in OUTPUT_OPTIONS}
    printing = printing or (target is None and not diagnosing)
    _check(
        interfaces, target, ring, ends, display_filter if not printing else None, shown["form"], diagnosing=diagnosing
    )
    rooms = registry(plugins=plugins)
    limits = limits_of(ends)
    handle = _printer(shown, display_filter, rooms, quiet=quiet) if printing else _drain
    tick: Callable[[], bool] = bool  # never a reason to stop
    if diagnosing:
        from amtdecode.cli.watching import Watching

        watching = Watching(rooms, own_rules(plugins=plugins), shown["form"], shown["color"], verbose=shown["tree"])
        handle, tick = watching.run, watching.tick
    outputs = Outputs(key_files(**options))
    if target is not None and not ring:
        outputs.refuse(target, "-w")
    keys = load_keys(**options, quiet=quiet, await_keylogs=True)
    watched = Live(by_number(interfaces), bpf=bpf, snap_length=snap_length)
    until, full = Until(limits.duration), Ends(limits)
    count = min((number for number in (count, limits.packets) if number is not None), default=None)
    packets: Iterator[RawPacket] = watched.packets(count=count, stop=lambda: full() or tick() or until())
    if target is not None:
        full.recording = Recording(outputs, target, watched, limits_of(ring) if ring else None)
        packets = full.recording.watch(packets)
    if not quiet:
        complain(f"watching {watched.name}; end with Ctrl-C")
    try:
        handle(packets, keys, watched)
    finally:
        watched.close()
        if full.recording is not None:
            full.recording.close()
    if not quiet:
        complain(summary(watched))
    return until.exit_code


def _check(
    interfaces: Sequence[str],
    target: str | None,
    ring: Sequence[tuple[str, float]],
    ends: Sequence[tuple[str, float]],
    unused_filter: str | None,
    form: str,
    *,
    diagnosing: bool,
) -> None:
    """Raise `UsageError` where options make no sense together."""
    if not interfaces:
        raise UsageError("live needs -i IFACE; -D lists the interfaces")
    if ring and target is None:
        raise UsageError("-b goes with -w")
    if target is None and any(kind in ("filesize", "files") for kind, _ in ends):
        raise UsageError("-a filesize: and files: go with -w")
    if ring and target == "-":
        raise UsageError("-b makes several files; -w - is standard output")
    if ring and all(kind == "files" for kind, _ in ring):
        raise UsageError(
            "-b files:N needs -b filesize:KB, duration:SECONDS, interval:SECONDS or packets:N, which end a file"
        )
    if any(kind == "files" for kind, _ in ends) and not ring:
        raise UsageError("-a files:N needs -b, which begins another file")
    if unused_filter is not None:
        raise UsageError("-Y chooses what is printed; -f chooses what is captured")
    if diagnosing and form not in ("text", "json"):
        raise UsageError("--diagnose goes with -T text or json")


def by_number(interfaces: Sequence[str]) -> list[str]:
    """Interfaces by name, or by their number in the list of `-D`."""
    from amtdecode.capture.live import interface_names

    if not any(name.isdigit() for name in interfaces):
        return list(interfaces)
    known = interface_names()
    return [
        known[int(name) - 1] if name.isdigit() and name not in known and 0 < int(name) <= len(known) else name
        for name in interfaces
    ]


def _drain(packets: Iterator[RawPacket], _keys: Any, _live: Live) -> None:
    for _ in packets:
        pass


def _printer(
    shown: dict[str, Any], display_filter: str | None, rooms: Any, *, quiet: bool
) -> Callable[[Iterator[RawPacket], Any, Live], None]:
    from amtdecode.cli.writing import Output
    from amtdecode.engine import Engine

    chosen = Filtered(display_filter, rooms)
    output = Output(**shown, quiet=quiet, rooms=rooms)

    def write(packets: Iterator[RawPacket], keys: Any, _live: Live) -> None:
        keeping = chosen.reads_messages or output.reads_messages
        if chosen.filter is not None and output.of_packets:
            selected = chosen.packets(
                packets,
                output.needed,
                lambda needed, together: Engine(keys, registry=needed, pdus=keeping, batch_size=together),
                rooms,
                waiting=True,
                inputs=1,
                quiet=quiet,
            )
            output.write_packets(selected, at_once=True)
            return
        engine = Engine(keys, registry=chosen.rooms_for(output.columns, rooms), pdus=keeping)
        batches = engine.batches(output.watch(chosen.watch(packets)))
        output.write_all(chosen.batches(batches, quiet=quiet), at_once=True)

    return write
