"""`diagnose --jobs`: the report of one process, to the byte, for any number of them."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import msgspec
import pytest
import shares_in_turn
import wire

import amtdecode
from amtdecode.cli import sharing
from amtdecode.cli.main import run as run_command
from amtdecode.diagnosis import diagnose
from amtdecode.diagnosis.inputs import gather, sort_inputs, with_keys_inside
from amtdecode.errors import UsageError
from amtdecode.flow import table
from amtdecode.jobs.several import Jobs
from amtdecode.provisioning import sharing as tracking
from amtdecode.secrets import Keys

ROOT = Path(__file__).resolve().parents[2]
PCAPS = sorted(ROOT.glob("pcaps/*.pcap*"))
PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"


@pytest.fixture
def in_turn(monkeypatch):
    """Shares one after the other, in this process."""

    def shared(work, jobs, *, by_addresses=False, method=None, results=None):
        yield shares_in_turn.told(work, jobs, by_addresses=by_addresses, results=results)

    monkeypatch.setattr(tracking, "shared", shared)


def reported(names, keys=None, jobs=1):
    """The report of captures as bytes, and why one process had to read again."""
    crossed = []
    inputs = sort_inputs(names)
    held = with_keys_inside(inputs, keys)
    story = gather(inputs, held, jobs=Jobs(jobs, crossed=crossed.append) if jobs > 1 else None)
    return msgspec.json.encode(diagnose(story), enc_hook=str), crossed


def keys_of(path):
    logs = [str(name) for name in path.parent.glob("*.keylog.txt") if name.name.startswith(path.name.split(".")[0])]
    return Keys.load(psk=[PSK], keylogs=logs)


@pytest.mark.parametrize("path", PCAPS, ids=lambda path: path.name)
@pytest.mark.parametrize("with_keys", [False, True], ids=["closed", "keys"])
def test_our_captures(path, with_keys, in_turn):
    keys = keys_of(path) if with_keys else None
    expected, _ = reported([str(path)], keys)
    for jobs in (2, 3, 4):
        assert reported([str(path)], keys, jobs)[0] == expected


def test_all_of_them_as_one_timeline(in_turn):
    names = [str(path) for path in PCAPS]
    expected, _ = reported(names)
    for jobs in (2, 4):
        assert reported(names, jobs=jobs) == (expected, [])


def test_shared_captures(shared, in_turn):
    paths = sorted(path for path in (shared / "captures").rglob("*.pcap*") if path.stat().st_size < 400_000)[::25]
    assert len(paths) > 20
    for number, path in enumerate(paths):
        assert reported([str(path)], jobs=2 + number % 3)[0] == reported([str(path)])[0], path


@pytest.mark.parametrize(
    "method", [each for each in ("fork", "spawn") if each in multiprocessing.get_all_start_methods()]
)
def test_processes(method, monkeypatch, capfdbinary):
    monkeypatch.setattr(sharing, "METHOD", method)
    words = ["diagnose", "-T", "json", "--psk", PSK, "--keylog", str(ROOT / "pcaps/wsman_tls.keylog.txt")]
    words += [str(ROOT / "pcaps/wsman_tls.pcap"), str(ROOT / "pcaps/office.pcapng")]
    code = run_command(words)
    expected = capfdbinary.readouterr()
    assert run_command([*words, "--jobs", "2"]) == code
    assert capfdbinary.readouterr() == expected
    assert not multiprocessing.active_children()


def crowd(path):
    """More connections at a time than the table holds."""
    talks = [wire.Talk(sport=20_000 + number) for number in range(9)]
    packets = [packet for talk in talks for packet in talk.open()]
    packets += [packet for talk in talks for packet in talk.say(wire.PSK_HELLO)]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    return str(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a cap that is changed here is so in copies alone")
def test_where_shares_cannot_be_told_apart_one_process_reads(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(table, "MAX_TCP_FLOWS", 3)
    words = ["diagnose", "-T", "json", crowd(tmp_path / "crowd.pcap")]
    code = run_command(words)
    expected = capfd.readouterr()
    assert run_command([*words, "--jobs", "2"]) == code
    found = capfd.readouterr()
    assert found.out == expected.out
    assert found.err.count("note: one process reads all of it again") == 1
    assert found.err.endswith(expected.err)


def test_what_is_read_once_is_read_by_one(capfd):
    assert sharing.shares(2, ["-"], plugins=False, quiet=False) is None
    assert "note: --jobs 2: one process reads; standard input and pipes can be read once only" in capfd.readouterr().err
    assert sharing.shares(1, ["-"], plugins=False, quiet=False) is None
    assert capfd.readouterr().err == ""


def test_the_library():
    names = [str(path) for path in PCAPS[:4]]
    expected = amtdecode.diagnose(names)
    found = amtdecode.diagnose(names, jobs=2)
    assert msgspec.json.encode(found, enc_hook=str) == msgspec.json.encode(expected, enc_hook=str)
    assert (
        amtdecode.diagnose(PCAPS[0].read_bytes(), jobs=2).devices == amtdecode.diagnose(PCAPS[0].read_bytes()).devices
    )
    with pytest.raises(UsageError):
        amtdecode.diagnose(names, jobs=0)
