"""Ctrl-C while modules are loaded; `log -`; one iterator in several threads."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

import amtdecode
from amtdecode.capture.inputs import captures_of
from amtdecode.diagnosis.inputs import gather, sort_inputs

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
import os, signal, sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Hook())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("module", ["amtdecode.cli.main", "click", "amtdecode.cli.read", "amtdecode.engine.loop"])
def test_an_interrupt_while_modules_are_loaded_prints_nothing(tmp_path, module):
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "INTERRUPT_AT": module}
    words = [sys.executable, "-m", "amtdecode", "read", str(ROOT / "pcaps" / "hello.pcap")]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, "")  # click ends the line that has the ^C


def test_a_log_comes_from_standard_input(tmp_path):
    text = "2026-01-01 10:00:00 ERROR activation failed: Error while activating the AMT device in admin mode\n"
    (tmp_path / "x.log").write_text(text)
    words = [sys.executable, "-m", "amtdecode", "log", "-T", "json"]
    given, named = (
        subprocess.run([*words, name], input=text, capture_output=True, text=True, check=True, cwd=tmp_path,
                       env={**os.environ, "PYTHONPATH": str(ROOT)})
        for name in ("-", "x.log")
    )  # fmt: skip
    assert given.stdout == named.stdout.replace('"x.log"', '"-"')
    assert given.stderr == named.stderr.replace("x.log", "-")
    assert given.stdout


@pytest.mark.parametrize(
    ("read", "number"),
    [
        (amtdecode.read, lambda item: item.packet),
        (amtdecode.packets, lambda item: item.number),
        (partial(amtdecode.packets, filter="tcp || udp"), lambda item: item.number),
    ],
)
def test_threads_share_an_iterator(read, number):
    expected = [number(each) for each in read(ROOT / "pcaps" / "office.pcapng")]
    shared = read(ROOT / "pcaps" / "office.pcapng")
    taken: list[list[int]] = [[], [], [], []]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda own=own: own.extend(map(number, shared))) for own in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert sorted(packet for own in taken for packet in own) == sorted(expected)


LINE = b"2026-01-01 10:00:00 ERROR activation failed: Error while activating the AMT device in admin mode\n"


class Interrupted(io.BytesIO):
    """A log during whose reading somebody presses Ctrl-C."""

    def __init__(self, data, after):
        super().__init__(data)
        self.after = after

    def readinto(self, buffer):
        if self.tell() >= self.after:
            raise KeyboardInterrupt
        return super().readinto(buffer)

    def read(self, size=-1):
        if self.tell() >= self.after:
            raise KeyboardInterrupt
        return super().read(size)

    read1 = read


def test_ctrl_c_while_a_log_is_read_leaves_what_is_known():
    log, heard = LINE * 40_000, []
    story = gather(sort_inputs(captures_of([Interrupted(log, 2 << 20), LINE])), on_interrupt=lambda: heard.append(1))
    assert heard == [1]
    (known,) = story.logs  # the other is not read any more
    assert (2 << 20) // len(LINE) <= known.lines < 40_000
    assert known.lines - known.entries in (0, 1)  # the last line may be cut
    with pytest.raises(KeyboardInterrupt):
        gather(sort_inputs(captures_of([Interrupted(log, 2 << 20)])))


def reads_pipe(pid):
    """Whether it waits for its standard input."""
    return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")


@pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="only Linux tells what a process waits for")
def test_ctrl_c_before_the_first_bytes_says_so():
    words = [sys.executable, "-m", "amtdecode", "diagnose", "-"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while not reads_pipe(process.pid) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"amtdecode: note: interrupted before anything was read\n"
