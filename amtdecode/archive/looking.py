"""What there is, beside what the archive holds: which captures are new, are elsewhere now, have grown, or are gone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from amtdecode.archive.manifest import Capture
from amtdecode.archive.planning import Wanted
from amtdecode.archive.scanning import MAX_EARLIER, Earlier, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amtdecode.archive.manifest import Done, Manifest
    from amtdecode.archive.pools import Pool
    from amtdecode.archive.scanning import Found, Scan


def look(manifest: Manifest, found: Sequence[Found], workers: Pool) -> bool:
    """Look through the files that are new or changed, and put down where each capture stands. Whether that changed."""
    known, there = manifest.files, {each.path for each in found}
    new = [
        each
        for each in found
        if (before := known.get(each.path)) is None
        or before.error
        or (before.size, before.changed) != (each.size, each.changed)
    ]
    earlier = _Earlier(manifest, there - {each.path for each in new})
    files = {path: known[path] for path in known if path in there}
    for made in workers.results(_scan, [(each, earlier.of(each)) for each in new]):
        files[made.path] = made
    changed = files != known
    manifest.files = files
    return _place(manifest) or changed


def _scan(task: tuple[Found, Sequence[Earlier]]) -> Scan:
    return scan(*task)


class _Earlier:
    """What a file may go on from: what had its name, and the latest captures of its sensor whose file is another."""

    def __init__(self, manifest: Manifest, unchanged: set[str]) -> None:
        self._by_path: dict[str, list[Capture]] = defaultdict(list)
        self._by_sensor: dict[str, list[Capture]] = defaultdict(list)
        for capture in manifest.captures.values():
            self._by_path[capture.path].append(capture)
            if capture.path not in unchanged:
                self._by_sensor[capture.scan.sensor].append(capture)

    def of(self, found: Found) -> tuple[Earlier, ...]:
        """Of a file."""
        own, others = self._by_path.get(found.path, ()), self._by_sensor.get(found.sensor, ())
        chosen = {each.scan.id: each.scan for each in (*_latest(own), *_latest(others))}
        return tuple(Earlier(each.length, each.digest, each.id) for each in chosen.values())


def _latest(captures: Iterable[Capture]) -> list[Capture]:
    return sorted(captures, key=lambda each: (each.scan.last or 0, each.scan.id))[-MAX_EARLIER:]


def _place(manifest: Manifest) -> bool:
    """Put down where each capture stands."""
    there = manifest.there()
    captures = manifest.captures
    held = {number for done in manifest.stretches.values() for number in done.stretch.captures}
    changed = False
    for number, each in there.items():
        known = captures.get(number)
        if known is None:
            before = captures.get(each.grown)
            earlier = (each.grown, *before.earlier) if before is not None else ()
            captures[number] = Capture(each, each.path, tuple(old for old in earlier if old in held))
        elif known.path != each.path:
            captures[number] = msgspec.structs.replace(known, path=each.path)
            changed = True
    return changed


def forget(manifest: Manifest) -> None:
    """Let go of captures that neither are there nor were read."""
    wanted = manifest.there().keys() | {
        number for done in manifest.stretches.values() for number in done.stretch.captures
    }
    manifest.captures = {number: each for number, each in manifest.captures.items() if number in wanted}


class Plan:
    """What is to be read, and what stays."""

    def __init__(self, manifest: Manifest) -> None:
        self._captures = manifest.captures
        there = manifest.there()
        self._now = {
            old: number
            for number in there
            for old in self._captures[number].earlier
            if old not in there or self._captures[old].scan.packets
        }
        """What captures have become that have grown, by the ids they had."""
        self._here = there.keys() - self._now.keys()
        stretches = manifest.stretches.values()
        self.kept = [done for done in stretches if not all(map(self._is_readable, done.stretch.captures))]
        """Stretches that cannot be read again now, since a capture of theirs is gone or cannot be read."""
        self._kept = {number for done in self.kept for number in done.stretch.captures}
        kept = {done.stretch.id for done in self.kept}
        self.others: list[Done] = [done for done in stretches if done.stretch.id not in kept]
        """The other stretches."""

    def _is_readable(self, number: str) -> bool:
        return number in self._here or self._now.get(number) in self._here

    def wanted(self) -> list[Wanted]:
        """All captures that no kept stretch has; of those that such a one has the beginning of, the rest."""
        return [self._wanted(self._captures[number]) for number in self._here if number not in self._kept]

    def _wanted(self, capture: Capture) -> Wanted:
        begun = [self._captures[old].scan for old in capture.earlier if old in self._kept]
        if not begun:
            return Wanted(capture.scan)
        latest = max(begun, key=lambda each: each.packets)
        return Wanted(msgspec.structs.replace(capture.scan, first=latest.last), latest.packets)
