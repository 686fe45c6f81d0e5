"""What `--redact` hides and what it leaves: known texts, a report, and the same word for each spelling of a thing."""

from __future__ import annotations

import re

import pytest

from amtdecode.diagnosis.report import Evidence, Finding, NotJudged, Report
from amtdecode.diagnosis.rule import texts
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.render.redact import Redactor, ending, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("00:11:22:aa:bb:cc", "mac-1"),
        ("00-11-22-AA-BB-CC is 0011.22aa.bbcc is 001122AABBCC", "mac-1 is mac-1 is mac-1"),
        ("000000112233, 112233445566", "mac-1, 112233445566"),
        ("4B529B93-D413-181D-E487-1C697A6B7A2B, 4b529b93d413181de4871c697a6b7a2b", "uuid-1, uuid-1"),
        ("4b529b93d413181de4871c697a6b7a2b, 4b529b93d413181de4871c697a6b7a2c", "uuid-1, uuid-2"),
        ("{4b529b93-d413-181d-e487-1c697a6b7a2b}", "{uuid-1}"),
        ("10.1.2.3:16992 to 10.1.2.4", "address-1:16992 to address-2"),
        ("300.1.2.3 and 0.0.0.0", "300.1.2.3 and 0.0.0.0"),
        (
            "AMT 11.8.70.36, version 9.1.40.1, firmware: 12.0.1.2",
            "AMT 11.8.70.36, version 9.1.40.1, firmware: 12.0.1.2",
        ),
        ("fe80::1%eth0 and fe80::1, 2001:DB8:0:0::1 is 2001:db8::1", "address-1 and address-1, address-2 is address-2"),
        ("::ffff:10.1.2.3", "address-1"),
        (":: and 09:00:00 and 12:30", ":: and 09:00:00 and 12:30"),
        ("CORP\\joe and CORP\\JOE", "account-1 and account-1"),
        ("joe.doe@corp.example", "mail-1"),
        ("\\\\fs1\\share$\\setup.bin", "share-1"),
        ("C:\\Users\\joe\\x.pfx and /home/joe/x.pcap", "path-1 and path-2"),
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL", "HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL"),
        ("http://amt1:16993/wsman, https://u:x@mps.corp.example/", "http://name-1:16993/wsman, https://name-2/"),
        ("http://10.1.2.3:16992/wsman from 10.1.2.3", "http://address-1:16992/wsman from address-1"),
        ("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"),
        ("CN=pc5.contoso.com, O=Contoso Ltd; pc5.contoso.com", "CN=name-1, O=name-2; name-1"),
        ("OU=Intel(R) Client Setup Certificate", "OU=Intel(R) Client Setup Certificate"),
        ("*.contoso.com/x, pc5.corp", "name-1/x, name-2"),
        ("AMT_GeneralSettings.Put, SecurityAdministration.CommitChanges", None),
        ("iamt.hello.pid, tls.handshake.type, scs.addresses", None),
        ("0x8009030E at 2007-11-05T09:00:00.001600Z on port 16992", None),
        ("public.example.org is left", None),
        ("cert hash = 0123456789abcdef01, hex 00 11 22 33", "cert hash = …, hex …"),
    ],
)
def test_what_is_hidden_and_what_is_left(text, shown):
    assert Redactor({"Public.Example.org"})(text) == (text if shown is None else shown)


def test_private_names_are_hidden_as_whole_words_and_ours_stay_in_our_sentences():
    mask = Redactor(private={"PC5", "ab", "server", "pc5.corp"}, own=lambda: frozenset({"server"}))
    assert mask("pc5 PC5, PC5-x xPC5 ab") == "name-1 name-1, PC5-x xPC5 ab"
    assert mask("pc5.corp and PC5.CORP.") == "name-2 and name-2."
    assert mask("the server", ours=True) == "the server"
    assert mask("the server PC5", ours=True) == "the server name-1"
    assert mask("on server") == "on name-3"


def test_names_of_hosts_in_lines_that_are_quoted():
    mask = Redactor()
    line = "Error on host LABPC-9 for user jdoe7: computer ABC failed; machine answers; device 'K9', client is"
    assert mask(line, quoted=True) == (
        "Error on host name-1 for user name-2: computer name-3 failed; machine answers; device 'name-4', client is"
    )
    assert mask(line) == line


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/B.PCAP", ".pcap"),
        ("x.tar.gz", ".gz"),
        ("host.contoso", ""),
        ("pcap", ""),
        ("-", ""),
        ("c:\\x\\y.log", ".log"),
    ],
)
def test_endings_of_files(name, kept):
    assert ending(name) == kept


def test_every_text_of_ours_stays_as_it_is():
    """But for what a rule fills in, which is no word of ours."""
    findings = [
        Finding(
            id=rule,
            title=text.title,
            severity=Severity.HIGH,
            verdict=Verdict.CONFIRMED,
            layer=text.layer,
            explanation=text.explanation,
            fix=text.fix,
            source=text.source,
        )
        for rule, text in texts().items()
    ]
    report = Report(findings=findings, not_judged=[NotJudged("AMT-CONN-007", "the list (--site: scs.addresses)")])
    private = {word for text in texts().values() for word in re.findall(r"(?<!\{)\b[\w-]+\b(?!\})", text.title)}
    assert redacted(report).findings == report.findings
    assert redacted(report, private).findings == report.findings
    assert redacted(report).not_judged == report.not_judged


def test_a_report_names_its_inputs_by_number_everywhere():
    proofs = [
        Evidence("/srv/Contoso/site-x.pcap", "/srv/Contoso/site-x.pcap: packet of site-x.pcap", packet=4),
        Evidence("contoso.site", 'host LABPC9 says "no" at 10.0.0.5', line=7),
    ]
    finding = Finding(
        id="AMT-CONN-002",
        title="t",
        severity=Severity.HIGH,
        verdict=Verdict.CONFIRMED,
        device="10.0.0.5",
        device_id=1,
        layer="client",
        explanation="10.0.0.5 speaks",
        fix="f",
        evidence=proofs,
        source="mail by joe@corp.example",
    )
    report = Report(inputs=["/srv/Contoso/site-x.pcap", "contoso.site"], findings=[finding])
    found = redacted(report)
    assert found.inputs == ["input-1.pcap", "input-2"]
    (shown,) = found.findings
    assert shown.evidence == [
        Evidence("input-1.pcap", "input-1.pcap: packet of input-1.pcap", packet=4),
        Evidence("input-2", 'host name-1 says "no" at address-1', line=7),
    ]
    assert (shown.device, shown.explanation, shown.source) == ("address-1", "address-1 speaks", finding.source)
    assert report.findings == [finding], "the report itself is left"
