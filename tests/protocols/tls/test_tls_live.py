"""Handshakes that fail, between real programs: the right messages, sender and phase."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import hashes
from issuing import issue
from loopback import need
from tls_driver import Conversation, Feeder, context, plaintext, run
from tls_live import record

from amtdecode.model import TO_CLIENT, TO_SERVER, Malformed, Note
from amtdecode.protocols.memory import Memory
from amtdecode.protocols.tls.certificates import read_certificate
from amtdecode.protocols.tls.events import Alert, Decryption, TlsHandshake
from amtdecode.protocols.tls.messages import Certificate, CertificateRequest, Finished, KeyUpdate
from amtdecode.protocols.tls.progress import CLIENT_TURN, CONFIRMING, ESTABLISHED, HELLO
from amtdecode.secrets import Keys

PSK = b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
IDENTITY = "0000037M"
OPENSSL_PSK = ["-nocert", "-psk_hint", IDENTITY, "-psk", PSK.hex(), "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0"]
PSK_MESSAGES = (
    "client ClientHello",
    "server ServerHello",
    "server ServerKeyExchange",
    "server ServerHelloDone",
    "client ClientKeyExchange",
    "client ChangeCipherSpec",
    "client Finished",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder):
    root = issue(folder, "Root", ca=True)
    return root, issue(folder, "Intermediate", root, ca=True)


@pytest.fixture(scope="module")
def setup(folder, authority):
    return issue(folder, "provisionserver.example.com", authority[1], setup=True)


@pytest.fixture(scope="module")
def device(folder):
    return issue(folder, "amt.example.com")


def dissect(recording, keys=None, memory=None):
    ends = context()
    return run(Conversation(ends.client, ends.server, *recording), keys, memory=memory)


def only(statements, kind):
    return [statement.event for statement in statements if isinstance(statement.event, kind)]


def openssl_server(*options):
    return [need("openssl"), "s_server", "-accept", "127.0.0.1:PORT", "-naccept", "1", "-quiet", *options]


def openssl_client(*options):
    return [need("openssl"), "s_client", "-connect", "127.0.0.1:PORT", "-quiet", "-no_ign_eof", *options]


def test_a_psk_handshake_opens_with_the_pps_and_only_with_it():
    server = openssl_server("-tls1", *OPENSSL_PSK)
    client = openssl_client(
        "-tls1", "-psk_identity", IDENTITY, "-psk", PSK.hex(), "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0"
    )
    recording = record(server, client, b"GET / HTTP/1.1\r\n\r\n")
    (handshake,) = only(dissect(recording), TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.suite) == ("psk", "complete", 0x008C)
    assert handshake.messages[:7] == PSK_MESSAGES
    opened = dissect(recording, Keys.load(psk=["0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"]))
    assert plaintext(opened) == [(TO_SERVER, b"GET / HTTP/1.1\r\n\r\n")]
    assert only(opened, Decryption) == [Decryption(True, "PSK", IDENTITY)]
    wrong = dissect(recording, Keys.load(psk=["*=hex:" + "00" * 32]))
    assert plaintext(wrong) == []
    (told,) = only(wrong, Decryption)
    assert (told.opened, told.tried) == (False, 1)
    assert told.reason == "this PPS does not open it (identity '0000037M', 1 tried)"
    (told,) = only(dissect(recording, Keys.load(psk=["1111-1111=hex:00"])), Decryption)
    assert told.reason == "no PPS given for identity '0000037M'"


def test_wrong_psk_is_refused_by_the_server():
    server = openssl_server("-tls1", *OPENSSL_PSK)
    client = openssl_client(
        "-tls1", "-psk_identity", IDENTITY, "-psk", "00" * 32, "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0"
    )
    statements = dissect(record(server, client))
    (alert,) = only(statements, Alert)
    assert (alert.level, alert.sender, alert.machine, alert.phase) == (2, "server", "AMT", CONFIRMING)
    assert alert.description in {20, 51}  # bad_record_mac, decrypt_error
    assert alert.after == "client Finished"
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.stopped_by) == ("psk", "refused", "server")
    assert handshake.messages == PSK_MESSAGES
    assert handshake.missing == ("server NewSessionTicket", "server ChangeCipherSpec", "server Finished")
    assert handshake.summary().endswith("; server ChangeCipherSpec did not come")


def test_unknown_identity_is_refused_by_the_server(folder):
    passwords = folder / "psk.txt"
    passwords.write_text(f"{IDENTITY}:{PSK.hex()}\n")
    server = [need("gnutls-serv"), "--port", "PORT", "--quiet", "--pskpasswd", str(passwords), "--pskhint", IDENTITY]
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+PSK:%COMPAT"
    client = [need("gnutls-cli"), "127.0.0.1", "--port", "PORT", "--priority", priority]
    client += ["--pskusername", "1111-1111", "--pskkey", PSK.hex()]
    statements = dissect(record([*server, "--priority", priority], client))
    alerts = only(statements, Alert)
    assert [(alert.level, alert.sender, alert.machine) for alert in alerts] == [(2, "server", "AMT")]
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.stopped_by) == ("psk", "refused", "server")
    identities = [s.event.fields().get("iamt.tls.psk.identity") for s in statements]
    assert "1111-1111" in identities


def test_no_shared_suite(device):
    server = openssl_server("-tls1_2", "-cert", device.path, "-key", device.key_path, "-cipher", "AES256-SHA")
    statements = dissect(record(server, openssl_client("-tls1_2", "-cipher", "AES128-SHA")))
    (alert,) = only(statements, Alert)
    assert (alert.description, alert.sender, alert.machine, alert.phase) == (40, "server", "AMT", HELLO)
    assert alert.after == "client ClientHello"
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.how) == ("unknown", "refused", "fatal handshake_failure")
    assert handshake.missing == ("server ServerHello",)


def test_protocol_version_refused(device):
    server = openssl_server("-tls1_2", "-cert", device.path, "-key", device.key_path)
    statements = dissect(record(server, openssl_client("-tls1", "-cipher", "ALL:@SECLEVEL=0")))
    (alert,) = only(statements, Alert)
    assert (alert.description, alert.sender, alert.phase) == (70, "server", HELLO)


def mutual(device, authority, tmp_path, *client):
    trusted = tmp_path / "ca.pem"
    trusted.write_text(authority[0].pem + authority[1].pem)
    server = openssl_server("-tls1_2", "-cert", device.path, "-key", device.key_path, "-Verify", "5")
    server += ["-verify_return_error", "-CAfile", str(trusted), "-cipher", "AES128-SHA"]
    return record(server, openssl_client("-tls1_2", *client))


def test_client_without_a_certificate(device, authority, tmp_path):
    statements = dissect(mutual(device, authority, tmp_path))
    (alert,) = only(statements, Alert)
    assert (alert.description, alert.sender, alert.machine) == (40, "server", "AMT")
    chains = {event.sender: len(event.chain) for event in only(statements, Certificate)}
    assert chains == {"server": 1, "client": 0}
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.client_certificate) == (
        "server-authenticated",
        "refused",
        "none",
    )
    assert "client Certificate" in handshake.messages


def test_expired_certificate_of_the_client(folder, device, authority, tmp_path):
    expired = issue(folder, "expired.example.com", authority[1], setup=True, expired=True)
    recording = mutual(device, authority, tmp_path, "-cert", expired.path, "-key", expired.key_path)
    statements = dissect(recording)
    (alert,) = only(statements, Alert)
    assert (alert.description, alert.sender, alert.machine) == (45, "server", "AMT")
    sent = next(event for event in only(statements, Certificate) if event.sender == "client")
    assert sent.certificates[0].not_after == "2002-01-01T00:00:00Z"
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.how) == ("mutual", "refused", "fatal certificate_expired")


def test_expired_certificate_of_the_server(folder, tmp_path):
    expired = issue(folder, "old-amt.example.com", expired=True)
    server = openssl_server("-tls1_2", "-cert", expired.path, "-key", expired.key_path, "-cipher", "AES128-SHA")
    client = openssl_client("-tls1_2", "-verify_return_error", "-CAfile", expired.path)
    statements = dissect(record(server, client))
    (alert,) = only(statements, Alert)
    assert (alert.description, alert.sender, alert.machine, alert.phase) == (45, "client", "SCA", CLIENT_TURN)
    assert alert.after == "server ServerHelloDone"
    (handshake,) = only(statements, TlsHandshake)
    assert (handshake.outcome, handshake.stopped_by, handshake.machine) == ("refused", "client", "SCA")
    assert handshake.missing[0] == "client ClientKeyExchange"


def test_chain_in_the_wrong_order(device, authority, setup, tmp_path):
    root, intermediate = authority
    for name, order, said in (
        ("right", (intermediate, root), []),
        (
            "wrong",
            (root, intermediate),
            ["certificate chain of the client: out of order: certificate 3, not 2"],
        ),
        ("gap", (root,), ["certificate chain of the client: gap: the issuer of certificate 1"]),
        ("short", (intermediate,), ["certificate chain of the client: no root: it ends with a certificate issued by"]),
    ):
        chain = tmp_path / f"{name}.pem"
        chain.write_text("".join(one.pem for one in order))
        options = ("-cert", setup.path, "-key", setup.key_path, "-cert_chain", str(chain))
        statements = dissect(mutual(device, authority, tmp_path, *options))
        sent = next(event for event in only(statements, Certificate) if event.sender == "client")
        assert sent.chain == (setup.der, *(one.der for one in order))
        notes = [note.what for note in only(statements, Note)]
        assert len(notes) == len(said), notes
        assert all(note.startswith(start) for note, start in zip(notes, said, strict=True)), notes
        (handshake,) = only(statements, TlsHandshake)
        assert (handshake.kind, handshake.client_certificate) == ("mutual", "sent")


def test_what_an_administrator_reads_of_a_setup_certificate(setup, authority):
    info = read_certificate(setup.der)
    assert info.units == ("Provisioning", "Intel(R) Client Setup Certificate")
    assert info.purpose_names == ("serverAuth", "clientAuth", "Intel AMT setup (2.16.840.1.113741.1.2.3)")
    assert info.alternative_names == ("dns:provisionserver.example.com",)
    assert (info.key, info.signature_algorithm, info.signature_hash) == (
        "RSA 2048",
        "sha256WithRSAEncryption",
        "sha256",
    )
    assert (info.not_before, info.not_after) == ("2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z")
    assert (info.self_issued, info.authority, info.version) == (False, False, 3)
    fingerprint = setup.certificate.fingerprint
    assert info.sha1 == fingerprint(hashes.SHA1()).hex()
    assert info.sha256 == fingerprint(hashes.SHA256()).hex()
    assert info.sha384 == fingerprint(hashes.SHA384()).hex()
    assert info.issuer == "O=Test, CN=Intermediate"


def test_resumption_by_id_and_by_ticket_opens_with_the_first_handshake(device, tmp_path):
    keys = Keys.load(rsa_keys=[device.key_path])
    for name, options in (("id", ("-no_ticket",)), ("ticket", ())):
        saved = tmp_path / f"{name}.session"
        server = [part for part in openssl_server("-tls1_2", "-cipher", "AES128-SHA") if part not in {"-naccept", "1"}]
        server += ["-cert", device.path, "-key", device.key_path, *options]
        first = openssl_client("-tls1_2", "-sess_out", str(saved), *options)
        again = openssl_client("-tls1_2", "-sess_in", str(saved), *options)
        recordings = record(server, first, b"one\n", then=again)
        texts, kinds, methods = [], [], []
        memory = Memory()
        for recording in recordings:
            statements = dissect(recording, keys, memory)
            texts += [data for _, data in plaintext(statements)]
            kinds += [(event.kind, event.outcome, event.resumption) for event in only(statements, TlsHandshake)]
            methods += [event.method for event in only(statements, Decryption)]
        assert texts == [b"one\n", b"one\n"]
        assert kinds == [("server-authenticated", "complete", ""), ("resumed", "complete", name)]
        assert methods == ["RSA key", "resumed session"]
        assert plaintext(dissect(recordings[1], keys, Memory())) == []  # another run knows nothing of the first session


@pytest.mark.parametrize(("exchange", "opens"), [("+PSK", True), ("+DHE-PSK:+ECDHE-PSK", False)])
def test_a_psk_of_tls13_opens_where_no_diffie_hellman_is_mixed_in(folder, exchange, opens):
    passwords = folder / "psk13.txt"
    passwords.write_text(f"{IDENTITY}:{PSK.hex()}\n")
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:{exchange}"
    server = [need("gnutls-serv"), "--port", "PORT", "--echo", "--pskpasswd", str(passwords), "--priority", priority]
    client = [need("gnutls-cli"), "127.0.0.1", "--port", "PORT", "--priority", priority]
    client += ["--pskusername", IDENTITY, "--pskkey", PSK.hex()]
    recording = record(server, client, b"provision me\n")
    statements = dissect(recording, Keys.load(psk=[f"{IDENTITY}=hex:{PSK.hex()}"]))
    (told,) = only(statements, Decryption)
    if opens:
        assert plaintext(statements) == [(TO_SERVER, b"provision me\n"), (TO_CLIENT, b"provision me\n")]
        assert told == Decryption(True, "PSK", IDENTITY)
        (handshake,) = only(statements, TlsHandshake)
        assert (handshake.kind, handshake.outcome, handshake.version) == ("psk", "complete", 0x0304)
        assert [event.verified for event in only(statements, Finished)] == [True, True]
    else:
        assert plaintext(statements) == []
        assert "fits, but Diffie-Hellman is mixed in" in told.reason
    (told,) = only(dissect(recording, Keys.load(psk=["*=hex:" + "00" * 32])), Decryption)
    assert told.reason == f"this PPS does not open it (identity '{IDENTITY}')"


def test_a_certificate_asked_for_after_a_tls13_handshake(device, authority, setup, tmp_path):
    """Post-handshake authentication (RFC 8446, section 4.6.2), between two ends of Python's own."""
    log = tmp_path / "keys.log"
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    serving.load_cert_chain(device.path, device.key_path)
    serving.load_verify_locations(cadata=authority[0].pem + authority[1].pem)
    serving.verify_mode, serving.post_handshake_auth = ssl.CERT_REQUIRED, True
    asking.load_cert_chain(setup.path, setup.key_path)
    asking.check_hostname, asking.verify_mode, asking.post_handshake_auth = False, ssl.CERT_NONE, True
    asking.keylog_filename = str(log)
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in (TO_SERVER, TO_CLIENT)]  # what each hears, what each says
    client, server = asking.wrap_bio(*ends[0]), serving.wrap_bio(*ends[1], server_side=True)
    chunks = []

    def turn(end, step):
        """One end does its step; what it says is written down and heard by the other."""
        side = 0 if end is client else 1
        with suppress(ssl.SSLWantReadError):
            step()
        data = ends[side][1].read()
        if data:
            chunks.append(((TO_SERVER, TO_CLIENT)[side], data))
            ends[1 - side][0].write(data)

    for end in (client, server, client, server):
        turn(end, end.do_handshake)
    turn(client, lambda: client.write(b"before"))
    turn(server, lambda: server.read(6))
    turn(server, server.verify_client_post_handshake)
    turn(server, lambda: server.write(b"and you are?"))
    turn(client, lambda: client.read(12))
    turn(client, lambda: client.write(b"after"))
    statements = dissect((chunks, []), Keys.load(keylogs=[str(log)]))
    assert [data for _, data in plaintext(statements)] == [b"before", b"and you are?", b"after"]
    assert [(event.sender, event.verified) for event in only(statements, Finished)] == [
        ("server", True),
        ("client", True),
        ("client", None),
    ]
    assert not only(statements, Malformed)


def test_a_server_asks_to_negotiate_again(device):
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"
    server = [need("gnutls-serv"), "--port", "PORT", "--echo", "--priority", priority]
    server += ["--x509certfile", device.path, "--x509keyfile", device.key_path]
    client = [need("gnutls-cli"), "127.0.0.1", "--port", "PORT", "--insecure", "--priority", priority]
    recording = record(server, client, b"before\n", b"**REHANDSHAKE**\n")
    feeder = Feeder(context(keys=Keys.load(rsa_keys=[device.key_path])))
    phases = []
    for direction, data in recording.chunks:
        feeder.data(direction, data)
        progress = feeder.dissector.progress
        if progress.renegotiation and (not phases or progress.phase != phases[-1][1]):
            phases.append((progress.last, progress.phase))
    assert phases[:2] == [("server HelloRequest", ESTABLISHED), ("client ClientHello", HELLO)]


def test_authorities_that_a_tls13_server_names(device, authority, setup, tmp_path):
    log = tmp_path / "keys.log"
    server = openssl_server("-tls1_3", "-cert", device.path, "-key", device.key_path)
    server += ["-Verify", "2", "-CAfile", authority[0].path]
    client = openssl_client("-tls1_3", "-cert", setup.path, "-key", setup.key_path, "-keylogfile", str(log))
    statements = dissect(record(server, client), Keys.load(keylogs=[str(log)]))
    (request,) = only(statements, CertificateRequest)
    assert request.summary() == "CertificateRequest: 1 authority named"
    assert request.fields()["iamt.tls.authority"] == ["O=Test, CN=Root"]


def test_key_updates_of_tls13_are_followed(device, tmp_path):
    log = tmp_path / "keys.log"
    server = openssl_server("-tls1_3", "-cert", device.path, "-key", device.key_path)
    client = [part for part in openssl_client("-tls1_3", "-keylogfile", str(log)) if part != "-quiet"]
    recording = record(server, client, b"before\n", b"K\n", b"after\n")  # K: s_client updates keys and asks for as much
    statements = dissect(recording, Keys.load(keylogs=[str(log)]))
    assert [(event.sender, event.requested) for event in only(statements, KeyUpdate)] == [("client", 1)]
    assert plaintext(statements) == [(TO_SERVER, b"before\nafter\n")]
    assert [alert.description for alert in only(statements, Alert)][:1] == [0]
