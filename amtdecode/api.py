"""The library's front door."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

from amtdecode.capture import limited, open_records
from amtdecode.capture.secrets_inside import secrets_inside
from amtdecode.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.model import Observation
    from amtdecode.secrets import Keys

    Path = str | PathLike[str]


def with_secrets_inside(names: Sequence[str], keys: Keys | None) -> Keys | None:
    """Keys together with those that the captures themselves keep: a copy, so that the caller's stay as they are."""
    keys = keys.copy() if keys is not None else None
    for name in names:
        for keylog in secrets_inside(name):
            if keys is None:
                from amtdecode.secrets import Keys as NoKeys

                keys = NoKeys()
            keys.add_keylog(keylog)
    return keys


def read(
    captures: Path | Sequence[Path], *, keys: Keys | None = None, count: int | None = None, pdus: bool = False
) -> Iterator[Observation]:
    """Observations of one capture, or of several read as one timeline.

    `captures`: file names, pcap or pcapng, plain or compressed; "-" is standard input. `keys`: what opens TLS.
    `count`: read no more than this many packets. `pdus`: keep the bytes of each message, for `Observation.tree()`.

    The inputs are opened at once: `CaptureError` (missing, forbidden, not a capture) and `MissingExtraError` come from
    this call. Damage inside a capture is an observation like any other.
    """
    names = [fspath(captures)] if isinstance(captures, (str, PathLike)) else [fspath(name) for name in captures]
    packets = open_records(names)
    keys = with_secrets_inside(names, keys)
    return Engine(keys, pdus=pdus).observe(limited(packets, count))


def diagnose(inputs: Path | Sequence[Path], *, site: Site | Path | None = None, keys: Keys | None = None) -> Report:
    """The story of each machine in captures, logs, certificates and other files, and why it stopped.

    `site`: facts no packet shows, or the TOML file that holds them. Raises `CaptureError` for the first input that
    cannot be read, `ArtifactError` for a site file that makes no sense.
    """
    from amtdecode.diagnosis import diagnose_files

    names = [inputs] if isinstance(inputs, (str, PathLike)) else list(inputs)
    return diagnose_files(names, site=site, keys=keys)
