"""Every text and refusal that was tried with tshark 4.0.17 on `pcaps/hello.pcap` (`tshark_4_0_17.tsv`)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from amtdecode.errors import FilterError
from amtdecode.filter import compile_filter

TABLE = Path(__file__).parent / "tshark_4_0_17.tsv"
with TABLE.open() as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", ROWS, ids=[row["filter"] for row in ROWS])
def test_row(row, select, pcaps):
    if row["packets"] == "error":
        with pytest.raises(FilterError) as raised:
            compile_filter(row["filter"])
        error = raised.value
        place = f"{error.column}+{error.length}" if error.column else ""
        assert (error.reason, place) == (row["message"], row["place"])
        return
    wanted = [int(number) for number in row["packets"].split(",") if number]
    assert select(pcaps / "hello.pcap", row["filter"]) == wanted
