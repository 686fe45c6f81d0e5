"""One run: look what there is, read what is new or changed, keep what was read.

Nothing in the archive is there twice, and nothing is lost: a stretch counts once the manifest names it, and what it
replaces goes in the same step. A capture that is gone (a ring buffer has taken its place back) stays in the archive:
its stretch is *kept*, and what comes later begins another.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from amtdecode.archive.asking import asked_of
from amtdecode.archive.looking import Plan, forget, look
from amtdecode.archive.manifest import NAME, WORK, Done, Keeper, Manifest, clean, load
from amtdecode.archive.planning import Stretch, keyed, plan
from amtdecode.archive.pools import Pool, pool
from amtdecode.archive.reading import JOURNALS, Result, Task, read_stretch, tables
from amtdecode.archive.scanning import find
from amtdecode.archive.telling import report_of, write_files, write_story
from amtdecode.counting import counted
from amtdecode.errors import OutputError, UsageError, WorkerError, reason
from amtdecode.outputs import Outputs, is_part
from amtdecode.secrets.prints import print_of, print_of_answers
from amtdecode.stores import About, join, store_of
from amtdecode.tables.schemas import VERSION as TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.secrets import Keys

SAVED_EVERY: Final = 5.0  # seconds between two writings of the manifest
LOCK: Final = ".lock"


class Plugins(NamedTuple):
    """Protocols and rules of other packages."""

    rooms: Callable[[], tuple[Protocol, ...]]
    """All protocols; called in each process that reads."""
    rules: Sequence[Rule]
    words: str
    """Names and versions: with others everything is read again."""


class Archive:
    """A folder that holds an archive, and what this run did in it. Made and then `update`d."""

    def __init__(
        self,
        folder: str,
        *,
        keys: Keys | None = None,
        site: Site | None = None,
        version: str,
        plugins: Plugins | None = None,
    ) -> None:
        """Raises `UsageError` for a folder that holds something else, `ArtifactError`, `OutputError`."""
        self.folder = folder
        self._keys, self._site, self._version, self._plugins = keys, site, version, plugins
        self._tables = (*tables(plugins.rooms()), JOURNALS) if plugins is not None else (*tables(), JOURNALS)
        self._print = print_of(keys)
        self._store = store_of(folder)
        try:
            self._store.make(folder)
            there = {name for name in self._store.names(folder) if name != LOCK and not is_part(name)}
        except OSError as error:
            raise OutputError(f"{folder}: {reason(error)}") from error
        if there and not there & {NAME, WORK}:
            raise UsageError(f"{folder}: holds other things, and no archive; choose an empty folder")
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
        """What decides, beside the captures and the keys, what is made of them."""
        from amtdecode.provisioning.journal.facts import VERSION as JOURNAL

        others = f", {self._plugins.words}" if self._plugins is not None else ""
        return f"amtdecode {self._version}, tables {TABLES}, journals {JOURNAL}{others}"

    def update(
        self,
        folders: Sequence[str],
        *,
        jobs: int = 1,
        scheduler: str = "",
        say: Callable[[str], None] = lambda _text: None,
        told: bool = False,
    ) -> None:
        """Bring the archive up to date with the captures in these folders.

        `say` is told of each stretch. `told`: there is a report also where nothing changed.
        """
        with Outputs().alone(join(self.folder, LOCK)):
            self._keeper = Keeper(self.folder)
            self.manifest = load(self.folder)
            self._update(folders, jobs, scheduler, say)
            if told and self.report is None:
                self.report = report_of(self.folder, self.manifest, self._site, self._rules)

    def _update(self, folders: Sequence[str], jobs: int, scheduler: str, say: Callable[[str], None]) -> None:
        manifest, folder = self.manifest, self.folder
        all_tables = {*self._tables, *manifest.folders()}
        clean(folder, manifest, all_tables)
        self.read, self.failed, self.unchanged, self.report = [], [], 0, None
        if not self._store.is_file(join(folder, NAME)):
            self._save()  # from now on it is an archive, whatever happens
        with pool(jobs, scheduler) as workers:
            changed = look(manifest, list(find(folders, folder)), workers)
            self._plan = Plan(manifest)
            new = self._new(plan(self._plan.wanted(), self.basis), say)
            self._read(new, workers, say)
        forget(manifest)
        if self.read or changed:
            self._save()
            clean(folder, manifest, all_tables)
        self._tell()
        self.failed = [(each.path, each.error) for each in manifest.files.values() if each.error]

    def _tell(self) -> None:
        """Write what is told of all, where anything differs from what it was told of."""
        manifest = self.manifest
        listed = _digest(self._version, manifest.files, manifest.captures)
        if manifest.listed != listed:
            write_files(self.folder, manifest, self._version)
        story = _digest(self.basis, self._site, [*manifest.stretches])
        if manifest.story != story:
            self.report = write_story(self.folder, manifest, self._version, self._site, self._rules)
        if (manifest.listed, manifest.story) != (listed, story):
            manifest.listed, manifest.story = listed, story
            self._save()

    def _new(self, planned: Sequence[Stretch], say: Callable[[str], None]) -> list[Stretch]:
        """The stretches that are not there as they are to be."""
        there = {done.stretch.content: done for done in self._plan.others}
        opened = {number for number, done in there.items() if self._opens_anew(done)}
        new = [keyed(each, self._print) for each in planned if each.content not in there or each.content in opened]
        again = sum(each.content in opened for each in new)
        if again:
            say(f"{counted(again, 'stretch', 'stretches')} read again, since other keys are given")
        self.unchanged = len(planned) - len(new)
        return new

    def _opens_anew(self, done: Done) -> bool:
        """Whether the keys of this run say something of a stretch that those did not that it was read with."""
        if self._print in ("", done.stretch.keys):
            return False
        answers = self._answers(done)
        return answers not in ("", done.answers)

    def _answers(self, done: Done) -> str:
        if not self._print:
            return ""
        try:
            return print_of_answers(self._keys, asked_of(self.folder, done))
        except OSError as error:
            raise OutputError(f"{self.folder}: {reason(error)}") from error

    @property
    def _rules(self) -> Sequence[Rule]:
        return self._plugins.rules if self._plugins is not None else ()

    def _read(self, new: list[Stretch], workers: Pool, say: Callable[[str], None]) -> None:
        tasks = [self._task(each) for each in new]
        self._swap = Swap(new, [done.stretch for done in self._plan.others], self.manifest)
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
            with suppress(OutputError, WorkerError):
                self._save()
            raise

    def _task(self, stretch: Stretch) -> Task:
        captures, files = self.manifest.captures, self.manifest.files
        paths = tuple(captures[number].path for number in stretch.captures)
        looked = tuple(About(files[path].size, files[path].changed) for path in paths)
        rooms = self._plugins.rooms if self._plugins is not None else None
        return Task(self._store.absolute(self.folder), stretch, paths, looked, self._keys, self._version, rooms)

    def _take(self, result: Result) -> None:
        """A stretch is read. It counts as soon as all are read that take the place of the same earlier ones."""
        new, old = self._swap.ready(result)
        captures = self.manifest.captures
        for each in new:
            made = join(self.folder, WORK, each.stretch.id)
            try:
                for part in each.parts:
                    self._store.move(join(made, part), join(self.folder, part))
            except OSError as error:
                raise OutputError(f"{self.folder}: {reason(error)}") from error
            self._store.remove_folder(made)
            stretch = each.stretch
            done = Done(stretch, tuple(sorted(each.parts)), each.rows)
            self.manifest.stretches[stretch.id] = msgspec.structs.replace(done, answers=self._answers(done))
            for number, path in zip(stretch.captures, each.paths, strict=True):
                known = captures[number]
                captures[number] = msgspec.structs.replace(known, scan=msgspec.structs.replace(known.scan, path=path))
            self.read.append(each)
        for number in old:
            del self.manifest.stretches[number]

    def _fail(self, result: Result) -> None:
        """A stretch could not be read: the captures it names say so, and are looked through again by the next run."""
        self._store.remove_folder(join(self.folder, WORK, result.stretch.id))
        named = [path for path in result.paths if result.error.startswith(f"{path}: ")]
        path = (named or result.paths)[0]
        self.manifest.files[path] = msgspec.structs.replace(self.manifest.files[path], error=result.error)

    def _save(self) -> None:
        """Write the manifest; then what it no longer names may go."""
        self._keeper.save(self.manifest)


class Swap:
    """Which new stretches take the place of which earlier ones: all of them at once, or none."""

    def __init__(self, new: Sequence[Stretch], old: Sequence[Stretch], manifest: Manifest) -> None:
        captures = manifest.captures
        self._new = {
            each.id: [*each.captures, *(old for number in each.captures for old in captures[number].earlier)]
            for each in new
        }
        self._old = {each.id: each.captures for each in old}
        self._new_of = {number: stretch for stretch, held in self._new.items() for number in held}
        self._old_of = {number: stretch for stretch, held in self._old.items() for number in held}
        self._read: dict[str, Result] = {}

    def ready(self, result: Result) -> tuple[list[Result], set[str]]:
        """What counts now that this was read, and the ids of what no longer does."""
        self._read[result.stretch.id] = result
        new, old = {result.stretch.id}, set[str]()
        while True:
            before = len(new), len(old)
            old |= {self._old_of[each] for number in new for each in self._new[number] if each in self._old_of}
            new |= {self._new_of[each] for number in old for each in self._old[number] if each in self._new_of}
            if before == (len(new), len(old)):
                break
        if not new <= self._read.keys():
            return [], set()
        return [self._read.pop(number) for number in sorted(new)], old


def _digest(*values: object) -> str:
    return blake2b(msgspec.json.encode(values, enc_hook=str), digest_size=12).hexdigest()


def _words(result: Result) -> str:
    stretch = result.stretch
    if result.error:
        return result.error
    names = [os.path.basename(path) for path in result.paths]
    last = f" to {names[-1]}" if len(names) > 1 else ""
    rows = sum(result.rows.values())
    return f"{stretch.sensor}: {names[0]}{last}: {rows} rows in {result.seconds:.1f} s"
