"""The one door through which files are written: nothing of anybody's is destroyed, nothing half is left."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amtdecode.errors import OutputError, UsageError
from amtdecode.outputs import MAX_NAMES, Outputs

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def write(outputs, name, data=b"new", **more):
    with outputs.file(str(name), **more) as file:
        file.write(data)


def test_no_module_opens_a_file_for_writing_but_this_one():
    writers = []
    for path in sorted((ROOT / "amtdecode").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                modes = [
                    each.value
                    for each in [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                ]
                opens = name in ("open", "fdopen") and any(set(text) & set("wxa+") for text in modes)
                if opens or name in ("write_text", "write_bytes", "mkdir", "makedirs", "mkstemp", "unlink", "rename"):
                    writers.append(str(path.relative_to(ROOT / "amtdecode")))
    # `diagnosis/docs.py` makes pages of this repository; `extcap.py` writes to the pipe that Wireshark made;
    # `recording.py` takes away the oldest file of a ring, which it wrote itself; `tables` and `stores` make folders,
    # and in these an archive takes away what a run that was broken off left; `remote.py` opens what `outputs.py` wants
    folders = {"stores/disk.py", "stores/remote.py", "tables/writing.py"}
    assert set(writers) <= {"outputs.py", "diagnosis/docs.py", "wireshark/extcap.py", "cli/recording.py"} | folders
    assert "outputs.py" in writers


@posix
@pytest.mark.parametrize("name", ["in.pcap", "./in.pcap", "sub/../in.pcap", "soft", "hard", "folder-link/in.pcap"])
def test_no_name_leads_to_an_input(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("in.pcap").write_bytes(b"precious")
    Path("sub").mkdir()
    Path("soft").symlink_to("in.pcap")
    Path("hard").hardlink_to("in.pcap")
    Path("folder-link").symlink_to(".")
    outputs = Outputs(["in.pcap"])
    for refuse in (lambda: outputs.refuse(name, "--pcap"), lambda: write(outputs, name)):
        with pytest.raises(UsageError, match="is one of the inputs"):
            refuse()
    assert Path("in.pcap").read_bytes() == b"precious"
    with pytest.raises(UsageError, match="is one of the inputs"):
        write(Outputs(["soft"]), "in.pcap")
    with pytest.raises(UsageError, match="is one of the inputs"):
        write(Outputs(["later.log"]), "LATER.log")  # not there yet; on some file systems the same name


def test_a_file_is_replaced_and_a_folder_is_not(tmp_path):
    old = tmp_path / "old"
    old.write_bytes(b"old")
    write(Outputs(), old)
    assert contents(tmp_path) == {"old": b"new"}
    with pytest.raises(UsageError, match="is a directory"):
        write(Outputs(), tmp_path)
    with pytest.raises(OutputError, match="no such file or directory"):
        write(Outputs(), tmp_path / "none" / "x")
    with pytest.raises(OutputError, match="not a file name"):
        write(Outputs(), "a\0b")


@posix
def test_links_lead_to_what_is_replaced(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("made")
    for name in ("link", "dangling"):
        write(Outputs(), tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert contents(tmp_path) == dict.fromkeys(("target", "link", "dangling", "made"), b"new")


@posix
def test_modes(tmp_path):
    before = os.umask(0o022)
    try:
        write(Outputs(), tmp_path / "plain")
        write(Outputs(), tmp_path / "secret", private=True)
        (tmp_path / "wide").write_bytes(b"")
        (tmp_path / "wide").chmod(0o664)
        write(Outputs(), tmp_path / "wide")
        (tmp_path / "known").write_bytes(b"")
        (tmp_path / "known").chmod(0o666)
        write(Outputs(), tmp_path / "known", private=True)
        for name, private in (("open", False), ("closed", True)):
            Outputs().folder(str(tmp_path / name), private=private).write("x", b"1")
    finally:
        os.umask(before)
    modes = {name: mode(tmp_path / name) for name in ("plain", "secret", "wide", "known", "open/x", "closed/x")}
    assert modes == {
        "plain": 0o644, "secret": 0o600, "wide": 0o664, "known": 0o600, "open/x": 0o644, "closed/x": 0o600,
    }  # fmt: skip


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
def test_what_is_broken_off_leaves_what_was_there(tmp_path, fault):
    (tmp_path / "old").write_bytes(b"old")
    for name in ("old", "fresh"):
        expected = OutputError if isinstance(fault, OSError) else fault
        with pytest.raises(expected):  # noqa: PT012, SIM117
            with Outputs().file(str(tmp_path / name)) as file:
                file.write(b"half")
                raise fault
    assert contents(tmp_path) == {"old": b"old"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_devices_and_pipes_are_written_to(tmp_path):
    write(Outputs(), "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OutputError, match="no space left on device"):
        write(Outputs(), "/dev/full")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(Outputs(), pipe)
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout")
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_is_written_on_and_not_begun_anew(tmp_path, name):
    code = f"from amtdecode.outputs import Outputs\nwith Outputs().file({name!r}) as f: f.write(b'new')"
    target = tmp_path / "out"
    target.write_bytes(b"old,")
    with target.open("ab") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, cwd=ROOT)
    assert contents(tmp_path) == {"out": b"old,new"}


def test_a_folder_never_loses_what_was_there(tmp_path):
    (tmp_path / "a.xml").write_bytes(b"mine")
    (tmp_path / "same.xml").write_bytes(b"body")
    (tmp_path / "dir.xml").mkdir()
    folder = Outputs().folder(str(tmp_path))
    used = [folder.write(name, b"body") for name in ("a.xml", "same.xml", "dir.xml", "b.xml", "b.xml")]
    assert used == ["a_2.xml", "same.xml", "dir_2.xml", "b.xml", "b.xml"]
    assert contents(tmp_path) == {
        "a.xml": b"mine", "a_2.xml": b"body", "same.xml": b"body", "dir_2.xml": b"body", "b.xml": b"body",
    }  # fmt: skip
    assert (folder.count, folder.renamed) == (5, 2)
    again = Outputs().folder(str(tmp_path))
    assert again.write("a.xml", b"body") == "a_2.xml"
    for number in range(2, MAX_NAMES + 1):
        (tmp_path / f"full_{number}.x").write_bytes(b"")
    (tmp_path / "full.x").write_bytes(b"")
    with pytest.raises(OutputError, match="choose another folder"):
        again.write("full.x", b"1")


@posix
def test_no_link_leads_out_of_a_folder(tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x").symlink_to(outside)
    (folder / "y").symlink_to(tmp_path / "made")
    (folder / "z").hardlink_to(outside)
    written = Outputs().folder(str(folder))
    assert [written.write(name, b"precious") for name in "xyz"] == ["x_2", "y_2", "z"]
    assert written.write("z", b"other") == "z_2"
    assert outside.read_bytes() == b"precious"
    assert not (tmp_path / "made").exists()


def test_a_folder_without_hard_links_works_too(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    folder = Outputs().folder(str(tmp_path))
    assert [folder.write("x", data) for data in (b"1", b"2", b"1")] == ["x", "x_2", "x"]
    assert contents(tmp_path) == {"x": b"1", "x_2": b"2"}
