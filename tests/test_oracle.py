"""Answers that are kept are those of the same bytes and the same words."""

from __future__ import annotations

import subprocess

import oracle
import pytest


@pytest.fixture
def answers(tmp_path, monkeypatch):
    folder = tmp_path / "answers"
    folder.mkdir()
    monkeypatch.setenv("AMTDECODE_ANSWERS", str(folder))
    return folder


def test_a_question_is_asked_once(answers, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).write_bytes(b"a\xff\r\n")
    count = ["sh", "-c", 'echo >>"$0"; cat "$1"', tmp_path / "asked"]
    (tmp_path / "asked").touch()
    assert oracle.run([*count, tmp_path / "one"], check=True).stdout == b"a\xff\r\n"
    (tmp_path / "asked").write_bytes(b"")
    assert oracle.run([*count, tmp_path / "other"], check=True, text=True, errors="replace").stdout == "a\ufffd\n"
    assert (tmp_path / "asked").read_bytes() == b""


def test_other_bytes_and_other_words_are_asked_anew(answers, tmp_path):
    path = tmp_path / "one"
    for text in (b"a\n", b"b\n"):
        path.write_bytes(text)
        assert oracle.run(["cat", path], check=True).stdout == text
        assert oracle.run(["sed", "s/^/x/", path], check=True).stdout == b"x" + text
        assert oracle.run(["sed", f"r{path}", path], check=True).stdout == text * 2


def test_a_failure_is_kept_too(answers, tmp_path):
    for _ in range(2):
        done = oracle.run(["cat", tmp_path / "absent"], check=False, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert "absent" in done.stderr
        with pytest.raises(subprocess.CalledProcessError):
            oracle.run(["cat", tmp_path / "absent"], check=True)
    assert len(list(answers.iterdir())) == 1
