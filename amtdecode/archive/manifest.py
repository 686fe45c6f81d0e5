"""What an archive holds: the files it saw, the captures it read, the stretches, and the files made of each.

It is written last, in one step. What lies in the folder and is not in it is of a run that was broken off, and is
removed by the next one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from amtdecode.archive.planning import Stretch  # noqa: TC001 - msgspec reads annotations
from amtdecode.archive.scanning import Scan  # noqa: TC001
from amtdecode.errors import ArtifactError, OutputError, WorkerError, reason
from amtdecode.outputs import Outputs, is_part
from amtdecode.stores import About, join, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION: Final = 2
NAME: Final = "manifest.json"
WORK: Final = ".work"
"""Folder of what is being made."""


class Done(msgspec.Struct, frozen=True):
    """A stretch that was read."""

    stretch: Stretch
    parts: tuple[str, ...]
    """Files made of it, below the archive's folder."""
    rows: dict[str, int]
    """By table."""
    answers: str = ""
    """Digest of what the keys answered it: other keys that answer something else open it anew."""


class Capture(msgspec.Struct, frozen=True):
    """A capture of a stretch."""

    scan: Scan
    """As it was read: `path` is its name in the tables."""
    path: str
    """Where it stands now; of one that is gone, where it stood last."""
    earlier: tuple[str, ...] = ()
    """Ids of the captures that it was before it grew, the latest first."""


class Manifest(msgspec.Struct):
    """All of it."""

    amtdecode_archive: int = VERSION
    files: dict[str, Scan] = msgspec.field(default_factory=dict)
    """By path, as they were when they were looked through last, or were found unreadable."""
    captures: dict[str, Capture] = msgspec.field(default_factory=dict)
    """By id: those that are there, and those of the stretches."""
    stretches: dict[str, Done] = msgspec.field(default_factory=dict)
    """By id."""
    story: str = ""
    """Digest of what the story was told of."""
    listed: str = ""
    """Digest of the files and captures that are listed in a table."""

    def parts(self) -> set[str]:
        """All files of the archive."""
        return {part for done in self.stretches.values() for part in done.parts}

    def folders(self) -> set[str]:
        """The folders of tables that they lie in."""
        return {part.partition("/")[0] for part in self.parts()}

    def there(self) -> dict[str, Scan]:
        """The captures that are there, by id. Of several files that hold the same, the one that was read counts."""
        found: dict[str, Scan] = {}
        for path, each in sorted(self.files.items()):
            if each.error:
                continue
            known = self.captures.get(each.id)
            if each.id not in found or (known is not None and known.path == path):
                found[each.id] = each
        return found


def is_archive(folder: str) -> bool:
    """Whether a folder is an archive."""
    try:
        return store_of(folder).is_file(join(folder, NAME))
    except OSError:
        return False


def load(folder: str) -> Manifest:
    """The manifest of an archive; an empty one where there is none yet. Raises `ArtifactError`."""
    path = join(folder, NAME)
    try:
        manifest = msgspec.json.decode(store_of(folder).read(path), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ArtifactError(f"{path}: {reason(error)}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: is no manifest of an archive, or of another version of amtdecode") from error
    if manifest.amtdecode_archive != VERSION:
        raise ArtifactError(f"{path}: is of another version of amtdecode; choose another folder")
    if any(
        part.startswith("/") or ":" in part.partition("/")[0] or ".." in part.split("/") for part in manifest.parts()
    ):
        raise ArtifactError(f"{path}: names files outside of the archive")
    return manifest


class Keeper:
    """Writes the manifest of an archive, as long as nobody else does."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._store = store_of(folder)
        self._path = join(folder, NAME)
        self._before = self._about()

    def save(self, manifest: Manifest) -> None:
        """Write it in one step. Raises `OutputError`, and `WorkerError` where another run has written it meanwhile."""
        if self._about() != self._before:
            raise WorkerError(f"{self._folder}: another run writes to this archive; one at a time")
        manifest.files = dict(sorted(manifest.files.items()))
        manifest.captures = dict(sorted(manifest.captures.items()))
        manifest.stretches = dict(sorted(manifest.stretches.items()))
        with Outputs().file(self._path) as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        self._before = self._about()

    def _about(self) -> About | None:
        try:
            return self._store.about(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"{self._path}: {reason(error)}") from error


def clean(folder: str, manifest: Manifest, tables: Iterable[str]) -> None:
    """Remove what a run that was broken off has left in the folders of tables and journals. Raises `OutputError`."""
    store = store_of(folder)
    kept = manifest.parts()
    try:
        for name in store.names(folder):
            if is_part(name):
                store.remove(join(folder, name))
        for below in store.below(join(folder, WORK)):
            with suppress(FileNotFoundError):
                store.remove(join(folder, WORK, below))
        for name in tables:
            for below in store.below(join(folder, name)):
                if f"{name}/{below}" not in kept:
                    with suppress(FileNotFoundError):
                        store.remove(join(folder, name, below))
    except OSError as error:
        raise OutputError(f"{folder}: {reason(error)}") from error
