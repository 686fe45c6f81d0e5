"""Filters tried with tshark 4.0.17 on shared captures: ours select the same packets, and refuse the same texts."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from amtdecode.errors import FilterError
from amtdecode.filter import compile_filter

SHARED = Path(os.environ.get("AMTDECODE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
TABLE = SHARED / "reference/filters.tsv"


def rows():
    if not TABLE.exists():
        return []
    with TABLE.open() as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows()


@pytest.mark.skipif(not ROWS, reason="the shared table of filters is not there")
@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(row, select):
    path = SHARED / "captures" / row["capture"]
    if row["packets"] == "error":
        with pytest.raises(FilterError) as raised:
            compile_filter(row["expression"])
        error = raised.value
        assert error.reason == row["tshark_error"]
        assert (f"{error.column}+{error.length}" if error.column else "") == row["error_column+length"]
        return
    wanted = [int(number) for number in row["packets"].split(",") if number]
    assert select(path, row["expression"]) == wanted


@pytest.mark.skipif(not ROWS, reason="the shared table of filters is not there")
def test_the_library_selects_the_same(by_library):
    """One row of each capture and level, by way of `amtdecode.packets`."""
    chosen = {(row["capture"], row["level"]): row for row in ROWS if row["packets"] not in ("", "error")}
    assert len(chosen) > 20
    for row in chosen.values():
        wanted = [int(number) for number in row["packets"].split(",")]
        assert by_library(str(SHARED / "captures" / row["capture"]), row["expression"]) == wanted, row["id"]
