"""End-to-end scenes made by chance: the injected cause comes first or is not judged, and nothing wrong is confirmed.

The ordinary run takes 150 seeds; `pytest -m scenes` takes 2,000.
"""

from __future__ import annotations

import pki_lab as pki
import pytest
from diagnosis_lab import SCS, Bench, Lab, desk
from scene_faults import FAULTS
from scenes import NOISE, RIGHT, SPOILT, WRONG, Drawn, diagnosed, draw, judge
from test_application import ask, say
from test_psk_and_rcfg import presented, sound

from pcaps import messages
from pcaps.build import TO_CLIENT, TO_SERVER

BLOCK = 50
FEW, MANY = range(0, 150, BLOCK), range(0, 2000, BLOCK)


def check(first: int) -> None:
    wrong = []
    for seed in range(first, first + BLOCK):
        drawn = draw(seed)
        verdict, why = judge(drawn, diagnosed(drawn))
        if verdict == WRONG:
            wrong.append(f"{why}\n    {drawn}")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("first", FEW)
def test_scenes_by_chance(first: int) -> None:
    check(first)


@pytest.mark.scenes
@pytest.mark.parametrize("first", MANY)
def test_many_scenes_by_chance(first: int) -> None:
    check(first)


def plain(fault: str, method: str = "", **more: object) -> Drawn:
    """A scene seen whole, without noise."""
    each = FAULTS.get(fault)
    method = method or (each.methods[0] if each else "psk")
    return Drawn(1, method, "3.2.1", fault, keys=True, health=(), ipv6=False, vlan=False, noise=())._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_seen_whole_and_with_keys_comes_first(fault: str) -> None:
    for method in FAULTS[fault].methods:
        drawn = plain(fault, method)
        assert judge(drawn, diagnosed(drawn)) == (RIGHT, "")


@pytest.mark.parametrize("method", ["psk", "pki"])
def test_a_sound_setup_is_committed(method: str) -> None:
    report = diagnosed(plain("none", method))
    assert [attempt.outcome for device in report.devices for attempt in device.attempts] == ["committed"]
    assert "AMT-OK-001" in [finding.id for finding in report.findings]


def test_the_judge_says_no() -> None:
    sound, refused = plain("none"), plain("PSK: another PPS")
    assert judge(sound, diagnosed(refused))[0] == WRONG
    assert judge(refused, diagnosed(sound))[0] == WRONG
    assert judge(plain("DNS fails"), diagnosed(refused))[0] == WRONG
    assert judge(plain("DNS fails", health=("loss",)), diagnosed(refused))[0] == WRONG


def test_the_seeds_bring_everything() -> None:
    drawn = [draw(seed) for seed in range(2000)]
    assert {each.fault for each in drawn} == {"none", *FAULTS}
    assert {kind for each in drawn for kind in each.health} == set(SPOILT)
    assert {kind for each in drawn for kind in each.noise} == set(NOISE)


# -- what the scenes found --------------------------------------------------------------------------------------------

HERE = desk()


def test_a_reset_whose_syn_is_lost_is_no_connection_opened_for_nothing(bench: Bench) -> None:
    for lost in (False, True):
        lab = Lab()
        lab.greet(HERE)
        tcp = lab.connection(SCS, HERE.host, 16993)
        opened = tcp.open()
        lab.put([] if lost else opened)
        lab.put(tcp.reset(TO_CLIENT))
        assert bool(bench.found("AMT-CONN-004", lab)) is not lost


def test_http_that_a_port_for_tls_does_not_answer_is_no_configuration(bench: Bench) -> None:
    for answer, stage in ((bytes.fromhex("15030100020246"), "contact back"), (say(), "configuration")):
        lab = Lab()
        lab.greet(HERE)
        lab.talk(SCS, HERE.host, 16993, [(TO_SERVER, ask()), (TO_CLIENT, answer)])
        assert bench.report(lab)["devices"][0]["attempts"][0]["stage"] == stage


def test_alert_51_is_about_the_chain_where_its_signature_is_wrong(bench: Bench) -> None:
    forged = [pki.leaf(signer=pki.key(9)), pki.middle(), pki.root()]
    bench.fires("AMT-RCFG-008", presented(forged, code=51))
    bench.silent("AMT-RCFG-036", presented(forged, code=51))
    bench.fires("AMT-RCFG-036", presented(sound(), code=51), verdict="confirmed")


def test_no_answer_is_confirmed_where_nobody_was_seen_to_answer(bench: Bench) -> None:
    name = f"provisionserver.{HERE.domain}"
    for heard, verdict in ((False, "likely"), (True, "confirmed")):
        lab = Lab()
        if heard:
            lab.found(desk(50))
        for _ in range(3):
            lab.dns(HERE.host, name, None, kind=messages.A)
            lab.wait(6)
        lab.who_has(SCS, "192.0.2.99", 1)
        bench.fires("AMT-DNS-003", lab, verdict=verdict)


@pytest.mark.parametrize("code", [40, 70])
def test_an_alert_that_names_no_key_says_less_where_its_question_is_lost(bench: Bench, code: int) -> None:
    """It may answer anything, HTTP too."""
    alone = Lab()
    alone.greet(HERE)
    alone.talk(SCS, HERE.host, 16993, [(TO_CLIENT, pki.alert(code))], by=TO_CLIENT)
    whole = Lab()
    whole.greet(HERE)
    whole.psk(HERE, stop=1, alert=(2, code))
    rule = "AMT-PSK-004" if code == 40 else "AMT-PSK-007"
    bench.fires(rule, whole, verdict="confirmed")
    report = bench.report(alone)
    told = [finding for finding in report["findings"] if finding["id"] in (rule, "AMT-SEC-006")]
    assert all(finding["verdict"] == "likely" for finding in told)
    assert [finding["id"] for finding in told] == ([] if code == 40 else [rule])
