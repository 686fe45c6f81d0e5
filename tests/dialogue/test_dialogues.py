"""Two dialogues side by side: what counts as a difference, where they part, and which machine is meant."""

from __future__ import annotations

import io
import json
import struct

import pytest
import wire

import amtdecode
from amtdecode.dialogue import recording
from amtdecode.secrets import Keys
from pcaps import messages
from pcaps.make import DOMAIN, NETWORK, SET_UP
from pcaps.scene import Scene, machine

PSK = ("0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ",)


def dialogue(number=21, *, seed=1, start=0.0, domain=DOMAIN, wait=3.0, calls=SET_UP, scene=None, hello=None):
    """One machine from its lease to CommitChanges, as a capture in memory. Each seed draws other numbers."""
    scene = scene or Scene(seed)
    desk = machine(number, DOMAIN)
    scene.wait(start)
    scene.lease(NETWORK, desk, domain=domain)
    scene.lookup(NETWORK, desk.host, f"provisionserver.{DOMAIN}", NETWORK.scs.ip)
    scene.hello(NETWORK, desk, messages.hello_psk(desk.uuid) if hello is None else hello(desk.uuid))
    scene.wait(wait)
    renamed = [(service, method, text.replace("desk-21", f"desk-{number}")) for service, method, text in calls]
    scene.set_up_psk(NETWORK, desk, renamed)
    scene.wait(300)
    scene.resolve(NETWORK.scs, NETWORK.dns)
    return capture(scene)


def capture(scene):
    """A pcap file with times in nanoseconds."""
    records = [
        struct.pack("<IIII", *divmod(time, 10**9), len(data), len(data)) + data for time, data, _ in scene.packets
    ]
    return wire.pcap([], magic=0xA1B23C4D) + b"".join(records)


def keys():
    return Keys.load(PSK)


def parting(comparison):
    return comparison.rows[comparison.parts_at]


def test_two_machines_set_up_alike_do_not_differ():
    comparison = amtdecode.diff(dialogue(21, seed=1), dialogue(22, seed=2, start=7), keys=keys())
    assert [row.how for row in comparison.rows if row.how != "same"] == []
    assert comparison.alike
    assert (comparison.good.machine[-4:], comparison.bad.machine[-4:]) == ("5315", "5316")
    # lease 4, name 2, hello and its end 2, handshake 10, seven exchanges of 3, alert, data of each side, end
    assert [step.event for step in comparison.good.steps].count("Call") == 7
    assert len(comparison.rows) == len(comparison.good.steps) == len(comparison.bad.steps) == 43


def test_another_domain_is_where_they_part():
    comparison = amtdecode.diff(dialogue(), dialogue(domain="exampel.com", seed=2))
    row = parting(comparison)
    assert (comparison.parts_at, row.how, row.good.event, row.good.sender) == (1, "changed", "DhcpMessage", "peer")
    assert [(each.name, each.good, each.bad) for each in row.fields] == [
        ("dhcp.option.domain_name", "example.com", "exampel.com")
    ]


def test_a_dot_that_only_the_bytes_show_is_a_difference():
    comparison = amtdecode.diff(dialogue(), dialogue(domain="example.com\0", seed=2))
    assert [(each.name, each.good, each.bad) for each in parting(comparison).fields] == [
        ("iamt.dhcp.option.domain_name.raw", b"example.com".hex(), b"example.com\0".hex())
    ]


def test_a_call_that_the_bad_one_lacks():
    comparison = amtdecode.diff(dialogue(), dialogue(seed=2, calls=SET_UP[:-1]), keys=keys())
    row = parting(comparison)
    assert (row.how, row.good.event, row.good.fields["http.request.uri"]) == (
        "only good", "HttpRequest", "/SecurityAdministrationService",
    )  # fmt: skip
    lacking = [row.good.fields["iamt.eoi.method"] for row in comparison.rows if row.good and row.good.event == "Call"
               and row.how == "only good"]  # fmt: skip
    assert lacking == ["CommitChanges"]


def test_the_machines_own_names_are_no_difference_but_the_servers_are():
    pid = "4343434" + messages.check_character("4343434")
    comparison = amtdecode.diff(dialogue(), dialogue(seed=2, hello=lambda uuid: messages.hello_psk(uuid, pid)))
    (row,) = [row for row in comparison.rows if row.how != "same" and row.good.event == "ClientKeyExchange"]
    # the hello says another PID than the server uses: it is no longer "its PID"
    assert [(each.good, each.bad) for each in row.fields if each.name == "iamt.tls.psk.identity"] == [
        ("(its PID)", "0000037M")
    ]
    said = [step.fields for step in comparison.good.steps if step.event == "HelloMessage"]
    assert (said[0]["iamt.hello.uuid"], said[0]["iamt.hello.pid"]) == ("(its UUID)", "(its PID)")


@pytest.mark.parametrize(
    ("good", "bad", "slower"), [(3.0, 60.0, "bad"), (60.0, 3.0, "good"), (3.0, 14.0, ""), (0.1, 0.9, "")]
)
def test_a_long_wait_is_said_but_is_no_difference(good, bad, slower):
    comparison = amtdecode.diff(dialogue(wait=good), dialogue(wait=bad, seed=2))
    assert comparison.alike
    # before the ClientHello, the first step of the contact back
    assert {row.good.event: row.slower for row in comparison.rows if row.slower} == (
        {"ClientHello": slower} if slower else {}
    )


def office(*numbers, wait=0.0):
    """Machines one after the other: the first of them set up, the others only greet."""
    scene = Scene(seed=9)
    dialogue(numbers[0], scene=scene)
    for number in numbers[1:]:
        desk = machine(number, DOMAIN)
        scene.lease(NETWORK, desk)
        for retry in range(3):
            scene.hello(NETWORK, desk, messages.hello_psk(desk.uuid, retry=retry))
            scene.wait(60)
    scene.wait(wait)
    return capture(scene)


def test_of_one_capture_the_machine_set_up_is_the_good_one():
    comparison = amtdecode.diff(office(21, 22))
    assert (comparison.good.addresses, comparison.bad.addresses) == (["192.0.2.21"], ["192.0.2.22"])
    assert (comparison.good.outcome, comparison.bad.outcome) == ("committed", "incomplete")
    row = parting(comparison)
    assert (row.how, row.good.event) == ("only good", "DnsMessage")


@pytest.mark.parametrize("name", ["192.0.2.23", "A3700017-1de5-11dc-8000-5e0000005317", "00:00:5E:00:53:17"])
def test_machines_are_chosen_by_address_uuid_or_mac(name):
    comparison = amtdecode.diff(office(21, 22, 23), bad_machine=name)
    assert comparison.bad.addresses == ["192.0.2.23"]


def test_attempts_are_chosen_by_number_and_hold_their_own_steps():
    scene = Scene(seed=3)
    dialogue(21, scene=scene)
    first = len(scene.packets)
    dialogue(21, scene=scene, domain="other.example.com")
    both = amtdecode.diff(capture(scene), good_attempt=1, bad_attempt=2)
    assert (both.good.attempt, both.bad.attempt, both.good.attempts) == (1, 2, 2)
    assert max(step.packet for step in both.good.steps) < first < min(step.packet for step in both.bad.steps)
    assert parting(both).fields[0].bad == "other.example.com"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bad_machine": "192.0.2.99"}, "192.0.2.99: no machine is called so"),
        ({"bad_attempt": 4}, "no attempt 4; it made 1"),
        ({"bad_machine": "192.0.2.21"}, "both are the same dialogue"),
    ],
)
def test_what_is_not_there_is_refused(given, said):
    with pytest.raises(amtdecode.UsageError, match=said):
        amtdecode.diff(office(21, 22), **given)


def test_captures_that_can_be_read_once_are_refused():
    with pytest.raises(amtdecode.UsageError, match="reads its captures twice"):
        amtdecode.diff([(1.0, b"x" * 60)])
    with pytest.raises(amtdecode.UsageError, match="no machine with AMT"):
        amtdecode.diff(io.BytesIO(wire.pcap([])))


def test_steps_behind_the_cap_are_counted(monkeypatch):
    monkeypatch.setattr(recording, "MAX_STEPS", 10)
    comparison = amtdecode.diff(dialogue(), dialogue(22, seed=2))
    assert (len(comparison.good.steps), comparison.good.left_out, len(comparison.rows)) == (10, 12, 10)


def test_as_json_says_times_and_no_secrets():
    shown = json.dumps(amtdecode.diff(dialogue(), dialogue(seed=2), keys=keys()).to_dict())
    assert '"time": "2007-11-05T09:00:00.000000000Z"' in shown
    assert "Example-1" not in shown
    assert "Example-2" not in shown
