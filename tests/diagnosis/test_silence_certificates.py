"""The setup certificate at its edges: AMT-RCFG-001 to 020, AMT-CERT-*, and what a machine made of a chain."""

import datetime as dt

import pki_lab as pki
import pytest
from by_hand import alert, asked, attempt, capture, contact, hello, hits, lease, machine, tls
from cryptography.hazmat.primitives import hashes, serialization

from amtdecode.artifacts.certificates import read_bundle
from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.chains import local_checks, moment
from amtdecode.diagnosis.site import Site
from amtdecode.provisioning.state import CertificateFile, Device, Hello, Outcome, Session, Story

NOW = pki.AT.timestamp()
DAY = 86_400.0
PEM = 1 << 40  # refs of a second input


def ders(*chain: pki.Authority) -> tuple[bytes, ...]:
    return tuple(each.der for each in chain)


SOUND = ders(pki.leaf(), pki.middle(), pki.root())
UNMARKED = pki.leaf(purposes=(pki.SERVER_AUTH,))
PLAIN = ders(UNMARKED, pki.middle(), pki.root())
NO_ROOT = ders(pki.leaf(), pki.middle())


def shown(packet: int, chain: tuple[bytes, ...] = SOUND, *alerts, seconds: float = NOW, **more) -> Session:
    """The server shows a chain in the packet 3 after its SYN; the machine ends the connection, or `more` says how."""
    said = {
        "client_hello": packet + 1,
        "server_hello": packet + 2,
        "server_certificate": packet + 2,
        "server_chain": (pki.machine_certificate().der,),
        "request": packet + 2,
        "client_certificate": packet + 3,
        "client_chain": chain,
        "key_exchange": packet + 3,
        "verify": packet + 3,
    } | more.pop("tls", {})
    kept = {"who_closed": "server", "last_ref": packet + 6} | more
    return contact(
        packet, kept.pop("state", "closed"), seconds + packet, handshake=tls(alerts=list(alerts), **said), **kept
    )


def refused(packet: int, code: int, chain: tuple[bytes, ...] = SOUND, **more) -> Session:
    """The machine answers with an alert in the packet 5 after the SYN."""
    return shown(packet, chain, alert(packet + 5, code), **more)


def taken(packet: int, chain: tuple[bytes, ...] = SOUND, **more) -> Session:
    """The handshake completes."""
    done = {"client_ccs": packet + 4, "server_ccs": packet + 5, "complete": True}
    return shown(packet, chain, tls=done | more.pop("tls", {}), **more)


def under_way(packet: int, chain: tuple[bytes, ...] = SOUND) -> Session:
    """The capture ends before the machine answers."""
    return shown(packet, chain, state="")


def pki_hello(packet: int = 2, *listed: pki.Authority, **more) -> Hello:
    """A hello that lists the root, or those given."""
    roots = listed or (pki.root(),)
    said = {"hashes": tuple((2, each.digest(), "") for each in roots)} | more
    return hello(packet, NOW + packet, **said)


def desk(*facts, **more) -> Device:
    return machine(pki_hello(), lease(1), *facts, **more)


def file(pem: bytes, ref: int = PEM + 1) -> CertificateFile:
    return CertificateFile("chain.pem", ref, read_bundle(pem))


def story(device: Device, **more) -> Story:
    """The capture goes on for a day."""
    return capture(device, **({"last": NOW + DAY, "seen": "hello certificate"} | more))


def judged(rule: str, device: Device, site: str = "", **more) -> list:
    """(verdict, severity where it is not the rule's own, the packets cited, each once)."""
    return [
        each if isinstance(each, str) else (each[0], each[1], list(dict.fromkeys(each[2])))
        for each in asked(rule, device, story(device, **more), site)
    ]


# -- what the machine made of a chain ----------------------------------------------------------------------------------


def test_a_chain_that_the_machine_took_is_right() -> None:
    assert judged("AMT-RCFG-001", desk(refused(10, 42, PLAIN))) == [("confirmed", "", [13, 15])]
    assert judged("AMT-RCFG-001", desk(taken(10, PLAIN))) == []
    assert judged("AMT-RCFG-001", desk(taken(10, PLAIN, tls={"requests": 3, "answers": 3}))) == []
    assert judged("AMT-RCFG-001", desk(under_way(10, PLAIN))) == [("likely", "", [13])]
    by_server = shown(10, PLAIN, alert(15, 42, server=False))
    assert judged("AMT-RCFG-001", desk(by_server)) == [("likely", "", [13])]  # not the machine's word


def test_the_latest_chain_counts() -> None:
    assert judged("AMT-RCFG-001", desk(refused(10, 42, PLAIN), taken(30))) == []
    assert judged("AMT-RCFG-001", desk(taken(10), refused(30, 42, PLAIN))) == [("confirmed", "", [33, 35])]
    assert judged("AMT-RCFG-001", desk(refused(10, 42, PLAIN), taken(30, PLAIN))) == []
    again = desk(refused(10, 42, PLAIN), refused(30, 42), refused(50, 42, PLAIN))
    assert judged("AMT-RCFG-001", again) == [("confirmed", "", [53, 55])]


NOT_SHOWN = "no setup certificate was presented to the machine in this capture, and no file holds one"


def test_only_connections_of_setup_show_setup_chains() -> None:
    later = refused(30, 42, PLAIN, setup=False)
    committed = attempt(pki_hello(4), outcome=Outcome.COMMITTED)
    assert judged("AMT-RCFG-001", desk(committed, attempt(later))) == [NOT_SHOWN]
    assert judged("AMT-RCFG-001", desk(refused(30, 42, PLAIN, port=16995))) == [NOT_SHOWN]
    assert judged("AMT-RCFG-001", desk(contact(30))) == [NOT_SHOWN]


def test_the_proof_says_who_shows_what() -> None:
    device = desk(refused(10, 42, PLAIN))
    (hit,) = hits("AMT-RCFG-001", device, story(device))
    assert hit.proofs[0] == (13, "192.0.2.10 presents scs.example.com and 2 further certificates")
    assert hit.proofs[1] == (15, "AMT sends alert 42 bad_certificate, ")
    assert hit.values["leaf"] == "scs.example.com"
    device = machine(hello(2, NOW, version=3))
    (hit,) = hits("AMT-RCFG-005", device, story(device, certificate_files=[file(pki.leaf().pem + pki.root().pem)]))
    assert hit.proofs[0] == (PEM + 1, "the file holds the chain of scs.example.com")


@pytest.mark.parametrize(
    ("rule", "chain", "expected", "others"),
    [
        ("AMT-RCFG-003", SOUND, (48, 46, 42, 40), (45, 43, 80)),
        ("AMT-RCFG-005", ders(pki.leaf(), pki.root()), (48, 46, 42, 40), (45, 43, 80)),
        ("AMT-RCFG-006", ders(pki.leaf(), pki.root(), pki.middle()), (48, 46, 42, 40), (45, 43, 80)),
        ("AMT-RCFG-007", NO_ROOT, (48, 46, 42, 40), (45, 43, 80)),
        ("AMT-RCFG-001", PLAIN, (48, 46, 42, 40, 45, 43, 80), ()),  # any of them may be behind a missing mark
    ],
)
def test_how_sure_a_fault_is_by_the_alert(rule, chain, expected, others) -> None:
    for code in (*expected, *others):
        device = machine(pki_hello(2, pki.leaf()), lease(1), refused(10, code, chain))
        verdict = "confirmed" if code in expected else "likely"
        assert [each[0] for each in judged(rule, device)] == [verdict], code
    silent = machine(pki_hello(2, pki.leaf()), lease(1), shown(10, chain))
    assert [each[0] for each in judged(rule, silent)] == ["confirmed"]  # no alert contradicts it


def expired(days: float, packet: int = 10, *, code: int = 0, chain: tuple[bytes, ...] = SOUND) -> list:
    """AMT-CERT-001 of a chain shown so many days after 5 November 2007; the leaf is valid for 200."""
    device = desk(refused(packet, code, chain, seconds=NOW + days * DAY) if code else taken(packet, chain))
    return judged("AMT-CERT-001", device, last=NOW + 3000 * DAY)


def test_dates_are_judged_at_the_time_of_the_handshake() -> None:
    for code in (45, 42, 46, 40):
        assert expired(201, code=code) == [("confirmed", "", [13, 15])]
    for code in (48, 43):
        assert expired(201, code=code) == [("likely", "", [13, 15])]
    assert expired(199, code=45) == []
    assert expired(-201, code=45) == [("confirmed", "", [13, 15])]
    early, late = desk(refused(10, 45)), desk(refused(10, 45, seconds=NOW + 201 * DAY), id=2)
    both = story(early, last=NOW + 300 * DAY)
    both.devices.append(late)
    assert asked("AMT-CERT-001", early, both) == []  # each machine at its own time
    assert [each[0] for each in asked("AMT-CERT-001", late, both)] == ["confirmed"]


def test_without_a_time_no_date_is_judged() -> None:
    device = desk(refused(10, 45))
    device.sessions[0].time = None
    assert asked("AMT-CERT-001", device, story(device)) == ["No time is known to judge the dates at."]
    assert moment(None) is None
    assert moment(10**30) is None
    assert moment(1_194_220_800_000_000_000) == pki.AT


def test_a_certificate_that_ends_soon_is_a_weakness_whatever_the_machine_says() -> None:
    def soon(session, **more):
        return judged("AMT-CERT-002", desk(session), **more)

    assert soon(taken(10, seconds=NOW + 171 * DAY)) == [("possible", "low", [13])]
    assert soon(taken(10, seconds=NOW + 169 * DAY)) == []
    assert soon(under_way(10)) == []
    assert soon(refused(10, 42, seconds=NOW + 171 * DAY)) == [("possible", "", [13, 15])]


@pytest.fixture(scope="module")
def old_signature() -> tuple[bytes, ...]:
    """Signed with SHA-1."""
    return ders(pki.signed_with_sha1(pki.leaf(), pki.middle()), pki.middle(), pki.root())


def test_sha1_by_version_and_time(old_signature) -> None:
    def found(session, version: str = "", **more):
        site = f'amt_version = "{version}"\n' if version else ""
        return judged("AMT-CERT-004", desk(session), site, **more)

    for code in (43, 42, 46, 40):
        assert found(refused(10, code, old_signature), "16.0") == [("confirmed", "high", [13, 15])]
    assert found(refused(10, 48, old_signature), "16.0") == [("likely", "", [13, 15])]
    assert found(taken(10, old_signature), "16.0") == [("likely", "info", [13])]
    assert found(under_way(10, old_signature), "16.0") == [("likely", "info", [13])]
    assert found(refused(10, 43, old_signature), "15.0") == [("possible", "", [13, 15])]
    assert found(refused(10, 43, old_signature), "14.0") == []
    # of an unknown version the date of the capture says whether firmware that refuses it was sold
    assert found(refused(10, 43, old_signature)) == [("possible", "info", [13, 15])]
    sold = dt.datetime(2020, 9, 1, tzinfo=dt.UTC).timestamp()
    assert found(refused(10, 43, old_signature, seconds=sold - 11)) == [("possible", "info", [13, 15])]
    assert found(refused(10, 43, old_signature, seconds=sold - 10)) == [("possible", "", [13, 15])]
    assert found(refused(10, 43, old_signature, seconds=sold - 11), "15.0") == [("possible", "", [13, 15])]


def test_a_small_key_by_the_alert() -> None:
    purposes = (pki.SERVER_AUTH, pki.CLIENT_AUTH, pki.SETUP)
    small = pki.issue("scs.example.com", pki.middle(), 21, purposes=purposes, bits=1024)
    chain = ders(small, pki.middle(), pki.root())

    def found(session, version: str):
        return judged("AMT-CERT-003", desk(session), f'amt_version = "{version}"\n')

    for code in (43, 42, 46, 40):
        assert found(refused(10, code, chain), "16.0") == [("confirmed", "high", [13, 15])]
    assert found(refused(10, 48, chain), "16.0") == [("likely", "", [13, 15])]
    assert found(taken(10, chain), "16.0") == [("likely", "info", [13])]
    assert found(refused(10, 43, chain), "15.0") == [("possible", "", [13, 15])]
    assert found(refused(10, 43, chain), "14.0") == []


def test_an_issuer_that_is_no_authority_by_the_alert() -> None:
    middle = pki.issue("Example Issuing", pki.root(), 2)
    leaf = pki.issue("scs.example.com", middle, 3, purposes=(pki.SERVER_AUTH, pki.CLIENT_AUTH, pki.SETUP))
    chain = ders(leaf, middle, pki.root())
    for code, verdict in ((48, "confirmed"), (42, "confirmed"), (46, "confirmed"), (40, "confirmed"), (43, "likely")):
        assert judged("AMT-RCFG-041", desk(refused(10, code, chain))) == [(verdict, "", [13, 15])]


def test_sha2_on_early_firmware_is_a_doubt() -> None:
    early = 'amt_version = "2.6"\n'
    assert judged("AMT-CERT-005", desk(refused(10, 43)), early) == [("possible", "", [13, 15])]
    assert judged("AMT-CERT-005", desk(taken(10)), early) == [("possible", "info", [13])]
    assert judged("AMT-CERT-005", desk(refused(10, 43)), 'amt_version = "4.0"\n') == []


def test_a_doubt_is_worth_a_word_only_where_the_machine_refused() -> None:
    def found(session):
        return judged("AMT-RCFG-009", machine(pki_hello(), lease(1, suffix=b"example.org example.com"), session))

    assert found(refused(10, 42)) == [("possible", "", [13, 15])]
    assert found(under_way(10)) == []
    assert found(taken(10)) == []


def test_012_the_last_two_labels_are_told_of_a_chain_that_passes() -> None:
    deep = ders(pki.leaf("scs.hq.example.com"), pki.middle(), pki.root())

    def found(session, suffix: bytes = b"lab.example.com"):
        device = machine(pki_hello(), lease(1, suffix=suffix), session)
        return judged("AMT-RCFG-012", device, 'amt_version = "2.6"\n')

    assert found(taken(10, deep)) == [("confirmed", "info", [13])]
    assert found(under_way(10, deep)) == [("likely", "info", [13])]
    assert found(refused(10, 42, deep)) == [("likely", "", [13, 15])]
    assert found(taken(10, deep), b"hq.example.com") == []


def test_what_cannot_be_judged_is_said() -> None:
    (unknown,) = judged("AMT-RCFG-003", machine(lease(1), refused(10, 48)))
    assert unknown.startswith("No hello was given, so the hash list of the machine is not known.")
    wild = ders(pki.leaf("*.example.com"), pki.middle(), pki.root())
    assert judged("AMT-RCFG-010", desk(refused(10, 42, wild))) == [
        "The CN *.example.com is a wildcard, which AMT takes from 2.6 and 3.0 on, and 2.2 does not."
    ]


# -- files -------------------------------------------------------------------------------------------------------------

CHAIN_FILE = b"".join(each.pem for each in (pki.leaf(), pki.middle(), pki.root()))
PLAIN_FILE = b"".join(each.pem for each in (UNMARKED, pki.middle(), pki.root()))


def test_a_file_stands_for_what_no_handshake_shows() -> None:
    other = machine(pki_hello(2, pki.leaf()))
    assert judged("AMT-RCFG-003", other, certificate_files=[file(CHAIN_FILE)]) == [("likely", "", [PEM + 1])]
    assert judged("AMT-RCFG-003", machine(pki_hello()), certificate_files=[file(CHAIN_FILE)]) == []
    seen = machine(pki_hello(), refused(10, 42))
    foreign = file(pki.leaf("scs.example.net", signer=pki.key(9)).pem + pki.middle().pem + pki.root().pem)
    assert judged("AMT-RCFG-008", seen, certificate_files=[foreign]) == []  # the wire shows another
    psk = machine(hello(2, NOW, version=2))
    assert judged("AMT-RCFG-003", psk, certificate_files=[file(CHAIN_FILE)]) == []


def test_files_nobody_was_shown_are_judged_by_themselves() -> None:
    nobody = machine()
    (hit,) = hits("AMT-RCFG-001", nobody, story(nobody, certificate_files=[file(PLAIN_FILE)]))[1:]
    assert (str(hit.verdict), hit.severity, hit.proofs[0][0]) == ("possible", None, PEM + 1)
    assert hit.values["leaf"] == "O=Example, CN=scs.example.com"
    assert judged("AMT-RCFG-001", nobody, certificate_files=[file(CHAIN_FILE)]) == [NOT_SHOWN]
    assert judged("AMT-RCFG-001", nobody, certificate_files=[file(pki.leaf().key_pem)]) == [NOT_SHOWN]
    two = [file(CHAIN_FILE, PEM + 1), file(PLAIN_FILE, 2 * PEM + 1)]
    assert judged("AMT-RCFG-001", nobody, certificate_files=two) == [NOT_SHOWN, ("possible", "", [2 * PEM + 1])]
    met = machine(pki_hello())  # the marked one is that of the machine, and is judged with it
    assert judged("AMT-RCFG-001", met, certificate_files=two) == []


# -- handshakes and certificates ---------------------------------------------------------------------------------------


def test_018_an_empty_list_of_certificates() -> None:
    empty = shown(10, ())
    assert judged("AMT-RCFG-018", desk(empty)) == [("confirmed", "", [12, 13])]
    assert hits("AMT-RCFG-018", desk(empty))[0].values == {"server": "192.0.2.10"}
    assert judged("AMT-RCFG-018", desk(empty, shown(30, ()))) == [("confirmed", "", [12, 13])]
    assert judged("AMT-RCFG-018", desk(shown(10), empty)) == [("confirmed", "", [12, 13])]
    for near in (shown(10), shown(10, (), tls={"request": 0}), shown(10, (), tls={"client_certificate": 0})):
        assert judged("AMT-RCFG-018", desk(near)) == []


def test_019_no_proof_of_the_private_key() -> None:
    bare = shown(10, tls={"verify": 0})
    assert judged("AMT-RCFG-019", desk(bare)) == [("confirmed", "", [13, 16])]
    assert judged("AMT-RCFG-019", desk(bare, shown(30))) == []  # the latest stop counts
    for near in (shown(10), shown(10, (), tls={"verify": 0}), shown(10, tls={"verify": 0, "key_exchange": 0})):
        assert judged("AMT-RCFG-019", desk(near)) == []
    assert judged("AMT-RCFG-019", desk(taken(10, tls={"verify": 0}))) == []


def test_036_another_private_key() -> None:
    device = desk(refused(10, 51))
    assert judged("AMT-RCFG-036", device) == [("confirmed", "", [10, 15, 13])]
    (hit,) = hits("AMT-RCFG-036", device, story(device))
    assert hit.values == {"alert": "51 decrypt_error"}
    assert judged("AMT-RCFG-036", desk(refused(10, 51), refused(30, 51))) == [("confirmed", "", [30, 35, 33])]
    for near in (refused(10, 42), shown(10), shown(10, SOUND, alert(15, 51, server=False))):
        assert judged("AMT-RCFG-036", desk(near)) == []
    unseen = shown(10, (), alert(15, 51), tls={"client_certificate": 0})  # which certificate it was is not shown
    assert judged("AMT-RCFG-036", desk(unseen)) == [("likely", "", [10, 15])]
    assert judged("AMT-RCFG-036", desk(refused(10, 51), unseen)) == [("likely", "", [10, 15])]


def test_the_checks_stand_below_an_alert_those_that_fail_first() -> None:
    late = desk(refused(10, 42, seconds=NOW + 201 * DAY))
    _, made = local_checks(Case(story(late, last=NOW + 300 * DAY), Site(), {}), late, late.sessions[0])
    assert [(check.id, check.outcome) for check in made[:1]] == [("AMT-CERT-001", "fail")]  # asked behind the others
    device = desk(refused(10, 42, PLAIN))
    proof, made = local_checks(Case(story(device), Site(), {}), device, device.sessions[0])
    assert proof == 13
    assert [check.outcome for check in made[:2]] == ["fail", "pass"]
    assert made[0].id == "AMT-RCFG-001"
    assert {check.id for check in made}.isdisjoint({"AMT-CERT-002", "AMT-RCFG-012", "AMT-RCFG-036"})
    (hit,) = hits("AMT-RCFG-027", device, story(device))
    texts = [text for packet, text in hit.proofs if packet == 13]
    assert texts[0].startswith("check AMT-RCFG-001, ")
    assert texts[0].endswith(": FAILS")
    assert texts[1].endswith(": passes")
    assert local_checks(Case(story(device), Site(), {}), device, contact(10)) == (0, [])


def test_020_another_certificate_than_configured() -> None:
    leaf, other = pki.leaf().digest(hashes.SHA1()).hex(), "0" * 40

    def found(thumbprint: str, *facts):
        return judged("AMT-RCFG-020", desk(*facts), f'[scs]\nthumbprint = "{thumbprint}"\n')

    assert found(other, taken(10)) == [("confirmed", "", [13])]
    spaced = ":".join(leaf[at : at + 2] for at in range(0, 40, 2)).upper()
    for same in (leaf, leaf.upper(), spaced, spaced.replace(":", " ")):
        assert found(same, taken(10)) == []
    assert found(leaf, taken(10), taken(30, PLAIN)) == [("confirmed", "", [33])]  # the latest one
    assert found(leaf, taken(10, PLAIN), taken(30)) == []
    assert found(other) == []
    device = desk(taken(10))
    (hit,) = hits("AMT-RCFG-020", device, story(device), f'[scs]\nthumbprint = "{other}"\n')
    assert hit.values == {"wanted": other, "seen": leaf}
    assert hit.proofs == [(13, f"presented {leaf}"), (13, f"configured {other}")]


def test_004_the_hash_may_be_inactive() -> None:
    assert judged("AMT-RCFG-004", desk(refused(10, 48))) == [("likely", "", [13, 15])]
    assert judged("AMT-RCFG-004", desk(shown(10))) == [("likely", "", [13, 16])]
    assert judged("AMT-RCFG-004", desk(refused(10, 48), refused(30, 48))) == [("likely", "", [33, 35])]
    for other in (refused(10, 42), refused(10, 51), taken(10), under_way(10), refused(10, 48, PLAIN)):
        assert judged("AMT-RCFG-004", desk(other)) == []
    assert judged("AMT-RCFG-004", machine(pki_hello(2, pki.leaf()), lease(1), refused(10, 48))) == []
    assert judged("AMT-RCFG-004", machine(lease(1), refused(10, 48))) == []  # which hashes it has is not known


def test_017_one_certificate_in_several_domains() -> None:
    def found(chain: tuple[bytes, ...], *suffixes: bytes, files: tuple = ()):
        devices = [
            machine(pki_hello(), lease(1, suffix=suffix), taken(20 * at, chain), id=at, uuid="", fqdn=f"desk-{at}")
            for at, suffix in enumerate(suffixes, 1)
        ]
        whole = capture(*devices, last=NOW + DAY, seen="certificate", certificate_files=files)
        return hits("AMT-RCFG-017", devices[0], whole)

    (hit,) = found(SOUND, b"example.com", b"Example.NET.", b"example.com")
    assert (str(hit.verdict), [packet for packet, _ in hit.proofs]) == ("confirmed", [23, 43])
    assert hit.values == {"name": "scs.example.com", "suffixes": "example.com, example.net"}
    assert found(SOUND, b"example.com", b"EXAMPLE.com") == []
    assert found(SOUND, b"example.com", b"") == []
    wild = ders(pki.leaf("*.example.com"), pki.middle(), pki.root())
    assert found(wild, b"example.com", b"example.net") == []
    unshown = [
        machine(pki_hello(), lease(1, suffix=suffix), id=at) for at, suffix in enumerate((b"example.com", b"x.net"))
    ]
    whole = capture(*unshown, last=NOW + DAY, seen="certificate", certificate_files=[file(CHAIN_FILE)])
    assert hits("AMT-RCFG-017", unshown[0], whole) == []  # a file was shown to nobody


# -- management after setup --------------------------------------------------------------------------------------------

ISSUED = pki.issue("desk-30.example.com", pki.middle(), 12)
COMMITTED = attempt(pki_hello(4), outcome=Outcome.COMMITTED)


def managed(packet: int, *alerts, chain: tuple[bytes, ...] = (), own: pki.Authority = ISSUED, **more) -> Session:
    """A TLS connection after a setup, to a machine with a certificate of its own."""
    said = {"server_chain": ders(own)} | ({} if chain else {"client_certificate": 0}) | more.pop("tls", {})
    return shown(packet, chain, *alerts, setup=False, tls=said, **more)


def done(packet: int, **more) -> Session:
    both = {"client_ccs": packet + 4, "server_ccs": packet + 5, "complete": True} | more.pop("tls", {})
    return managed(packet, tls=both, **more)


def operated(*sessions: Session, **more) -> Device:
    return machine(COMMITTED, attempt(*sessions), **more)


def test_cert_006_amt_does_not_know_the_root_of_the_console() -> None:
    def turned_down(packet: int, code: int, **more) -> Session:
        return managed(packet, alert(packet + 5, code), chain=SOUND, **more)

    device = operated(turned_down(20, 48))
    assert judged("AMT-CERT-006", device) == [("confirmed", "", [22, 23, 25])]
    assert hits("AMT-CERT-006", device)[0].values == {"issuer": "O=Example, CN=Example Issuing"}
    assert judged("AMT-CERT-006", operated(turned_down(20, 42))) == [("likely", "", [22, 23, 25])]
    assert judged("AMT-CERT-006", operated(managed(20, chain=SOUND))) == [("likely", "", [22, 23, 26])]
    two = operated(done(10, chain=SOUND), turned_down(20, 48), turned_down(40, 42))
    assert judged("AMT-CERT-006", two) == [("confirmed", "", [22, 23, 25])]
    for near in (
        managed(20, alert(25, 48)),
        managed(20, alert(25, 48, server=False), chain=SOUND),
        turned_down(20, 48, tls={"request": 0}),
        done(20, chain=SOUND),
        managed(20, chain=SOUND, who_closed="client"),
    ):
        assert judged("AMT-CERT-006", operated(near)) == []
    assert judged("AMT-CERT-006", desk(refused(10, 48))) == []  # that is setup


def test_cert_007_the_console_does_not_know_the_root_of_amt() -> None:
    def turned_down(packet: int, code: int, *, server: bool = False, **more) -> Session:
        return managed(packet, alert(packet + 5, code, server=server), **more)

    for code, name in ((42, "bad_certificate"), (46, "certificate_unknown"), (48, "unknown_ca")):
        device = operated(turned_down(20, code))
        assert judged("AMT-CERT-007", device) == [("confirmed", "", [22, 25])]
        (hit,) = hits("AMT-CERT-007", device)
        said = {"console": "192.0.2.10", "issuer": "O=Example, CN=Example Issuing", "alert": f"{code} {name}"}
        assert hit.values == said
    assert judged("AMT-CERT-007", operated(done(10), turned_down(20, 48), turned_down(40, 48))) == [
        ("confirmed", "", [22, 25])
    ]
    for near in (
        turned_down(20, 45),
        turned_down(20, 48, server=True),
        turned_down(20, 48, tls={"server_chain": ()}),
        managed(20, who_closed="client"),
        done(20),
    ):
        assert judged("AMT-CERT-007", operated(near)) == []


def test_cert_009_the_name_in_the_certificate() -> None:
    def found(fqdn: str, session: Session, site: str = ""):
        return judged("AMT-CERT-009", operated(session, fqdn=fqdn), site)

    assert found("sales-7.example.com", done(20)) == [("confirmed", "", [22])]
    for same in ("desk-30.example.com", "DESK-30.Example.com.", "desk-30"):
        assert found(same, done(20)) == []
    short = pki.issue("desk-30", pki.middle(), 12)
    assert found("desk-30.example.com", done(20, own=short)) == []
    assert found("desk-31.example.com", done(20, own=short)) == [("confirmed", "", [22])]
    assert found("sales-7.example.com", done(20, own=pki.machine_certificate())) == []
    assert found("sales-7.example.com", done(20, tls={"server_chain": ()})) == []
    site = '[[machine]]\naddress = "192.0.2.30"\nfqdn = "{}.example.com"\n'
    assert found("", done(20), site.format("sales-7")) == [("confirmed", "", [22])]
    assert found("desk-30.example.com", done(20), site.format("sales-7")) == []  # what the wire says comes first
    lacking = "name of the machine (DHCP options 12 and 81, reverse DNS, or --site: machine.fqdn)"
    assert found("", done(20)) == [lacking]
    two = operated(done(20, own=short), done(40), done(60), fqdn="desk-31.example.com")
    assert judged("AMT-CERT-009", two) == [("confirmed", "", [22])]
    mixed = operated(done(10, tls={"server_chain": ()}), done(20), fqdn="desk-31.example.com")
    assert judged("AMT-CERT-009", mixed) == [("confirmed", "", [22])]
    (hit,) = hits("AMT-CERT-009", mixed)
    assert hit.values == {"certificate": "desk-30.example.com", "name": "desk-31.example.com"}


def test_cert_010_still_self_signed() -> None:
    own = pki.machine_certificate()
    device = operated(done(20, own=own))
    assert judged("AMT-CERT-010", device) == [("confirmed", "", [22])]
    assert hits("AMT-CERT-010", device)[0].values == {"subject": "O=Example, CN=Intel AMT"}
    assert judged("AMT-CERT-010", operated(done(20, own=own), done(40))) == []  # replaced meanwhile
    assert judged("AMT-CERT-010", operated(done(20), done(40, own=own))) == [("confirmed", "", [42])]
    bare = done(60, tls={"server_chain": ()})
    assert judged("AMT-CERT-010", operated(done(20, own=own), bare)) == [("confirmed", "", [22])]
    assert judged("AMT-CERT-010", operated(bare)) == ["no TLS connection after setup in this capture"]
    assert judged("AMT-CERT-010", machine(attempt(pki_hello()), done(20, own=own, port=16995))) == []


# -- files of keys -----------------------------------------------------------------------------------------------------


def of_file(rule: str, *contents: bytes) -> list:
    files = [file(content, (at + 1) * PEM + 1) for at, content in enumerate(contents)]
    return hits(rule, machine(), story(machine(), certificate_files=files))


def encrypted(holder: pki.Authority) -> bytes:
    """Its private key behind a password."""
    lock = serialization.BestAvailableEncryption(b"x")
    return holder.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def test_cert_011_a_key_lies_open() -> None:
    open_key, chain = pki.leaf().key_pem, pki.leaf().pem
    (hit,) = of_file("AMT-CERT-011", chain + open_key)
    line = chain.count(b"\n") + 1
    assert (str(hit.verdict), hit.severity, hit.proofs[0][0]) == ("confirmed", None, PEM + line)
    assert hit.values == {"file": "chain.pem", "what": "beside the certificates it belongs to"}
    (alone,) = of_file("AMT-CERT-011", open_key)
    assert (str(alone.severity), alone.proofs[0][0], alone.values["what"]) == ("high", PEM + 1, "alone")
    assert of_file("AMT-CERT-011", chain) == []
    closed = encrypted(pki.leaf())
    assert of_file("AMT-CERT-011", chain + closed) == []
    (behind,) = of_file("AMT-CERT-011", closed + open_key)
    assert behind.proofs[0][0] == PEM + closed.count(b"\n") + 1
    (once,) = of_file("AMT-CERT-011", open_key + open_key)
    assert once.proofs[0][0] == PEM + 1
    assert [hit.proofs[0][0] for hit in of_file("AMT-CERT-011", open_key, open_key)] == [PEM + 1, 2 * PEM + 1]


def test_cert_008_the_form_of_the_file() -> None:
    assert of_file("AMT-CERT-008") == ["a PEM file"]
    assert of_file("AMT-CERT-008", CHAIN_FILE) == []
    wrong = pki.leaf().pem + pki.root().pem + pki.middle().pem
    (hit,) = of_file("AMT-CERT-008", wrong)
    assert (str(hit.verdict), hit.severity, hit.proofs[0][0]) == ("confirmed", None, PEM + 1)
    assert of_file("AMT-CERT-008", pki.leaf().der) == []
    assert of_file("AMT-CERT-008", CHAIN_FILE, wrong) == []  # of several files each may hold a part
    (doubt,) = of_file("AMT-CERT-008", CHAIN_FILE + encrypted(pki.leaf()))
    line = CHAIN_FILE.count(b"\n") + 1
    assert (str(doubt.severity), doubt.proofs) == (
        "low",
        [(PEM + 1, f"line {line}: the private key is encrypted, and gSOAP needs its password")],
    )
    foreign = pki.leaf().pem + pki.root().key_pem
    (second,) = of_file("AMT-CERT-008", CHAIN_FILE, foreign)
    assert (second.severity, second.proofs[0][0]) == (None, 2 * PEM + 1)
