"""`diagnose --audit`: channels, actors, changes, rights and findings on captures whose facts are known."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PCAPS = ROOT / "pcaps"
sys.path.insert(0, str(ROOT / "tests" / "diagnosis"))

from diagnosis_lab import SCS, Bench, Lab, command, desk  # noqa: E402
from pki_lab import AT, DAY, issue, leaf, middle, shake  # noqa: E402
from test_application import ask, say, talked  # noqa: E402

from pcaps.build import Host  # noqa: E402

PSK = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
HERE = desk()


def audited(*arguments: str) -> dict[str, Any]:
    code, out, err = command("diagnose", "--audit", "-q", "-T", "json", *arguments)
    assert code in (0, 4), err
    return json.loads(out)  # type: ignore[no-any-return]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def scene(bench: Bench, lab: Lab, *arguments: str) -> dict[str, Any]:
    bench.count += 1
    return audited(str(lab.write(bench.folder / f"scene-{bench.count}.pcap")), *arguments)


def ids(audit: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in audit["findings"]]


def test_a_setup_that_is_opened_shows_who_changed_what() -> None:
    (machine,) = audited(str(PCAPS / "psk_clean.pcapng"), "--psk", PSK)["machines"]
    hello, setup = machine["channels"]
    assert (hello["what"], hello["protection"], hello["evidence"]["packet"]) == ("hello", "clear", 14)
    assert (setup["protection"], setup["version"], setup["suite"], setup["opened"]) == (
        "tls", "TLS 1.0", "TLS_PSK_WITH_AES_128_CBC_SHA", True,
    )  # fmt: skip
    assert [(actor["host"], actor["users"]) for actor in machine["provisioners"]] == [("192.0.2.10", ["admin"])]
    assert machine["managers"] == []
    calls = ["SetHostName", "SetDomainName", "SetAdminAclEntry", "SetMEBxPassword", "CommitChanges"]
    assert [change["call"].partition(".")[2] for change in machine["changes"]] == calls, "GetCoreVersion only reads"
    assert [change["evidence"]["packet"] for change in machine["changes"]] == [40, 44, 48, 52, 56]
    assert all(change["tls"] and change["answered"] for change in machine["changes"])
    assert [(right["user"], right["realms"]) for right in machine["rights"]] == [("admin", ["all (the administrator)"])]
    assert machine["unseen"] == []


def test_without_the_key_it_says_what_it_does_not_see() -> None:
    audit = audited(str(PCAPS / "psk_clean.pcapng"))
    (machine,) = audit["machines"]
    assert machine["changes"] == machine["rights"] == []
    assert machine["channels"][1]["opened"] is False
    assert machine["unseen"] == ["1 TLS connection that no key here opens: calls, logins and rights inside"]
    assert ids(audit) == ["AMT-SEC-006", "AMT-SEC-007"]


def test_clear_redirection() -> None:
    audit = audited(str(PCAPS / "redirection.pcapng"))
    (machine,) = audit["machines"]
    (channel,) = machine["channels"]
    assert (channel["protection"], channel["port"], channel["connections"]) == ("clear", 16994, 5)
    assert [(actor["host"], actor["users"]) for actor in machine["managers"]] == [("192.0.2.10", ["admin"])]
    assert ids(audit) == ["AMT-SEC-003", "AMT-SEC-004"]


@pytest.mark.parametrize(
    ("name", "version", "suite", "weak"),
    [
        ("gnutls-tls1.0-psk-null", "TLS 1.0", "TLS_PSK_WITH_NULL_SHA", True),
        ("gnutls-tls1.0-mtls-rsa-rc4-md5", "TLS 1.0", "TLS_RSA_WITH_RC4_128_MD5", True),
        ("gnutls-tls1.2-psk-aes128-noems-noetm", "TLS 1.2", "TLS_PSK_WITH_AES_128_CBC_SHA", False),
        ("gnutls-tls1.3-mtls", "TLS 1.3", "TLS_AES_128_GCM_SHA256", False),
    ],
)
def test_the_suites_of_real_programs(shared: Path, name: str, version: str, suite: str, weak: bool) -> None:
    """Recorded of GnuTLS, told to use the suite that the file is named after."""
    audit = audited(str(shared / "captures" / "loopback" / "tls" / f"{name}.pcap"))
    channels = [each for machine in audit["machines"] for each in machine["channels"] if each["protection"] == "tls"]
    assert {(each["version"], each["suite"]) for each in channels} == {(version, suite)}
    assert ("AMT-SEC-005" in ids(audit)) is weak


def entry(user: str, realm: int) -> str:
    return f"<Username>{user}</Username><Realms><Realm>{realm}</Realm></Realms>"


def test_rights_and_who_handed_them_out(bench: Bench) -> None:
    lab = talked((ask("AddUserAclEntry", entry("helpdesk", 3)), say("AddUserAclEntry")))
    audit = scene(bench, lab)
    (machine,) = audit["machines"]
    assert [(right["user"], right["realms"]) for right in machine["rights"]] == [
        ("helpdesk", ["PTAdministrationRealm"])
    ]
    (found,) = [finding for finding in audit["findings"] if finding["id"] == "AMT-AUD-004"]
    assert (found["severity"], found["title"]) == (
        "medium", "Rights were handed out: 1 entry of the access control list",
    )  # fmt: skip
    weaker = scene(bench, talked((ask("AddUserAclEntry", entry("helpdesk", 5)), say("AddUserAclEntry"))))
    (found,) = [finding for finding in weaker["findings"] if finding["id"] == "AMT-AUD-004"]
    assert found["severity"] == "info"
    refused = scene(
        bench, talked((ask("AddUserAclEntry", entry("helpdesk", 3)), say("AddUserAclEntry", "<Status>1</Status>")))
    )
    assert refused["machines"][0]["rights"] == []
    assert "AMT-AUD-004" not in ids(refused)


def test_two_hosts_that_change_one_machine(bench: Bench) -> None:
    change = [(ask("SetMEBxPassword", "<Password>Example-2</Password>"), say("SetMEBxPassword"))]
    read = [(ask("GetCoreVersion"), say("GetCoreVersion"))]
    other = Host("00:00:5e:00:53:0b", "192.0.2.11")
    lab = talked(*change)
    lab.http(HERE, change, client=other)
    audit = scene(bench, lab)
    (found,) = [finding for finding in audit["findings"] if finding["id"] == "AMT-AUD-005"]
    assert found["title"].endswith("192.0.2.10, 192.0.2.11")
    lab = talked(*change)
    lab.http(HERE, read, client=other)
    assert "AMT-AUD-005" not in ids(scene(bench, lab)), "who only reads changes nothing"


def certified(*certificates: Any) -> Lab:
    lab = Lab()
    lab.now = int(AT.timestamp()) * 1_000_000_000
    lab.greet(HERE)
    for each in certificates:
        lab.talk(SCS, HERE.host, 16993, shake([leaf("scs.example.com")], presented=each, records=4))
        lab.wait(60)
    return lab


def test_certificates_of_one_machine_that_differ(bench: Bench) -> None:
    one, other = (issue("desk-30.example.com", middle(), key) for key in (12, 13))
    audit = scene(bench, certified(one, other))
    (found,) = [finding for finding in audit["findings"] if finding["id"] == "AMT-AUD-001"]
    assert found["title"] == "2 different certificates of one machine on port 16993"
    assert len({shown["sha256"] for shown in audit["machines"][0]["certificates"] if shown["by"] == "machine"}) == 2
    assert "AMT-AUD-001" not in ids(scene(bench, certified(one, one)))


@pytest.mark.parametrize(("days", "severity"), [(91, None), (89, "low"), (-1, "high")])
def test_certificates_that_end_soon(bench: Bench, days: int, severity: str | None) -> None:
    ending = issue("desk-30.example.com", middle(), 12, end=AT + days * DAY + timedelta(hours=12))
    audit = scene(bench, certified(ending))
    found = [finding for finding in audit["findings"] if finding["id"] == "AMT-AUD-002"]
    assert [finding["severity"] for finding in found] == ([severity] if severity else [])
    if days > 0 and found:
        assert "ends 89 days after the last packet" in found[0]["explanation"]


def test_sarif_has_what_the_audit_has() -> None:
    capture = str(PCAPS / "redirection.pcapng")
    audit = audited(capture)
    code, out, _ = command("diagnose", "--audit", "-q", "-T", "sarif", capture)
    assert code == 0
    log = json.loads(out)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ids(audit)
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    first = run["results"][0]["locations"][0]
    assert first["properties"] == {"packet": 1}
    assert first["message"]["text"].startswith("packet 1: ")
    assert run["artifacts"][first["physicalLocation"]["artifactLocation"]["index"]]["location"]["uri"].endswith(
        "redirection.pcapng"
    )
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("MEBx" in note for note in notes), "what cannot be seen is said"


def test_forms_that_do_not_go_together() -> None:
    capture = str(PCAPS / "redirection.pcapng")
    for arguments, said in (
        (("-T", "sarif"), "-T sarif goes with --audit"),
        (("--audit", "--ladder"), "--ladder does not go with --audit"),
        (("--audit", "-T", "svg"), "-T svg does not go with --audit"),
    ):
        code, _, err = command("diagnose", *arguments, capture)
        assert code == 2
        assert said in err


def test_redacted_audit_names_nobody() -> None:
    code, out, _ = command(
        "diagnose", "--audit", "--redact", "-T", "json", str(PCAPS / "psk_clean.pcapng"), "--psk", PSK
    )
    assert code == 0
    for known in ("192.0.2.", "a3700015", "example.com", "desk-21"):
        assert known not in out
    (machine,) = json.loads(out)["machines"]
    assert (machine["name"], machine["channels"][1]["suite"]) == ("uuid-1", "TLS_PSK_WITH_AES_128_CBC_SHA")


def test_it_ends_as_a_pipeline_wants() -> None:
    capture = str(PCAPS / "redirection.pcapng")
    assert command("diagnose", "--audit", "--fail-on", "high", capture)[0] == 1
    assert command("diagnose", "--audit", "--fail-on", "critical", capture)[0] == 0
