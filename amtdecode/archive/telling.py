"""The story of an archive: the journals of all its stretches, merged; as a report, and as tables of machines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from amtdecode.archive.manifest import Manifest, load
from amtdecode.archive.reading import JOURNALS
from amtdecode.errors import ArtifactError, reason
from amtdecode.outputs import Outputs
from amtdecode.provisioning.journal import Journal, replay, tell
from amtdecode.tables.arrow import pyarrow
from amtdecode.tables.findings import sessions_of, tables_of
from amtdecode.tables.schemas import SCHEMA, VERSION
from amtdecode.tables.writing import TOOL, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning import Tracker

ERRORS = "errors"


def journal_of(folder: str, manifest: Manifest | None = None, since: int | None = None) -> Journal:
    """The journals of an archive, merged. `since`: only of stretches with packets after that time.

    Raises `ArtifactError` for an archive that lacks one.
    """
    return Journal.merged(_journals(folder, manifest or load(folder), since))


def _journals(folder: str, manifest: Manifest, since: int | None) -> Iterator[Journal]:
    for done in manifest.stretches.values():
        times = [manifest.files[path].last for path in done.stretch.files if path in manifest.files]
        if since is not None and all(time is not None and time < since for time in times):
            continue
        path = os.path.join(folder, JOURNALS, f"{done.stretch.id}.journal")
        try:
            with open(path, "rb") as file:
                yield Journal.from_bytes(file.read(), path)
        except OSError as error:
            raise ArtifactError(f"{path}: {reason(error)}") from error


def tracker_of(folders: Sequence[str], since: int | None = None) -> Tracker:
    """What is known of all machines of some archives; logs and other files may follow. Raises `ArtifactError`."""
    return replay(Journal.merged(journal_of(folder, since=since) for folder in folders))


def write_story(folder: str, manifest: Manifest, version: str, site: Site | None = None) -> Any:
    """Write the tables of machines and of errors, each in one step, and give the report."""
    from amtdecode.diagnosis import diagnose

    pa = pyarrow()
    story = tell(journal_of(folder, manifest))
    sessions = sessions_of(story)
    # streams are counted anew in the story: what joins there is input and packet
    at = sessions.schema.get_field_index("stream")
    sessions = sessions.set_column(at, sessions.schema.field(at), pa.nulls(sessions.num_rows, pa.int64()))
    report = diagnose(story, site, last=True)
    failed = [scan for scan in manifest.files.values() if scan.error]
    errors = pa.table(
        {
            "path": pa.array([scan.path for scan in failed], pa.string()),
            "sensor": pa.array([scan.sensor for scan in failed], pa.string()),
            "size": pa.array([scan.size for scan in failed], pa.int64()),
            "error": pa.array([scan.error for scan in failed], pa.string()),
        }
    )
    for name, table in {**tables_of(report), "sessions": sessions, ERRORS: errors}.items():
        table = table.replace_schema_metadata({SCHEMA: str(VERSION), TOOL: version, "amtdecode.table": name})
        with (
            Outputs().file(os.path.join(folder, f"{name}.parquet")) as file,
            parquet_writer(file, table.schema) as writer,
        ):
            writer.write_table(table)
    return report
