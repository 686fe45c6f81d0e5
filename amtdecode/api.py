"""The library's front door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from amtdecode.capture import limited, open_records
from amtdecode.capture.inputs import captures_of
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from amtdecode.capture.inputs import Capture, Given
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.model import Observation
    from amtdecode.secrets import Keys


Connections: TypeAlias = Literal["failures", "all"]


def with_secrets_inside(captures: Sequence[Capture], keys: Keys | None) -> Keys | None:
    """Keys together with those that the captures themselves keep: a copy, so that the caller's stay as they are."""
    keys = keys.copy() if keys is not None else None
    for given in captures:
        for keylog in secrets_inside(given):
            if keys is None:
                from amtdecode.secrets import Keys as NoKeys

                keys = NoKeys()
            keys.add_keylog(keylog)
    return keys


def read(
    captures: Given | Iterable[Given],
    *,
    keys: Keys | None = None,
    count: int | None = None,
    connections: Connections = "failures",
    pdus: bool = False,
) -> Iterator[Observation]:
    """Observations of one capture, or of several read as one timeline.

    `captures`: file names, pcap or pcapng, plain or compressed, "-" for standard input; bytes; files opened in binary
    mode, read from where they stand and left open; iterables of packets: (time, bytes), (time, bytes, link type) or
    scapy's. Times are seconds since 1970 UTC or datetimes with their zone; the link type is Ethernet unless given.
    `keys`: what opens TLS. `count`: read no more than this many packets. `connections`: the outcomes of TCP connections
    that are stated: "failures" on AMT's ports, or "all", which `diagnose` wants of observations given to it.
    `pdus`: keep the bytes of each message, for `Observation.tree()`.

    The inputs are opened at once: `CaptureError` (missing, forbidden, not a capture), `MissingExtraError` and
    `UsageError` (nothing that can be read) come from this call. Damage inside a capture is an observation like any
    other.
    """
    inputs = captures_of(captures)
    packets = open_records(inputs)
    keys = with_secrets_inside(inputs, keys)
    return Engine(keys, connections=connections, pdus=pdus).observe(limited(packets, count))


def diagnose(
    inputs: Given | Iterable[Given | Iterable[Observation]] | Iterable[Observation],
    *,
    site: Site | str | PathLike[str] | None = None,
    keys: Keys | None = None,
) -> Report:
    """The story of each machine in captures, logs, certificates and other files, and why it stopped.

    `inputs`: as `read` takes them, and logs, certificates, setup.bin and .reg exports by name, as bytes or open files
    that can go back; or observations, of `read(…, connections="all")` or
    of a live capture. `site`: facts no packet shows, or the TOML file
    that holds them. `keys`: as for `read`.

    Raises `CaptureError` for the first input that cannot be read, `UsageError` for what is none, `ArtifactError` for a
    site file that makes no sense.
    """
    from amtdecode.diagnosis import diagnose_files

    return diagnose_files(inputs, site=site, keys=keys)
