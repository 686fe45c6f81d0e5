"""The report: its schema, its order, its text, its masks, its exit codes; the site file; the pages about the rules."""

import json
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import pytest
from diagnosis_lab import SCS, Bench, Lab, command, desk, named
from test_application import ask, say, talked

from amtdecode.diagnosis import Rule, Site, Text, diagnose, diagnose_files, docs, evidence_packets, load, needs
from amtdecode.diagnosis.asking import Asking
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.inputs import gather, sort_inputs
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.report import Report, schema
from amtdecode.diagnosis.rule import SEVERITY_WORDS, Hit, confirmed, texts
from amtdecode.diagnosis.rulebook import all_rules, rules
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.site import Scs
from amtdecode.errors import ArtifactError, CaptureError, UsageError
from amtdecode.provisioning import Device
from pcaps import messages
from pcaps.scene import Machine

ROOT = Path(__file__).resolve().parents[2]
HERE = desk()


def troubled() -> Lab:
    """Three machines: one refuses, one is ignored, one is fine."""
    lab = Lab()
    lab.dhcp(HERE)
    lab.found(HERE)
    lab.greet(HERE)
    lab.wait(3)
    lab.refused(SCS, HERE.host, 16993)
    ignored = desk(31)
    for retry in range(4):
        lab.greet(ignored, messages.hello_pki(ignored.uuid, messages.ROOTS_SHA1, retry=retry))
        lab.wait(60)
    fine = desk(32)
    lab.greet(fine, messages.hello_psk(fine.uuid, "ABCDEF0L"))
    return lab


def test_every_rule_of_the_catalogue_has_a_text_and_a_function() -> None:
    ids = [rule.id for rule in all_rules()]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(texts())
    assert all(rule.of_machine or rule.of_fleet for rule in all_rules())
    assert {text.severity for text in texts().values()} <= set(SEVERITY_WORDS)
    layers = {"infrastructure", "SCS", "console", "firmware or drivers", "client"}
    assert {text.layer for text in texts().values()} == layers
    for rule, text in texts().items():
        for name in text.silenced_by:
            assert any(fnmatchcase(each, name) for each in ids), (rule, name)


def test_texts_are_read_one_by_one_as_the_whole_files_read() -> None:
    files = sorted((ROOT / "amtdecode" / "diagnosis" / "rules").glob("*.toml"))
    tables = [tomllib.loads(file.read_text("utf-8")) for file in files]
    whole = {rule: msgspec.convert(entry, Text) for table in tables for rule, entry in table.items()}
    assert list(texts().items()) == list(whole.items())


def test_every_rule_declares_what_it_needs() -> None:
    for rule in rules():
        assert rule.when or rule.needs, rule.id
        for need in (*rule.when, *rule.needs):
            assert [need.machine, need.incident, need.inputs].count(None) == 2, rule.id
        for need in rule.needs:
            assert need.missing, rule.id  # else "not judged" would say nothing


def test_the_catalogue_is_complete(shared: Path) -> None:
    catalogue = (shared / "reference" / "diagnosis-rules.md").read_text("utf-8")
    wanted = set(re.findall(r"^\| (AMT-[A-Z]+-[0-9A-Z]+)", catalogue, re.MULTILINE))
    later = {rule for rule in wanted if rule.startswith("AMT-KRB-")}
    assert wanted - later <= set(texts())  # rules that came after it have ids it never used


def test_what_a_rule_declares_decides_whether_it_is_asked(bench: Bench) -> None:
    lab = troubled()
    lab.greet(desk(33), messages.hello_psk(desk(33).uuid)[:-3])
    story = gather(sort_inputs([str(lab.write(bench.folder / "x.pcap"))]))

    def spoken(site: Site, machine: Machine) -> tuple[set[str], dict[str, str]]:
        asking = Asking(Case(story, site, {}), rules())
        (device,) = (device for device in story.devices if device.uuid == str(machine.uuid))
        questions = asking.of(device)
        return {rule.id for rule, _ in questions.asked}, {entry.id: entry.missing for entry in questions.not_judged}

    asked, missing = spoken(Site(), HERE)  # a lease, a name, a hello with a PID, a contact refused
    assert {"AMT-NET-001", "AMT-DNS-001", "AMT-CONN-002", "AMT-HELLO-011"} <= asked
    assert "AMT-RCFG-016" not in asked | missing.keys()  # it is about setup with certificates
    assert "AMT-HELLO-005" not in asked | missing.keys()  # no hello of it is malformed
    assert missing["AMT-CONN-007"] == "the list of servers that may provision (--site: scs.addresses)"
    asked, missing = spoken(Site(), desk(31))  # hellos with hashes, and nothing else
    assert missing["AMT-NET-001"] == "no DHCP of the machine in this capture"
    assert missing["AMT-DNS-001"] == "no DNS query of the machine for ProvisionServer in this capture"
    assert missing["AMT-RCFG-016"] == "version of SCS (--site: scs.version)"
    assert "AMT-CONN-002" not in asked | missing.keys()
    asked, missing = spoken(Site(scs=Scs(version="3.1")), desk(31))
    assert "AMT-RCFG-016" in asked
    assert "AMT-HELLO-005" in spoken(Site(), desk(33))[0]


def test_faults_of_two_cut_hellos_stay_with_their_machines(bench: Bench) -> None:
    cut = Lab()
    cut.greet(HERE, messages.hello_psk(HERE.uuid)[:-3])
    cut.greet(desk(31), messages.hello_psk(desk(31).uuid)[:-3])
    faults = bench.found("AMT-HELLO-005", cut)
    assert [finding["device"] for finding in faults] == [str(HERE.uuid), str(desk(31).uuid)]


def blank(lab: Lab, number: int, uuid: str = "00000000-0000-0000-0000-000000000000") -> None:
    """A machine whose BIOS left its UUID blank says hello, and refuses the contact back."""
    computer = named(desk(number), uuid)
    lab.greet(computer, messages.hello_psk(computer.uuid, f"ABCDEF0{number % 10}"))
    lab.wait(3)
    lab.refused(SCS, computer.host, 16993)


def test_machines_with_a_blank_uuid_keep_their_findings(bench: Bench) -> None:
    lab = Lab()
    blank(lab, 31)
    blank(lab, 32)
    blank(lab, 33, "ffffffff-ffff-ffff-ffff-ffffffffffff")
    report = bench.report(lab)
    machines = {device["id"]: device for device in report["devices"]}
    assert len(machines) == 3
    for number, device in machines.items():
        ids = {finding["id"] for finding in report["findings"] if finding["device_id"] == number}
        assert {"AMT-HELLO-007", "AMT-CONN-002"} <= ids
        names = {finding["device"] for finding in report["findings"] if finding["device_id"] == number}
        assert names == {device["addresses"][-1]}  # a blank UUID names nobody
    text = command("diagnose", str(lab.write(bench.folder / "blank.pcap")))[1]
    for device in machines.values():
        section = text.partition(f"\n\n{device['addresses'][-1]}")[2].partition("\n\n")[0]
        assert "AMT-CONN-002" in section, text
    assert "Not of one machine alone" not in text.partition("Not judged")[0]


def test_machines_called_the_same_are_kept_apart(bench: Bench) -> None:
    """Two machines of one name and a blank UUID: each finding belongs to the one that it is about."""
    lab = Lab()
    for number in (31, 32):
        asked = f"{number}.2.0.192.in-addr.arpa"
        lab.dns(SCS, asked, [(asked, messages.PTR, messages.dns_name("pc.lab"))], kind=messages.PTR)
        blank(lab, number)
    path = str(lab.write(bench.folder / "twins.pcap"))
    report = diagnose(gather(sort_inputs([path])))
    assert [device.name for device in report.devices] == ["pc.lab", "pc.lab"]
    for device in report.devices:
        assert [f.evidence[0].text for f in report.of(device) if f.id == "AMT-CONN-002"] == [
            f"192.0.2.10 to {device.addresses[-1]}:16993: refused (RST)"
        ]
        packets = evidence_packets(report, device.id)[path]
        assert packets < evidence_packets(report, "pc.lab")[path]


def test_own_rules_are_asked_beside_ours(bench: Bench) -> None:
    def many_hellos(_case: Case, device: Device) -> Iterator[Hit]:
        yield confirmed((device.hellos[0].ref, "the first"), count=len(device.hellos))

    text = Text(
        title="{count} hellos",
        severity="high",
        layer="client",
        evidence="Hellos.",
        explanation="It said {count} hellos.",
        fix="None.",
        source="ours",
    )
    own = Rule(id="LAB-1", question=Question.HELLO, of_machine=many_hellos, when=(needs.HELLO,), text=text)
    path = troubled().write(bench.folder / "x.pcap")
    report = diagnose_files([path], rules=[own])
    found = [finding for finding in report.findings if finding.id == "LAB-1"]
    assert {(f.device, f.title, f.severity) for f in found} == {
        (str(HERE.uuid), "1 hellos", "high"),
        (str(desk(31).uuid), "4 hellos", "high"),
        (str(desk(32).uuid), "1 hellos", "high"),
    }
    others = [finding for finding in report.findings if finding.id != "LAB-1"]
    assert len(others) == len(diagnose_files([path]).findings)
    assert all(finding in others for finding in diagnose_files([path]).findings)
    asleep = msgspec.structs.replace(own, needs=(needs.SCS_VERSION,))
    entry = next(entry for entry in diagnose_files([path], rules=[asleep]).not_judged if entry.id == "LAB-1")
    assert entry.missing == "version of SCS (--site: scs.version)"
    for wrong in (
        msgspec.structs.replace(own, id="AMT-NET-001"),
        msgspec.structs.replace(own, text=None),
        msgspec.structs.replace(own, of_machine=None),
    ):
        with pytest.raises(UsageError, match=wrong.id):
            diagnose_files([path], rules=[wrong])


def test_published_schema_and_pages_are_current() -> None:
    assert (ROOT / "docs" / "report-schema.json").read_text("utf-8") == docs.schema_text()
    for name, text in docs.pages().items():
        assert (ROOT / "docs" / "rules" / name).read_text("utf-8") == text, name
    assert len(list((ROOT / "docs" / "rules").glob("*.md"))) == len(texts()) + 1


def test_report_fits_the_interface(bench: Bench) -> None:
    report = bench.report(troubled())
    members = ["schema", "inputs", "health", "causes", "devices", "findings", "not_judged", "other_traffic"]
    assert list(report) == members
    machine = ["id", "uuid", "addresses", "fqdn", "method", "amt_version", "attempts", "comment"]
    assert list(report["devices"][0]) == machine
    assert list(report["devices"][0]["attempts"][0]) == [
        "started",
        "ended",
        "stage",
        "outcome",
        "confidence",
        "packets",
    ]
    finding = report["findings"][0]
    assert list(finding) == [
        "id",
        "title",
        "severity",
        "verdict",
        "device",
        "device_id",
        "layer",
        "explanation",
        "fix",
        "evidence",
        "source",
    ]
    for finding in report["findings"]:
        for proof in finding["evidence"]:
            assert ("packet" in proof) != ("line" in proof)
    assert schema()["$defs"]["Finding"]["properties"]["severity"] == {"$ref": "#/$defs/Severity"}
    assert schema()["$defs"]["Severity"]["enum"] == sorted(Severity)


def test_json_in_parts_is_json(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from amtdecode.render import report_json

    report = diagnose_files([troubled().write(bench.folder / "x.pcap")])
    for size in (1, 2, 256):
        monkeypatch.setattr(report_json, "SHARE", size)
        text = report_json.report_json(report)
        assert text.encode() == msgspec.json.encode(report)
        assert msgspec.json.decode(text, type=Report) == report


def test_worst_machine_first(bench: Bench) -> None:
    report = bench.report(troubled())
    names = [device["uuid"] for device in report["devices"]]
    assert set(names[:2]) == {str(HERE.uuid), str(desk(31).uuid)}
    assert names[2] == str(desk(32).uuid)
    assert report["devices"][0]["attempts"][0]["packets"] == sorted(report["devices"][0]["attempts"][0]["packets"])


def test_the_same_input_gives_the_same_output(bench: Bench) -> None:
    assert (
        bench.report(troubled())["findings"][0]["evidence"][0]["packet"]
        == bench.report(troubled())["findings"][0]["evidence"][0]["packet"]
    )
    path = str(troubled().write(bench.folder / "same.pcap"))
    assert command("diagnose", path)[1] == command("diagnose", path)[1]


def test_text_report(bench: Bench) -> None:
    path = str(troubled().write(bench.folder / "x.pcap"))
    code, out, err = command("diagnose", path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("3 machines in 1 input:")
    assert "AMT-CONN-002" in out
    assert "Fix: " in out
    assert max(map(len, lines)) < 160
    longer = command("diagnose", "-V", path)[1]
    assert len(longer) > len(out)
    assert "Source: " in longer
    assert "\x1b[" not in out
    assert "\x1b[" in command("diagnose", "--color", "always", path)[1]


def test_captured_text_cannot_command_a_terminal(bench: Bench) -> None:
    lab = Lab()
    lab.dns(HERE.host, "provisionserver.\x1b]0;owned\x07.example.com", [], code=3)
    path = str(lab.write(bench.folder / "evil.pcap"))
    out = command("diagnose", path)[1] + command("diagnose", "-V", path)[1]
    assert "owned" in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_secrets_are_not_printed(bench: Bench) -> None:
    lab = talked((ask("SetMEBxPassword", "<Password>S3cret-Word</Password>"), say("SetMEBxPassword")))
    log = bench.file("scs.log", "2007-11-05 09:00:00 Error 407 - Batch exit code 0xfffff password=S3cret-Word\n")
    for form in ("text", "json"):
        out = command("diagnose", "-V", "-T", form, str(lab.write(bench.folder / "s.pcap")), log)[1]
        assert "S3cret" not in out


def test_redact_is_consistent(bench: Bench) -> None:
    path = str(troubled().write(bench.folder / "private-site.pcap"))
    for form in ("text", "json"):
        out = command("diagnose", "--redact", "-V", "-T", form, path)[1]
        for private in (
            str(HERE.uuid),
            HERE.host.ip,
            SCS.ip,
            HERE.host.mac,
            "example.com",
            "private-site",
            "ABCDEF0L",
            "0000037M",
        ):
            assert private not in out, (form, private)
        assert "uuid-1" in out
    report = json.loads(out)
    names = {device["uuid"] for device in report["devices"]}
    assert len(names) == 3
    assert {finding["device"] for finding in report["findings"] if finding["device"]} <= names
    assert "loadcert" in out or "9971" in out or report["findings"]
    assert report["inputs"] == ["input-1.pcap"]


def test_exit_codes(bench: Bench) -> None:
    path = str(troubled().write(bench.folder / "x.pcap"))
    assert command("diagnose", path)[0] == 0
    assert command("diagnose", "--fail-on", "high", path)[0] == 1
    assert command("diagnose", "--fail-on", "critical", path)[0] == 0
    assert command("diagnose", "--fail-on", "dreadful", path)[0] == 2
    assert command("diagnose")[0] == 2
    code, out, err = command("diagnose", "--fail-on", "high", path, str(bench.folder / "missing.pcap"))
    assert code == 3  # before 1, and the rest is judged all the same
    assert "AMT-CONN-002" in out
    assert "missing.pcap" in err
    lab = Lab()
    lab.refused(HERE.host, SCS, 443)
    assert command("diagnose", str(lab.write(bench.folder / "other.pcap")))[0] == 4
    assert command("diagnose", "--site", bench.file("bad.toml", "[scs]\nvershion = 1\n"), path)[0] == 3


def test_site_file_errors_are_clear(tmp_path: Path) -> None:
    for text, said in (
        ("[scs]\nvershion = '3.1'\n", "vershion"),
        ("[scs]\naddresses = ['server1']\n", "server1"),
        ("[scs]\nversion = 'three'\n", "three"),
        ("[policy]\nwindow_hours = 'six'\n", "window_hours"),
        ("[policy]\nwindow_hours = 0\n", "window_hours"),
        ("[certificates]\nroots = ['xyz']\n", "xyz"),
        ("[[machine]]\npower = 'dozing'\n", "power"),
        ("not toml", "site.toml"),
    ):
        path = tmp_path / "site.toml"
        path.write_text(text)
        with pytest.raises(ArtifactError, match=said):
            load(path)
    with pytest.raises(ArtifactError, match=r"absent\.toml: no such file or directory$"):
        load(tmp_path / "absent.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ArtifactError):
        load(path)
    path.write_text("")
    assert load(path) == Site()


def test_proving_packets(bench: Bench) -> None:
    path = str(troubled().write(bench.folder / "x.pcap"))
    story = gather(sort_inputs([path]))
    report = diagnose(story)
    assert isinstance(report, Report)
    found = evidence_packets(report, str(HERE.uuid))
    refused = next(finding for finding in report.findings if finding.id == "AMT-CONN-002")
    assert found == {path: {proof.packet for proof in refused.evidence}}
    more = evidence_packets(report, str(HERE.uuid), story)
    assert more[path] > found[path]
    assert evidence_packets(report)[path] >= found[path]
    assert evidence_packets(report, "nobody") == {}


def test_a_rule_that_fails_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from amtdecode.diagnosis import run

    def broken(*_about: object) -> None:
        raise KeyError("odd")

    path = str(troubled().write(bench.folder / "x.pcap"))
    rule = next(rule for rule in rules() if rule.id == "AMT-NET-001")
    spoilt = msgspec.structs.replace(rule, of_machine=broken)
    monkeypatch.setattr(run, "RAISE_FAULTS", False)
    monkeypatch.setattr(run, "with_own", lambda _own: tuple(spoilt if each is rule else each for each in rules()))
    report = json.loads(command("diagnose", "-T", "json", path)[1])
    assert any(entry["id"] == "AMT-NET-001" and "KeyError" in entry["missing"] for entry in report["not_judged"])
    assert report["findings"]


def test_several_captures_are_one_timeline(bench: Bench) -> None:
    early, late = Lab(), Lab()
    early.greet(HERE)
    late.now = early.now
    late.wait(3)
    late.refused(SCS, HERE.host, 16993)
    one, two = str(early.write(bench.folder / "a.pcap")), str(late.write(bench.folder / "b.pcap"))
    for order in ((one, two), (two, one)):
        report = json.loads(command("diagnose", "-T", "json", *order)[1])
        assert report["inputs"] == list(order)
        assert len(report["devices"]) == 1
        finding = report["findings"][0]
        assert finding["id"] == "AMT-CONN-002"
        assert finding["evidence"][0]["input"] == two


def test_the_library_does_the_same(bench: Bench) -> None:
    path = troubled().write(bench.folder / "x.pcap")
    report = diagnose_files([path], site=bench.file("site.toml", 'amt_version = "2.6"\n'))
    assert report.findings[0].id in ("AMT-CONN-002", "AMT-HELLO-003")
    assert "<table>" in report._repr_html_()
    with pytest.raises(CaptureError, match="gone"):
        diagnose_files([path, bench.folder / "gone.pcap"])
    assert command("diagnose", str(bench.folder / "gone.pcap"))[:2] == (3, "")


def test_setup_bin_opens_the_handshake(bench: Bench) -> None:
    kinds = sort_inputs([bench.file("setup.bin", bytes.fromhex("aaa93452e129a9448d4d081c07b96353") + bytes(600))])
    assert len(kinds.setup_bins) == 1


def test_unreadable_inputs_name_the_reason(bench: Bench) -> None:
    kinds = sort_inputs([str(bench.folder), str(bench.folder / "gone"), bench.file("noise", bytes(range(256)) * 8)])
    assert [name for name, _ in kinds.failed] == [
        str(bench.folder),
        str(bench.folder / "gone"),
        str(bench.folder / "noise"),
    ]
    assert all(str(bench.folder) in reason for _, reason in kinds.failed)
