"""`plan` and `diagnose --plan`: the wizard on a terminal, what it saves, ticks in text, JSON and HTML."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amtdecode.cli.main import run
from amtdecode.diagnosis.site import Dhcp, Policy, Scs, Site, load

CAPTURES = Path(__file__).resolve().parents[2] / "pcaps"
CLEAN, OFFICE = str(CAPTURES / "psk_clean.pcapng"), str(CAPTURES / "office.pcapng")
PLAN = 'amt_version = "2.6"\n[policy]\nmethod = "psk"\n'


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site file for PSK, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.toml").write_text(PLAN)
    return tmp_path / "site.toml"


def told(capsys, *arguments, code=0):
    capsys.readouterr()
    assert run([*map(str, arguments)]) == code
    done = capsys.readouterr()
    return done.out, done.err


def test_steps_as_text_and_json(site, capsys):
    out, _ = told(capsys, "plan", "site.toml")
    assert out.startswith("Setup with a pre-shared key (PSK, one-touch), AMT 2.6\n\nPrepare the site\n 1. Install")
    made = json.loads(told(capsys, "plan", "site.toml", "-T", "json")[0])
    assert (made["schema"], made["way"], made["amt_version"]) == (1, "psk", "2.6")
    assert [step["number"] for step in made["steps"]] == [*range(1, len(made["steps"]) + 1)]
    assert all(step["title"] in out for step in made["steps"])
    assert {step["id"] for step in made["steps"] if step["visible"]} == {
        "keys", "lease", "name", "hello", "contact", "handshake", "configuration", "commit", "managed", "log-off",
    }  # fmt: skip


def test_the_sheet_is_a_page_with_what_the_help_desk_does(site, capsys):
    out, _ = told(capsys, "plan", "site.toml", "--sheet")
    assert out.startswith("First plug-in: Setup with a pre-shared key")
    by_hand = out.partition("What then happens by itself")[0]
    assert by_hand.count("[ ]") == 3
    assert "Start the machine once with the stick" in by_hand
    assert "Seen as: hello of version 2 with the PID" in out
    assert len(out.splitlines()) < 60


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["plan"], "the site file does not say policy.method, amt_version; on a terminal, `amtdecode plan` asks"),
        (["plan", "half.toml"], "the site file does not say hosts.agent; on a terminal, `amtdecode plan` asks"),
        (["diagnose", "--plan", "half.toml", CLEAN], "the site file does not say hosts.agent"),
        (["diagnose", "--plan", "site.toml", "--audit", CLEAN], "--plan does not go with --audit"),
        (["plan", "late.toml"], "AMT 11.8 cannot be set up this way: PSK hello; removed in 11.0"),
        (["plan", "site.toml", "--sheet", "-T", "json"], "--sheet is text; -T json has all steps"),
        (["plan", "site.toml", "--save", "site.toml"], "--save site.toml: is one of the inputs"),
    ],
)
def test_no_terminal_is_asked_and_one_line_says_what_is_wrong(site, capsys, monkeypatch, arguments, text):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (site.parent / "half.toml").write_text('amt_version = "2.6"\n[policy]\nmethod = "pki"\n')
    (site.parent / "late.toml").write_text(PLAN.replace("2.6", "11.8"))
    _, err = told(capsys, *arguments, code=2)
    assert err.startswith(f"amtdecode: {text}")
    assert err.count("\n") == 1


def test_the_wizard_asks_and_saves(site):
    """On a terminal: wrong answers are asked again, Enter leaves a question open, answers decide what is asked next."""
    pty = pytest.importorskip("pty")
    mine, theirs = pty.openpty()
    program = [sys.executable, "-m", "amtdecode", "plan", "--save", "made.toml"]
    with open(theirs, "rb+", buffering=0) as terminal:
        process = subprocess.Popen(
            program, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=site.parent
        )
    answers = ["usb", "psk", "", "2.x", "2.6", "maybe", "y", "", "other", "scs.corp.example", "corp.example"]
    for answer in answers:
        os.write(mine, f"{answer}\n".encode())
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    os.close(mine)
    assert process.returncode == 0, err
    asked = err.decode()
    for words in ("answer psk or pki", "without this there is no plan", "'2.x' is not a version", "answer y or n"):
        assert words in asked
    assert "Version of SCS" not in asked
    assert "agent" not in asked
    assert load(site.parent / "made.toml") == Site(
        amt_version="2.6",
        policy=Policy(method="psk", tls=True),
        scs=Scs(product="other", fqdn="scs.corp.example"),
        dhcp=Dhcp(domains=("corp.example",)),
    )
    assert "for scs.corp.example." in " ".join(out.decode().split())
    again = subprocess.run(
        [*program[:4], "made.toml"], capture_output=True, check=True, cwd=site.parent, stdin=subprocess.DEVNULL
    )
    assert again.stdout == out


def test_ticks_in_the_report(site, capsys):
    out, _ = told(capsys, "diagnose", "--plan", "site.toml", CLEAN)
    assert "[x] 14. The machine says hello: packet 14: hello of version 2 to 192.0.2.10" in out
    assert "[-]  2. Give options 6 and 15 by DHCP: step 12 shows that it was done" in out
    assert "[ ] 19. The server commits the changes: would show: CommitChanges" in out
    found = json.loads(told(capsys, "diagnose", "--plan", "site.toml", "-T", "json", CLEAN)[0])
    assert found["plan"]["way"] == "psk"
    [machine] = found["plan"]["machines"]
    assert machine["device_id"] == found["devices"][0]["id"]
    assert {tick["id"]: tick["state"] for tick in machine["ticks"]}["hello"] == "done"
    assert "plan" not in json.loads(told(capsys, "diagnose", "-T", "json", CLEAN)[0])


def test_ticks_are_masked_with_the_rest(site, capsys):
    out, _ = told(capsys, "diagnose", "--plan", "site.toml", "--redact", CLEAN)
    assert "[x] 14. The machine says hello: packet 14: hello of version 2 to address-" in out
    for secret in ("192.0.2.", "0000037M", "example.com", "5e0000005315"):
        assert secret not in out


def test_ticks_on_the_page(site, capsys):
    pytest.importorskip("jinja2")
    told(capsys, "diagnose", "--plan", "site.toml", "--html", "page.html", OFFICE)
    page = (site.parent / "page.html").read_text()
    assert '<section id="plan"' in page
    assert page.count("<li>The machine says hello: <strong>done</strong>") == 2  # the third hello is of the other kind
    assert "<script>alert" not in page
    told(capsys, "diagnose", "--html", "plain.html", OFFICE)
    assert 'id="plan"' not in (site.parent / "plain.html").read_text()


def test_many_machines_are_counted(site, capsys, monkeypatch):
    monkeypatch.setattr("amtdecode.render.plan_text.MAX_WHOLE", 2)
    out, _ = told(capsys, "diagnose", "--plan", "site.toml", OFFICE)
    assert "14. The machine says hello: seen of 2 machines" in out
    assert "of 4 machines; -V shows each" in out
    whole, _ = told(capsys, "diagnose", "-V", "--plan", "site.toml", OFFICE)
    assert whole.count("14. The machine says hello") == 4
