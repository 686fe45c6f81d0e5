"""The story of an archive: the journals of all its stretches, merged; as a report, and as tables of machines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amtdecode.archive.manifest import Manifest, load
from amtdecode.archive.reading import JOURNALS
from amtdecode.errors import ArtifactError, reason
from amtdecode.outputs import Outputs
from amtdecode.provisioning.journal import Journal, replay, tell
from amtdecode.stores import join, store_of
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.findings import sessions_of, tables_of
from amtdecode.tables.schemas import SCHEMA, VERSION
from amtdecode.tables.writing import TOOL, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from amtdecode.archive.scanning import Scan
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning import Tracker

CAPTURES, ERRORS = "captures", "errors"


def journal_of(folder: str, manifest: Manifest | None = None, since: int | None = None) -> Journal:
    """The journals of an archive, merged. `since`: only of stretches with packets after that time.

    Raises `ArtifactError` for an archive that lacks one.
    """
    return Journal.merged(_journals(folder, manifest or load(folder), since))


def _journals(folder: str, manifest: Manifest, since: int | None) -> Iterator[Journal]:
    store = store_of(folder)
    for done in manifest.stretches.values():
        times = [manifest.captures[number].scan.last for number in done.stretch.captures if number in manifest.captures]
        if since is not None and all(time is not None and time < since for time in times):
            continue
        path = join(folder, JOURNALS, f"{done.stretch.id}.journal")
        try:
            yield Journal.from_bytes(store.read(path), path)
        except OSError as error:
            raise ArtifactError(f"{path}: {reason(error)}") from error


def tracker_of(folders: Sequence[str], since: int | None = None) -> Tracker:
    """What is known of all machines of some archives; logs and other files may follow. Raises `ArtifactError`."""
    return replay(Journal.merged(journal_of(folder, since=since) for folder in folders))


def moment(text: str) -> int:
    """A day or time in ISO 8601, UTC where it says no other zone, in nanoseconds since 1970. Raises `ValueError`."""
    time = datetime.fromisoformat(text)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) * 10**9


def write_story(
    folder: str, manifest: Manifest, version: str, site: Site | None = None, rules: Sequence[Rule] = ()
) -> Report:
    """Write the tables of machines, each in one step, and give the report."""
    from amtdecode.diagnosis import diagnose

    pa = pyarrow()
    story = tell(journal_of(folder, manifest))
    sessions = sessions_of(story)
    # streams are counted anew in the story: what joins there is input and packet
    at = sessions.schema.get_field_index("stream")
    sessions = sessions.set_column(at, sessions.schema.field(at), pa.nulls(sessions.num_rows, pa.int64()))
    report = diagnose(story, site, rules=rules, last=True)
    _write(folder, version, {**tables_of(report), "sessions": sessions})
    return report


def report_of(folder: str, manifest: Manifest, site: Site | None = None, rules: Sequence[Rule] = ()) -> Report:
    """The report alone."""
    from amtdecode.diagnosis import diagnose

    return diagnose(tell(journal_of(folder, manifest)), site, rules=rules, last=True)


def write_files(folder: str, manifest: Manifest, version: str) -> None:
    """Write the tables of captures and of errors, each in one step."""
    pa = pyarrow()
    text, number, time = pa.string(), pa.int64(), pa.timestamp("ns", "UTC")
    failed = [scan for scan in manifest.files.values() if scan.error]
    errors = [(scan.path, scan.sensor, scan.size, scan.error) for scan in failed]
    _write(
        folder,
        version,
        {
            CAPTURES: _table(
                [("input", text), ("path", text), ("there", pa.bool_()), ("sensor", text), ("interface", text),
                 ("size", number), ("packets", number), ("first", time), ("last", time), ("capture", text)],
                _captures(manifest),
            ),
            ERRORS: _table([("path", text), ("sensor", text), ("size", number), ("error", text)], errors),
        },
    )  # fmt: skip


def _captures(manifest: Manifest) -> Iterator[tuple[Any, ...]]:
    """Each file that holds a capture, then the captures that are gone."""
    there = set()
    for scan in manifest.files.values():
        known = manifest.captures.get(scan.id)
        if scan.error or known is None:
            continue
        there.add(scan.id)
        yield _capture(known.scan, scan.path, scan.size, there=True)
    for number, known in manifest.captures.items():
        if number not in there:
            yield _capture(known.scan, known.path, known.scan.size, there=False)


def _capture(scan: Scan, path: str, size: int, *, there: bool) -> tuple[Any, ...]:
    return (scan.path, path, there, scan.sensor, scan.interface or None, size, scan.packets, scan.first, scan.last,
            scan.digest)  # fmt: skip


def _table(columns: Sequence[tuple[str, Any]], rows: Iterable[tuple[Any, ...]]) -> Any:
    pa = pyarrow()
    values = [*zip(*rows, strict=True)] or [()] * len(columns)
    return pa.table({name: pa.array(each, kind) for (name, kind), each in zip(columns, values, strict=True)})


def _write(folder: str, version: str, tables: dict[str, Any]) -> None:
    for name, table in tables.items():
        table = table.replace_schema_metadata({SCHEMA: str(VERSION), TOOL: version, "amtdecode.table": name})
        with (
            Outputs().file(join(folder, f"{name}.parquet")) as file,
            parquet_writer(file, table.schema) as writer,
        ):
            writer.write_table(table)
