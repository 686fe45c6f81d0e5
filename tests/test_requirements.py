"""docs/requirements.md: every row is there, and every command on it runs and says something."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from amtdecode.cli.main import run

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| (R\d+|NEW\d+) \| ([^|]+) \| (met|partly|not|nothing to do) \| ([^|]*?) ?\| ?([^|]*?) ?\|")
ROWS = [found.groups() for line in PAGE.splitlines() if (found := ROW.fullmatch(line))]
COMMANDS = sorted({command for row in ROWS for command in re.findall(r"`amtdecode ([^`]+)`", row[3])})
SAYS = {
    # command: words that its output must have, where running alone proves little
    "diagnose --audit pcaps/psk_clean.pcapng": "Set up by",
    "explain conflict hash count": "23 in a hello",
    "cert check --placement": "MTLS",
    "setupbin show pcaps/setup.bin": "0000037M",
    "read pcaps/sol.pcap": "SOL",
    "plan old.toml": "out of band",
}
LOG = "2007-11-05 09:10:00 Error 102 - Intel AMT device is already provisioned 192.0.2.24\n"


def test_every_requirement_is_listed_once_in_order() -> None:
    wanted = [*(f"R{number}" for number in range(1, 277)), *(f"NEW{number}" for number in range(1, 15))]
    assert [row[0] for row in ROWS] == wanted


def test_the_counts_are_right() -> None:
    count = Counter(row[2] for row in ROWS)
    said = re.search(r"(\d+) are met, (\d+) partly, (\d+) not, of (\d+) there is nothing to do", PAGE)
    assert said is not None
    assert [int(each) for each in said.groups()] == [count[each] for each in ("met", "partly", "not", "nothing to do")]


def test_what_is_met_has_a_command_and_what_is_not_a_reason() -> None:
    for row, _, verdict, command, note in ROWS:
        assert (verdict in ("met", "partly")) == bool(command), row
        assert note or verdict == "met", row


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page describes it."""
    here: Path = tmp_path_factory.mktemp("place")
    (here / "pcaps").symlink_to(ROOT / "pcaps")
    (here / "scs.log").write_text(LOG)
    assert run(["export", "-q", "--certs", str(here / "certs"), str(ROOT / "pcaps" / "tls10_mutual.pcap")]) == 0
    (here / "chain.pem").write_text("".join(path.read_text() for path in sorted((here / "certs").glob("*.pem"))))
    return here


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs_and_answers(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    if not (place / "site.toml").exists():
        assert run(["preflight", "--example"]) == 0
        example = capfd.readouterr().out
        site = re.sub(r"(?m)^# (agent = true)", r"\1", example, count=1)
        (place / "site.toml").write_text(site)
        (place / "old.toml").write_text(re.sub(r'(?m)^(amt_version = )"[^"]*"', r'\1"2.1"', site, count=1))
    for made in ("ticket.zip", "new.bin", "keys.csv"):
        (place / made).unlink(missing_ok=True)
    code = run(shlex.split(command))
    said = capfd.readouterr()
    assert code in (0, 1, 4), said.err
    assert code != 4 or command.startswith("preflight"), "4: nothing of AMT in it"
    assert said.out or any((place / made).exists() for made in ("ticket.zip", "new.bin", "texts"))
    assert SAYS.get(command, "") in said.out
