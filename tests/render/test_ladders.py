"""Ladders: who said what to whom, where it failed, and captured text that stays text in every form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

import amtdecode
from amtdecode.cli.main import group
from amtdecode.dialogue import Ladder, Rung
from amtdecode.errors import CaptureError, UsageError
from amtdecode.render.ladder_mermaid import mermaid_lines, text
from amtdecode.render.ladder_svg import svg
from amtdecode.render.ladder_text import ladder_lines, list_lines

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
OFFICE = str(PCAPS / "office.pcapng")
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "a\x1b[31mb\x00\x07\u202e\uffff",
    "x;end\nM->>S: forged",
    "]]>&amp;#59;%%",
]
SVG = "{http://www.w3.org/2000/svg}"


def run(*words: str, **environment: str) -> str:
    done = CliRunner().invoke(group, ["diagnose", *words], env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout


def rungs(machine: str) -> list[dict]:
    (ladder,) = json.loads(run("--ladder", "-T", "json", "--device", machine, OFFICE))
    return ladder["rungs"]


def test_one_arrow_a_message_with_its_packet() -> None:
    told = [(rung["packet"], rung["sender"], rung["receiver"], rung["protocol"]) for rung in rungs("192.0.2.24")]
    refusals = [(number, "machine", "server", "tcp") for number in (98, 100, 102)]
    assert told == [
        (83, "machine", "DHCP", "dhcp"),
        (84, "DHCP", "machine", "dhcp"),
        (85, "machine", "DHCP", "dhcp"),
        (86, "DHCP", "machine", "dhcp"),
        (87, "machine", "DNS", "dns"),
        (88, "DNS", "machine", "dns"),
        (92, "machine", "server", "iamt.hello"),
        (95, "machine", "server", "tcp"),
        *refusals,
        (133, "machine", "server", "iamt.hello"),
        (136, "machine", "server", "tcp"),
        *[(number, "machine", "server", "tcp") for number in (139, 141, 143)],
    ]


def test_the_point_of_failure_is_marked_once() -> None:
    marked = [(rung["packet"], rung["failure"]) for rung in rungs("192.0.2.24") if rung["failure"]]
    assert marked == [(143, "The machine refuses the connection back on port 16993 [AMT-CONN-002]")]
    marked = [(rung["packet"], rung["failure"]) for rung in rungs("192.0.2.22") if rung["failure"]]
    assert marked == [(121, "DNS has no record for provisionserver.branch.example.com [AMT-DNS-001]")]
    assert not any(rung["failure"] for rung in rungs("192.0.2.21"))  # it was probably set up


def test_calls_are_a_question_and_an_answer() -> None:
    (ladder,) = json.loads(run("--ladder", "-T", "json", str(PCAPS / "wsman.pcap")))
    told = [(rung["packet"], rung["sender"], rung["text"]) for rung in ladder["rungs"]]
    assert told[:2] == [(4, "console", "Get AMT_GeneralSettings"), (6, "machine", "401 authentication required")]
    assert (77, "console", "Get AMT_RedirectionService") in told
    assert not any("HTTP" in text for _, _, text in told)


def test_without_a_choice_all_that_failed_are_drawn() -> None:
    ladders = json.loads(run("--ladder", "-T", "json", OFFICE))
    assert {ladder["called"].partition(":")[0] for ladder in ladders} == {"desk-22", "desk-23", "desk-24"}
    assert json.loads(run("--ladder", "-T", "json", str(PCAPS / "wsman.pcap")))  # none failed: all


def test_the_drawing_says_packets_arrows_gaps_and_the_failure() -> None:
    lines = run("--ladder", "--device", "192.0.2.22", OFFICE).splitlines()
    assert lines[0] == "192.0.2.22 (desk-22: DHCP lease): stopped after the name lookup (confidence 60 %)"
    assert lines[2].split() == ["packet", "seconds", "machine", "DHCP", "DNS"]
    assert "     19      0.000 ├────────►        │        DHCP Discover 00:00:5e:00:53:16" in lines
    assert "     23      0.004 ├────────┼────────►        DNS query A provisionserver.branch.example.com" in lines
    assert sum("… 20.0 s later" in line for line in lines) == 2
    assert sum("✗ FAILED HERE" in line for line in lines) == 1
    assert max(map(len, lines)) <= 110


def test_narrow_and_dumb_terminals_get_the_list() -> None:
    listed = run("--ladder", "-T", "list", "--device", "192.0.2.22", OFFICE)
    assert "1. packet 19, at 0.000 s, machine to DHCP: DHCP Discover 00:00:5e:00:53:16" in listed
    assert "FAILED HERE: DNS has no record" in listed
    assert "│" not in listed
    narrow = run("--ladder", "--device", "192.0.2.22", OFFICE, COLUMNS="60")
    assert narrow.split() == listed.split()
    assert max(map(len, narrow.splitlines())) <= 60
    assert run("--ladder", "--device", "192.0.2.22", OFFICE, TERM="dumb") == listed


def test_redaction_masks_ladders_with_the_words_of_the_report() -> None:
    told = run("--ladder", "--redact", "--device", "192.0.2.24", OFFICE)
    assert told.startswith("uuid-2: failed at the contact back")
    for private in ("192.0.2.", "a3700018", "desk-24", "00:00:5e", "example.com", "4343"):
        assert private not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-T", "svg", OFFICE), "-T svg goes with --ladder"),
        (("--device", "192.0.2.22", OFFICE), "--device goes with --ladder"),
        (("--ladder", "--device", "desk-99", OFFICE), "desk-99: no machine is called so"),
    ],
)
def test_wrong_usage_is_one_line(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(group, ["diagnose", *words], input=b"")
    assert said in str(done.exception)


def test_what_can_be_read_only_once_is_refused_before_it_is_read() -> None:
    from amtdecode.cli.ladders import Again

    with pytest.raises(UsageError, match="reads its captures twice"):
        Again(["-"], None, (), None).check()
    with pytest.raises(UsageError, match="a ladder needs a capture"):
        Again([], None, (), None).check()


def test_the_library_draws_them() -> None:
    (ladder,) = amtdecode.ladders(OFFICE, device="192.0.2.24")
    assert [rung.packet for rung in ladder.rungs] == [rung["packet"] for rung in rungs("192.0.2.24")]
    assert ladder.to_svg() == ladder._repr_svg_()
    assert ladder.to_svg() + "\n" == run("--ladder", "-T", "svg", "--device", "192.0.2.24", OFFICE)
    assert [each.machine for each in amtdecode.ladders(OFFICE)] == [
        device.name for device in amtdecode.diagnose(OFFICE).devices
    ]
    with pytest.raises(UsageError, match="no machine is called so"):
        amtdecode.ladders(OFFICE, device="desk-99")
    with pytest.raises(UsageError, match="read their captures twice"):
        amtdecode.ladders(amtdecode.read(OFFICE))
    with pytest.raises(CaptureError):
        amtdecode.ladders("missing.pcap")


# -- captured text ----------------------------------------------------------------------------------------------------


def hostile(words: str) -> Ladder:
    rung = Rung(
        sender="machine", receiver="server", text=words, protocol="dns", input=words, packet=7, time_ns=0, failure=words
    )
    return Ladder(device_id=1, machine=words, called=words, how_far="stopped", rungs=[rung], failure=words)


@pytest.mark.parametrize("words", HOSTILE)
def test_a_terminal_obeys_nothing(words: str) -> None:
    for lines in (ladder_lines, list_lines):
        told = [*lines(hostile(words))]
        assert all(line.replace("\uffff", "").isprintable() for line in told)
        assert len(told) == len([*lines(hostile("x" * len(words)))])


@pytest.mark.parametrize("words", HOSTILE)
def test_mermaid_takes_it_for_text(words: str) -> None:
    told = [*mermaid_lines(hostile(words))]
    plain = [*mermaid_lines(hostile("word"))]
    assert len(told) == len(plain)
    for one, other in zip(told, plain, strict=True):
        assert re.sub(r"#\d+;", "", one).isascii()
        assert not set(re.sub(r"#\d+;", "", one)) & set("<>\"'&;#%`{}[]|\\") - set(other)
        assert one.split()[0] == other.split()[0]


def test_mermaid_text_can_be_read_back() -> None:
    words = 'a;b "c" <d> é [e] 90 %'
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text(words)) == words


@pytest.mark.parametrize("words", HOSTILE)
def test_svg_has_no_more_elements_for_it(words: str) -> None:
    drawn, plain = ET.fromstring(svg([hostile(words)])), ET.fromstring(svg([hostile("word")]))
    assert [each.tag for each in drawn.iter()] == [each.tag for each in plain.iter()]
    assert [sorted(each.attrib) for each in drawn.iter()] == [sorted(each.attrib) for each in plain.iter()]


def test_svg_draws_an_arrow_for_each_message_and_asks_for_nothing() -> None:
    drawn = run("--ladder", "-T", "svg", "--device", "192.0.2.24", OFFICE)
    tree = ET.fromstring(drawn)
    arrows = [each for each in tree.iter(f"{SVG}line") if each.get("class") == "a"]
    assert len(arrows) == 16
    texts = [each.text for each in tree.iter(f"{SVG}text")]
    assert any(text.startswith("143  ·  ") for text in texts)
    assert sum("FAILED HERE" in text for text in texts) == 1
    assert tree.find(f"{SVG}title").text.startswith("a3700018-1de5-11dc-8000-5e0000005318 (desk-24")
    assert re.findall(r'https?://[^"<]+', drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|href|url\(|@import|\bon\w+=", drawn)


def test_several_diagrams_are_markdown_that_draws_each() -> None:
    told = run("--ladder", "-T", "mermaid", OFFICE)
    assert told.count("```mermaid\nsequenceDiagram\n") == 3
    assert run("--ladder", "-T", "mermaid", "--device", "192.0.2.24", OFFICE).startswith("sequenceDiagram\n")


def test_long_dialogues_keep_their_beginning_and_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from amtdecode.dialogue import telling

    whole = rungs("192.0.2.24")
    monkeypatch.setattr(telling, "MAX_RUNGS", 6)
    (ladder,) = json.loads(run("--ladder", "-T", "json", "--device", "192.0.2.24", OFFICE))
    assert [rung["packet"] for rung in ladder["rungs"]] == [r["packet"] for r in (*whole[:3], *whole[-3:])]
    assert ladder["left_out"] == len(whole) - 6
    assert "10 messages left out" in run("--ladder", "--device", "192.0.2.24", OFFICE)
