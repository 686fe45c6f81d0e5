"""`follow --layer tls -T raw` prints what tshark decrypts: every row of the shared oracle, through the command line."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from amtdecode.cli.main import run

ROWS = 83
Turns = list[tuple[bool, bytes]]


def turns(lines: list[str]) -> Turns:
    """The bytes of each turn; a tab marks one of the two sides."""
    found: Turns = []
    for line in lines:
        if re.fullmatch(r"\t?[0-9a-f]+", line):
            side, data = line.startswith("\t"), bytes.fromhex(line.strip())
            if found and found[-1][0] == side:
                found[-1] = (side, found[-1][1] + data)
            else:
                found.append((side, data))
    return found


def expected(path: Path) -> dict[int, Turns]:
    """What tshark printed, by stream; one without a heading is the first."""
    streams: dict[int, list[str]] = {}
    number = 0
    for line in path.read_text(encoding="latin-1").splitlines():
        if heading := re.match(r"### stream (\d+)", line):
            number = int(heading[1])
        streams.setdefault(number, []).append(line)
    return {number: turns(lines) for number, lines in streams.items()}


def options(captures: Path, command: str) -> list[str]:
    """The keys of a tshark command as options of ours."""
    found = []
    for psk in re.findall(r"tls\.psk:([0-9a-f]+)", command):
        found += ["--psk", f"*=hex:{psk}"]
    for file, password in re.findall(r'rsa_keys:"([^"]+)","([^"]*)"', command):
        found += ["--rsa-key", f"{captures / file}:{password}".rstrip(":")]
    for file in re.findall(r"tls\.keylog_file:(\S+)", command):
        found += ["--keylog", str(captures / file)]
    return found


@pytest.mark.parametrize("number", range(ROWS))
def test_follow_prints_what_tshark_decrypts(shared, number, monkeypatch, capsys):
    captures = shared / "captures"
    with (captures / "ORACLE.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == ROWS
    row = rows[number]
    capture = captures / row["capture"]
    keys = options(captures, next(value for name, value in row.items() if name.startswith("tshark")))
    stem = re.sub(r"\.pcap(ng)?(\.gz)?$", "", str(capture))
    for stream, theirs in expected(Path(f"{stem}.{row['method']}.expected.txt")).items():
        output = io.BytesIO()
        monkeypatch.setattr("amtdecode.cli.follow.binary_output", lambda output=output: output)
        code = run(["follow", str(capture), "--flow", str(stream), "--layer", "tls", "-T", "raw", *keys])
        ours = turns(output.getvalue().decode().splitlines())
        # the tab of an expectation marks tshark's Node 1, which is not always the server
        assert ours in (theirs, [(not side, data) for side, data in theirs]), (row["capture"], stream)
        assert code == 0
        if not theirs:
            assert "payload that can be read" in capsys.readouterr().err
