"""Failures people had, as reported in public threads; each is named after its thread."""

import pki_lab as pki
import pytest
from diagnosis_lab import SCS, Bench, Lab, command, desk, lease_options
from test_application import NONCE, REALM, SETUP_URI, ask, login, plain, returns, say, talked, wsman
from test_hello_and_contact import greeted
from test_hello_and_contact import pki as hello_pki
from test_psk_and_rcfg import HERE, presented, sound

from pcaps import messages
from pcaps.build import TO_CLIENT
from pcaps.make import DOMAIN, NETWORK

SITE_16 = 'amt_version = "16.1.25"\n'


def foremost(bench: Bench, lab: Lab | None, *files: str, site: str = "") -> dict[str, object]:
    return bench.report(lab, *files, site=site)["findings"][0]


def test_meshcentral_2805_option_15_must_match_the_certificate(bench: Bench) -> None:
    finding = foremost(bench, presented(sound(), domain=b"other.example.net", code=42))
    assert finding["id"] == "AMT-RCFG-009"


def test_meshcentral_451_no_trusted_suffix(bench: Bench) -> None:
    finding = foremost(bench, presented(sound(), domain=None, code=42))
    assert finding["id"] in ("AMT-NET-001", "AMT-RCFG-009")
    bench.fires("AMT-NET-001", presented(sound(), domain=None, code=42))


def test_meshcentral_2948_hidden_blank_in_the_suffix(bench: Bench) -> None:
    lab = presented(sound(), domain=b"example.com ")
    finding = bench.fires("AMT-NET-002", lab)
    assert "65 78 61 6d 70 6c 65 2e 63 6f 6d 20" in str(finding["evidence"])  # both texts look alike: bytes are shown


def test_rpc_go_615_a_domain_nobody_can_certify(bench: Bench) -> None:
    finding = bench.fires("AMT-RCFG-009", presented(sound(), domain=b"office.local", code=42))
    assert "MEBx" in finding["fix"]


def test_landesk_quick_start_hello_never_comes(bench: Bench) -> None:
    lab = Lab()
    lab.dhcp(HERE)
    lab.dns(HERE.host, f"provisionserver.{DOMAIN}", [], code=messages.NXDOMAIN)
    lab.wait(400)
    lab.who_has(SCS, "192.0.2.99", 1)
    assert foremost(bench, lab)["id"] == "AMT-DNS-001"


def test_docs_599_purchased_wildcard_without_the_oid(bench: Bench) -> None:
    wild = pki.leaf("*.example.com", purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH))
    finding = foremost(bench, presented([wild, pki.middle(), pki.root()], code=42), site='amt_version = "12.0"\n')
    assert finding["id"] == "AMT-RCFG-001"


def test_meshcentral_1297_no_match_with_the_trusted_roots(bench: Bench) -> None:
    flights = pki.shake(sound(), trusted=[pki.machine_certificate()])
    assert foremost(bench, presented(sound(), listed=(), flights=flights))["id"] == "AMT-RCFG-003"


def test_meshcentral_4901_reversed_chain(bench: Bench) -> None:
    chain = [pki.leaf(), pki.root(), pki.middle()]
    assert foremost(bench, presented(chain, code=42))["id"] == "AMT-RCFG-006"
    pem = bench.file("reversed.pem", b"".join(each.pem for each in reversed(sound())))
    bench.fires("AMT-CERT-008", None, pem)


def test_rps_2505_chain_without_its_root(bench: Bench) -> None:
    pem = bench.file("fullchain.pem", pki.leaf(purposes=(pki.SERVER_AUTH,)).pem + pki.middle().pem)
    ids = {finding["id"] for finding in bench.report(None, pem)["findings"]}
    assert {"AMT-RCFG-001", "AMT-CERT-008"} <= ids


def test_toolkit_docs_custom_hash_gone_after_unprovision(bench: Bench) -> None:
    own = pki.root().digest()
    lab = greeted(hello_pki(hashes=(*messages.ROOTS_SHA1, own)), hello_pki(retry=1))
    finding = bench.fires("AMT-HELLO-014", lab, severity="medium")
    assert "USB" in finding["fix"]


def test_meshcentral_4782_server_refuses_old_tls(bench: Bench) -> None:
    lab = greeted(messages.hello_psk(HERE.uuid))
    lab.psk(HERE, stop=2, alert=(2, 70), by=0)
    ids = [finding["id"] for finding in bench.report(lab)["findings"]]
    assert ids[0] == "AMT-PSK-007"


def test_rpc_go_1163_bad_certificate(bench: Bench) -> None:
    assert "AMT-RCFG-027" in [f["id"] for f in bench.report(presented(sound(), code=42))["findings"]]


def test_wsmancli_16_port_16992_is_gone(bench: Bench) -> None:
    lab = greeted(hello_pki())
    lab.talk(SCS, HERE.host, 16993, pki.shake([], ask=False, records=2), "open")
    lab.refused(SCS, HERE.host, 16992)
    finding = bench.fires("AMT-CONN-002", lab, site=SITE_16)
    assert "port 16993 does answer" in finding["explanation"]
    assert "16.1" in finding["fix"]


def test_royer_2008_unreadable_self_signed_certificate(bench: Bench) -> None:
    log = bench.file(
        "amtopmgr.log",
        "<![LOG[Error 0x80090308 returned by InitializeSecurityContext during follow up TLS handshaking "
        "with server.]LOG]!>"
        '<time="15:10:04.029-480" date="08-19-2008" component="SMS_AMT_OPERATION_MANAGER" context="" type="3" '
        'thread="2724" file="">\r\n',
    )
    finding = bench.fires("AMT-LOG-SCH", None, log)
    assert "SEC_E_INVALID_TOKEN" in finding["title"]
    assert "3.2.2" in finding["fix"]


def test_deployment_205_wrong_password(bench: Bench) -> None:
    refused = messages.unauthorized("Digest:84910000000000000000000000000000", messages.nonce(1), "16.1.25")
    tries = [(ask(authorization=login(count)), refused) for count in range(1, 5)]
    lab = talked((ask(), refused), *tries)
    bench.fires("AMT-HTTP-002", lab)
    assert bench.report(lab)["devices"][0]["amt_version"] == "16.1.25"


def test_rps_2504_http_200_is_no_success(bench: Bench) -> None:
    lab = talked((wsman("CommitChanges"), returns("CommitChanges", 5)))
    bench.fires("AMT-PT-001", lab)
    bench.silent("AMT-OK-001", lab)


def test_rps_2756_bare_400(bench: Bench) -> None:
    finding = bench.fires("AMT-HTTP-006", talked((wsman("AddMpServer"), plain("400 Bad Request"))))
    assert "argument" in finding["explanation"]


def test_meshcentral_4619_the_machine_does_not_take_the_chain(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_application.URI", SETUP_URI)
    lab = talked((wsman("AddNextCertInChain"), returns("AddNextCertInChain", 4)))
    finding = foremost(bench, lab, site='amt_version = "16.0.15"\n')
    assert finding["id"] == "AMT-PT-001"
    assert "Certificate Verification Failed" in str(finding["title"])
    assert "16.0.15" in str(finding["fix"])


def test_meshcentral_934_a_private_authority_ends_in_a_bare_400(bench: Bench) -> None:
    bench.fires("AMT-HTTP-006", talked((wsman("AddNextCertInChain"), plain("400 Bad Request"))))


def test_rps_779_two_qualities_of_protection_in_one_challenge(bench: Bench) -> None:
    challenge = messages.unauthorized(REALM, NONCE, "16.1.25").replace(b'qop="auth"', b'qop="auth-int, auth"')
    assert b"auth-int, auth" in challenge
    bench.fires("AMT-HTTP-001", talked((ask(), challenge), (ask(authorization=login()), say())), severity="info")


def test_rpc_go_413_sha1_cross_certificate(bench: Bench) -> None:
    cross = pki.signed_with_sha1(pki.middle(), pki.root())
    lab = presented([pki.leaf(), cross, pki.root()], code=43)
    assert foremost(bench, lab, site='amt_version = "16.1"\n')["id"] == "AMT-CERT-004"


PUBLISHED = {
    "meshcentral_451": ("No trusted DNS suffix reported", "option 15"),
    "meshcentral_517": ("No match, activating in CCM instead...", "client control mode"),
    "meshcentral_3855": ("Unable to find a matching ACM activation certificate.", "certificate"),
    "rpc_go_66": ("link status is down, unable to activate AMT in Admin Control Mode (ACM)", "wired"),
    "toolkit_docs_missing_suffix": ("activation failed. Missing DNS Suffix", "suffix"),
    "rps_2590": ("Failed to extract domain certificate. ACM activation failed", "suffix"),
    "deployment_534": ("Specified AMT domain suffix: foo.domain.com does not match list of suffixes", "suffix"),
    "rpc_go_exit_128": ("root of the provisioning certificate does not match any of the trusted roots in AMT", "hash"),
    "deployment_177": ("Failed to disable TLS Setting Data", "TLS"),
    "meshcentral_4782": ("error:1425F102:SSL routines:ssl_choose_client_version:unsupported protocol", "TLS"),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_log_lines(bench: Bench, case: str) -> None:
    line, word = PUBLISHED[case]
    code, out, _ = command("log", bench.file(f"{case}.log", f"2024-05-02 10:00:00 {line}\n"))
    assert code == 0
    assert line[:40] in out
    assert word in out.partition("Source:")[0].partition("\n")[2]


def test_royer_2008_march_amt_25_has_no_remote_configuration(bench: Bench) -> None:
    bench.fires("AMT-RCFG-013", greeted(hello_pki()), site='amt_version = "2.5"\n')


def test_acuconfig_exit_75(bench: Bench) -> None:
    log = bench.file(
        "ACUConfig.log",
        "2011-05-02 10:00:00 Exit with code 75. Details: Failed to complete remote configuration of this Intel(R) AMT "
        "device. Failed to get the certificate from the CA. (Certificate ID: 3310051103).  (0xc0002825). The "
        "certificate "
        "chain could not be built. Please make sure that the root certificate is installed properly. (0xc0003e93). "
        "Intel(R) AMT Operation failed. (Request Certificate). (0xc00007d5). The RCS failed to process the request.\n",
    )
    finding = bench.fires("AMT-LOG-ACU", None, log)
    assert "0xc0003e93" in finding["explanation"]


def test_five_captures_with_their_names_hidden(bench: Bench) -> None:
    """The first thing on the screen is the cause."""
    leased = Lab()
    leased.dhcp(HERE, options=lease_options(None))
    leased.dns(HERE.host, "ProvisionServer", [], code=messages.NXDOMAIN)
    leased.wait(400)
    leased.who_has(SCS, "192.0.2.99", 1)
    stopped = Lab()
    stopped.lease(NETWORK, HERE)
    stopped.found(HERE)
    stopped.refused(HERE.host, SCS, 9971)
    other = Lab()
    other.lease(NETWORK, HERE)
    other.found(HERE)
    other.greet(HERE)
    other.wait(3)
    other.psk(HERE, pid="ABCDEF0L", alert=(2, 115))
    ignored = Lab()
    ignored.lease(NETWORK, HERE)
    ignored.found(HERE)
    for retry in range(5):
        ignored.greet(HERE, messages.hello_pki(HERE.uuid, retry=retry))
        ignored.wait(60)
    untrusted = presented(sound(), listed=(), flights=pki.until_client(pki.shake(sound())), end="reset")
    scenes = (
        (leased, "AMT-NET-001"),
        (stopped, "AMT-HELLO-002"),
        (other, "AMT-PSK-002"),
        (ignored, "AMT-HELLO-003"),
        (untrusted, "AMT-RCFG-003"),
    )
    for number, (lab, cause) in enumerate(scenes):
        out = command("diagnose", str(lab.write(bench.folder / f"{number}.pcap")))[1].splitlines()
        assert cause in out[1], (cause, out[:4])
    assert desk(1)
    assert TO_CLIENT
