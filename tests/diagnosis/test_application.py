"""AMT-HTTP-*, AMT-SOAP-*, AMT-WSM-*, AMT-PT-*, AMT-OK-*, AMT-UNP-*."""

import pytest
from diagnosis_lab import SCS, Bench, Lab, desk

from pcaps import messages
from pcaps.build import TO_SERVER
from pcaps.make import NETWORK, SET_UP

SOAP12 = "Content-Type: application/soap+xml\r\n"
HERE = desk()
SECURITY = "SecurityAdministration"
REALM = "Digest:84910000000000000000000000000000"
NONCE = messages.nonce(1)
KEYS = ("--psk", "*=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ")


def ask(method: str = "GetCoreVersion", arguments: str = "", authorization: str = "", service: str = SECURITY) -> bytes:
    return messages.eoi_request(service, method, arguments, authorization, HERE.host.ip)


def say(method: str = "GetCoreVersion", result: str = "<Status>0</Status>", service: str = SECURITY) -> bytes:
    return messages.eoi_response(service, method, result)


def login(count: int = 1, realm: str = REALM) -> str:
    return messages.digest(realm, NONCE, f"/{SECURITY}Service", count)


REFUSED = messages.unauthorized(REALM, NONCE)


def talked(*exchanges: tuple[bytes, bytes], **more) -> Lab:
    lab = Lab()
    lab.http(HERE, list(exchanges), **more)
    return lab


def plain(status: str, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    server = "Server: Intel(R) Active Management Technology 9.1.34"
    return f"HTTP/1.1 {status}\r\n{server}\r\n{lines}Content-Length: 0\r\n\r\n".encode()


def test_http_001_normal_challenge(bench: Bench) -> None:
    bench.fires("AMT-HTTP-001", talked((ask(), REFUSED), (ask(authorization=login()), say())), severity="info")
    bench.silent("AMT-HTTP-001", talked((ask(), say())))


def test_http_002_password_refused(bench: Bench) -> None:
    tries = [(ask(authorization=login(count)), REFUSED) for count in range(1, 4)]
    finding = bench.fires("AMT-HTTP-002", talked((ask(), REFUSED), *tries), severity="high")
    assert "admin" in finding["explanation"]
    for more in range(4):
        again = [(ask(authorization=login(count)), REFUSED) for count in range(4, 4 + more)]
        finding = bench.fires("AMT-HTTP-002", talked((ask(), REFUSED), *tries, *again))
        assert finding["explanation"].startswith(f"{3 + more} logins")
        good = (ask(authorization=login(8)), say())
        finding = bench.fires("AMT-HTTP-002", talked((ask(), REFUSED), *tries, *again, good, tries[0]))
        assert finding["explanation"].startswith(f"{3 + more} logins")
    bench.silent("AMT-HTTP-002", talked((ask(), REFUSED), *tries[:2], (ask(authorization=login(3)), say())))


def test_http_003_stale(bench: Bench) -> None:
    stale = REFUSED.replace(b'stale="false"', b'stale="true"')
    bench.fires(
        "AMT-HTTP-003",
        talked((ask(authorization=login()), stale), (ask(authorization=login(2)), say())),
        severity="info",
    )
    bench.silent("AMT-HTTP-003", talked((ask(authorization=login()), REFUSED)))


def test_http_004_other_realm(bench: Bench) -> None:
    wrong = ask(authorization=login(realm="Digest:11110000000000000000000000000000"))
    bench.fires("AMT-HTTP-004", talked((ask(), REFUSED), (wrong, REFUSED)), severity="medium")
    bench.silent("AMT-HTTP-004", talked((ask(), REFUSED), (ask(authorization=login()), say())))


def test_http_005_negotiate_fails(bench: Bench) -> None:
    kerberos = ask(authorization="Negotiate YIIBAAYGKwYBBQUC")
    bench.fires("AMT-HTTP-005", talked((kerberos, REFUSED), (ask(authorization=login()), say())), severity="medium")
    bench.silent("AMT-HTTP-005", talked((kerberos, say())))


@pytest.mark.parametrize(
    "status",
    ["403 Forbidden", "404 Not Found", "500 Internal Server Error", "503 Service Unavailable", "400 Bad Request"],
)
def test_http_006_statuses(bench: Bench, status: str) -> None:
    get = b"GET /index.htm HTTP/1.1\r\nHost: 192.0.2.30\r\n\r\n"
    finding = bench.fires("AMT-HTTP-006", talked((get, plain(status))), severity="medium")
    assert status[:3] in finding["title"]
    bench.silent("AMT-HTTP-006", talked((get, plain("303 See Other", "Location: /logon.htm"))))


def test_soap_001_fault(bench: Bench) -> None:
    body = (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        "<faultcode>s:Client</faultcode><faultstring>no such method</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/xml\r\n"
    fault = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    finding = bench.fires("AMT-SOAP-001", talked((ask(), fault)), severity="high")
    assert "no such method" in finding["explanation"]
    bench.silent("AMT-SOAP-001", talked((ask(), say())))


WSMAN = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">'
    "<e:Header><a:Action>{action}</a:Action><w:ResourceURI>{uri}</w:ResourceURI><a:MessageID>{id}</a:MessageID></e:Header>"
    "<e:Body>{body}</e:Body></e:Envelope>"
)
URI = "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_SetupAndConfigurationService"


def wsman(method: str, body: str = "") -> bytes:
    text = WSMAN.format(action=f"{URI}/{method}", uri=URI, id="1", body=body)
    return f"POST /wsman HTTP/1.1\r\nHost: x\r\n{SOAP12}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def wsman_answer(method: str, body: str) -> bytes:
    text = WSMAN.format(action=f"{URI}/{method}Response", uri=URI, id="2", body=body)
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
    )


def returns(method: str, value: int) -> bytes:
    return wsman_answer(
        method, f'<g:{method}_OUTPUT xmlns:g="{URI}"><g:ReturnValue>{value}</g:ReturnValue></g:{method}_OUTPUT>'
    )


def test_wsm_001_fault(bench: Bench) -> None:
    fault = (
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>w:AccessDenied</e:Value></e:Subcode></e:Code>"
        "<e:Reason><e:Text>denied</e:Text></e:Reason></e:Fault>"
    )
    text = WSMAN.format(action="http://schemas.xmlsoap.org/ws/2004/08/addressing/fault", uri="", id="2", body=fault)
    answer = f"HTTP/1.1 400 Bad Request\r\n{SOAP12}Content-Length: {len(text)}\r\n\r\n{text}".encode()
    finding = bench.fires("AMT-WSM-001", talked((wsman("CommitChanges"), answer)), severity="high")
    assert "AccessDenied" in finding["explanation"]
    assert "realms" in finding["fix"]
    bench.silent("AMT-WSM-001", talked((wsman("CommitChanges"), returns("CommitChanges", 0))))


CODES = {
    0x3: "003",
    0x10: "010",
    0x20: "020",
    0x22: "022",
    0x26: "026",
    0x2A: "02A",
    0x2B: "02A",
    0x809: "809",
    0x80C: "80C",
    0x80F: "80C",
    0x810: "80C",
    0x1: "001",
    0x17: "001",
}


@pytest.mark.parametrize("code", CODES)
def test_pt_status(bench: Bench, code: int) -> None:
    rule = f"AMT-PT-{CODES[code]}"
    finding = bench.fires(
        rule, talked((ask("SetTlsEnabled"), say("SetTlsEnabled", f"<Status>{code}</Status>"))), verdict="confirmed"
    )
    assert f"0x{code:X}".lower() in (finding["title"] + finding["evidence"][0]["text"]).lower()
    assert finding["fix"]
    bench.silent(rule, talked((ask("SetTlsEnabled"), say("SetTlsEnabled"))))
    near = 0x21 if code != 0x21 else 0x5
    if rule != "AMT-PT-001":
        bench.silent(rule, talked((ask("SetTlsEnabled"), say("SetTlsEnabled", f"<Status>{near}</Status>"))))


def test_http_200_is_not_success(bench: Bench) -> None:
    lab = talked((wsman("CommitChanges"), returns("CommitChanges", 1)))
    bench.fires("AMT-PT-001", lab)
    bench.silent("AMT-OK-001", lab)


def configured(calls=SET_UP, after: float = 200) -> Lab:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, calls)
    lab.wait(after)
    lab.who_has(SCS, "192.0.2.99", 1)
    return lab


def test_ok_001_committed(bench: Bench) -> None:
    lab = talked((wsman("CommitChanges"), returns("CommitChanges", 0)))
    bench.fires("AMT-OK-001", lab, severity="info", verdict="confirmed")
    assert bench.report(lab)["devices"][0]["attempts"][0]["outcome"] == "committed"
    bench.silent("AMT-OK-001", talked((wsman("CommitChanges"), returns("CommitChanges", 0x809))))


def test_ok_002_inferred(bench: Bench) -> None:
    finding = bench.fires("AMT-OK-002", configured(), severity="info", verdict="likely")
    assert "80%" in finding["title"]
    bench.silent("AMT-OK-002", configured(SET_UP[:1]))


def test_ok_002_less_sure_when_the_machine_asks_again(bench: Bench) -> None:
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.set_up_psk(NETWORK, HERE, SET_UP)
    lab.wait(30)
    lab.greet(HERE, messages.hello_psk(HERE.uuid, retry=1))
    attempts = bench.report(lab)["devices"][0]["attempts"]
    assert len(attempts) == 2
    assert attempts[0]["outcome"] == "unknown"
    assert attempts[0]["confidence"] < 0.5


def test_ok_003_no_commit(bench: Bench) -> None:
    lab = configured(SET_UP[:-1])
    report = bench.report(lab, options=KEYS)
    finding = next(finding for finding in report["findings"] if finding["id"] == "AMT-OK-003")
    assert finding["severity"] == "high"
    report = bench.report(configured(), options=KEYS)
    assert "AMT-OK-003" not in [finding["id"] for finding in report["findings"]]
    closed = bench.report(configured(SET_UP[:-1]))  # not opened: nothing can be said
    assert any(entry["id"] == "AMT-OK-003" for entry in closed["not_judged"])


def test_unp_001_and_002(bench: Bench) -> None:
    lab = talked((wsman("PartialUnprovision"), returns("PartialUnprovision", 0)))
    bench.fires("AMT-UNP-001", lab, severity="info")
    bench.silent("AMT-UNP-002", lab)
    lab = talked((wsman("Unprovision"), returns("Unprovision", 0)))
    bench.fires("AMT-UNP-002", lab, severity="info")
    bench.silent("AMT-UNP-001", lab)
    bench.silent("AMT-UNP-002", talked((wsman("Unprovision"), returns("Unprovision", 0x20))))


def test_unp_002_says_once_what_becomes_of_the_suffix(bench: Bench) -> None:
    lab = talked((wsman("Unprovision"), returns("Unprovision", 0)))
    finding = bench.fires("AMT-UNP-002", lab)
    assert "AMT before 12.0 erases the PKI DNS suffix of MEBx too, later versions keep it" in finding["explanation"]
    finding = bench.fires("AMT-UNP-002", lab, site='amt_version = "11.8"\n')
    assert "this version erases the PKI DNS suffix" in finding["explanation"]
    assert finding["fix"].endswith("keys, hashes, suffix.")
    finding = bench.fires("AMT-UNP-002", lab, site='amt_version = "12.0"\n')
    assert "this version keeps the PKI DNS suffix" in finding["explanation"]
    assert finding["fix"].endswith("keys, hashes.")


def test_unp_002_hashes_gone(bench: Bench) -> None:
    own = bytes(range(32))
    lab = Lab()
    lab.greet(HERE, messages.hello_pki(HERE.uuid, (*messages.ROOTS_SHA1, own)))
    lab.wait(60)
    lab.http(HERE, [(wsman("Unprovision"), returns("Unprovision", 0))])
    lab.wait(60)
    lab.greet(HERE, messages.hello_pki(HERE.uuid, messages.ROOTS_SHA1))
    bench.fires("AMT-UNP-002", lab, severity="medium")
    bench.fires("AMT-HELLO-014", lab, severity="medium")
    assert TO_SERVER == 0


def test_unp_003_pending(bench: Bench) -> None:
    log = bench.file(
        "scs_win_server.log",
        f"2007-11-05 09:00:00 Partial unprovision of AMT {HERE.host.ip} started\n"
        f"2007-11-05 09:05:00 Error 137 - Another process currently working on AMT {HERE.host.ip}\n",
    )
    lab = Lab()
    lab.greet(HERE)
    bench.fires("AMT-UNP-003", lab, log, severity="medium")
    only = bench.file(
        "only.log", f"2007-11-05 09:05:00 Error 137 - Another process currently working on AMT {HERE.host.ip}\n"
    )
    bench.silent("AMT-UNP-003", lab, only)


SETUP_URI = "http://intel.com/wbem/wscim/1/ips-schema/1/IPS_HostBasedSetupService"


def test_pt_a_value_of_the_methods_own_is_no_pt_status(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 is "invalid state" of this method; as a PT_STATUS it would be another thing."""
    monkeypatch.setattr("test_application.URI", SETUP_URI)
    lab = talked((wsman("AddNextCertInChain"), returns("AddNextCertInChain", 3)))
    assert "wrong moment" in bench.fires("AMT-PT-001", lab, severity="high")["explanation"]
    bench.silent("AMT-PT-003", lab)
    named = bench.fires("AMT-PT-001", talked((wsman("Setup"), returns("Setup", 6))))
    assert "Flash Write Limit Exceeded" in named["explanation"]
    bench.fires("AMT-PT-003", talked((wsman("CommitChanges"), returns("CommitChanges", 3))))


def test_pt_a_job_that_goes_on_is_no_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "test_application.URI", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_KVMRedirectionSAP"
    )
    bench.silent("AMT-PT-001", talked((wsman("RequestStateChange"), returns("RequestStateChange", 4096))))
    bench.fires("AMT-PT-001", talked((wsman("RequestStateChange"), returns("RequestStateChange", 4099))))
