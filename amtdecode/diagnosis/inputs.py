"""Sorts what an administrator drops in (captures, logs, certificates, setup.bin, .reg) and reads all of it.

Content decides, not the name. What names a machine, a certificate or ProvisionServer is AMT evidence even without a
packet of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.errors import AmtdecodeError, CaptureError, reason
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.facts import LogFile, Ref, Story, ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.model import Observation
    from amtdecode.secrets import Keys

HEAD = 4096  # bytes that decide what a file is
MAX_FILE = 16 << 20  # bytes read of a file of certificates
CAPTURE_MAGIC = (
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\xa1\xb2\xcd\x34",
    b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a",
)  # fmt: skip
COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"BZh", b"\xfd7zXZ\0")


class CertificateFile(NamedTuple):
    """A file of certificates or keys."""

    name: str
    ref: Ref
    bundle: Any  # amtdecode.artifacts.certificates.Bundle

    def at(self, line: int) -> Ref:
        """The proof of one of its lines."""
        return self.ref + line - 1 if line else self.ref


class RegistryFile(NamedTuple):
    """An exported registry key of the setup service."""

    name: str
    ref: Ref
    log_level: str
    thumbprints: tuple[str, ...]


class Inputs(NamedTuple):
    """The inputs by kind."""

    captures: list[str]
    logs: list[str]
    certificates: list[str]
    registries: list[str]
    setup_bins: list[str]
    failed: list[tuple[str, str]]  # name and reason


def sort_inputs(names: Sequence[str]) -> Inputs:
    """Tell what each input is. What cannot be read at all is listed with the reason."""
    found = Inputs([], [], [], [], [], [])
    for name in names:
        try:
            getattr(found, _kind(name)).append(name)
        except AmtdecodeError as error:
            found.failed.append((name, str(error)))
    return found


def _kind(name: str) -> str:
    if name == "-":
        return "captures"
    if os.path.isdir(name):
        raise CaptureError(f"{name}: is a directory")
    try:
        with open(name, "rb") as file:
            head = file.read(HEAD) if os.path.isfile(name) else b""
    except OSError as error:
        raise CaptureError(f"{name}: {reason(error)}") from error
    if not os.path.isfile(name) or head.startswith(CAPTURE_MAGIC):
        return "captures"
    if head.startswith(COMPRESSED):
        return "captures" if _opens(name) else "logs"
    return _artifact(head) or _unknown(name)


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


def _opens(name: str) -> bool:
    from amtdecode.capture import open_capture

    try:
        open_capture(name).close()
    except CaptureError:
        return False
    return True


def _unknown(name: str) -> str:
    """Let the reader of captures say what it is: it knows the formats that are not ours, and their converters."""
    from amtdecode.capture import open_capture

    open_capture(name).close()
    return "captures"


def observe(captures: Sequence[str], keys: Keys | None) -> Iterator[Observation]:
    """Observations of captures read as one timeline, outcomes of all connections among them."""
    from amtdecode.capture import open_records
    from amtdecode.engine import Engine

    return Engine(keys, connections="all").observe(open_records(captures))


def gather(
    inputs: Inputs,
    keys: Keys | None = None,
    packets: Iterable[RawPacket | Records] | None = None,
    count: int | None = None,
) -> Story:
    """Read everything. `packets`: those of the captures, when the caller opened them."""
    tracker = Tracker()
    for name in inputs.captures:
        tracker.input(name)
    if inputs.captures:
        from amtdecode.engine import Engine

        if packets is None:
            from amtdecode.capture import limited, open_records

            packets = limited(open_records(inputs.captures), count)
        feed = tracker.feed
        for observation in Engine(keys, connections="all").observe(packets):
            feed(observation)
    for name in inputs.certificates:
        tracker.story.files.append(_certificates(tracker, name))
    for name in inputs.registries:
        tracker.story.files.append(_registry(tracker, name))
    for name in inputs.setup_bins:
        tracker.input(name)
    _read_logs(tracker, inputs)
    return tracker.finish()


def _read_logs(tracker: Tracker, inputs: Inputs) -> None:
    if not inputs.logs:
        return
    from amtdecode.artifacts.logs import LogReader, in_order

    for name in in_order(inputs.logs):
        index = tracker.input(name, lines=True)
        try:
            reader = LogReader(name)
            rows = 0
            for row in reader:
                rows += 1
                tracker.feed_log(row)
        except (OSError, AmtdecodeError) as error:
            inputs.failed.append((name, str(error)))
            continue
        levels = tuple(sorted(reader.levels))
        tracker.story.logs.append(LogFile(name, ref(index, 1), levels, rows, reader.lines))


def _certificates(tracker: Tracker, name: str) -> CertificateFile:
    from amtdecode.artifacts.certificates import read_bundle

    index = tracker.input(name, lines=True)
    with open(name, "rb") as file:
        bundle = read_bundle(file.read(MAX_FILE), name)
    line = next((item.line for item in bundle.items if item.line), 1)
    tracker.story.seen.add("certificate")
    return CertificateFile(name, ref(index, line), bundle)


def _registry(tracker: Tracker, name: str) -> RegistryFile:
    from amtdecode.artifacts.reg import read_reg

    index = tracker.input(name, lines=True)
    found = read_reg(name)
    return RegistryFile(name, ref(index, 1), found.log_level or "", found.thumbprints)


def diagnose_files(
    paths: Sequence[str | os.PathLike[str]],
    *,
    site: Site | str | os.PathLike[str] | None = None,
    keys: Keys | None = None,
) -> Report:
    """Diagnose captures, logs, certificates and what else an administrator has, as the command does.

    `site`: facts no packet shows, or the TOML file that holds them. Raises `CaptureError` for the first input that
    cannot be read, `ArtifactError` for a site file that makes no sense.
    """
    from amtdecode.diagnosis.run import diagnose
    from amtdecode.diagnosis.site import Site, load

    inputs = sort_inputs([os.fspath(path) for path in paths])
    if inputs.failed:
        raise CaptureError(inputs.failed[0][1])
    facts = site if isinstance(site, Site) or site is None else load(os.fspath(site))
    return diagnose(gather(inputs, _with_keys_inside(inputs, keys)), facts, last=True)


def _with_keys_inside(inputs: Inputs, keys: Keys | None) -> Keys | None:
    """Keys together with those of a setup.bin and of secrets blocks among the inputs."""
    from amtdecode.capture.secrets_inside import secrets_inside
    from amtdecode.secrets import Keys as SomeKeys

    if keys is not None:
        keys = keys.copy()  # the caller's stay as they are
    elif inputs.setup_bins:
        keys = SomeKeys.load(psk_files=inputs.setup_bins)
    for keylog in (keylog for name in inputs.captures for keylog in secrets_inside(name)):
        keys = keys if keys is not None else SomeKeys()
        keys.add_keylog(keylog)
    return keys


def has_amt_evidence(story: Story) -> bool:
    """Whether anything in the inputs has to do with AMT."""
    return bool(story.devices or story.rows or story.files)
