"""No command and no form shows a secret: what a capture and a log full of marks print.

`tests/data/secrets.pcap.gz` has 178 marks `Zq…Xy` wherever secrets can stand in a capture, `tests/data/log_secrets.txt`
as many phrasings of consoles, scripts and people, one mark in each. Both are synthetic. Commands, forms and switches
are those that the command line says it has, so that later ones are held too.
"""

from __future__ import annotations

import gzip
import itertools
import re
from pathlib import Path

import click
import pytest

from amtdecode.cli.main import group, run
from amtdecode.masking import masked
from amtdecode.protocols.catalogue import catalogue

DATA = Path(__file__).parent / "data"
MARK = re.compile(r"Zq\d\d\dXy")
HEX = re.compile("5a71(?:3[0-9]){3}5879")  # a mark where bytes are given in hex

AS_CAPTURED = {"follow", "export"}  # commands that give bytes as captured, and say so
BYTES_AS_CAPTURED = {"tcp.payload"}
WITHOUT_FILES = {"live", "listen"}  # they read no file; what they print is printed by the writers of `read`
PASSED_OVER = {
    "--show-secrets",  # shows them, as it says
    "-x",  # shows bytes, as it says
    "-q",
    "--plugins",
    "--no-pager",
    "--no-duplicate",
}
NAMED_BY_NOTHING = {
    "Zq142Xy",  # a fault's subcode
    "Zq154Xy",  # a PowerState that is no number
    "Zq162Xy",  # a Content-Length that is none
    "Zq166Xy",  # a Content-Encoding that is none
}
"""Marks where no name and no form tells a secret: fields whose values are words and numbers of the standards."""


def marks(text):
    return {*MARK.findall(text), *(bytes.fromhex(found).decode() for found in HEX.findall(text))}


def phrasings():
    lines = (DATA / "log_secrets.txt").read_text("utf-8").splitlines()
    return [re.sub(r"@(\d+)@", lambda found: f"Zq{int(found[1]):03d}Xy", line) for line in lines]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    capture, log = folder / "secrets.pcap", folder / "scs_server.log"
    capture.write_bytes(gzip.decompress((DATA / "secrets.pcap.gz").read_bytes()))
    log.write_text("".join(f"2007-11-05 09:00:00 Error 407 - {line}\n" for line in phrasings()), "utf-8")
    return capture, log


def commands(within, path=()):
    """Each command with the words that call it."""
    context = click.Context(within)
    for name in within.list_commands(context):
        command = within.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif name not in AS_CAPTURED | WITHOUT_FILES:
            yield (*path, name), command


def ways():
    """Each command with each combination of its forms and switches, and how many files it takes at least."""
    for path, command in commands(group):
        options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
        forms = [
            [(option.opts[0], choice) for choice in option.type.choices] for option in options if "-T" in option.opts
        ]
        switches = [
            [(), (option.opts[0],)]
            for option in options
            if option.is_flag and not PASSED_OVER.intersection(option.opts)
        ]
        files = sum(isinstance(option, click.Argument) for option in command.params)
        for words in itertools.product(*forms, *switches):
            yield (*path, *itertools.chain(*words)), files


WAYS = dict(ways())


@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_no_command_shows_a_secret(words, inputs, capfdbinary, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = [field.name for field in catalogue() if field.name not in BYTES_AS_CAPTURED]
    columns = [word for name in names for word in ("-e", name)] if "fields" in words[1:] else []
    for file in inputs:
        run([*words, *columns, *[str(file)] * WAYS[words]])
        done = capfdbinary.readouterr()
        assert marks((done.out + done.err).decode()) <= NAMED_BY_NOTHING
        for made in tmp_path.rglob("*"):
            assert not made.is_file() or not MARK.search(made.read_bytes().decode("latin-1"))


@pytest.mark.parametrize("more", [(), ("-V",), ("--redact",), ("--ladder",)], ids=" ".join)
def test_no_page_shows_a_secret(more, inputs, capfdbinary, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for file in inputs:
        run(["diagnose", *more, str(file), "--html", "page.html"])
        done = capfdbinary.readouterr()
        assert (tmp_path / "page.html").exists() or "--ladder" in more  # which a log has not
        shown = (done.out + done.err).decode() + "".join(page.read_text("utf-8") for page in tmp_path.glob("*.html"))
        assert set(MARK.findall(shown)) <= NAMED_BY_NOTHING


def test_the_command_line_was_asked():
    assert {"read", "diagnose", "stats", "diff", "flows", "log", "hello", "cert"} <= {way[0] for way in WAYS}
    assert {("read", "-T", "json"), ("read", "-T", "text", "-V"), ("diagnose", "-T", "json", "-V")} <= {*WAYS}


def test_both_inputs_are_full_of_marks_and_read(inputs, capfdbinary):
    assert len(set(MARK.findall(inputs[0].read_bytes().decode("latin-1")))) > 150
    assert len(phrasings()) >= 150
    run(["log", "-T", "json", "--show-secrets", str(inputs[1])])
    assert len(set(MARK.findall(capfdbinary.readouterr().out.decode()))) > 220
    run(["read", "-V", "--show-secrets", str(inputs[0])])
    assert len(set(MARK.findall(capfdbinary.readouterr().out.decode()))) > 140


@pytest.mark.parametrize("line", phrasings())
def test_no_phrasing_shows_its_secret(line):
    shown = masked(line)
    assert not MARK.search(shown)
    assert masked(shown) == shown, "masking twice changes nothing"
    for around in ("2007-11-05 09:00:00 [info] {}", "amt1: {}", "{}\r\n", "<![LOG[{}]LOG]!>"):
        assert not MARK.search(masked(around.format(line)))
