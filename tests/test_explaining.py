"""What words, numbers and names mean: each table is reached, and nothing is made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.cli.main import run
from amtdecode.diagnosis.knowledge import (
    alerts,
    capabilities,
    conflicts,
    glossary,
    placements,
    power_states,
    releases,
    return_advice,
    root_lists,
    rpc_errors,
    scs_errors,
    status_advice,
)
from amtdecode.diagnosis.rulebook import all_rules
from amtdecode.explaining import NotKnownError, explain


def titles(question):
    return [topic.title for topic in explain(question)]


def facts(question, number=0):
    return dict(explain(question)[number].facts)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("913", "SCS error 913: No rows found in get UuidMap"),
        ("SCS error 913", "SCS error 913: No rows found in get UuidMap"),
        ("0x2a", "PT_STATUS 0x2A (42): INVALID_PID_FORMAT"),
        ("0x002A", "PT_STATUS 0x2A (42): INVALID_PID_FORMAT"),
        ("status 42", "PT_STATUS 0x2A (42): INVALID_PID_FORMAT"),
        ("32810", "PT_STATUS 0x2A (42): INVALID_PID_FORMAT"),
        ("invalid_pid_format", "PT_STATUS 0x2A (42): INVALID_PID_FORMAT"),
        ("alert 42", "TLS alert 42: bad_certificate"),
        ("bad certificate", "TLS alert 42: bad_certificate"),
        ("rpc 2", "rpc error 2: HECIDriverNotDetected"),
        ("hecidrivernotdetected", "rpc error 2: HECIDriverNotDetected"),
        ("AddNextCertInChain 4", "IPS_HostBasedSetupService.AddNextCertInChain returns 4"),
        ("0x80090304", "0x80090304: SEC_E_INTERNAL_ERROR"),
        ("-2146893052", "0x80090304: SEC_E_INTERNAL_ERROR"),
        ("schannel 0x80090304", "0x80090304: SEC_E_INTERNAL_ERROR"),
        ("9971", "port 9971"),
        ("tcp 16993", "port 16993"),
        ("amt-psk-003", "AMT-PSK-003: The secrets (PPS) of server and machine differ*pid*"),
        ("IAMT.hello.UUID", "iamt.hello.uuid"),
        ("pps", "PPS"),
        ("zero touch", "remote configuration"),
        ("Averill", "Averill: codename of a platform"),
        ("742c3192e607e424eb4549542be1bbc53e6174e2", "root VeriSign Class 3 Public Primary CA (G1)"),
        ("2.5", "AMT 2.5"),
        ("amt 11.8.50", "AMT 11.8"),
        ("amt16", "AMT 16.0"),
        ("scs 3.0", "SCS 3.0"),
        ("rule AMT-DNS-001", "AMT-DNS-001"),
    ],
)
def test_what_is_asked_is_answered_first(question, title):
    assert titles(question)[0].startswith(title)


def test_one_number_in_several_tables_has_all_its_meanings():
    assert titles("42") == ["PT_STATUS 0x2A (42): INVALID_PID_FORMAT", "TLS alert 42: bad_certificate"]


def test_versions():
    found = facts("amt 2.5")
    assert found["codename"] == "Santa Rosa"
    assert found["upgrade"] == "to 2.6 by firmware update; whether to 3.x is unanswered"
    assert "TLS-PSK setup (one-touch)" in found["has"].split("; ")
    assert "bare-metal remote configuration, without an agent" in found["lacks"].split("; ")
    assert facts("amt 16.1")["codename"] == "unknown"
    assert "TLS-PSK setup (one-touch)" in facts("amt 11.0")["lacks"].split("; ")
    assert "chains with SHA-1 in them" in facts("amt 15.0")["unknown"].split("; ")
    assert facts("amt 3.0")["roots"].count("documented") >= 4
    assert facts("scs 3.0")["AMT 2.0 to 3.0"].startswith("no remote configuration")


@pytest.mark.parametrize(
    ("question", "states", "management"),
    [
        ("power wireless battery asleep", ["wireless, battery power, host asleep"], "no"),
        ("power battery wireless off", ["wireless, battery power, host asleep"], "no"),
        ("power wired ac asleep", ["wired, AC power, host asleep"], "yes"),
        ("power vpn appliance", ["vpn appliance, any power, host any"], "as wired"),
        ("power wired mains", [f"wired, AC power, host {host}" for host in ("healthy", "sick", "asleep")], "yes"),
    ],
)
def test_power_states(question, states, management):
    assert titles(question) == states
    assert facts(question)["management"] == management


def test_every_row_of_every_table_is_found_by_its_name():
    for row in glossary():
        for name in (row.word, *filter(None, row.also.split(", "))):
            assert row.word in titles(name), name
    for code in scs_errors():
        assert any(title.startswith(f"SCS error {code}:") for title in titles(f"scs {code}"))
    for code in status_advice():
        assert any(title.startswith(f"PT_STATUS 0x{code:X} ") for title in titles(f"pt_status 0x{code:x}"))
    for call, value in return_advice():
        assert f"{call} returns {value}" in titles(f"{call} {value}")
    for each in rpc_errors():
        assert f"rpc error {each.code}: {each.name}" in titles(f"rpc {each.code}")
    for code, alert in alerts().items():
        assert titles(f"alert {code}") == titles(f"alert {alert.name}") == [f"TLS alert {code}: {alert.name}"]
    for rule in all_rules():
        assert titles(rule.id)[0].startswith(rule.id)
    for row in placements():
        assert row.certificate in titles(row.certificate)
    for version in (*releases(), *{row.version for row in root_lists()}):
        assert titles(f"amt {version}") == [f"AMT {version}"]
    assert len(explain("power")) == len(power_states())
    said = facts("amt 6.2")
    known = {title for label in ("has", "lacks", "unknown") for title in said[label].split("; ")}
    assert known == {each.title for each in capabilities().values()}


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("", "a word is wanted"),
        ("  ", "a word is wanted"),
        ("qqqq", "qqqq: in no table here"),
        ("amt 99", "amt 99: in no table here"),
        ("123456", "123456: in no table here"),
        ("bad certifcate", "bad certifcate: in no table here; did you mean bad certificate or bad_certificate"),
    ],
)
def test_what_no_table_knows(question, line):
    with pytest.raises(NotKnownError) as caught:
        explain(question)
    assert str(caught.value).startswith(line)


@given(st.text(max_size=30))
def test_any_question_has_answers_or_one_clear_error(question):
    try:
        found = explain(question)
    except NotKnownError:
        return
    assert 0 < len(found) <= 30


def test_the_command(capsys):
    assert run(["explain", "alert", "115"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("TLS alert 115: unknown_psk_identity\n    means             ")
    assert all(len(line) <= 110 for line in text.splitlines())
    assert run(["explain", "-T", "json", "9971"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "kind": "port",
        "title": "port 9971",
        "facts": [
            {"name": "listens", "text": "setup server"},
            {"name": "for", "text": "hello messages; the MEBx may name another port"},
            {"name": "source", "text": "Intel AMT Implementation and Reference Guide"},
        ],
    }
    assert run(["explain", "-2146893052"]) == 0
    assert "SEC_E_INTERNAL_ERROR" in capsys.readouterr().out
    assert run(["explain", "\x1b[31mqqq"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_conflicts_stand_side_by_side_with_their_dates():
    assert titles("conflict hash count") == ["sources disagree: hash count"]
    assert facts("conflict hash count")["article"] == "There is space for 20 hashes. (2007)"
    assert facts("conflict wildcard")["later document"].endswith("(28 September 2007)")
    assert "sources disagree: hello content" in titles("hello")
    for each in conflicts():
        assert f"sources disagree: {each.topic}" in titles(f"conflict {each.topic}")
        assert each.article_date == "2007"
        assert each.later_date
        assert each.source


def test_a_cell_whose_source_is_lost_reads_unknown():
    assert "TLS 1.1" in facts("amt 3.0")["unknown"], "the feature table of the article is a lost image"
    assert "TLS 1.1" not in facts("amt 3.0")["has"] + facts("amt 3.0")["lacks"]
    assert facts("amt 1.0")["codename"] == "unknown"
