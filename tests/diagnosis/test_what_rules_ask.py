"""What rules ask in common: suffix and version of a machine, what the capture shows, the site file, phrases, causes."""

from pathlib import Path

import msgspec
import pytest
from by_hand import DESK, SCS, UUID, at, attempt, called, capture, contact, hello, lease, lookup, machine, tls
from pki_lab import issue, leaf, machine_certificate, middle

from amtdecode.capture.health import Health
from amtdecode.counting import counted
from amtdecode.diagnosis import certificates, sight
from amtdecode.diagnosis.addressing import latest_lease, resolved, suffix_of
from amtdecode.diagnosis.case import Case, per_machine
from amtdecode.diagnosis.causes import causes
from amtdecode.diagnosis.contacts import contacts, hello_sessions, setup_contacts, swept
from amtdecode.diagnosis.handshakes import is_psk, is_setup, management, pki_stops, psk_stops
from amtdecode.diagnosis.phrases import both, dead_record, hexed, quoted, seconds
from amtdecode.diagnosis.report import Cause, Finding, Report
from amtdecode.diagnosis.rule import confirmed, likely
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.diagnosis.site import NOBODY, Site, load, within
from amtdecode.diagnosis.versions import is_mebx_version, version_tuple
from amtdecode.errors import ArtifactError
from amtdecode.provisioning.sight import answers_shown, long_enough, one_direction
from amtdecode.provisioning.state import Device, LogEntry, Outcome, Recognition, Story

OTHER = "192.0.2.80"


def case(*devices: Device, story: Story | None = None, site: str = "") -> Case:
    return Case(story or capture(*devices), msgspec.toml.decode(site, type=Site), {})


# -- addresses and names -----------------------------------------------------------------------------------------------


def test_the_latest_lease_that_was_granted() -> None:
    one, two = lease(1), lease(5)
    assert latest_lease(machine(one, two)) is two
    assert latest_lease(machine(one, lease(5, ack=0))) is one
    assert latest_lease(machine(one, lease(5, v6=True))) is one
    assert latest_lease(machine(lease(1, ack=0))) is None
    found = lookup(3, SCS)
    assert resolved(machine(lookup(1), found, lookup(5))) == [found]


def test_the_suffix_of_a_machine() -> None:
    name = lookup(3, name="provisionserver.example.net.")
    assert suffix_of(machine(lease(1), name)) == "example.com"
    assert suffix_of(machine(lease(1), lease(5, suffix=b"b.example"))) == "b.example"
    assert suffix_of(machine(lease(1), lease(5, suffix=None), name)) == "example.net"  # of the lease it has now
    assert suffix_of(machine(lease(1), lease(5, ack=0))) == "example.com"
    assert suffix_of(machine(lease(1, suffix=b""), name)) == ""
    assert suffix_of(machine(lookup(2, name="provisionserver.old.example"), name)) == "example.net"
    assert suffix_of(machine(name, lookup(5, name="provisionserver"))) == "example.net"
    v6 = lease(1, v6=True, suffix=b"six.example lab.example")
    assert suffix_of(machine(v6)) == "six.example"
    assert suffix_of(machine(lease(1, suffix=None), v6)) == "six.example"
    assert suffix_of(machine(v6, name)) == "example.net"
    assert suffix_of(machine(lease(1, suffix=None))) == ""  # it has none
    assert suffix_of(machine(lease(1, suffix=None, ack=0))) is None  # nobody knows
    assert suffix_of(machine(lookup(5, name="provisionserver"))) is None
    assert suffix_of(machine(lease(1, ack=0))) is None  # asked for, not granted
    assert suffix_of(machine(lease(1, v6=True, suffix=None))) is None
    assert suffix_of(machine(lease(1, suffix=b"caf\xe9.example"))) == "café.example"


# -- the site file -----------------------------------------------------------------------------------------------------


def test_which_entry_of_the_site_file_is_meant() -> None:
    first, second, third = (f'[[machine]]\n{key} = "{value}"\namt_version = "{number}.0"\n' for key, value, number in (
        ("uuid", UUID.upper(), 1), ("address", DESK, 2), ("fqdn", "Desk.example.com", 3)))  # fmt: skip
    desk = machine(fqdn="desk.EXAMPLE.com")
    for site, version in ((first + second + third, "1.0"), (second + third, "2.0"), (third, "3.0")):
        assert case(desk, site=site).version(desk) == version
    nobody = machine(uuid="", addresses=[])
    assert case(nobody, site=first + second + third).machine(nobody) is NOBODY
    assert case(desk).machine(desk) is NOBODY
    empty = '[[machine]]\npower = "on"\n'  # names nobody
    assert case(nobody, site=empty).machine(nobody) is NOBODY


def test_the_version_of_a_machine() -> None:
    site = 'amt_version = "7.0"\n'
    assert case(machine(), site=site).version(machine()) == "7.0"
    assert case(machine(), site=site).version(machine(amt_version="9.0")) == "9.0"
    assert case(machine(), site=site).told_version(machine(amt_version="9.0")) == "7.0"
    own = site + f'[[machine]]\naddress = "{DESK}"\namt_version = "8.0"\n'
    assert case(machine(), site=own).told_version(machine()) == "8.0"
    mebx = 'amt_version = "2.15.15.0000"\n'
    assert case(machine(), site=mebx).version(machine()) == ""
    assert case(machine(), site=mebx).told_version(machine()) == "2.15.15.0000"
    assert case(machine()).version(machine()) == ""


def test_versions_are_numbers() -> None:
    assert version_tuple("11.8.50") == (11, 8, 50)
    assert version_tuple("") == version_tuple("11.x") == version_tuple("11.") == ()
    assert is_mebx_version("3.10.0.0")
    for amt in ("4.10.0.0", "3.9.0.0", "3.10.0", "3.10.0.0.0", ""):
        assert not is_mebx_version(amt)


def test_the_answer_about_the_latest_machine_is_remembered() -> None:
    asked = []

    @per_machine
    def ask(_case: Case, device: Device) -> int:
        asked.append(device.id)
        return device.id

    one, two, here = machine(id=1), machine(id=2), case()
    assert [ask(here, each) for each in (one, one, two, one)] == [1, 1, 2, 1]
    assert asked == [1, 2, 1]


def test_addresses_and_networks() -> None:
    assert within(DESK, ("10.0.0.0/8", "192.0.2.0/24"))
    assert within(DESK, (DESK,))
    assert within(DESK, ("192.0.2.77/24",))
    assert within("2001:db8::1", ("2001:db8::/32",))
    for networks in ((), ("10.0.0.0/8",), ("2001:db8::/32",)):
        assert not within(DESK, networks)
    assert not within("", ("0.0.0.0/0",))
    assert not within("desk", ("0.0.0.0/0",))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[scs]\naddresses = ["192.0.2.0/24", "x"]\n', "scs.addresses: 'x' is neither an address nor a network"),
        ('[network]\nwireless = ["x"]\n', "network.wireless: 'x'"),
        ('[network]\nvpn = ["x"]\n', "network.vpn: 'x'"),
        ('[certificates]\nroots = ["aB:0 9", "0g"]\n', "certificates.roots: '0g' is not a hash in hex"),
        ('amt_version = "3.x"\n', "amt_version: '3.x' is not a version"),
        ('[scs]\nversion = "3."\n', "scs.version: '3.'"),
        ('[[machine]]\namt_version = "three"\n', "machine.amt_version: 'three'"),
        ('[[machine]]\nupgrade_to = "three"\n', "machine.upgrade_to: 'three'"),
        ("[policy]\nwindow_hours = 0\n", "policy.window_hours must be above 0"),
        ("[policy]\nwindow_hours = -1\n", "policy.window_hours must be above 0"),
        ("colour = 1\n", "colour"),
        ("[policy\n", "site.toml"),
        (b"\xff", "not UTF-8 text"),
    ],
)
def test_a_fact_that_makes_no_sense(tmp_path: Path, text: str | bytes, fault: str) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ArtifactError) as caught:
        load(path)
    assert fault in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_site_file_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text('amt_version = "3.2.1"\n[policy]\nwindow_hours = 0.5\n[certificates]\nroots = ["AB:cd 09"]\n')
    site = load(path)
    assert (site.amt_version, site.policy.window_hours, site.certificates.roots) == ("3.2.1", 0.5, ("AB:cd 09",))
    assert (site.policy.tls, site.policy.slow_contact_seconds) == (None, 600.0)
    with pytest.raises(ArtifactError, match="o such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ArtifactError):
        load("a\0b")


# -- what captures show ------------------------------------------------------------------------------------------------


def test_how_long_the_capture_goes_on() -> None:
    story = capture(last=10)
    assert long_enough(story, at(9))
    assert not long_enough(story, at(9.1))
    assert long_enough(story, at(8), 2.0)
    assert not long_enough(story, at(8.1), 2.0)
    assert long_enough(story, None)
    assert long_enough(capture(last=None), at(9))


def test_which_answers_the_capture_shows() -> None:
    both, one = {0: Health(9, both_ways=2, one_way=2)}, {0: Health(9, both_ways=1), 1: Health(9, one_way=2)}
    assert not one_direction(capture(health=both))
    assert one_direction(capture(health=one))
    assert not one_direction(capture())
    session = contact(4)
    assert answers_shown(capture(), session)
    assert answers_shown(capture(sides={DESK: 0, SCS: -1}), session)
    assert not answers_shown(capture(sides={DESK: -1}), session)
    assert not answers_shown(capture(health=one), session)
    assert not answers_shown(capture(), contact(4, only="client"))
    assert answers_shown(capture(), contact(4, only="server"))


def test_how_sure_an_absence_is() -> None:
    whole, lossy, mute = {0: Health(9, both_ways=1)}, {0: Health(9, both_ways=1, gaps=1)}, {0: Health(9)}
    assert sight.absent(case()) is confirmed
    assert sight.absent(case(story=capture(health=whole))) is confirmed
    assert sight.absent(case(story=capture(health=lossy))) is likely
    assert sight.absent(case(story=capture(health=mute))) is likely  # nobody is answered in it
    for answered in (
        capture(health=mute, lookups={(DESK, "a"): lookup(1)}),
        capture(machine(lease(1)), health=mute),
        capture(machine(lease(1, ack=0, nak=2)), health=mute),
    ):
        assert sight.absent(case(story=answered)) is confirmed
    for silent in (
        capture(health=mute, lookups={(DESK, "a"): lookup(1, answer=0)}),
        capture(machine(lease(1, ack=0)), health=mute),
    ):
        assert sight.absent(case(story=silent)) is likely
    once = case(story=capture(health=mute))
    sight.absent(once)
    once.story.devices.append(machine(lease(1)))
    assert sight.absent(once) is likely  # asked once for all machines


def test_why_something_may_have_been_missed() -> None:
    def said(missing) -> str:
        return missing.what if missing else ""

    one_way = {0: Health(9, one_way=2)}
    session = contact(4)
    assert said(sight.unseen_answer(case(), session)) == ""
    assert said(sight.unseen_answer(case(), contact(4, only="client"))) == sight.ONE_DIRECTION
    assert said(sight.unseen_answer(case(story=capture(last=4.5)), session)) == sight.TOO_SHORT
    asked = lookup(4, answer=0)
    assert said(sight.unseen_reply(case(), asked, at(4), 5.0)) == ""
    asked.cut = True
    assert said(sight.unseen_reply(case(), asked, at(4), 5.0)) == sight.CUT
    asked.cut = False
    assert said(sight.unseen_reply(case(story=capture(health=one_way)), asked, at(4), 5.0)) == sight.ONE_DIRECTION
    assert said(sight.unseen_reply(case(story=capture(last=9)), asked, at(8), 5.0)) == ""
    assert said(sight.unseen_reply(case(story=capture(last=8.9)), asked, at(1), 5.0)) == sight.TOO_SHORT
    asked.time = None
    assert said(sight.unseen_reply(case(story=capture(last=8.9)), asked, at(4), 5.0)) == sight.TOO_SHORT
    assert said(sight.unseen_reply(case(story=capture(last=8.9)), asked, at(3), 5.0)) == ""
    assert said(sight.unseen_bytes(session)) == ""
    assert said(sight.unseen_bytes(contact(4, only="server"))) == sight.ONE_DIRECTION
    assert said(sight.unseen_bytes(contact(4, client_missing=1))) == sight.LOST


# -- connections -------------------------------------------------------------------------------------------------------


def test_connections_to_and_from_a_machine() -> None:
    tls_port, clear, redirected, sent = contact(1), contact(2, port=16992), contact(3, port=16994), called(4)
    other = contact(5, server=OTHER)
    odd = contact(6, port=443)
    desk = machine(tls_port, clear, redirected, sent, other, odd)
    assert contacts(case(desk), desk) == [tls_port, clear, redirected]
    assert setup_contacts(case(desk), desk) == [tls_port, clear]
    assert hello_sessions(case(desk), desk) == [sent]


def test_a_hello_may_go_to_any_port_of_provisionserver() -> None:
    def found(session):
        desk = machine(session, lookup(1, OTHER))
        return bool(hello_sessions(case(desk), desk))

    assert found(called(4, server=OTHER, port=9972))
    assert found(called(4))
    for near in (
        called(4, port=9972),
        called(4, server=OTHER, port=9972, setup=True),
        called(4, server=OTHER, client=SCS),
        contact(4),
    ):
        assert not found(near)


def test_a_console_that_searches_its_network() -> None:
    def searched(count: int, *own, answered: bool = False, **more) -> bool:
        devices = [machine(contact(4, "unanswered"), id=at_, uuid="") for at_ in range(1, count)]
        desk = machine(contact(4, "closed" if answered else "unanswered"), *own, id=99, **({"uuid": ""} | more))
        return swept(case(*devices, desk), desk, SCS)

    assert searched(16)
    assert not searched(15)
    entry = LogEntry(ref=1, time=None, recognition=Recognition())
    assert not searched(20, lookup(1))
    assert not searched(20, answered=True)
    assert not searched(20, uuid=UUID)
    assert not searched(20, log_entries=[entry])


# -- handshakes --------------------------------------------------------------------------------------------------------


def shaken(packet: int, **more):
    session = more.pop("session", {})
    return contact(packet, handshake=tls(client_hello=packet + 1, **more), **({"setup": False} | session))


def test_which_connections_are_setup() -> None:
    own, issued = (machine_certificate().der,), (issue("desk-30.example.com", middle(), 12).der,)
    marked, plain = (leaf().der,), (issue("console.example.com", middle(), 12, purposes=("1.3.6.1.5.5.7.3.2",)).der,)
    committed = machine(attempt(hello(2), outcome=Outcome.COMMITTED))
    unknown = machine()

    def setup(session, desk=unknown) -> bool:
        return is_setup(case(desk), desk, session)

    for yes in (
        shaken(10, session={"setup": True}),
        shaken(10, psk_identity="x"),
        shaken(10, suite_name="TLS_PSK_WITH_AES_128_CBC_SHA"),
        shaken(10, client_chain=marked, server_chain=issued),
        shaken(10, client_chain=plain, server_chain=own),
        shaken(10, client_certificate=13, request=12, server_chain=own),
    ):
        assert setup(yes)
    for no in (
        contact(10, setup=True),
        shaken(10, session={"setup": True, "port": 16995}),
        shaken(10),
        shaken(10, client_chain=plain, server_chain=issued),
        shaken(10, client_chain=plain),
        shaken(10, client_certificate=13, request=12, server_chain=issued),
        shaken(10, client_certificate=13, server_chain=own),
        shaken(10, request=12, server_chain=own),
    ):
        assert not setup(no)
    assert setup(shaken(10, session={"setup": True}), committed)
    assert not setup(shaken(10, client_chain=marked), committed)  # later management
    assert not setup(shaken(10, psk_identity="x"), committed)
    seen = shaken(10, server_chain=own)
    managed = machine(attempt(hello(2), outcome=Outcome.COMMITTED), attempt(seen, shaken(20, session={"setup": True})))
    assert management(case(managed), managed) == [(seen, seen.handshake)]


def test_chains_that_were_read_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "MAX_CHAINS", 2)
    here, chains = case(), [(leaf().der,), (middle().der,), (machine_certificate().der,)]
    first = certificates.read_chain(here, chains[0])
    assert certificates.read_chain(here, chains[0]) is first
    certificates.read_chain(here, chains[1])
    assert certificates.read_chain(here, chains[0]) is first
    certificates.read_chain(here, chains[2])
    assert list(here.shared["chains"]) == [chains[2]]


def test_which_handshakes_are_of_pre_shared_keys() -> None:
    by_hello = machine(hello(2, version=2))
    assert is_psk(by_hello, shaken(10))
    assert is_psk(machine(hello(2)), shaken(10, psk_identity="x"))
    for no in (shaken(10, server_chain=(b"x",)), shaken(10, client_certificate=13), contact(10)):
        assert not is_psk(by_hello, no)
    assert not is_psk(machine(hello(2)), shaken(10))


def test_stops_since_the_latest_handshake_that_came_through() -> None:
    def stops(version: int, *sessions):
        desk = machine(hello(2, version=version), *sessions)
        return [[session.ref for session, _ in found(case(desk), desk)] for found in (psk_stops, pki_stops)]

    setup = {"session": {"setup": True}}
    through = {"client_ccs": 13, "server_ccs": 14, "complete": True} | setup
    assert stops(2, shaken(10, **setup), shaken(20, **setup)) == [[10, 20], []]
    assert stops(3, shaken(10, **setup), shaken(20, **setup)) == [[], [10, 20]]
    assert stops(2, shaken(10, **setup), shaken(20, **through), shaken(30, **setup)) == [[30], []]
    by_certificate = shaken(20, server_chain=(b"x",), **through)
    assert stops(2, shaken(10, **setup), by_certificate) == [[10], []]  # it says nothing of the key
    under_way = shaken(20, session={"setup": True, "state": ""})
    assert stops(2, shaken(10, **setup), under_way) == [[10], []]


# -- phrases -----------------------------------------------------------------------------------------------------------


def test_captured_text_in_a_sentence() -> None:
    assert quoted("a") == quoted(b"a") == '"a"'
    assert quoted('a"\n\x1b') == '"a\\"\\n\\x1b"'
    assert quoted(b"\xff") == '"\\xff"'
    assert quoted("x" * 80) == f'"{"x" * 80}"'
    assert quoted("x" * 81) == f'"{"x" * 80}\\u2026"'
    assert hexed("ab") == hexed(b"ab") == "61 62"
    assert hexed(b"x" * 80) == " ".join(["78"] * 80)
    assert hexed(b"x" * 81) == " ".join(["78"] * 80) + " …"


def test_two_sides_of_a_comparison() -> None:
    assert both("a", "b") == '"a" against "b"'
    assert both("a", "a") == '"a" against "a"'
    assert both("a", "A ") == '"a" against "A " (hex 61 against 41 20)'


def test_numbers_in_words() -> None:
    assert [counted(number, "query", "queries") for number in (0, 1, 2)] == ["0 queries", "1 query", "2 queries"]
    assert counted(2, "record") == "2 records"
    for span, text in (
        (0, "less than a second"),
        (1, "1.0 s"),
        (119.94, "119.9 s"),
        (120, "2 min"),
        (7140, "119 min"),
        (7200, "2.0 h"),
    ):
        assert seconds(int(span * 1e9)) == text


def test_a_record_that_leads_nowhere() -> None:
    said = dead_record("n", ["a", "b"], ["c"])
    assert said == "Remove the record n = a and b, where nobody answers; c stays. Or start the service on a and b."
    assert dead_record("n", [], ["c"]) == dead_record("n", ["a"], []) == ""


# -- causes of a fleet -------------------------------------------------------------------------------------------------


def finding(rule: str, device: int | None, title: str = "T", severity: Severity = Severity.HIGH,
            verdict: Verdict = Verdict.LIKELY) -> Finding:  # fmt: skip
    name = None if device is None else f"desk-{device}"
    return Finding(id=rule, title=title, severity=severity, verdict=verdict, device=name, device_id=device, layer="",
                   explanation="", fix=f"fix {device}")  # fmt: skip


def told(*findings: Finding) -> list[Cause]:
    return causes(Report(findings=list(findings)))


def test_the_foremost_finding_of_each_machine_is_its_cause() -> None:
    found = told(
        finding("A", 1), finding("B", 1), finding("A", 2), finding("F", None), finding("F", None),
        finding("I", 3, severity=Severity.INFO), finding("B", 3),
    )  # fmt: skip
    assert [(each.id, each.count, each.machines) for each in found] == [
        ("A", 2, ["desk-1", "desk-2"]), ("B", 1, ["desk-3"]), ("F", 0, []),
    ]  # fmt: skip
    assert told(finding("I", 3, severity=Severity.INFO)) == []


def test_the_worst_cause_comes_first_then_the_most_frequent() -> None:
    found = told(
        finding("A", 1), finding("B", 2), finding("B", 3),
        finding("C", 4, severity=Severity.CRITICAL), finding("D", 5),
    )  # fmt: skip
    assert [each.id for each in found] == ["C", "B", "A", "D"]


def test_a_cause_says_what_the_worst_of_its_findings_says() -> None:
    (cause,) = told(
        finding("A", 1, severity=Severity.MEDIUM), finding("A", 2), finding("A", 3, verdict=Verdict.CONFIRMED)
    )  # fmt: skip
    assert (cause.severity, cause.verdict, cause.fix, cause.count) == (Severity.HIGH, Verdict.CONFIRMED, "fix 3", 3)
    (many,) = told(*(finding("A", number) for number in range(1, 9)))
    assert (many.count, many.machines) == (8, [f"desk-{number}" for number in range(1, 6)])


def test_titles_that_differ_are_as_many_causes_while_they_are_few() -> None:
    three = told(*(finding("A", number, f"T{number % 3}") for number in range(1, 7)))
    assert [(each.title, each.titles, each.count) for each in three] == [("T1", 1, 2), ("T2", 1, 2), ("T0", 1, 2)]
    (four,) = told(*(finding("A", number, f"T{number % 4}") for number in range(1, 9)))
    assert (four.title, four.titles, four.count) == ("T1", 4, 8)
