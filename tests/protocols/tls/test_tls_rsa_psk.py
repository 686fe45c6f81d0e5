"""RSA_PSK (RFC 4279, section 4): the server's RSA key and the PPS open it together, not alone; caps of the search."""

from __future__ import annotations

import pytest
from issuing import issue
from loopback import need
from tls_driver import Conversation, context, plaintext, run
from tls_live import record

from amtdecode.model import TO_SERVER
from amtdecode.protocols.tls import decryption
from amtdecode.protocols.tls.events import Decryption, TlsHandshake
from amtdecode.secrets import Keys

PSK = b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
IDENTITY = "0000037M"
PPS = f"0000-037M={PSK.decode()}"
ASKED = b"GET / HTTP/1.1\r\n\r\n"
TOLD = f"it takes the server's RSA key and the PPS of identity '{IDENTITY}', or a key log"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("rsapsk"), "amt.example.com")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("other"), "other.example.com")


@pytest.fixture(scope="module", params=["-tls1", "-tls1_2"])
def recording(request, server):
    suite = ["-cipher", "RSA-PSK-AES128-CBC-SHA:@SECLEVEL=0"]
    serving = [need("openssl"), "s_server", "-accept", "127.0.0.1:PORT", "-naccept", "1", "-quiet", request.param]
    serving += ["-cert", server.path, "-key", server.key_path, "-psk_hint", IDENTITY, "-psk", PSK.hex(), *suite]
    asking = [need("openssl"), "s_client", "-connect", "127.0.0.1:PORT", "-quiet", "-no_ign_eof", request.param]
    asking += ["-psk_identity", IDENTITY, "-psk", PSK.hex(), *suite]
    return record(serving, asking, ASKED)


def dissect(recording, **keys):
    ends = context()
    return run(Conversation(ends.client, ends.server, *recording), Keys.load(**keys))


def said(statements, kind=Decryption):
    (event,) = [statement.event for statement in statements if isinstance(statement.event, kind)]
    return event


def test_the_rsa_key_and_the_pps_open_it_together(recording, server):
    found = dissect(recording, psk=[PPS], rsa_keys=[server.key_path])
    assert plaintext(found) == [(TO_SERVER, ASKED)]
    assert said(found) == Decryption(True, "PSK and RSA key", IDENTITY)
    handshake = said(found, TlsHandshake)
    assert (handshake.kind, handshake.outcome, handshake.suite) == ("psk", "complete", 0x0094)


def test_neither_key_opens_it_alone(recording, server, other):
    for keys in (
        {"psk": [PPS]},
        {"rsa_keys": [server.key_path]},
        {"psk": ["1111-1111=hex:00"], "rsa_keys": [server.key_path]},
        {"psk": [PPS], "rsa_keys": [other.key_path]},
    ):
        found = dissect(recording, **keys)
        assert plaintext(found) == []
        assert said(found) == Decryption(False, "", "", TOLD, 0)


def test_a_wrong_pps_is_counted_and_the_right_one_behind_it_found(recording, server):
    wrong = "0000-037M=hex:" + "00" * 32
    found = dissect(recording, psk=[wrong], rsa_keys=[server.key_path])
    assert plaintext(found) == []
    assert said(found) == Decryption(False, "", "", "none of the keys that fit opens it (1 tried)", 1)
    found = dissect(recording, psk=[wrong, f"*={PSK.decode()}"], rsa_keys=[server.key_path])
    assert plaintext(found) == [(TO_SERVER, ASKED)]
    assert said(found) == Decryption(True, "PSK and RSA key", IDENTITY, "", 1)


def premaster_of(recording, server):
    """The encrypted premaster of the ClientKeyExchange, as a key log names it, and what it holds."""
    stream = b"".join(data for way, data in recording[0] if way is TO_SERVER)
    at = stream.index(b"\x00\x08" + IDENTITY.encode()) + 10
    encrypted = stream[at + 2 : at + 2 + int.from_bytes(stream[at : at + 2])]
    (key,) = Keys.load(rsa_keys=[server.key_path]).rsa_keys(server.der)
    return encrypted, key.decrypt_pms(encrypted)


def test_a_key_log_may_take_the_place_of_the_rsa_key(recording, server, tmp_path):
    encrypted, premaster = premaster_of(recording, server)
    log = tmp_path / "log"
    log.write_text(f"RSA {encrypted[:8].hex()} {premaster.hex()}\n")
    found = dissect(recording, psk=[PPS], keylogs=[str(log)])
    assert plaintext(found) == [(TO_SERVER, ASKED)]
    assert said(found) == Decryption(True, "PSK and key log", IDENTITY)
    assert plaintext(dissect(recording, keylogs=[str(log)])) == []


@pytest.mark.parametrize(("ahead", "opens"), [(3, True), (4, False)])
def test_so_many_keys_are_tried_and_no_more(recording, server, monkeypatch, ahead, opens):
    monkeypatch.setattr(decryption, "MAX_CANDIDATES", 4)
    wrong = [f"*=hex:{number:064x}" for number in range(ahead)]
    found = dissect(recording, psk=[*wrong, f"*={PSK.decode()}", "*=hex:ff"], rsa_keys=[server.key_path])
    assert plaintext(found) == ([(TO_SERVER, ASKED)] if opens else [])
    assert (said(found).opened, said(found).tried) == (opens, ahead)
