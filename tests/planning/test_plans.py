"""Plans: the steps of each way, what makes one impossible, and the steps that a capture proves."""

from __future__ import annotations

from importlib import import_module

import msgspec
import pki_lab
import pytest
from diagnosis_lab import Lab, desk
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.diagnosis.circumstances import Way
from amtdecode.diagnosis.inputs import gather, sort_inputs
from amtdecode.diagnosis.site import Dhcp, Hosts, Machine, Policy, Scs, Site, load
from amtdecode.errors import UsageError
from amtdecode.planning.plan import FILES, make, steps_of
from amtdecode.planning.questions import QUESTIONS, answered, as_toml, open_questions, unanswered, value
from amtdecode.planning.ticking import tick
from pcaps import messages
from pcaps.build import TO_CLIENT

PSK = Site(amt_version="2.6", policy=Policy(method="psk"))
AGENT = Site(amt_version="2.6", policy=Policy(method="pki", tls=True), hosts=Hosts(agent=True))
BARE = Site(amt_version="3.0", policy=Policy(method="pki"), hosts=Hosts(agent=False))


def ids(site):
    return [step.id for step in make(site).steps]


@pytest.mark.parametrize("way", Way)
def test_every_step_leads_to_later_ones_of_its_plan(way):
    """A step that shows another was done stands behind it, in every plan."""
    steps = import_module(f"amtdecode.planning.{FILES[way]}").STEPS
    order = [step.id for step in steps]
    assert len(order) == len(set(order))
    for at, step in enumerate(steps):
        assert not step.shown_by or order.index(step.shown_by) > at, step.id
        assert step.title and step.text and step.proof and step.who and step.source  # noqa: PT018
    phases = [list(type(step.phase)).index(step.phase) for step in steps]
    assert phases == sorted(phases)


def test_the_steps_of_each_way():
    assert [step for step in ids(PSK) if step in ("keys", "import", "stick", "boot", "unplug-stick")] == [
        "keys", "import", "stick", "boot", "unplug-stick",
    ]  # fmt: skip
    assert {"request", "stores", "agent", "one-time-password"}.isdisjoint(ids(PSK))
    assert [step for step in ids(AGENT) if step in ("drivers", "agent", "inventory", "one-time-password", "open")] == [
        "drivers", "agent", "inventory", "one-time-password", "open",
    ]  # fmt: skip
    assert {"agent", "keys", "update", "one-time-password"}.isdisjoint(ids(BARE))
    assert ids(BARE).index("plug-in") < ids(BARE).index("hello") < ids(BARE).index("mebx-password")
    assert ids(BARE).index("preflight") + 1 == ids(BARE).index("plug-in")
    assert ids(BARE)[-3:] == ["commit", "managed", "log-off"]


def test_facts_choose_and_fill_the_steps():
    assert "authority" in ids(AGENT)
    assert "authority" not in ids(PSK)
    other = msgspec.structs.replace(BARE, scs=Scs(product="other", fqdn="mps.corp.example", port=9972))
    assert {"stores", "log-off"}.isdisjoint(ids(other))
    texts = {step.id: step.text for step in make(other).steps}
    assert "for mps.corp.example." in texts["dns"]
    assert "TCP 9972 from the machines" in texts["ports"]
    named = msgspec.structs.replace(BARE, dhcp=Dhcp(domains=("a.example", "b.example")))
    assert "(a.example, b.example)" in {step.id: step.text for step in make(named).steps}["dns"]
    no_password = msgspec.structs.replace(AGENT, policy=Policy(method="pki", otp=False))
    assert "one-time-password" not in ids(no_password)


@pytest.mark.parametrize(("version", "words"), [("2.0", "2.0 cannot"), ("2.1", "out of band"), ("2.5", "out of band")])
def test_firmware_that_must_be_updated_first(version, words):
    [step] = [step for step in make(msgspec.structs.replace(AGENT, amt_version=version)).steps if step.id == "update"]
    assert words in step.text
    assert "update" not in ids(AGENT)


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (Site(), "does not say policy.method, amt_version"),
        (Site(amt_version="2.6", policy=Policy(method="pki")), "does not say hosts.agent"),
        (msgspec.structs.replace(PSK, amt_version="11.8"), "AMT 11.8 cannot be set up this way"),
        (msgspec.structs.replace(BARE, amt_version="2.6"), "AMT 2.6 cannot be set up this way"),
    ],
)
def test_no_plan(site, words):
    with pytest.raises(UsageError, match=words):
        make(site)


def ticks(site, *inputs):
    found = tick(site, gather(sort_inputs([str(each) for each in inputs])))
    return [{each.id: each for each in machine.ticks} for machine in found.machines]


def test_a_capture_ticks_psk_off():
    [found] = ticks(PSK, "pcaps/psk_clean.pcapng")
    done = {each.id: each.evidence[0].packet for each in found.values() if each.state == "done"}
    assert done == {"lease": 4, "name": 8, "hello": 14, "contact": 19, "handshake": 28, "configuration": 58}
    unseen = {each.id: each.shown_by for each in found.values() if each.state == "cannot be seen"}
    assert unseen == {
        "server": "contact", "dhcp": "lease", "dns": "name", "ports": "contact", "preflight": "",
        "import": "handshake", "stick": "hello", "boot": "hello", "unplug-stick": "", "plug-in": "lease", "map": "",
    }  # fmt: skip
    assert {each.id for each in found.values() if each.state == "not seen"} == {"keys", "commit", "managed", "log-off"}
    assert all(bool(each.proof) == (each.state != "done") for each in found.values())


def test_files_are_proofs_too():
    [found] = ticks(PSK, "pcaps/psk_clean.pcapng", "pcaps/setup.bin")
    assert found["keys"].state == "done"
    assert found["keys"].evidence[0].text.startswith("pcaps/setup.bin: a setup.bin, version 3.0")


def test_a_hello_of_the_other_kind_is_not_this_step(tmp_path):
    lab = Lab()
    lab.greet(desk(), messages.hello_pki(desk().uuid, [pki_lab.root().digest()]))
    path = lab.write(tmp_path / "hello.pcap")
    [psk], [bare] = ticks(PSK, path), ticks(BARE, path)
    assert psk["hello"].state == "not seen"
    assert psk["boot"].shown_by == ""
    assert bare["hello"].state == "done"
    assert bare["name"].shown_by == "hello"


def test_a_handshake_that_fails_proves_no_key(tmp_path):
    lab = Lab()
    lab.greet(desk())
    lab.psk(desk(), alert=(2, 115), by=TO_CLIENT)
    [found] = ticks(PSK, lab.write(tmp_path / "refused.pcap"))
    assert (found["contact"].state, found["handshake"].state, found["import"].shown_by) == ("done", "not seen", "")


def test_a_commit_that_is_inferred_says_so():
    found = ticks(PSK, "pcaps/office.pcapng")
    assert [each["commit"].state for each in found] == ["done", "not seen", "not seen", "not seen"]
    [proof] = found[0]["commit"].evidence
    assert (proof.packet, proof.text) == (67, "setup is committed (inferred, 80%)")
    assert found[0]["map"].shown_by == "commit"
    assert found[3]["plug-in"].shown_by == "lease"


def test_no_machine_no_ticks():
    assert ticks(PSK, "pcaps/setup.bin") == []


def test_questions_follow_from_answers():
    keys = [question.key for question in open_questions(Site())]
    assert "hosts.agent" not in keys
    assert [question.key for question in unanswered(AGENT)] == []
    assert "policy.otp" in [question.key for question in open_questions(AGENT)]
    for question in QUESTIONS:
        answer = {"choice": question.choices[:1], "yes or no": (True,)}.get(question.kind, ("1.example",))[0]
        wanted = (answer,) if question.key == "dhcp.domains" else answer
        assert value(answered(Site(), question, answer), question.key) == wanted
    assert list(steps_of(PSK))


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


@given(TEXTS, st.lists(TEXTS, max_size=2), st.sampled_from([None, True, False]), st.integers(1, 65535))
def test_a_saved_file_says_the_same(text, texts, flag, number):
    site = Site(
        policy=Policy(tls=flag, method="psk", window_hours=7.5),
        scs=Scs(version="3.1", port=number),
        dhcp=Dhcp(dns=("192.0.2.1",)),
        machine=(Machine(fqdn=text, features=tuple(texts)), Machine(agent=flag)),
    )
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "site.toml"
        file.write_text(as_toml(site), encoding="utf-8", newline="")
        assert load(file) == site
