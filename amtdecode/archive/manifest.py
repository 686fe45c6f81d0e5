"""What an archive holds: the captures it knows, the stretches that were read, and the files made of each.

It is written last, in one step. What lies in the folder and is not in it is of a run that was broken off, and is
removed by the next one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from amtdecode.archive.planning import Stretch  # noqa: TC001 - msgspec reads annotations
from amtdecode.archive.scanning import Scan  # noqa: TC001
from amtdecode.errors import ArtifactError, OutputError, reason
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = 1
NAME: Final = "manifest.json"
WORK: Final = ".work"
"""Folder of what is being made."""


class Done(msgspec.Struct, frozen=True):
    """A stretch that was read."""

    stretch: Stretch
    basis: str
    parts: tuple[str, ...]
    """Files made of it, below the archive's folder."""
    rows: dict[str, int]
    """By table."""


class Manifest(msgspec.Struct):
    """All of it."""

    amtdecode_archive: int = VERSION
    files: dict[str, Scan] = msgspec.field(default_factory=dict)
    """By path, as they were when they were read last, or were found unreadable."""
    stretches: dict[str, Done] = msgspec.field(default_factory=dict)
    """By id."""

    def parts(self) -> set[str]:
        """All files of the archive."""
        return {part for done in self.stretches.values() for part in done.parts}


def is_archive(folder: str) -> bool:
    """Whether a folder is an archive."""
    return os.path.isfile(os.path.join(folder, NAME))


def load(folder: str) -> Manifest:
    """The manifest of an archive; an empty one where there is none yet. Raises `ArtifactError`."""
    path = os.path.join(folder, NAME)
    try:
        with open(path, "rb") as file:
            manifest = msgspec.json.decode(file.read(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ArtifactError(f"{path}: {reason(error)}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: is no manifest of an archive") from error
    if manifest.amtdecode_archive != VERSION:
        raise ArtifactError(f"{path}: is of another version of amtdecode; choose another folder")
    if any(os.path.isabs(part) or ".." in part.split("/") for part in manifest.parts()):
        raise ArtifactError(f"{path}: names files outside of the archive")
    return manifest


def save(folder: str, manifest: Manifest) -> None:
    """Write the manifest in one step. Raises `OutputError`."""
    manifest.files = dict(sorted(manifest.files.items()))
    manifest.stretches = dict(sorted(manifest.stretches.items()))
    with Outputs().file(os.path.join(folder, NAME)) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def clean(folder: str, manifest: Manifest, tables: tuple[str, ...]) -> None:
    """Remove what a run that was broken off has left in the folders of tables and journals. Raises `OutputError`."""
    kept = manifest.parts()
    try:
        for path in _files(os.path.join(folder, WORK)):
            os.unlink(path)
        for name in tables:
            for path in _files(os.path.join(folder, name)):
                if os.path.relpath(path, folder).replace(os.sep, "/") not in kept:
                    os.unlink(path)
    except OSError as error:
        raise OutputError(f"{folder}: {reason(error)}") from error


def _files(folder: str) -> Iterator[str]:
    for below, _, names in os.walk(folder, topdown=False):
        for name in names:
            yield os.path.join(below, name)
        with suppress(OSError):  # those that are empty now go
            os.rmdir(below)
