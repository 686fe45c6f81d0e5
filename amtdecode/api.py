"""The library's front door."""

from __future__ import annotations

from functools import partial
from os import PathLike, fsdecode
from os.path import isdir
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from amtdecode.capture import limited, name_of, open_records
from amtdecode.capture.inputs import can_be_read_again, captures_of
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.engine import Engine
from amtdecode.errors import CaptureError, UsageError
from amtdecode.jobs.limits import MAX_JOBS
from amtdecode.ports import HELLO
from amtdecode.protocols.registry import REGISTRY
from amtdecode.stores.paths import is_remote
from amtdecode.streaming import Observations, Packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from amtdecode.capture.inputs import Capture, Given
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.dialogue import Comparison, Dialogue, Ladder
    from amtdecode.filter.gate import Gate
    from amtdecode.frame import Packet
    from amtdecode.model import Observation
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Tracker
    from amtdecode.secrets import Keys
    from amtdecode.streaming import LiveObservations


Connections: TypeAlias = Literal["failures", "all"]


def with_secrets_inside(captures: Sequence[Capture], keys: Keys | None) -> Keys | None:
    """Keys together with those that the captures themselves keep: a copy, so that the caller's stay as they are."""
    keys = keys.copy() if keys is not None else None
    for given in captures:
        for keylog in secrets_inside(given):
            if keys is None:
                from amtdecode.secrets import Keys as NoKeys

                keys = NoKeys()
            keys.add_ahead(keylog, name_of(given))
    return keys


def read(
    captures: Given | Iterable[Given],
    *,
    keys: Keys | None = None,
    count: int | None = None,
    connections: Connections = "failures",
    filter: str | None = None,  # noqa: A002 - what Wireshark calls it
    pdus: bool = False,
    protocols: Protocol | Iterable[Protocol] = (),
    plugins: bool = False,
    jobs: int = 1,
) -> Iterator[Observation]:
    """Observations of one capture, or of several read as one timeline.

    `captures`: file names, pcap or pcapng, plain or compressed, "-" for standard input; bytes; files opened in binary
    mode, read from where they stand and left open; iterables of packets: (time, bytes), (time, bytes, link type) or
    scapy's. Times are seconds since 1970 UTC or datetimes with their zone; the link type is Ethernet unless given.
    `keys`: what opens TLS. `count`: read no more than this many packets. `connections`: the outcomes of TCP connections
    that are stated: "failures" on AMT's ports, or "all", which `diagnose` wants of observations given to it.
    `filter`: a display filter, as Wireshark's: only observations of packets that pass, each packet judged by all that
    was decoded from it. `pdus`: keep the bytes of each message, for `Observation.tree()`. `protocols`: rooms of your
    own; `plugins`: also those of installed packages (entry points `amtdecode.protocols`).

    `jobs`: so many processes decode, each its share of the connections, with the same result. What is read only once
    (pipes, open files, iterables) is read by one, and so is what a filter judges with connections="all". Processes are
    begun as `multiprocessing` does it, so a script needs its `if __name__ == "__main__":`. `WorkerError` comes from the
    iterator where one of them is ended from outside.

    The inputs are opened at once: `CaptureError` (missing, forbidden, not a capture), `MissingExtraError` and
    `UsageError` (nothing that can be read) come from this call. Damage inside a capture is an observation like any
    other. Threads may share the iterator: each observation goes to one of them.
    """
    _check_count(count)
    _check_jobs(jobs)
    registry = _registry(protocols, plugins)
    _check(keys, connections)
    inputs = captures_of(captures)
    gate, registry, pdus = _gate(filter, registry, pdus)
    packets = limited(open_records(inputs), count)
    held = with_secrets_inside(inputs, keys)
    engine = Engine(held, connections=connections, pdus=pdus, registry=registry)

    def alone() -> Iterator[list[Observation]]:
        if gate is None:
            return engine.batches(packets)
        return gate.batches(engine.batches(gate.watch(packets)))

    if jobs > 1:
        from amtdecode.jobs.reading import ObservationShare, can_share, shared_batches

        if all(map(can_share, inputs)) and (filter is None or connections == "failures"):
            own = None if registry is REGISTRY else registry
            work = ObservationShare(tuple(inputs), count, held, connections, filter, pdus, own)
            return Observations(shared_batches(work, jobs, alone))
    return Observations(alone())


def _gate(
    text: str | None, registry: tuple[Protocol, ...], pdus: bool = False
) -> tuple[Gate | None, tuple[Protocol, ...], bool]:
    """What a display filter puts around the engine, the rooms for it, and whether to keep the bytes of messages."""
    if text is None:
        return None, registry, pdus
    from amtdecode.filter import compile_filter
    from amtdecode.filter.gate import Gate

    chosen = compile_filter(text, registry)
    return Gate(chosen), chosen.in_full(registry), pdus or chosen.reads_messages


def _check(keys: Any, connections: Any = "all") -> None:
    """Raise `UsageError` for arguments of another kind."""
    if keys is not None:
        from amtdecode.secrets import Keys

        if not isinstance(keys, Keys):
            raise UsageError(f"keys takes Keys, as Keys.load(…) gives them, not a value of type {type(keys).__name__}")
    if connections not in ("failures", "all"):
        raise UsageError(f"connections takes 'failures' or 'all', not {connections!r}")


def _check_count(count: Any) -> None:
    if count is not None and (not isinstance(count, int) or count < 0):
        raise UsageError(f"count takes a number of packets, not {count!r}")


def _check_jobs(jobs: Any) -> None:
    if type(jobs) is not int or not 1 <= jobs <= MAX_JOBS:
        raise UsageError(f"jobs takes a number of processes up to {MAX_JOBS}, not {jobs!r}")


def _registry(protocols: Protocol | Iterable[Protocol], plugins: bool) -> tuple[Protocol, ...]:
    if not protocols and not plugins:
        return REGISTRY
    from amtdecode.plugins import rooms

    return rooms(protocols, plugins=plugins)


def live(
    interface: str | Sequence[str],
    *,
    keys: Keys | None = None,
    count: int | None = None,
    bpf: str | None = None,
    connections: Connections = "all",
    filter: str | None = None,  # noqa: A002
    protocols: Protocol | Iterable[Protocol] = (),
    plugins: bool = False,
) -> LiveObservations:
    """Observations of network interfaces as they become known: for `for` and `async for`.

    `interface`: a name, several, or "any" for all that are up; several are one stream in the order of their times.
    `count`: stop after so many packets. `bpf`: a capture filter, as tcpdump takes it. The rest is as for `read`. The
    socket is open when this returns. Raises `CaptureError` for a missing interface or privilege, and
    `MissingExtraError` without scapy (extra `live`).
    """
    from amtdecode.capture.live import read_live
    from amtdecode.streaming import LiveObservations

    _check(keys, connections)
    _check_count(count)
    registry = _registry(protocols, plugins)
    gate, registry, pdus = _gate(filter, registry)
    engine = Engine(keys, connections=connections, registry=registry, pdus=pdus)
    names = [interface] if isinstance(interface, str) else interface
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"interface: wanted is a name, or a list of names, not {interface!r}")
    return LiveObservations(lambda stop: read_live(names, count=count, stop=stop, bpf=bpf), engine, gate)


def listen(port: int = HELLO, host: str = "", *, filter: str | None = None) -> LiveObservations:  # noqa: A002
    """Accept connections on a port and observe what they send, as hello messages; nothing is answered.

    When a connection ends that brought no hello, a `Note` says who it was and what came.

    `host`: the address to accept on, all by default. `filter`: a display filter, as for `read`. Port 0 is any free one:
    see `LiveObservations.port`. Raises `CaptureError` when the port cannot be had.
    """
    from amtdecode.capture.listen import Listener
    from amtdecode.protocols.hello.strangers import no_hello
    from amtdecode.streaming import LiveObservations

    if not isinstance(port, int) or not 0 <= port <= 0xFFFF:
        raise UsageError(f"port takes a number up to 65535, not {port!r}")
    gate, registry, pdus = _gate(filter, REGISTRY)
    listener = Listener(port, host, no_hello)
    observations = LiveObservations(listener.packets, Engine(connections="all", pdus=pdus, registry=registry), gate)
    observations.port = listener.port
    return observations


def packets(
    captures: Given | Iterable[Given],
    *,
    fields: Iterable[str] | None = None,
    count: int | None = None,
    filter: str | None = None,  # noqa: A002
    keys: Keys | None = None,
) -> Iterator[Packet]:
    """The packets of one capture, or of several read as one timeline, each with its fields under tshark's names.

    `captures`, `count`: as for `read`, with the same errors. `fields`: the names that will be asked for; what none of
    them needs, such as TCP analysis, is then not followed. Nothing above TCP and UDP is read.
    `filter`: a display filter: only packets that pass, each judged by all that was decoded from it; for that, what
    stands above TCP and UDP is read where the filter asks for it, TLS opened with `keys`.

    Raises `UsageError` for a name that is no field of a packet.
    """
    from amtdecode.frame import PacketReader

    _check(keys)
    _check_count(count)
    inputs = captures_of(captures)
    if filter is None:
        return Packets(PacketReader(fields).read_all(limited(open_records(inputs), count)))
    from amtdecode.filter import compile_filter
    from amtdecode.filter.packets import Judge

    chosen = compile_filter(filter)
    held = with_secrets_inside(inputs, keys) if chosen.event_names else None
    judge = Judge(chosen, lambda: Engine(held, pdus=chosen.reads_messages, registry=chosen.rooms(REGISTRY)), fields)
    return Packets(facts.packet for facts in judge.passing(limited(open_records(inputs), count)))


def diagnose(
    inputs: Given | Iterable[Given | Iterable[Observation]] | Iterable[Observation],
    *,
    site: Site | str | PathLike[str] | None = None,
    keys: Keys | None = None,
    rules: Rule | Iterable[Rule] = (),
    protocols: Protocol | Iterable[Protocol] = (),
    plugins: bool = False,
    jobs: int = 1,
    since: datetime | str | None = None,
) -> Report:
    """The story of each machine in captures, logs, certificates and other files, and why it stopped.

    `inputs`: as `read` takes them, and logs, certificates, setup.bin and .reg exports by name, as bytes or open files
    that can go back; or observations, of `read(…, connections="all")` or
    of a live capture. `site`: facts no packet shows, or the TOML file
    that holds them. `rules`: your own, asked beside ours. `keys`, `protocols`: as for `read`. `plugins`: also the
    rooms and rules of installed packages (entry points `amtdecode.protocols` and `amtdecode.rules`). `jobs`: so many
    processes decode the captures, as for `read`, with the same report.

    Among the inputs may be archives, as `amtdecode archive` makes them, in place of captures: their folders, or where
    they are in a store (`s3://…`). `since`: of these only captures that go on after that time; a text is in ISO 8601, a
    time without a zone is UTC.

    Raises `CaptureError` for the first input that cannot be read, `UsageError` for what is none, `ArtifactError` for a
    site file that makes no sense, and for a damaged archive.
    """
    from amtdecode.diagnosis import diagnose_files

    _check(keys)
    _check_jobs(jobs)
    registry = _registry(protocols, plugins)
    own: Sequence[Rule] = ()
    if rules or plugins:
        from amtdecode.plugins import own_rules

        own = own_rules(rules, plugins=plugins)
    inputs, told = _archives(inputs, since)
    report = diagnose_files(inputs, site=site, keys=keys, rules=own, registry=registry, jobs=jobs, told=told)
    if told is None:
        _remember(report, inputs, site, keys, registry)
    return report


def _archives(given: Any, since: datetime | str | None) -> tuple[Any, Tracker | None]:
    """The inputs without archives, and what these tell."""
    listed = [given] if isinstance(given, (str, PathLike)) else given if isinstance(given, (list, tuple)) else []
    folders = [each for each in listed if isinstance(each, (str, PathLike)) and _is_folder(fsdecode(each))]
    archives: list[str] = []
    if folders:
        from amtdecode.archive.manifest import is_archive

        archives = [name for name in map(fsdecode, folders) if is_archive(name)]
    if not archives:
        if since is not None:
            raise UsageError("since goes with an archive")
        return given, None
    from amtdecode.archive.telling import moment, tracker_of

    rest = [each for each in listed if not (isinstance(each, (str, PathLike)) and fsdecode(each) in archives)]
    try:
        return rest, tracker_of(archives, None if since is None else moment(str(since)))
    except ValueError:
        raise UsageError(f"since takes a datetime or a text as 2026-11-24T09:00+01:00, not {since!r}") from None


def _is_folder(name: str) -> bool:
    return isdir(name) or is_remote(name)


def ladders(
    inputs: Given | Iterable[Given],
    *,
    device: str = "",
    site: Site | str | PathLike[str] | None = None,
    keys: Keys | None = None,
    protocols: Protocol | Iterable[Protocol] = (),
    plugins: bool = False,
) -> list[Ladder]:
    """Who said what to whom, for the machine called so, or for all of them, the worst first.

    `inputs`, `site`, `keys`, `protocols`, `plugins`: as for `diagnose`, with the same errors, but nothing that can be
    read only once: captures are read twice. `device`: UUID, name, address or MAC; `UsageError` where there is none.
    """
    from amtdecode.capture.inputs import inputs_of
    from amtdecode.diagnosis import diagnose as judge
    from amtdecode.diagnosis.inputs import gather, sort_inputs, with_keys_inside
    from amtdecode.diagnosis.site import facts_of
    from amtdecode.dialogue import tell
    from amtdecode.dialogue.recording import device_of
    from amtdecode.render.ladders import mark

    _check(keys)
    registry = _registry(protocols, plugins)
    given = inputs_of(inputs)
    kinds = sort_inputs(given)
    if kinds.failed:
        raise CaptureError(kinds.failed[0][1])
    if kinds.observations or not all(map(can_be_read_again, kinds.captures)):
        raise UsageError("ladders read their captures twice: give them files or bytes")
    held = with_keys_inside(kinds, keys)
    story = gather(kinds, held, registry=registry)
    report = judge(story, facts_of(site))
    by_id = {each.id: each for each in story.devices}
    chosen = [device_of(story, device)] if device else [by_id[each.id] for each in report.devices]
    engine = Engine(held, connections="all", registry=registry)
    return mark(tell(story, engine.observe(open_records(kinds.captures)), chosen), report)


def _remember(report: Report, given: Any, site: Any, keys: Keys | None, registry: tuple[Protocol, ...]) -> None:
    """Let the report tell its dialogues, where all it was made from can be read again."""
    from amtdecode.capture.inputs import Observations as Given
    from amtdecode.capture.inputs import inputs_of
    from amtdecode.diagnosis.report import RETELLING

    if isinstance(given, (str, bytes)) or hasattr(given, "__fspath__") or isinstance(given, (list, tuple)):
        inputs = inputs_of(given)
        if not any(isinstance(each, Given) or not can_be_read_again(each) for each in inputs):
            report.__dict__[RETELLING] = partial(_retell, inputs=inputs, site=site, keys=keys, registry=registry)


def _retell(report: Report, *, inputs: Any, site: Any, keys: Keys | None, registry: tuple[Protocol, ...]) -> Any:
    from amtdecode.diagnosis.inputs import gather, sort_inputs, with_keys_inside
    from amtdecode.diagnosis.site import facts_of
    from amtdecode.render.html import retell

    facts = facts_of(site)
    kinds = sort_inputs(inputs)
    held = with_keys_inside(kinds, keys)
    story = gather(kinds, held, registry=registry)
    engine = Engine(held, connections="all", registry=registry, pdus=True)
    return retell(report, story, engine.observe(open_records(kinds.captures)), site=facts)


def diff(
    good: Given | Iterable[Given],
    bad: Given | Iterable[Given] | None = None,
    *,
    good_machine: str = "",
    bad_machine: str = "",
    good_attempt: int | None = None,
    bad_attempt: int | None = None,
    keys: Keys | None = None,
    protocols: Protocol | Iterable[Protocol] = (),
    plugins: bool = False,
) -> Comparison:
    """The dialogue of a machine that works beside that of one that does not, step by step.

    `good`, `bad`: captures as `read` takes them, but no iterables of packets: each is read twice. Without `bad`, both
    machines are looked for in `good`. `good_machine`, `bad_machine`: UUID, address, name or MAC; without, the machine
    that was set up, and one that was not. `good_attempt`, `bad_attempt`: which attempt of it, from 1. The rest is as
    for `read`, with the same errors; besides, `UsageError` where there is no such machine or attempt, or both are the
    same dialogue.
    """
    from amtdecode.dialogue import Choice, compare, record

    registry = _registry(protocols, plugins)
    _check(keys)

    captures = captures_of(good)
    others = captures if bad is None else captures_of(bad)
    if not all(can_be_read_again(each) for each in (*captures, *others)):
        raise UsageError("diff reads its captures twice: files and bytes can be, pipes, devices and iterables cannot")

    def dialogue(inputs: Sequence[Capture], choice: Choice, is_good: bool) -> Dialogue:
        engine = partial(Engine, with_secrets_inside(inputs, keys), connections="all", registry=registry)
        return record(lambda: engine().observe(open_records(inputs)), choice, good=is_good)

    one = dialogue(captures, Choice(good_machine, good_attempt), True)
    two = dialogue(others, Choice(bad_machine, bad_attempt), False)
    if captures == others and (one.machine, one.attempt) == (two.machine, two.attempt):
        raise UsageError(f"both are the same dialogue, of {one.machine}: name another machine, attempt or capture")
    return compare(one, two)
