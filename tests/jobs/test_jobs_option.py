"""`--jobs`: every form of output is that of one process, to the byte; and processes end with the reading."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shares_in_turn
import wire

from amtdecode.capture import open_records
from amtdecode.cli import sharing
from amtdecode.cli.filtering import Filtered
from amtdecode.cli.main import run as run_command
from amtdecode.cli.sharing import ReadShare, engine_for
from amtdecode.cli.writing import Output
from amtdecode.engine import lane
from amtdecode.errors import CaptureError, WorkerError
from amtdecode.flow import table
from amtdecode.jobs.telling import FULL, CrossedError
from amtdecode.jobs.workers import shared as shared_work
from amtdecode.jobs.workers import widen
from amtdecode.protocols.registry import REGISTRY
from amtdecode.secrets import Keys

ROOT = Path(__file__).resolve().parents[2]
PCAPS = sorted(ROOT.glob("pcaps/*.pcap*"))
PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
PLAIN = {
    "form": "text", "columns": (), "layout": (), "at_once": False, "tree": False, "only": None, "dump": False,
    "marked": None, "times": None, "resolve": None, "show_secrets": False, "color": "never",
}  # fmt: skip
NEEDS_LANE = pytest.mark.skipif(lane.COMPILED is None, reason="the compiled lane is not built, or left out")
WAYS = [pytest.param(False, id="lane", marks=NEEDS_LANE), pytest.param(True, id="pure")]
FIELDS = ("frame.number", "tcp.stream", "ip.src", "http.request.uri", "_ws.col.Info")
FORMS = {
    # what is asked for: the options, and the filter
    "text": ({}, None),
    "colours": ({"color": "always", "times": "r"}, None),
    "json": ({"form": "json"}, None),
    "secrets": ({"form": "json", "show_secrets": True}, None),
    "ek": ({"form": "ek"}, None),
    "documents": ({"form": "ek", "columns": FIELDS}, None),
    "fields": ({"form": "fields", "columns": FIELDS, "layout": ("header=y",)}, None),
    "fewer rooms": ({"form": "fields", "columns": ("http.response.code",)}, None),
    "followed": ({"form": "fields", "columns": ("tcp.analysis.flags", "frame.time_delta")}, None),
    "csv": ({"form": "csv"}, None),
    "pdml": ({"form": "pdml"}, None),
    "tree": ({"tree": True}, None),
    "bytes": ({"dump": True}, None),
    "filter": ({"form": "json"}, "http || tls || dns || tcp.flags.reset == 1"),
    "packets": ({}, "tcp.stream == 1 || frame.number < 9"),
    "messages": ({"tree": True}, "iamt.hello || tcp.analysis.flags"),
}


def of_one(work):
    written = sharing._Written()
    chosen = Filtered(work.display_filter, REGISTRY)
    output = Output(**work.shown, inputs=work.several, quiet=True, stream=written)
    written.taken()  # the heading
    engine = engine_for(chosen, output, REGISTRY, work.keys)
    packets = output.watch(chosen.watch(open_records(work.captures)))
    for batch in chosen.batches(engine.batches(packets), quiet=True):
        output.write(batch)
    return written.taken()


def keys_of(path):
    logs = [str(name) for name in ROOT.glob("pcaps/*.keylog.txt") if name.name.startswith(path.name.split(".")[0])]
    return Keys.load(psk=[PSK], keylogs=logs)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pure", WAYS)
def test_every_form_of_our_captures(form, pure, monkeypatch):
    if pure:
        monkeypatch.setattr(lane, "COMPILED", None)
    options, display_filter = FORMS[form]
    some = 0
    for number, path in enumerate(PCAPS):
        for keys in (None, keys_of(path)):
            work = ReadShare((str(path),), None, display_filter, {**PLAIN, **options}, False, False, keys)
            expected = of_one(work)
            some += len(expected)
            jobs = 2 + (number + (keys is not None)) % 3
            try:
                found = b"".join(shares_in_turn.told(work, jobs, by_addresses=keys is not None))
            except CrossedError:
                assert display_filter is not None or keys is not None
                continue
            assert found == expected, (path.name, jobs)
    assert some


def test_several_captures_are_one_timeline():
    work = ReadShare(tuple(map(str, PCAPS)), None, None, {**PLAIN, "form": "json"}, True, False, None)
    assert b"".join(shares_in_turn.told(work, 3)) == of_one(work)


def test_shared_captures_with_their_keys(shared):
    paths = sorted(path for path in (shared / "captures").rglob("*.pcap*") if path.stat().st_size < 400_000)[::40]
    assert len(paths) > 10
    for number, path in enumerate(paths):
        log = path.with_suffix(".keylog.txt")
        keys = Keys.load(keylogs=[str(log)]) if log.exists() else None
        work = ReadShare((str(path),), None, None, {**PLAIN, "form": "json"}, False, False, keys)
        assert b"".join(shares_in_turn.told(work, 2 + number % 3, by_addresses=keys is not None)) == of_one(work), path


@pytest.fixture
def many(tmp_path):
    """Two thousand hello messages."""
    packets = []
    for number in range(2000):
        talk = wire.Talk(sport=10_000 + number)
        packets += [*talk.open(), *talk.say(wire.PSK_HELLO), *talk.close()]
    path = tmp_path / "many.pcap"
    path.write_bytes(wire.pcap(wire.frames(packets)))
    return path


@pytest.mark.parametrize(
    "method", [each for each in ("fork", "spawn") if each in multiprocessing.get_all_start_methods()]
)
def test_processes(method, monkeypatch, capfdbinary):
    monkeypatch.setattr(sharing, "METHOD", method)
    words = ["read", "-T", "json", "--psk", PSK, "--keylog", str(ROOT / "pcaps/wsman_tls.keylog.txt")]
    words += [str(ROOT / "pcaps/wsman_tls.pcap"), str(ROOT / "pcaps/office.pcapng")]
    assert run_command(words) == 0
    expected = capfdbinary.readouterr()
    assert run_command([*words, "--jobs", "2"]) == 0
    assert capfdbinary.readouterr() == expected
    assert not multiprocessing.active_children()


def test_where_shares_cannot_be_told_apart_one_process_goes_on(many, monkeypatch, capfdbinary):
    monkeypatch.setattr(sharing, "METHOD", "fork")
    monkeypatch.setattr(table, "MAX_TCP_FLOWS", 3)  # reached where connections overlap
    talks = [wire.Talk(sport=20_000 + number) for number in range(9)]
    packets = [packet for talk in talks for packet in talk.open()]
    packets += [packet for talk in talks for packet in talk.say(wire.PSK_HELLO)]
    path = many.with_name("crowd.pcap")
    path.write_bytes(many.read_bytes() + wire.pcap(wire.frames(packets))[24:])
    words = ["read", "-T", "csv", str(path)]
    assert run_command(words) == 0
    expected = capfdbinary.readouterr()
    assert b"MAX_TCP_FLOWS = 3 reached" in expected.out
    assert run_command([*words, "--jobs", "2"]) == 0
    found = capfdbinary.readouterr()
    assert found.out == expected.out
    assert found.err.count(b"note: one process reads all of it again") == 1


@pytest.mark.parametrize("number", ["0", "-1", "65", "two", ""])
def test_numbers_that_make_no_sense_are_refused(number, capfd):
    assert run_command(["read", "--jobs", number, str(PCAPS[0])]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "--jobs" in err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-t", "dd"], "from line to line"),
        (["-N", "n"], "lines before it"),
        (["-a", "9"], "time"),
        (["-T", "json", "-e", "tcp.stream"], "one list"),
        (["-T", "fields", "-e", "tcp.stream", "-Y", "tcp"], "before any is decoded"),
    ],
)
def test_what_one_process_must_do_is_said(options, why, capfdbinary):
    words = ["read", str(PCAPS[0]), *options]
    assert run_command(words) == 0
    expected = capfdbinary.readouterr().out
    assert run_command([*words, "--jobs", "2"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == expected
    assert err.count(b"\n") == 1
    assert why.encode() in err


def command(*words, **options):
    environment = {key: value for key, value in os.environ.items() if key != "SSLKEYLOGFILE"}
    return subprocess.Popen([sys.executable, "-m", "amtdecode", *map(str, words)], env=environment, cwd=ROOT, **options)


def test_standard_input_is_read_by_one_process(many):
    with many.open("rb") as file:
        process = command("read", "-", "--jobs", "2", stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.count(b"Hello PSK") == 2000
    assert b"note: --jobs 2: one process reads; standard input" in err


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["closed", "interrupted", "killed"])
def test_however_it_ends_no_process_stays(many, how):
    words = ["read", "-T", "json", "--jobs", "2", many]
    with command(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.read(1000).startswith(b'{"schema":1')
        if how == "interrupted":
            os.killpg(process.pid, signal.SIGINT)
        elif how == "killed":
            process.kill()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=60)
    assert (process.returncode, err.strip()) == ({"closed": 0, "interrupted": 130, "killed": -signal.SIGKILL}[how], b"")
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("a process is left")


# -- the processes themselves -----------------------------------------------------------------------------------------


def dies(share, telling):
    telling.tell(1, b"x", 1 << 20)
    if not share.first:
        os.kill(os.getpid(), signal.SIGKILL)


def fails(share, telling):
    raise ZeroDivisionError("of what")


def refuses(share, telling):
    raise CaptureError("x.pcap: is gone")


def tells_on(share, telling):
    for place in range(1 << 40):
        telling.tell(place, b"x" * 1000, 1000)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("work", "error", "text"),
    [
        (dies, WorkerError, "ended before its work was done, by signal 9"),
        (fails, WorkerError, r"failed \(ZeroDivisionError\)"),
        (refuses, CaptureError, "x.pcap: is gone"),
        (lambda share, telling: None, WorkerError, "cannot be sent"),
    ],
)
def test_what_goes_wrong_in_one_is_told(work, error, text):
    method = "spawn" if text == "cannot be sent" else "fork"
    with pytest.raises(error, match=text):
        list(shared_work(work, 2, method=method))
    assert not multiprocessing.active_children()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes of a size of one's own")
def test_who_has_told_a_message_need_not_wait_until_it_is_heard():
    receiver, sender = multiprocessing.Pipe(duplex=False)
    widen(sender)
    os.set_blocking(sender.fileno(), False)
    message = bytes(2 * FULL)  # more than by default
    assert os.write(sender.fileno(), message) == len(message)
    receiver.close()
    sender.close()


def test_none_runs_ahead_and_all_end_when_nobody_listens():
    told = shared_work(tells_on, 3, method="fork")
    assert set(next(told)) == {b"x" * 1000}
    told.close()
    assert not multiprocessing.active_children()
