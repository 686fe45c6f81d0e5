"""One run: look what there is, read what is new or changed, keep what was read.

Nothing in the archive is there twice, and nothing is lost: a stretch counts once the manifest names it, and what it
replaces goes in the same step. A capture that is gone (a ring buffer has taken its place back) stays in the archive:
its stretch is *kept*, and what comes later begins another.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from amtdecode.archive.manifest import NAME, WORK, Done, clean, load, save
from amtdecode.archive.planning import Stretch, plan
from amtdecode.archive.pools import Pool, pool
from amtdecode.archive.reading import JOURNALS, Result, Task, read_stretch, tables
from amtdecode.archive.scanning import Found, Scan, find, scan
from amtdecode.archive.telling import write_story
from amtdecode.errors import ArtifactError, OutputError, UsageError, WorkerError, reason
from amtdecode.tables.schemas import VERSION as TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.archive.manifest import Manifest
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.secrets import Keys

SAVED_EVERY: Final = 5.0  # seconds between two writings of the manifest


class Archive:
    """A folder that holds an archive, and what this run did in it. Made and then `update`d."""

    def __init__(self, folder: str, *, keys: Keys | None = None, site: Site | None = None, version: str) -> None:
        """Raises `UsageError` for a folder that holds something else, `ArtifactError`, `OutputError`."""
        self.folder = folder
        self._keys, self._site, self._version = keys, site, version
        try:
            os.makedirs(folder, exist_ok=True)
            there = os.listdir(folder)
        except OSError as error:
            raise OutputError(f"{folder}: {reason(error)}") from error
        if there and NAME not in there and WORK not in there:
            raise UsageError(f"{folder}: holds other things, and no archive; choose an empty folder")
        os.makedirs(os.path.join(folder, WORK), exist_ok=True)
        self.manifest: Manifest = load(folder)
        self.read: list[Result] = []
        """What was read in this run."""
        self.failed: list[tuple[str, str]] = []
        """Captures that could not be read, and why."""
        self.unchanged = 0
        """Stretches that were read by an earlier run."""
        self.report: Report | None = None
        """Of all machines, where anything changed."""

    @property
    def basis(self) -> str:
        """What decides, beside the captures, what is made of them."""
        from amtdecode.provisioning.journal.facts import VERSION as JOURNAL

        keyed = "keys" if self._keys is not None else ""
        return f"amtdecode {self._version}, tables {TABLES}, journals {JOURNAL} {keyed}".strip()

    def update(
        self,
        folders: Sequence[str],
        *,
        jobs: int = 1,
        scheduler: str = "",
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Bring the archive up to date with the captures in these folders. `say` is told of each stretch."""
        clean(self.folder, self.manifest, (*tables(), JOURNALS))
        self.read, self.failed, self.unchanged, self.report = [], [], 0, None
        with pool(jobs, scheduler) as workers:
            changed = self._look(list(find(folders, self.folder)), workers)
            wanted = {each.id: each for each in plan(self._to_plan(), self.basis)}
            new = [each for each in wanted.values() if each.id not in self.manifest.stretches]
            self.unchanged = len(wanted) - len(new)
            self._read(new, workers, say)
        if self.read or changed or not os.path.exists(os.path.join(self.folder, "errors.parquet")):
            self._save()
            clean(self.folder, self.manifest, (*tables(), JOURNALS))
            os.makedirs(os.path.join(self.folder, WORK), exist_ok=True)
            self.report = write_story(self.folder, self.manifest, self._version, self._site)
        self.failed = [(each.path, each.error) for each in self.manifest.files.values() if each.error]

    def _look(self, found: list[Found], workers: Pool) -> bool:
        """Look through the files that are new or changed. Whether any are."""
        known = self.manifest.files
        self._present = {each.path for each in found}
        new = []
        for each in found:
            before = known.get(each.path)
            if before is None or before.error or (before.size, before.changed) != (each.size, each.changed):
                new.append((each, (before.size, before.digest) if before is not None and before.digest else None))
        changed = False
        for made in workers.results(_scan, new):
            before = known.get(made.path)
            if before is not None and before.digest != made.digest and not made.grown and not made.error:
                self._forget(before)  # another capture has its name now
            changed = changed or before is None or before != made
            known[made.path] = made
        for stretch in [done.stretch for done in self.manifest.stretches.values()]:
            for path in stretch.files:
                if self._is_kept(stretch) and path in self._present and known[path].grown and not known[path].error:
                    said = f"{path}: has grown after captures read with it were gone; what came to it is not read"
                    known[path] = msgspec.structs.replace(known[path], error=said)
        for path in [path for path in known if path not in self._present and known[path].error]:
            del known[path]
            changed = True
        return changed

    def _forget(self, before: Scan) -> None:
        """The capture that had this name is gone; what was read of it stays, under a name that no file has."""
        for number, done in self.manifest.stretches.items():
            if before.path in done.stretch.files:
                files = tuple(
                    f"{path}\0{before.digest}" if path == before.path else path for path in done.stretch.files
                )
                kept = msgspec.structs.replace(done.stretch, files=files)
                self.manifest.stretches[number] = msgspec.structs.replace(done, stretch=kept)
                gone = msgspec.structs.replace(before, path=f"{before.path}\0{before.digest}")
                self.manifest.files[gone.path] = gone

    def _is_kept(self, stretch: Stretch) -> bool:
        """Whether a stretch cannot be read again now, since a capture of it is gone or in a state of change."""
        files = self.manifest.files
        return any(path not in self._present or files[path].error for path in stretch.files)

    def _to_plan(self) -> list[Scan]:
        """The captures that are there, but those of stretches that are kept."""
        held = {
            path
            for done in self.manifest.stretches.values()
            if self._is_kept(done.stretch)
            for path in done.stretch.files
        }
        return [each for each in self.manifest.files.values() if each.path in self._present and each.path not in held]

    def _read(self, new: list[Stretch], workers: Pool, say: Callable[[str], None]) -> None:
        files = self.manifest.files
        tasks = [
            Task(
                os.path.abspath(self.folder),
                each,
                tuple((files[path].size, files[path].changed) for path in each.files),
                self._keys,
                self._version,
            )
            for each in new
        ]
        self._swap = Swap(new, [done.stretch for done in self.manifest.stretches.values()])
        saved = time.monotonic()
        try:
            for result in workers.results(read_stretch, tasks):
                if result.error:
                    self._fail(result)
                else:
                    self._take(result)
                say(_words(result))
                if time.monotonic() - saved > SAVED_EVERY:
                    self._save()
                    saved = time.monotonic()
        except (OutputError, WorkerError):  # what was read until then counts
            with suppress(OutputError):
                self._save()
            raise

    def _take(self, result: Result) -> None:
        """A stretch is read. It counts as soon as all are read that take the place of the same earlier ones."""
        new, old = self._swap.ready(result)
        for each in new:
            made = os.path.join(self.folder, WORK, each.stretch.id)
            try:
                for part in each.parts:
                    target = os.path.join(self.folder, part)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    os.replace(os.path.join(made, part), target)
                shutil.rmtree(made, ignore_errors=True)
            except OSError as error:
                raise OutputError(f"{self.folder}: {reason(error)}") from error
            stretch = each.stretch
            self.manifest.stretches[stretch.id] = Done(stretch, self.basis, tuple(sorted(each.parts)), each.rows)
            self.read.append(each)
        for number in old:
            del self.manifest.stretches[number]

    def _fail(self, result: Result) -> None:
        """A stretch could not be read: the captures it names say so, and are looked through again by the next run."""
        shutil.rmtree(os.path.join(self.folder, WORK, result.stretch.id), ignore_errors=True)
        for path in result.stretch.files:
            if result.error.startswith(f"{path}: ") or len(result.stretch.files) == 1:
                self.manifest.files[path] = msgspec.structs.replace(self.manifest.files[path], error=result.error)
                return
        path = result.stretch.files[0]
        self.manifest.files[path] = msgspec.structs.replace(self.manifest.files[path], error=result.error)

    def _save(self) -> None:
        """Write the manifest; then what it no longer names may go."""
        save(self.folder, self.manifest)


class Swap:
    """Which new stretches take the place of which earlier ones: all of them at once, or none."""

    def __init__(self, new: Sequence[Stretch], old: Sequence[Stretch]) -> None:
        self._new = {each.id: each.files for each in new}
        self._old = {each.id: each.files for each in old}
        self._new_of = {path: each.id for each in new for path in each.files}
        self._old_of = {path: each.id for each in old for path in each.files}
        self._read: dict[str, Result] = {}

    def ready(self, result: Result) -> tuple[list[Result], set[str]]:
        """What counts now that this was read, and the ids of what no longer does."""
        self._read[result.stretch.id] = result
        new, old = {result.stretch.id}, set[str]()
        while True:
            before = len(new), len(old)
            old |= {self._old_of[path] for number in new for path in self._new[number] if path in self._old_of}
            new |= {self._new_of[path] for number in old for path in self._old[number] if path in self._new_of}
            if before == (len(new), len(old)):
                break
        if not new <= self._read.keys():
            return [], set()
        return [self._read.pop(number) for number in sorted(new)], old


def _scan(task: tuple[Found, Any]) -> Scan:
    return scan(*task)


def _words(result: Result) -> str:
    stretch = result.stretch
    if result.error:
        return result.error
    last = f" to {os.path.basename(stretch.files[-1])}" if len(stretch.files) > 1 else ""
    rows = sum(result.rows.values())
    return f"{stretch.sensor}: {os.path.basename(stretch.files[0])}{last}: {rows} rows in {result.seconds:.1f} s"


def archived(folder: str) -> bool:
    """Whether a folder is an archive that can be read. Raises `ArtifactError` for one of another version."""
    from amtdecode.archive.manifest import is_archive

    if not is_archive(folder):
        return False
    if not load(folder).stretches:
        raise ArtifactError(f"{folder}: is an archive without captures")
    return True
