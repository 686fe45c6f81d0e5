"""What each condition of the rules asks for: facts that meet it, and near misses that do not."""

import msgspec
import pki_lab as pki
import pytest
from by_hand import DESK, attempt, called, capture, contact, hello, lease, lookup, machine, tls

from amtdecode.artifacts.certificates import read_bundle
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.need import Need
from amtdecode.diagnosis.site import Site
from amtdecode.provisioning.state import (
    CertificateFile,
    LogEntry,
    LogFile,
    Outcome,
    Recognition,
    RegistryFile,
    Story,
)
from amtdecode.provisioning.state.incidents import ContactElsewhere, HelloAnswered, LoginLoop, LoginRefused, SetupStep

SETUP = (pki.leaf().der, pki.middle().der, pki.root().der)
ELSEWHERE = ContactElsewhere(9, None, server="192.0.2.10", address="192.0.2.99")
ANSWERED = HelloAnswered(9, None, server="192.0.2.10", port=9971, speaks="HTTP", data=b"")
LOOP = LoginLoop(9, None, target="/", user="admin", scheme="Digest", connection=1, refusals=3)
REFUSED = LoginRefused(9, None, target="/", user="admin", scheme="digest", connection=1)
WIRELESS = SetupStep(9, None, call="AddWiFiSettings", step="wireless profile", connection=1)
ACL = SetupStep(9, None, call="AddUserAclEntry", step="ACL", connection=1)


def done(outcome: Outcome = Outcome.COMMITTED, confidence: float = 1.0, reasons: tuple[str, ...] = ()):
    return attempt(hello(2), outcome=outcome, confidence=confidence, reasons=reasons)


def shaken(packet: int = 10, *alerts, setup: bool = True, **more):
    said = {"client_hello": packet + 1, "alerts": list(alerts)} | more.pop("tls", {})
    return contact(packet, more.pop("state", "closed"), handshake=tls(**said), setup=setup, **more)


def presented(packet: int = 10, **more):
    return shaken(packet, tls={"client_certificate": 13, "client_chain": SETUP} | more)


def managed(**more):
    """A machine that was set up, and a TLS connection after that."""
    return machine(done(), attempt(shaken(20, setup=False, tls=more)))


OF_MACHINES: list[tuple[Need, list, list]] = [
    (needs.DHCP, [machine(lease(1, ack=0))], [machine()]),
    (needs.LEASE, [machine(lease(1)), machine(lease(1), lease(5, ack=0))],
     [machine(lease(1, ack=0)), machine(lease(1, v6=True)), machine()]),
    (needs.LOOKUP, [machine(lookup(1))], [machine()]),
    (needs.RESOLVED, [machine(lookup(1), lookup(2, DESK))], [machine(lookup(1)), machine()]),
    (needs.HELLO, [machine(hello(2))], [machine(contact(2)), machine()]),
    (needs.PID, [machine(hello(2))], [machine()]),
    (needs.HASHES, [machine(hello(2, hashes=((2, b"x", ""),)))],
     [machine(hello(2)), machine(), machine(hello(2, hashes=((2, b"x", ""),)), hello(4))]),
    (needs.SERVER_KNOWN, [machine(hello(2)), machine(lookup(1, DESK))], [machine(lookup(1)), machine()]),
    (needs.PSK_HELLO, [machine(hello(2, version=2))],
     [machine(hello(2)), machine(), machine(shaken(tls={"psk_identity": "x"}))]),
    (needs.PSK, [machine(hello(2, version=2)), machine(shaken(tls={"psk_identity": "x"}))],
     [machine(hello(2)), machine(), machine(presented())]),
    (needs.PKI, [machine(hello(2)), machine(presented())], [machine(hello(2, version=2)), machine()]),
    (needs.ATTEMPTS, [machine(attempt(), attempt())], [machine(attempt())]),
    (needs.COMMITTED, [machine(done(), attempt())],
     [machine(done(Outcome.FAILED)), machine(done(Outcome.INCOMPLETE)), machine()]),
    (needs.INFERRED,
     [machine(done(confidence=0.5, reasons=("x",))), machine(done(), done(confidence=0.9, reasons="x"))],
     [machine(done(confidence=0.5)), machine(done(reasons=("x",))), machine(done(confidence=0.49, reasons=("x",)))]),
    (needs.FAILED, [machine(done(), done(Outcome.FAILED))], [machine(done()), machine(done(Outcome.UNKNOWN))]),
    (needs.CONNECTION, [machine(contact(2)), machine(called(2))], [machine(hello(2))]),
    (needs.HELLO_SENT, [machine(called(2)), machine(ANSWERED)], [machine(hello(2))]),
    (needs.CONTACT, [machine(contact(2)), machine(contact(2, port=16994))],
     [machine(called(2)), machine(contact(2, server="192.0.2.99")), machine()]),
    (needs.SETUP_CONTACT, [machine(contact(2)), machine(contact(2, port=16992))],
     [machine(contact(2, port=16994)), machine(called(2))]),
    (needs.CONTACT_OR_ELSEWHERE, [machine(contact(2)), machine(ELSEWHERE)],
     [machine(contact(2, port=16994)), machine()]),
    (needs.UNREACHED, [machine(contact(2, "refused")), machine(contact(2), contact(4, "unanswered"))],
     [machine(contact(2, "refused"), contact(4)), machine(contact(2, "reset")), machine()]),
    (needs.CALLS_HOME, [machine(called(2, port=4433))], [machine(called(2)), machine(contact(2, port=4433))]),
    (needs.SETUP_HANDSHAKE, [machine(shaken())], [machine(contact(2)), managed()]),
    (needs.PSK_STOP, [machine(hello(2, version=2), shaken())],
     [machine(hello(2)), machine(hello(2), shaken()), machine(hello(2, version=2), shaken(state="open"))]),
    (needs.PKI_STOP, [machine(hello(2), shaken())],
     [machine(hello(2, version=2), shaken()), machine(hello(2), shaken(state="open"))]),
    (needs.MANAGEMENT, [managed()], [machine(shaken()), managed(client_hello=0), machine(done())]),
    (needs.MANAGEMENT_CERTIFICATE, [managed(server_chain=SETUP)], [managed(), machine(presented(server_chain=SETUP))]),
    (needs.WIRELESS_PROFILE, [machine(WIRELESS)], [machine(ACL), machine()]),
    (needs.CERTIFICATE_SETUP, [machine(hello(2)), machine(), machine(hello(2, version=2), presented())],
     [machine(hello(2, version=2)), machine(hello(2, version=2), shaken())]),
    (needs.SETUP_CHAIN, [machine(presented())], [machine(shaken()), machine()]),
    (needs.PRESENTED_CHAIN, [machine(presented())], [machine(shaken())]),
    (needs.LOGIN_REFUSED, [machine(LOOP), machine(REFUSED)], [machine(ACL)]),
    (needs.LOG_LINES, [machine(log_entries=[LogEntry(ref=2, time=None, recognition=Recognition())])], [machine()]),
    (needs.LOG_OR_HANDSHAKE,
     [machine(log_entries=[LogEntry(ref=2, time=None, recognition=Recognition())]), machine(shaken())],
     [machine(contact(2))]),
    (needs.incident(LoginLoop), [machine(LOOP)], [machine(REFUSED)]),
]  # fmt: skip


def met(need: Need, device, story: Story | None = None, site: str = "") -> bool:
    """Whether a machine meets a condition on machines."""
    facts = story or capture(device)
    if need.incident is not None:
        return need.incident in device.incidents
    assert need.machine is not None
    return need.machine(Case(facts, msgspec.toml.decode(site, type=Site), {}), device)


@pytest.mark.parametrize(("need", "meet", "miss"), OF_MACHINES)
def test_conditions_on_a_machine(need: Need, meet: list, miss: list) -> None:
    assert [met(need, device) for device in meet] == [True] * len(meet)
    assert [met(need, device) for device in miss] == [False] * len(miss)


OF_INPUTS: list[tuple[Need, list[Story], list[Story]]] = [
    (needs.DNS, [capture(seen="dns")], [capture(seen="dhcp")]),
    (needs.SOME_HELLO, [capture(seen="hello")], [capture(seen="dns")]),
    (needs.CERTIFICATE, [capture(seen="certificate")], [capture(seen="tls")]),
    (needs.PEM_FILE, [capture(certificate_files=[CertificateFile("a", 1, read_bundle(b""))])], [capture()]),
    (needs.LOG, [capture(seen="log")], [capture(logs=[LogFile("a", 1)])]),
    (needs.LOG_FILE, [capture(logs=[LogFile("a", 1)])], [capture(seen="log")]),
    (needs.LOG_LEVEL, [capture(logs=[LogFile("a", 1)]), capture(registry_files=[RegistryFile("a", 1, "", ())])],
     [capture()]),
    (needs.REGISTRY, [capture(registry_files=[RegistryFile("a", 1, "", ())])], [capture(logs=[LogFile("a", 1)])]),
    (needs.SCS_THUMBPRINT, [capture(registry_files=[RegistryFile("a", 1, "", ()), RegistryFile("b", 1, "", ("x",))])],
     [capture(registry_files=[RegistryFile("a", 1, "", ())]), capture()]),
]  # fmt: skip


@pytest.mark.parametrize(("need", "meet", "miss"), OF_INPUTS)
def test_conditions_on_what_was_given(need: Need, meet: list[Story], miss: list[Story]) -> None:
    assert need.inputs is not None
    assert [need.inputs(Case(story, Site(), {})) for story in meet] == [True] * len(meet)
    assert [need.inputs(Case(story, Site(), {})) for story in miss] == [False] * len(miss)


HERE = f'[[machine]]\naddress = "{DESK}"\n'


@pytest.mark.parametrize(
    ("need", "meet", "miss"),
    [
        (needs.AMT_VERSION, 'amt_version = "3.0"\n', 'amt_version = "2.15.15.0000"\n'),
        (needs.VERSION_LISTED, HERE + 'amt_version = "2.15.15.0000"\n', HERE),
        (needs.MACHINE_NAME, HERE + 'fqdn = "desk.example.com"\n', HERE),
        (needs.MACHINE_LISTED, HERE, '[[machine]]\naddress = "192.0.2.99"\n'),
        (needs.UPGRADE_PLANNED, HERE + 'upgrade_to = "3.0"\n', HERE),
        (needs.UNS_EXPECTED, HERE + "uns = true\n", HERE + "uns = false\n"),
        (needs.WIRELESS_PROFILE, HERE + 'wireless_profile = "n"\n', HERE),
        (needs.UNREACHED, "[policy]\ntls = true\n", ""),
        (needs.SCS_VERSION, '[scs]\nversion = "3.1"\n', ""),
        (needs.SCS_ADDRESSES, '[scs]\naddresses = ["192.0.2.10"]\n', ""),
        (needs.SCS_MODE, '[scs]\nmode = "smb"\n', ""),
        (needs.SCS_THUMBPRINT, '[scs]\nthumbprint = "00"\n', '[scs]\nthumbprint = ": "\n'),
        (needs.ROOTS, '[certificates]\nroots = ["00"]\n', ""),
        (needs.OTP_POLICY, "[policy]\notp = false\n", ""),
    ],
)  # fmt: skip
def test_facts_of_the_site(need: Need, meet: str, miss: str) -> None:
    for site, expected in ((meet, True), (miss, False)):
        if need.machine is not None:
            assert met(need, machine(), site=site) is expected
        else:
            assert need.inputs is not None
            assert need.inputs(Case(capture(), msgspec.toml.decode(site, type=Site), {})) is expected


def test_a_machine_that_tells_its_version_and_name_needs_no_site_file() -> None:
    assert met(needs.AMT_VERSION, machine(amt_version="9.0"))
    assert met(needs.MACHINE_NAME, machine(fqdn="desk"))
    assert not met(needs.VERSION_LISTED, machine(amt_version="9.0"))


def test_a_file_is_no_chain_that_was_presented() -> None:
    pem = pki.leaf().pem + pki.middle().pem + pki.root().pem
    desk = machine(hello(2))
    story = capture(desk, certificate_files=[CertificateFile("chain.pem", 1, read_bundle(pem))])
    assert met(needs.SETUP_CHAIN, desk, story)
    assert not met(needs.PRESENTED_CHAIN, desk, story)


def test_what_is_missing_is_said() -> None:
    def said(need: Need, seen: str = "") -> str:
        return need.said(Case(capture(seen=seen), Site(), {}))

    assert said(needs.DHCP) == said(needs.LEASE) == "no DHCP in this capture"
    assert said(needs.DHCP, "dhcp") == "no DHCP of the machine in this capture"
    assert said(needs.LOOKUP) == said(needs.RESOLVED) == "no DNS in this capture"
    assert said(needs.LOOKUP, "dns") == "no DNS query of the machine for ProvisionServer in this capture"
    assert said(needs.HELLO) == "no hello in this capture"
