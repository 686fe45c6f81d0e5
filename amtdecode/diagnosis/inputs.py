"""Sorts what an administrator drops in (captures, logs, certificates, setup.bin, .reg) and reads all of it.

Content decides, not the name. What names a machine, a certificate or ProvisionServer is AMT evidence even without a
packet of it.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from amtdecode.capture import limited, name_of, open_capture, open_records
from amtdecode.capture.inputs import Capture, Observations, can_be_read_again, inputs_of
from amtdecode.capture.iterables import Packets
from amtdecode.capture.source import OpenFile
from amtdecode.diagnosis.report import Traffic
from amtdecode.errors import AmtdecodeError, ArtifactError, CaptureError, UsageError, reason
from amtdecode.masking import masked
from amtdecode.model import Observation
from amtdecode.protocols.registry import REGISTRY
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.fold.log import MAX_ENTRY_TEXT
from amtdecode.provisioning.state import CertificateFile, LogFile, RegistryFile, SetupBinFile, Story, ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.jobs.several import Jobs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

File: TypeAlias = str | OpenFile

HEAD = 4096  # bytes that decide what a file is
MAX_FILE = 16 << 20  # bytes read of a file of certificates
CAPTURE_MAGIC = (
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\xa1\xb2\xcd\x34",
    b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a",
)  # fmt: skip
COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"BZh", b"\xfd7zXZ\0")


class Inputs(NamedTuple):
    """The inputs by kind."""

    captures: list[Capture]
    logs: list[File]
    certificates: list[File]
    registries: list[File]
    setup_bins: list[File]
    observations: list[Observations]
    failed: list[tuple[str, str]]  # name and reason


def sort_inputs(given: Sequence[Capture | Observations]) -> Inputs:
    """Tell what each input is. What cannot be read at all is listed with the reason."""
    found = Inputs([], [], [], [], [], [], [])
    for each in given:
        if isinstance(each, Observations):
            found.observations.append(each)
            continue
        try:
            getattr(found, _kind(each)).append(each)
        except AmtdecodeError as error:
            found.failed.append((name_of(each), str(error)))
    return found


def _kind(given: Capture) -> str:
    if isinstance(given, str):
        return _kind_of_file(given)
    if isinstance(given, Packets) or given.start is None:  # what can be read only once is not looked into
        return "captures"
    try:
        head = given.reading().read(HEAD)
    except OSError as error:
        raise CaptureError(f"{given.name}: {reason(error)}") from error
    return _kind_by_head(given, head)


def _kind_of_file(name: str) -> str:
    if name == "-":
        return "captures"
    if os.path.isdir(name):
        raise CaptureError(f"{name}: is a directory")
    try:
        with open(name, "rb") as file:
            head = file.read(HEAD) if os.path.isfile(name) else b""
    except (OSError, ValueError) as error:
        raise CaptureError(f"{name}: {reason(error)}") from error
    return _kind_by_head(name, head) if os.path.isfile(name) else "captures"


def _kind_by_head(given: File, head: bytes) -> str:
    if head.startswith(CAPTURE_MAGIC):
        return "captures"
    if head.startswith(COMPRESSED):
        return "captures" if _opens(given) else "logs"
    return _artifact(head) or _unknown(given)


def _artifact(head: bytes) -> str:
    from amtdecode.artifacts.certificates import is_bundle
    from amtdecode.artifacts.logs import looks_like_a_log
    from amtdecode.artifacts.reg import looks_like_reg
    from amtdecode.secrets.setupbin import is_setupbin

    if is_setupbin(head):
        return "setup_bins"
    if looks_like_reg(head):
        return "registries"
    if is_bundle(head):
        return "certificates"
    return "logs" if looks_like_a_log(head) else ""


def _opens(given: File) -> bool:
    try:
        open_capture(given).close()
    except CaptureError:
        return False
    return True


def _unknown(given: File) -> str:
    """Let the reader of captures say what it is: it knows the formats that are not ours, and their converters."""
    open_capture(given).close()
    return "captures"


def observe(captures: Sequence[Capture], keys: Keys | None) -> Iterator[Observation]:
    """Observations of captures read as one timeline, outcomes of all connections among them."""
    from amtdecode.engine import Engine

    return Engine(keys, connections="all").observe(open_records(captures))


def gather(
    inputs: Inputs,
    keys: Keys | None = None,
    packets: Iterable[RawPacket | Records] | None = None,
    count: int | None = None,
    registry: tuple[Protocol, ...] = REGISTRY,
    on_interrupt: Callable[[], None] | None = None,
    jobs: Jobs | None = None,
    told: Tracker | None = None,
) -> Story:
    """Read everything. `packets`: those of the captures, when the caller opened them.

    `on_interrupt`: called when Ctrl-C ends the reading of logs, or of processes; without it, that is an exception.
    `jobs`: processes that decode the captures where all of these can be read by several at a time. `told`: a tracker
    that was told of an archive.
    """
    tracker = told
    if tracker is None and jobs is not None:
        tracker = _by_several(inputs.captures, keys, count, jobs, on_interrupt)
    if tracker is None:
        tracker = _begun(inputs.captures)
        if inputs.captures:
            from amtdecode.engine import Engine

            if packets is None:
                packets = limited(open_records(inputs.captures), count)
            for observation in Engine(keys, connections="all", registry=registry).observe(packets):
                tracker.feed(observation)
    feed = tracker.feed
    for each in inputs.observations:
        for observation in each.items:
            if not isinstance(observation, Observation):
                raise UsageError(f"among observations, there is a {type(observation).__name__}")
            feed(observation)
    for file in inputs.certificates:
        tracker.story.certificate_files.append(_certificates(tracker, file))
    for file in inputs.registries:
        tracker.story.registry_files.append(_registry(tracker, file))
    for file in inputs.setup_bins:
        tracker.input(name_of(file))
        tracker.story.setup_bins.append(_setup_bin(file))
    _read_logs(tracker, inputs, on_interrupt)
    return tracker.finish()


def _begun(captures: Iterable[Capture]) -> Tracker:
    tracker = Tracker()
    for capture in captures:
        tracker.input(name_of(capture))
    return tracker


def _by_several(
    captures: Sequence[Capture],
    keys: Keys | None,
    count: int | None,
    jobs: Jobs,
    on_interrupt: Callable[[], None] | None,
) -> Tracker | None:
    """What several processes find in captures; `None` where one must read them."""
    from amtdecode.jobs.reading import can_share

    if jobs.number < 2 or not captures or not all(map(can_share, captures)):
        return None
    from amtdecode.jobs.telling import CrossedError
    from amtdecode.provisioning.sharing import TrackShare, track_shared

    tracker = _begun(captures)
    work = TrackShare(tuple(captures), count, keys, jobs.rooms, jobs.without_copies)
    try:
        copies = track_shared(work, jobs.number, tracker, jobs.method)
    except CrossedError as error:
        jobs.crossed(error.why)
        return None
    except KeyboardInterrupt:
        if on_interrupt is None:
            raise
        on_interrupt()
        return tracker
    if copies is not None:
        jobs.told(copies)
    return tracker


def _read_logs(tracker: Tracker, inputs: Inputs, on_interrupt: Callable[[], None] | None) -> None:
    if not inputs.logs:
        return
    from amtdecode.artifacts.logs import LogReader, in_order

    names = in_order([file for file in inputs.logs if isinstance(file, str)])
    logs: list[File] = [*names, *(file for file in inputs.logs if not isinstance(file, str))]
    for file in logs:
        name = name_of(file)
        index = tracker.input(name, lines=True)
        try:
            source = file if isinstance(file, str) else io.BufferedReader(file.reading())
            reader = LogReader(source, name, interruptible=on_interrupt is not None)
            entries = 0
            for row in reader:
                entries += 1
                tracker.feed_log(row)
        except KeyboardInterrupt:  # while a row was taken in
            if on_interrupt is None:
                raise
            reader.interrupted = True
        except OSError as error:
            inputs.failed.append((name, f"{name}: {reason(error)}"))
            continue
        except AmtdecodeError as error:
            inputs.failed.append((name, str(error)))
            continue
        if reader.fault:
            inputs.failed.append((name, f"{name}: {reader.fault}"))
        levels = tuple(sorted(reader.levels))
        tracker.story.logs.append(
            LogFile(
                name,
                ref(index, 1),
                levels,
                entries,
                reader.lines,
                reader.product,
                reader.writer.verbose if reader.writer else "",
                reader.errors,
                tuple((ref(index, line), masked(text)[:MAX_ENTRY_TEXT]) for line, text in reader.first_errors),
            )
        )
        if reader.interrupted and on_interrupt is not None:
            on_interrupt()
            return


def _whole(file: File) -> bytes:
    """The first MAX_FILE bytes of a file, all of what is read here. Raises `ArtifactError`."""
    try:
        if isinstance(file, str):
            with open(file, "rb") as stream:
                return stream.read(MAX_FILE)
        reading, pieces = file.reading(), []
        while reading.position < MAX_FILE and (piece := reading.read(MAX_FILE - reading.position)):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError as error:
        raise ArtifactError(f"{name_of(file)}: {reason(error)}") from error


def _certificates(tracker: Tracker, file: File) -> CertificateFile:
    from amtdecode.artifacts.certificates import read_bundle

    name = name_of(file)
    index = tracker.input(name, lines=True)
    bundle = read_bundle(_whole(file), name)
    line = next((item.line for item in bundle.items if item.line), 1)
    tracker.story.seen.add("certificate")
    return CertificateFile(name, ref(index, line), bundle)


def _registry(tracker: Tracker, file: File) -> RegistryFile:
    from amtdecode.artifacts.reg import read_reg

    name = name_of(file)
    index = tracker.input(name, lines=True)
    found = read_reg(file if isinstance(file, str) else io.BytesIO(_whole(file)))
    return RegistryFile(name, ref(index, 1), found.log_level or "", found.thumbprints)


def _setup_bin(file: File) -> SetupBinFile:
    from amtdecode.artifacts.setupbin import read_setupbin

    found = read_setupbin(_whole(file))
    pids = [record.get(2, 1) for record in found.records]
    return SetupBinFile(
        name_of(file),
        found.version,
        found.first_release,
        len(found.records),
        sum(record.valid for record in found.records),
        tuple(pid.rstrip(b"\0").decode("latin-1") for pid in pids if pid),
    )


def with_keys(setup_bins: Iterable[File]) -> list[File]:
    """Those that hold PID and PPS; others say nothing about keys. Raises `ArtifactError`."""
    from amtdecode.secrets.setupbin import psk_pairs

    return [file for file in setup_bins if psk_pairs(_whole(file))]


def diagnose_files(
    given: Any,
    *,
    site: Site | str | os.PathLike[str] | None = None,
    keys: Keys | None = None,
    rules: Iterable[Rule] = (),
    registry: tuple[Protocol, ...] = REGISTRY,
    jobs: int = 1,
    told: Tracker | None = None,
) -> Report:
    """Diagnose captures, logs, certificates and what else an administrator has, as the command does.

    `given`, `jobs`: as `amtdecode.diagnose` takes them. `told`: a tracker that was told of archives, in place of
    captures. `site`: facts no packet shows, or the TOML file that holds them. `rules`: further ones, asked beside those
    of amtdecode. Raises `CaptureError` for the first input that cannot
    be read, `ArtifactError` for a site file that makes no sense, `UsageError` for a rule that makes none.
    """
    from amtdecode.diagnosis.run import diagnose
    from amtdecode.diagnosis.site import facts_of

    inputs = sort_inputs(inputs_of(given))
    if inputs.failed:
        raise CaptureError(inputs.failed[0][1])
    if told is not None and inputs.captures:
        raise UsageError("captures beside an archive: read them into it with amtdecode archive")
    facts = facts_of(site)
    from amtdecode.jobs.several import Jobs

    several = Jobs(jobs, rooms=None if registry is REGISTRY else lambda: registry) if jobs > 1 else None
    story = gather(inputs, with_keys_inside(inputs, keys), registry=registry, jobs=several, told=told)
    other = other_traffic(inputs.captures, story)
    report = diagnose(story, facts, rules=rules, last=True)
    report.other_traffic = other
    return report


def with_keys_inside(inputs: Inputs, keys: Keys | None) -> Keys | None:
    """Keys together with those of a setup.bin and of secrets blocks among the inputs."""
    from amtdecode.capture.secrets_inside import secrets_inside
    from amtdecode.secrets import Keys as SomeKeys

    if keys is not None:
        keys = keys.copy()  # the caller's stay as they are
    for file in with_keys(inputs.setup_bins):
        keys = keys if keys is not None else SomeKeys()
        keys.add_psk_file(file if isinstance(file, str) else _whole(file))
    for capture in inputs.captures:
        for keylog in secrets_inside(capture):
            keys = keys if keys is not None else SomeKeys()
            keys.add_ahead(keylog, name_of(capture))
    return keys


def other_traffic(captures: Sequence[Capture], story: Story) -> list[Traffic]:
    """What the packets are where nothing about AMT was found, as far as the captures can be read again."""
    if has_amt_evidence(story):
        return []
    from amtdecode.statistics.kinds import kinds_of

    again = [capture for capture in captures if can_be_read_again(capture)]
    try:
        return [Traffic(what, packets) for what, packets in kinds_of(again)] if again else []
    except AmtdecodeError:
        return []


def has_amt_evidence(story: Story) -> bool:
    """Whether anything in the inputs has to do with AMT."""
    if any(log.product and log.errors for log in story.logs):
        return True
    return bool(
        story.devices or story.log_entries or story.certificate_files or story.registry_files or story.setup_bins
    )
