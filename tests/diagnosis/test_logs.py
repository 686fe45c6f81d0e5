"""AMT-LOG-*: rows of logs, with and without a capture. The layouts of lines are made up: no public sample shows one."""

import pytest
from diagnosis_lab import SCS, Bench, Lab, command, desk

HERE = desk()
IP = HERE.host.ip


def rows(*texts: str, apart: int = 60) -> str:
    lines = []
    for number, text in enumerate(texts):
        moment = 9 * 3600 + number * apart
        lines.append(f"2007-11-05 {moment // 3600:02d}:{moment // 60 % 60:02d}:{moment % 60:02d} {text}\r\n")
    return "".join(lines)


LINES = {
    "102": ("Error 102 - Intel AMT device is already provisioned", "medium"),
    "103": ("Error 103 - Request is already in the queue", "info"),
    "137": ("Error 137 - Another process currently working on AMT", "medium"),
    "139": ("Error 139 - Failed to update Kerberos Password", "medium"),
    "407": ("Error 407 - Batch exit code 0xfffff", "high"),
    "602": ("Error 602 - Exception in clock sync worker", "info"),
    "913": ("Error 913 - No rows found in get UuidMap", "high"),
    "CCB": ("Cannot contact back AMT with IP:192.0.2.30 Exception", "high"),
    "000": ("Error 777 - something", "low"),
    "TCP": ("SOAP error in tcp_connect() to 192.0.2.30", "high"),
    "SCH": ("Error 0x8009030e returned by AcquireCredentialsHandle", "high"),
    "ACU": (
        (
            "Failed to complete remote configuration of this Intel(R) AMT device. "
            "Failed to get the certificate from the "
            "CA. (0xc0002825). The certificate chain could not be built. (0xc0003e93). Intel(R) AMT Operation failed. "
            "(0xc00007d5)."
        ),
        "medium",
    ),
}


@pytest.mark.parametrize("rule", LINES)
def test_rows(bench: Bench, rule: str) -> None:
    text, severity = LINES[rule]
    log = bench.file("server.log", rows("[I] Service started", text))
    finding = bench.fires(f"AMT-LOG-{rule}", None, log, severity=severity)
    assert finding["evidence"][0]["line"] == 2
    assert "packet" not in finding["evidence"][0]
    other = (
        "Error 103 - Request is already in the queue" if rule != "103" else "Error 913 - No rows found in get UuidMap"
    )
    bench.silent(f"AMT-LOG-{rule}", None, bench.file("other.log", rows(other)))


def test_137_often(bench: Bench) -> None:
    text = f"Error 137 - Another process currently working on AMT {IP}"
    bench.fires("AMT-LOG-137", None, bench.file("often.log", rows(text, text, text, apart=600)), severity="high")
    bench.fires("AMT-LOG-137", None, bench.file("seldom.log", rows(text, text, text, apart=3000)), severity="medium")


def test_kerberos_decides(bench: Bench) -> None:
    log = bench.file("clock.log", rows(LINES["602"][0], LINES["139"][0]))
    bench.fires("AMT-LOG-602", None, log, site="[policy]\nkerberos = true\n", severity="high")
    bench.fires("AMT-LOG-602", None, log, site="[policy]\nkerberos = false\n", severity="info")
    bench.fires("AMT-LOG-139", None, log, site="[policy]\nkerberos = true\n", severity="high")


def test_schannel_codes_are_explained(bench: Bench) -> None:
    finding = bench.fires("AMT-LOG-SCH", None, bench.file("amtopmgr.log", rows(LINES["SCH"][0])))
    assert "SEC_E_NO_CREDENTIALS" in finding["title"]
    assert "loadcert" in finding["fix"]


PUBLISHED = (
    "Failed to complete remote configuration of this Intel(R) AMT device. Failed to get the certificate from the CA. "
    "(Certificate ID: 3310051103).  (0xc0002825). The certificate chain could not be built. Please make sure that the "
    "root certificate is installed properly. (0xc0003e93). Intel(R) AMT Operation failed. (Request Certificate). "
    "(0xc00007d5). The RCS failed to process the request."
)  # communities.intel.com, jjcopela


def test_acu_names_the_cause_and_not_the_outcome_behind_it(bench: Bench) -> None:
    finding = bench.fires("AMT-LOG-ACU", None, bench.file("acu.log", rows(PUBLISHED)))
    assert "CRL" in finding["fix"]
    assert "chain of the issued certificate could not be built" in finding["explanation"]


def test_acu_does_not_pass_over_a_code_it_does_not_know(bench: Bench) -> None:
    line = "The chain was not built. (0xc0003e93). The clock is wrong. (0xC0001234). It failed. (0xc00007d5)."
    finding = bench.fires("AMT-LOG-ACU", None, bench.file("acu.log", rows(line)))
    assert '0xc0001234 is in no table here; its sentence is ". The clock is wrong."' in finding["explanation"]
    assert "CRL" in finding["fix"]  # of the cause that is known
    alone = bench.fires("AMT-LOG-ACU", None, bench.file("one.log", rows("The clock is wrong. (0xC0001234).")))
    assert "sentence before 0xc0001234" in alone["fix"]
    cut = bench.fires("AMT-LOG-ACU", None, bench.file("cut.log", rows(PUBLISHED.replace("0xc00007d5", "0xc0001234"))))
    assert "0xc0001234 is in no table here." in cut["explanation"]
    only = bench.fires("AMT-LOG-ACU", None, bench.file("only.log", rows("It failed. (0xc00007d5).")))
    assert "CRL" not in only["fix"]
    assert "lines around it" in only["fix"]


def test_lines_of_a_log_do_not_stand_among_the_packets_of_an_attempt(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    log = bench.file("scs_win_server.log", rows(f"AMT {IP}: Commit Changes"))
    attempt = bench.report(lab, log)["devices"][0]["attempts"][0]
    assert attempt["outcome"] == "committed"
    assert attempt["packets"] == [4]  # the hello; the commit is line 1 of the log
    capture = str(lab.write(bench.folder / "again.pcap"))
    text = command("diagnose", capture, log)[1]
    assert "packets" not in next(line for line in text.splitlines() if line.startswith("  set up"))


def test_ccb_joins_the_packets(bench: Bench) -> None:
    log = bench.file("scs_win_server.log", rows(LINES["CCB"][0]))
    lab = Lab()
    lab.greet(HERE)
    lab.wait(5)
    lab.syns(SCS, HERE.host, 16993)
    report = bench.report(lab, log)
    ids = [finding["id"] for finding in report["findings"]]
    assert ids[0] == "AMT-CONN-001"
    assert "AMT-LOG-CCB" not in ids  # it says the same: its line is proof of the other
    assert any("line" in proof for proof in report["findings"][0]["evidence"])
    assert len(report["devices"]) == 1


def test_row_by_uuid_joins_the_hello(bench: Bench) -> None:
    log = bench.file("scs_win_server.log", rows(f"Error 913 - No rows found in get UuidMap for UUID {HERE.uuid}"))
    lab = Lab()
    lab.greet(HERE)
    finding = bench.fires("AMT-LOG-913", lab, log)
    assert finding["device"] == str(HERE.uuid)
    assert len(bench.report(lab, log)["devices"]) == 1


def test_commit_in_the_log_is_success(bench: Bench) -> None:
    log = bench.file("scs_win_server.log", rows(f"AMT {IP}: Commit Changes"))
    lab = Lab()
    lab.greet(HERE)
    report = bench.report(lab, log)
    assert report["devices"][0]["attempts"][0]["outcome"] == "committed"
    bench.fires("AMT-OK-001", lab, log)


def test_a_machine_known_from_the_log_alone(bench: Bench) -> None:
    def attempt(*texts: str) -> tuple[str, str]:
        (device,) = bench.report(None, bench.file("alone.log", rows(*texts)))["devices"]
        return device["attempts"][-1]["stage"], device["attempts"][-1]["outcome"]

    assert attempt(f"Cannot contact back AMT with IP:{IP} Exception") == ("contact back", "failed")
    assert attempt(f"AMT {IP}: Commit Changes") == ("commit", "committed")
    assert attempt(f"Error 913 - No rows found in get UuidMap for {IP}") == ("hello", "failed")


def test_verb(bench: Bench) -> None:
    quiet = bench.file("quiet.log", "2007-11-05 09:00:00 ERROR Error 913 - No rows found in get UuidMap\n" * 3)
    bench.fires("AMT-LOG-VERB", None, quiet, severity="low")
    loud = bench.file(
        "loud.log",
        "2007-11-05 09:00:00 INFO started\n2007-11-05 09:00:01 ERROR Error 913 - No rows found in get UuidMap\n",
    )
    bench.silent("AMT-LOG-VERB", None, loud)
    report = bench.file("level.reg", reg("W"))
    bench.fires("AMT-LOG-VERB", None, report)


def reg(level: str) -> str:
    key = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer\\Log]"
    return f'Windows Registry Editor Version 5.00\r\n\r\n{key}\r\n"LogLevel"="{level}"\r\n'


def test_left_on(bench: Bench) -> None:
    bench.fires("AMT-LOG-LEFTON", None, bench.file("on.reg", reg("V").encode("utf-16")), severity="low")
    bench.silent("AMT-LOG-LEFTON", None, bench.file("off.reg", reg("E")))


def test_error_file(bench: Bench) -> None:
    bench.fires(
        "AMT-LOG-ERRFILE",
        None,
        bench.file("scs_server.log", rows("Error 407 - Batch exit code 0xffffffff")),
        severity="info",
    )
    bench.silent(
        "AMT-LOG-ERRFILE", None, bench.file("scs_win_server.log", rows("Error 407 - Batch exit code 0xffffffff"))
    )


def test_clock_of_the_log(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)  # 09:00:00 UTC
    log = bench.file(
        "server.log",
        f"2007-11-05 04:00:00 Got hello from {IP} UUID {HERE.uuid}\n"
        f"2007-11-05 04:00:30 Cannot contact back AMT with IP:{IP} Exception\n",
    )
    finding = bench.fires("AMT-LOG-CCB", lab, log)
    assert any("UTC-05:00" in proof["text"] for proof in finding["evidence"]), finding["evidence"]


def test_a_log_about_other_things_is_no_amt_evidence(bench: Bench) -> None:
    code, _, err = command("diagnose", bench.file("web.log", "GET / 200\nGET /x 404\n"))
    assert code == 4
    assert "no AMT" in err
