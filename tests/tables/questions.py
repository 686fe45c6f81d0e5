"""The questions of docs/tables.md, and their answers. `python tests/tables/questions.py` writes these anew."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
PCAPS = PAGE.parent.parent / "pcaps"
ASKED = re.compile(
    r"^### (\d+)\. ([^\n]*)\n\n```sql\n(.*?)\n```\n(?:\n```text\n(.*?)\n```\n)?", re.MULTILINE | re.DOTALL
)


def command() -> list[str]:
    """The command of the page."""
    text = PAGE.read_text()
    line = re.search(r"amtdecode export pcaps/\{(.*?)\} \\\n\s+(--keylog .*?) --parquet tables", text)
    assert line is not None
    return [*(f"pcaps/{name}" for name in line[1].split(",")), *line[2].split()]


def make(folder: str) -> Any:
    """A connection of DuckDB, with a view of each table."""
    import duckdb

    given = [sys.executable, "-m", "amtdecode", "export", "-q", *command(), "--parquet", folder]
    subprocess.run(given, check=True, cwd=PAGE.parent.parent)
    base = duckdb.connect()
    base.sql("SET TimeZone = 'UTC'")
    for file in Path(folder).glob("*.parquet"):
        base.sql(f"CREATE VIEW {file.stem} AS SELECT * FROM '{file}'")
    return base


def answer(base: Any, question: str) -> str:
    """What DuckDB says, a line for each row."""
    found = base.sql(question)
    rows = [found.columns, *(["" if cell is None else str(cell) for cell in row] for row in found.fetchall())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def questions() -> list[tuple[str, str, str]]:
    """Title, SQL and answer of each."""
    return [(title, sql, told or "") for _, title, sql, told in ASKED.findall(PAGE.read_text())]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        connection = make(made)
        PAGE.write_text(
            ASKED.sub(
                lambda found: (
                    f"### {found[1]}. {found[2]}\n\n```sql\n{found[3]}\n```\n\n"
                    f"```text\n{answer(connection, found[3])}\n```\n"
                ),
                PAGE.read_text(),
            )
        )
