"""Logs of today's tools, diagnosed whole. Cases from public reports; lines as published, personal details replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from diagnosis_lab import Bench, command

from amtdecode.diagnosis.knowledge import rpc_errors

DEVICE = "5b000000-1e9b-11b2-a85c-000000000004"
LINES = Path(__file__).parents[1] / "data" / "log_lines.jsonl"


def logfmt(*rows: tuple[str, str]) -> str:
    return "".join(
        f'time="2026-03-10T10:11:0{at}Z" level={level} msg="{text}"\n' for at, (level, text) in enumerate(rows)
    )


def diagnosed(bench: Bench, text: str, name: str = "rpc.log") -> tuple[dict, dict[str, dict]]:
    report = bench.report(None, bench.file(name, text))
    return report, {finding["id"]: finding for finding in reversed(report["findings"])}


def test_amtopmgr_certificate_expires(bench: Bench) -> None:
    text = (
        "Error: The provisioning certificate with the thumbprint 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 will expire "
        "in 4 day(s). Please ensure that this certificate is renewed. (CertID = 1)\tSMS_AMT_OPERATION_MANAGER\t"
        "11/19/2009 11:35:01 AM\t2880 (0x0B40)\r\n"
        "Remove unused provision certificate with hash 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 from memory.\t"
        "SMS_AMT_OPERATION_MANAGER\t11/23/2009 11:35:05 AM\t2700 (0x0A8C)\r\n"
    )
    report, found = diagnosed(bench, text, "amtopmgr.log")
    assert "expires" in found["AMT-LOG-STEP"]["title"]
    assert found["AMT-LOG-STEP"]["severity"] == "high"
    assert "AMTConfServer" not in json.dumps(report)


def test_rpc_go_1271_lms_refused(bench: Bench) -> None:
    text = logfmt(
        ("info", "Failed to connect to LMS. We're probably going to fail now. Sorry!"),
        (
            "error",
            "dial tcp [::1]:16993: connectex: No connection could be made: the target machine actively refused it.",
        ),
        ("error", "Failed to get user certificates: WSMAN client not available"),
    )
    report, found = diagnosed(bench, text)
    assert "LMS" in found["AMT-LOG-STEP"]["title"]
    assert len([finding for finding in report["findings"] if finding["id"] == "AMT-LOG-STEP"]) == 1
    assert found["AMT-LOG-ERR"]["severity"] == "low"  # the cause is known
    assert not report["devices"]  # the loopback is no machine


def test_deployment_118_bad_wsman_response(bench: Bench) -> None:
    report, found = diagnosed(
        bench, logfmt(("error", f"Device {DEVICE} activation failed. Bad wsman response from AMT device"))
    )
    assert "WS-Man" in found["AMT-LOG-STEP"]["title"]
    (device,) = report["devices"]
    assert (device["uuid"], device["attempts"][0]["outcome"], device["attempts"][0]["stage"]) == (
        DEVICE,
        "failed",
        "configuration",
    )


def test_mps_847_remote_policy_rule(bench: Bench) -> None:
    reply = (
        r"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 14.0.39.1339\r\n\r\n0425\r\n"
        r"<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/"
        r"AMT_RemoteAccessService\"><a:Header></a:Header><a:Body><g:AddRemoteAccessPolicyRule_OUTPUT><g:ReturnValue>2058"
        r"</g:ReturnValue></g:AddRemoteAccessPolicyRule_OUTPUT></a:Body></a:Envelope>\r\n0\r\n\r\n"
    )
    _, found = diagnosed(bench, logfmt(("trace", reply), ("info", "CIRA: Failed to add remote policy access rule")))
    quoted = found["AMT-LOG-WSM"]
    assert quoted["title"].startswith(
        "AMT_RemoteAccessService.AddRemoteAccessPolicyRule answers PT_STATUS 0x80A DUPLICATE"
    )
    assert "14.0.39.1339" in quoted["explanation"]
    assert found["AMT-LOG-STEP"]["title"].startswith("CIRA was not configured")


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Incorrect password iTXYo1GEaP3ryPwh P@ssw0rd9", "refused the login of a machine over CIRA"),
        ("Username length not 16 admin P@ssw0rd9", "refused the login of a machine over CIRA"),
        (
            "Device group not found (2) iTXYo1GE iTXYo1GEaP3ryPwh P@ssw0rd9",
            "device group that the server does not have",
        ),
    ],
)
def test_meshcentral_refuses_a_login_over_cira(bench: Bench, said: str, title: str) -> None:
    """As mpsserver.js 1.1.55 writes it, with the password in the clear."""
    report, _ = diagnosed(
        bench, f"10:12:01 AM | mps | New CIRA connection\n10:12:02 AM | mps | {said}\n", "mesh-trace.log"
    )
    assert any(title in finding["title"] for finding in report["findings"] if finding["id"] == "AMT-LOG-STEP")
    assert "P@ssw0rd9" not in str(report)


def test_meshcentral_2867_cira_flaps(bench: Bench) -> None:
    text = (
        "10:13:32 AM | mpscmd | --> CHANNEL_WINDOW_ADJUST, 6, 499, 499\n10:13:31 AM | mps | CIRA connection closed\n"
        '10:13:31 AM | mps | CIRA connection error, {"errno":"ECONNRESET","code":"ECONNRESET","syscall":"read"}\n'
        "10:12:01 AM | mps | CIRA connection for unknown node. groupid: mesh//AAAABBBBCCCC, uuid: " + DEVICE + "\n"
    )
    report, _ = diagnosed(bench, text, "mesh-trace.log")
    titles = [finding["title"] for finding in report["findings"] if finding["id"] == "AMT-LOG-STEP"]
    assert any("CIRA connection broke off" in title for title in titles)
    assert any(
        "does not know it" in finding["explanation"] or "unknown" in str(finding) for finding in report["findings"]
    )


def test_rpc_go_49_microlms(bench: Bench) -> None:
    text = (
        "TRAC[0000] Seeing if existing LMS is already running....\nDEBU[0000] connecting to lms\n"
        "Unable to launch MicroLMS. Check that Intel ME is present, MEI driver installed and run as administrator.\n"
    )
    _, found = diagnosed(bench, text, "rpc.txt")
    assert "management engine" in found["AMT-LOG-STEP"]["title"]
    assert "MEI" in found["AMT-LOG-STEP"]["fix"]


def test_rpc_go_1068_certificate_of_the_local_port(bench: Bench) -> None:
    text = (
        '{"level":"info","msg":"Failed to connect to LMS.  Sorry!","time":"2025-12-18T00:05:10+08:00"}\n'
        '{"level":"error","msg":"tls: failed to verify certificate: x509: certificate is not valid for any names, but '
        'wanted to match localhost","time":"2025-12-18T00:05:10+08:00"}\n'
    )
    _, found = diagnosed(bench, text)
    assert "certificate" in found["AMT-LOG-STEP"]["title"]
    assert "AMT 19" in found["AMT-LOG-STEP"]["explanation"]


def test_rpc_go_1461_half_state(bench: Bench) -> None:
    text = logfmt(
        ("info", "Status: Deactivating the device"),
        ("error", r"Post \"https://localhost:16993/wsman\": remote error: tls: certificate required"),
        ("error", "Error 109: UnableToDeactivate"),
    )
    report, found = diagnosed(bench, text)
    assert "client certificate" in found["AMT-LOG-STEP"]["title"]
    assert "AMT-LOG-RPC" not in found  # the consequence of it
    assert "2007 article" not in json.dumps(report["findings"])


def test_deployment_384_cira_steps(bench: Bench) -> None:
    text = logfmt(
        ("info", "Status: Failed to enumerate Management Presence Remote SAP"),
        ("info", "CIRA: Failed to put AMT_RemoteAccessPolicyAppliesToMPS"),
        ("error", "interrupted system call"),
    )
    report, found = diagnosed(bench, text)
    assert found["AMT-LOG-STEP"]["title"].startswith("CIRA was not configured")
    assert len(found["AMT-LOG-STEP"]["evidence"]) == 2
    assert report["findings"][0]["id"] == "AMT-LOG-STEP"


def test_rps_commit_that_failed(bench: Bench) -> None:
    line = {
        "level": "error",
        "message": f"{DEVICE} : Failed to commit changes",
        "timestamp": "2026-01-05T09:00:30.000Z",
    }
    report, found = diagnosed(bench, json.dumps(line), "rps.json")
    assert "AMT-OK-001" not in found
    assert found["AMT-LOG-STEP"]["title"].startswith("Committing the settings failed")
    assert all(attempt["outcome"] != "committed" for device in report["devices"] for attempt in device["attempts"])


@pytest.mark.parametrize("row", rpc_errors(), ids=lambda row: f"{row.code}-{row.name}")
def test_all_numbers_of_rpc_are_its_own(bench: Bench, row) -> None:
    details = "" if row.details == "-" else f" - Details: {row.details}"
    report, found = diagnosed(bench, logfmt(("error", f"Error {row.code}: {row.name}{details}")))
    assert not [
        rule for rule in found if rule in ("AMT-LOG-137", "AMT-LOG-139", "AMT-LOG-102", "AMT-LOG-103", "AMT-LOG-000")
    ]
    said = found.get("AMT-LOG-RPC") or found["AMT-LOG-STEP"]
    assert said["title"] == report["findings"][0]["title"]
    if "AMT-LOG-RPC" in found:
        assert said["title"].startswith(f"rpc error {row.code} {row.name}: ")
        assert said["severity"] == row.severity
        assert row.explanation in said["explanation"]


def test_the_table_of_rpc_is_whole() -> None:
    rows = rpc_errors()
    assert len(rows) == 75
    assert {row.code for row in rows} >= {1, 10, 24, 71, 100, 128, 137, 154, 1000}
    assert [row.name for row in rows if row.code == 138] == ["ActivationFailed", "UnsupportedAMTVersion"]
    assert all(row.explanation.endswith(".") and row.fix.endswith(".") and row.step for row in rows)


def test_rpc_128_names_the_root(bench: Bench) -> None:
    text = logfmt(
        (
            "error",
            (
                "Error 128: ActivationFailed - Details: the root of the provisioning certificate does not match any of "
                "the trusted roots in AMT"
            ),
        ),
    )
    _, found = diagnosed(bench, text)
    assert found["AMT-LOG-STEP"]["title"].startswith("The root of the setup certificate")
    assert "Read the name" not in found["AMT-LOG-STEP"]["fix"]


def test_success_of_rpc_is_success(bench: Bench) -> None:
    report, found = diagnosed(
        bench, logfmt(("info", f"Device {DEVICE} Status: Device activated in Admin Control Mode"))
    )
    assert report["devices"][0]["attempts"][0]["outcome"] == "committed"
    assert "AMT-LOG-STEP" not in found


def test_lines_of_level_error_that_no_rule_knows(bench: Bench) -> None:
    text = logfmt(("debug", "connecting to lms"), *[("error", f"the flux {n} is out of tune") for n in range(5)])
    _, found = diagnosed(bench, text)
    finding = found["AMT-LOG-ERR"]
    assert finding["title"] == "5 lines of level error that no rule here knows"
    assert finding["severity"] == "medium"
    assert '"the flux 0 is out of tune"' in finding["explanation"]
    assert finding["evidence"][0]["line"] == 2
    assert "-v" in finding["fix"]  # of rpc
    bench.silent(
        "AMT-LOG-ERR",
        None,
        bench.file("quiet.log", logfmt(("info", "connecting to lms"), ("info", "Got hello from 192.0.2.9"))),
    )


def test_errors_of_another_program_are_no_amt_evidence() -> None:
    code, _, err = command("diagnose", str(LINES.parent / "README.md"))
    assert code == 4
    assert "no AMT" in err


@pytest.mark.parametrize(
    ("text", "name", "word"),
    [
        ('time="2026-03-10T10:11:01Z" level=error msg="Error 107: AMTFeaturesConfigurationFailed"\n', "rpc.log", "-v"),
        ("2026-03-10T10:11:01Z error: Activator - Failed to activate\n", "rps.log", "RPS_LOG_LEVEL"),
        ("2007-11-05 09:00:00 ERROR Error 913 - No rows found in get UuidMap\n", "scs_server.log", "AMTConfServer"),
    ],
)
def test_advice_on_levels_names_the_program(bench: Bench, text: str, name: str, word: str) -> None:
    finding = bench.fires("AMT-LOG-VERB", None, bench.file(name, text))
    assert word in finding["fix"]
    assert ("AMTConfServer" in finding["fix"]) == (word == "AMTConfServer")


def test_diagnose_shows_all_failures_that_log_explains(bench: Bench) -> None:
    """Each published line that is a failure gives a finding that quotes it."""
    from amtdecode.artifacts.logs import table

    for row in map(json.loads, LINES.read_text(encoding="utf-8").splitlines()):
        if table().by_id[row["anchor"]].kind != "failure":
            continue
        report, _ = diagnosed(bench, row["line"] + "\n", "x.log")
        quoted = [
            finding for finding in report["findings"] if any(proof.get("line") == 1 for proof in finding["evidence"])
        ]
        assert any(finding["severity"] != "info" for finding in quoted), row
