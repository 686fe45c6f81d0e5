"""One and many in sentences."""

import re
from pathlib import Path

from amtdecode.counting import counted
from amtdecode.model import Gap, Truncated
from amtdecode.secrets import Keys

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.jsonl"))


def test_one_and_many():
    assert [counted(n, "record") for n in (0, 1, 2)] == ["0 records", "1 record", "2 records"]
    assert [counted(n, "root hash", "root hashes") for n in (1, 24)] == ["1 root hash", "24 root hashes"]


def test_where_it_shows():
    assert Gap("tcp", 1).summary() == "1 byte missing from the capture"
    assert Truncated("http", "inside the body: FIN", 9, 1).summary().endswith(", 1 byte missing")
    assert repr(Keys()) == "Keys(0 PSK identities, 0 RSA keys, 0 logged secrets, 0 HTTP passwords)"


def test_no_summary_counts_one_of_many():
    assert GOLDEN
    for path in GOLDEN:
        for found in re.finditer(r'"summary":"([^"]*)"', path.read_text("utf-8")):
            assert not re.search(r"(?<![\d.,])1 (bytes|records|suites|packets|(root )?hashes|lines)\b", found[1])
