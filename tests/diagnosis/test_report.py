"""The report: its schema, its order, its text, its masks, its exit codes; the site file; the pages about the rules."""

import json
import re
from pathlib import Path

import pytest
from diagnosis_lab import SCS, Bench, Lab, command, desk
from test_application import ask, say, talked

from amtdecode.diagnosis import Site, diagnose, diagnose_files, docs, evidence_packets, load
from amtdecode.diagnosis.inputs import gather, sort_inputs
from amtdecode.diagnosis.report import Report, schema
from amtdecode.diagnosis.rule import SEVERITY_WORDS, Case, Hit, texts
from amtdecode.diagnosis.rulebook import device_rules, fleet_rules, lacking, rules_without
from amtdecode.errors import ArtifactError, CaptureError
from pcaps import messages

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
    lab.greet(fine, messages.hello_psk(fine.uuid, "ABCDEF0Z"))
    return lab


def test_every_rule_of_the_catalogue_has_a_text_and_a_function() -> None:
    ids = {rule for rule, _ in device_rules()} | {rule for rule, _ in fleet_rules()}
    assert ids == set(texts())
    assert {text.severity for _, text in texts().values()} <= set(SEVERITY_WORDS)
    layers = {"infrastructure", "SCS", "console", "firmware or drivers", "client"}
    assert {text.layer for _, text in texts().values()} == layers
    for rule, (_, text) in texts().items():
        assert set(text.silenced_by) <= ids, rule


def test_the_catalogue_is_complete(shared: Path) -> None:
    catalogue = (shared / "reference" / "diagnosis-rules.md").read_text("utf-8")
    wanted = set(re.findall(r"^\| (AMT-[A-Z]+-[0-9A-Z]+)", catalogue, re.MULTILINE))
    later = {rule for rule in wanted if rule.startswith(("AMT-PRE-", "AMT-KRB-"))}
    assert wanted - later == set(texts())


def test_rules_that_are_not_asked_would_find_nothing(bench: Bench) -> None:
    """Evidence a machine lacks decides which rules it is asked: none of the others may have an answer."""
    cut = Lab()
    cut.greet(HERE, messages.hello_psk(HERE.uuid)[:-3])
    cut.greet(desk(31), messages.hello_psk(desk(31).uuid)[:-3])
    log = bench.file("scs.log", "2007-11-05 09:00:00 Commit Changes sent to 192.0.2.77\nError 913 for 192.0.2.78\n")
    scenes = [str(troubled().write(bench.folder / "a.pcap")), str(cut.write(bench.folder / "b.pcap")), log]
    for name in [*scenes, *map(str, sorted((ROOT / "pcaps").glob("*.pcap*")))]:
        story = gather(sort_inputs([name]))
        case = Case(story, Site(), {})
        for device in story.devices:
            asked = {rule_id for rule_id, _ in rules_without(lacking(case, device))}
            for rule_id, ask_it in device_rules():
                answers = [answer for answer in ask_it(case, device) if isinstance(answer, Hit)]
                assert rule_id in asked or not answers, (name, rule_id)
    faults = bench.found("AMT-HELLO-005", cut)
    assert [finding["device"] for finding in faults] == [str(HERE.uuid), str(desk(31).uuid)]


def test_published_schema_and_pages_are_current() -> None:
    assert (ROOT / "docs" / "report-schema.json").read_text("utf-8") == docs.schema_text()
    for name, text in docs.pages().items():
        assert (ROOT / "docs" / "rules" / name).read_text("utf-8") == text, name
    assert len(list((ROOT / "docs" / "rules").glob("*.md"))) == len(texts()) + 1


def test_report_fits_the_interface(bench: Bench) -> None:
    report = bench.report(troubled())
    assert list(report) == ["schema", "inputs", "devices", "findings", "not_judged"]
    assert list(report["devices"][0]) == ["uuid", "addresses", "fqdn", "method", "amt_version", "attempts"]
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
        "layer",
        "explanation",
        "fix",
        "evidence",
        "source",
    ]
    for finding in report["findings"]:
        for proof in finding["evidence"]:
            assert ("packet" in proof) != ("line" in proof)
    assert schema()["$defs"]["Finding"]["properties"]["severity"]["enum"] == sorted(
        ["critical", "high", "medium", "low", "info"]
    )


def test_json_in_parts_is_json(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

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
            "ABCDEF0Z",
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
    rules = device_rules()
    monkeypatch.setattr(run, "RAISE_FAULTS", False)
    monkeypatch.setattr(run, "rules_without", lambda _kinds: (("AMT-NET-001", broken), *rules))
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
