"""Archives made in tests, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from amtdecode.archive.reading import tables
from amtdecode.archive.run import Archive

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
HEADER = 24  # bytes of a pcap file before its first record


def rotated(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    """A pcap file cut into several, behind these packets."""
    order = "little" if data[:4] == b"\xd4\xc3\xb2\xa1" else "big"
    files, at, number = [data[:HEADER]], HEADER, 0
    while at < len(data):
        end = at + 16 + int.from_bytes(data[at + 8 : at + 12], order)
        if number in cuts:
            files.append(data[:HEADER])
        files[-1] += data[at:end]
        at, number = end, number + 1
    return files


def update(captures: Path, target: Path, *, keys: Any = None, site: Any = None, **options: Any) -> Archive:
    archive = Archive(str(target), version="0", keys=keys, site=site)
    archive.update([str(captures)], **options)
    return archive


def rows(target: Path) -> dict[str, list[str]]:
    """All rows of all tables, in an order of their own."""
    found = {}
    for name in tables():
        parts = sorted((target / name).rglob("*.parquet"))
        read = [row for part in parts for row in ds.dataset(part).to_table().to_pylist()]
        found[name] = sorted(map(str, read))
    for path in target.glob("*.parquet"):
        found[path.stem] = sorted(map(str, pq.read_table(path).to_pylist()))
    return found
