"""Exact events for known bytes, and what a connection does to its dissector besides going well."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tls_driver import Feeder, context, conversations, message, plaintext, record, run

from amtdecode.model import (
    TO_CLIENT,
    TO_SERVER,
    End,
    Gap,
    LimitReached,
    Malformed,
    Note,
    Span,
    Truncated,
    Unrecognised,
)
from amtdecode.protocols.dissector import MORE, NO, YES
from amtdecode.protocols.tls import PORTS, TLS, recognise
from amtdecode.protocols.tls.catalogue import FIELDS
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    Decryption,
    EncryptedAlert,
    EncryptedHandshake,
    Heartbeat,
    TlsHandshake,
)
from amtdecode.protocols.tls.handshake_framing import MAX_HANDSHAKE
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
from amtdecode.protocols.tls.messages import ClientKeyExchange, Finished, ServerHelloDone, ServerKeyExchange
from amtdecode.protocols.tls.progress import CLIENT_TURN, CONFIRMING, ESTABLISHED, HELLO, SERVER_TURN
from amtdecode.secrets import Keys

# the PSK handshake of provisioning, byte by byte: PID 0000-037M, TLS_PSK_WITH_AES_128_CBC_SHA, hint and identity
CLIENT_HELLO = message(1, b"\x03\x01" + bytes(range(32)) + b"\0" + b"\0\x04\0\x8c\0\xff" + b"\x01\0")
SERVER_HELLO = message(2, b"\x03\x01" + bytes(range(32, 64)) + b"\x02\xaa\xbb" + b"\0\x8c\0")
HINT = message(12, b"\0\x080000037M")
DONE = message(14, b"")
IDENTITY = message(16, b"\0\x080000037M")
CHANGE = record(20, b"\x01")
FINISHED = record(22, b"\xee" * 40)
DATA = record(23, b"\xdd" * 48)


def talk(*steps, port=16993, keys=None):
    feeder = Feeder(context(port, keys))
    for direction, data in steps:
        feeder.data(direction, data)
    return feeder


def up(*parts):
    return TO_SERVER, b"".join(parts)


def down(*parts):
    return TO_CLIENT, b"".join(parts)


HELLOS = (up(record(22, CLIENT_HELLO)), down(record(22, SERVER_HELLO)))
FLIGHT = (*HELLOS, down(record(22, HINT + DONE)))
KEYED = (*FLIGHT, up(record(22, IDENTITY), CHANGE, FINISHED))
WHOLE = (*KEYED, down(CHANGE, FINISHED))


def of(feeder, kind):
    return [event for event in feeder.events if isinstance(event, kind)]


def test_the_psk_handshake_byte_by_byte():
    feeder = talk(*WHOLE)
    hello, answer, hint, done, identity, change, finished, change_back, finished_back, summary = feeder.statements
    assert isinstance(hello.event, ClientHello)
    assert (hello.direction, hello.start, hello.end) == (TO_SERVER, 5, 5 + len(CLIENT_HELLO))
    assert hello.event.fields() == {
        "tls.handshake.type": 1,
        "tls.handshake.length": 43,
        "tls.record.version": 0x0301,
        "tls.handshake.version": 0x0301,
        "tls.handshake.random": bytes(range(32)).hex(),
        "tls.handshake.ciphersuite": [0x8C, 0xFF],
        "iamt.tls.ciphersuite.name": ["TLS_PSK_WITH_AES_128_CBC_SHA", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"],
        "tls.handshake.comp_method": [0],
    }
    assert answer.event.fields() == {
        "tls.handshake.type": 2,
        "tls.handshake.length": 40,
        "tls.record.version": 0x0301,
        "tls.handshake.version": 0x0301,
        "tls.handshake.random": bytes(range(32, 64)).hex(),
        "tls.handshake.session_id": "aabb",
        "tls.handshake.ciphersuite": [0x8C],
        "iamt.tls.ciphersuite.name": ["TLS_PSK_WITH_AES_128_CBC_SHA"],
        "tls.handshake.comp_method": [0],
    }
    assert hint.event == ServerKeyExchange(10, "PSK", b"0000037M")
    assert hint.event.fields()["iamt.tls.psk.hint"] == "0000037M"
    assert done.event == ServerHelloDone(0)
    start = len(record(22, SERVER_HELLO)) + 5
    assert (hint.start, hint.end, done.start, done.end) == (start, start + 14, start + 14, start + 18)
    assert identity.event == ClientKeyExchange(10, "PSK", b"0000037M")
    assert identity.event.fields()["tls.handshake.identity"] == b"0000037M".hex()
    assert identity.event.fields()["iamt.tls.psk.identity"] == "0000037M"
    assert change.event == ChangeCipherSpec("client")
    assert finished.event == EncryptedHandshake(40, "client", "Finished")
    assert (change_back.event, finished_back.event) == (
        ChangeCipherSpec("server"),
        EncryptedHandshake(40, "server", "Finished"),
    )
    told = summary.event
    assert (told.kind, told.outcome, told.version, told.suite, told.key_exchange) == (
        "psk",
        "complete",
        0x0301,
        0x8C,
        "PSK",
    )
    assert told.messages == (
        "client ClientHello",
        "server ServerHello",
        "server ServerKeyExchange",
        "server ServerHelloDone",
        "client ClientKeyExchange",
        "client ChangeCipherSpec",
        "client Finished",
        "server ChangeCipherSpec",
        "server Finished",
    )
    assert (told.missing, told.client_certificate) == ((), "not asked for")
    assert summary.also == (Span(TO_SERVER, 5, 122), Span(TO_CLIENT, 5, 123))


def test_bodies_nobody_can_open_are_skipped_and_summed_up():
    feeder = talk(*WHOLE)
    before = len(feeder.statements)
    feeder.dissector.receive_data(TO_SERVER, record(23, bytes(16384))[:100])
    assert feeder.dissector.skip_bytes[TO_SERVER] == 16384 - 95
    feeder.data(TO_SERVER, bytes(16384 - 95) + DATA + DATA)
    assert feeder.statements[before:] == []
    feeder.end(TO_SERVER)
    feeder.end(TO_CLIENT)
    assert of(feeder, ApplicationData) == [ApplicationData("client", 3, 16384 + 96, turns=(16384,))]
    assert of(feeder, TlsHandshake)[0].complete
    assert len(of(feeder, TlsHandshake)) == 1


def test_a_record_cut_by_the_end_is_told_with_what_is_missing():
    feeder = talk(*WHOLE)
    feeder.data(TO_SERVER, DATA[:20])
    feeder.end(TO_SERVER)
    (cut,) = of(feeder, Truncated)
    assert (cut.missing, cut.offset) == (33, 122 + 20)
    feeder = talk(up(record(22, CLIENT_HELLO)[:30]))
    feeder.end(TO_SERVER, End.RESET)
    (cut,) = of(feeder, Truncated)
    assert (cut.missing, cut.offset) == (len(CLIENT_HELLO) - 25, 30)


@pytest.mark.parametrize(
    ("steps", "sender", "machine", "phase", "after", "kind"),
    [
        ((HELLOS[0],), TO_CLIENT, "AMT", HELLO, "client ClientHello", "unknown"),
        (HELLOS, TO_SERVER, "SCA", SERVER_TURN, "server ServerHello", "psk"),
        (FLIGHT, TO_SERVER, "SCA", CLIENT_TURN, "server ServerHelloDone", "psk"),
        (KEYED, TO_CLIENT, "AMT", CONFIRMING, "client Finished", "psk"),
    ],
)
def test_a_readable_alert_says_who_and_when(steps, sender, machine, phase, after, kind):
    feeder = talk(*steps, (sender, record(21, b"\x02\x30")))
    role = "client" if sender is TO_SERVER else "server"
    assert of(feeder, Alert) == [Alert(2, 48, role, machine, phase, after, 0x0301)]
    (told,) = of(feeder, TlsHandshake)
    assert (told.kind, told.outcome, told.how) == (kind, "refused", "fatal unknown_ca")
    assert (told.stopped_by, told.machine, told.phase, told.stopped_after) == (role, machine, phase, after)
    feeder.end(sender)
    feeder.end(1 - sender)
    assert len(of(feeder, TlsHandshake)) == 1


def test_an_alert_after_the_senders_change_of_keys_is_told_as_encrypted():
    feeder = talk(*WHOLE, down(record(21, bytes(32))))
    assert of(feeder, EncryptedAlert) == [EncryptedAlert(32, "server", "AMT", ESTABLISHED, "server Finished")]
    assert of(feeder, Alert) == []


def test_a_warning_does_not_end_a_handshake():
    feeder = talk(HELLOS[0], down(record(21, b"\x01\x70")), *HELLOS[1:], FLIGHT[2], KEYED[3], WHOLE[4])
    assert [alert.fatal for alert in of(feeder, Alert)] == [False]
    assert [told.outcome for told in of(feeder, TlsHandshake)] == ["complete"]


@pytest.mark.parametrize(
    ("end", "outcome", "how"),
    [(End.FIN, "closed", "FIN"), (End.RESET, "reset", "RST"), (End.CAPTURE, "unfinished", "")],
)
def test_a_silent_end_says_who_closed_and_what_is_missing(end, outcome, how):
    feeder = talk(*FLIGHT)
    feeder.end(TO_CLIENT, end)
    feeder.end(TO_SERVER, End.FIN if end is End.FIN else End.CAPTURE)
    (told,) = of(feeder, TlsHandshake)
    assert (told.outcome, told.phase) == (outcome, CLIENT_TURN)
    assert (told.stopped_by, told.machine) == (("server", "AMT") if how else ("", ""))
    assert told.how == (how or "the capture ends")
    assert told.missing == (
        "client ClientKeyExchange",
        "client ChangeCipherSpec",
        "client Finished",
        "server ChangeCipherSpec",
        "server Finished",
    )


@pytest.mark.parametrize(
    ("port", "client", "server"), [(16993, "SCA", "AMT"), (16995, "SCA", "AMT"), (4433, "AMT", "MPS"), (443, "", "")]
)
def test_machines_by_port(port, client, server):
    alert = record(21, b"\x02\x28")
    assert [event.machine for event in of(talk(HELLOS[0], up(alert), port=port), Alert)] == [client]
    assert [event.machine for event in of(talk(HELLOS[0], down(alert), port=port), Alert)] == [server]


def test_the_tls_client_is_who_sends_the_client_hello():
    """The TCP server may be the TLS client; AMT listens on 16993 all the same."""
    feeder = talk(down(record(22, CLIENT_HELLO)), up(record(22, SERVER_HELLO)), down(record(21, b"\x02\x28")))
    (alert,) = of(feeder, Alert)
    assert (alert.sender, alert.machine) == ("client", "AMT")
    assert of(feeder, Note) == []


def test_messages_over_records_and_several_in_one():
    flight = SERVER_HELLO + HINT + DONE
    whole = talk(HELLOS[0], down(record(22, flight)))
    split = talk(HELLOS[0], down(*(record(22, flight[at : at + 3]) for at in range(0, len(flight), 3))))
    assert split.events == whole.events
    assert [statement.end for statement in split.statements[1:]] != [s.end for s in whole.statements[1:]]


def test_an_alert_between_the_records_of_a_message():
    feeder = talk(
        HELLOS[0], down(record(22, SERVER_HELLO[:20]), record(21, b"\x01\x70"), record(22, SERVER_HELLO[20:]))
    )
    assert [type(event) for event in feeder.events] == [ClientHello, Alert, ServerHello]


def test_half_an_alert_waits_for_the_other():
    feeder = talk(HELLOS[0], down(record(21, b"\x02")), down(record(21, b"\x28")))
    (alert,) = [s for s in feeder.statements if isinstance(s.event, Alert)]
    assert (alert.event.description, alert.start, alert.end) == (40, 0, 12)


def test_a_handshake_message_too_long_is_passed_over():
    size = MAX_HANDSHAKE + 1
    long = b"\x0b" + size.to_bytes(3, "big") + bytes(size)
    records = [record(22, long[at : at + 16384]) for at in range(0, len(long), 16384)]
    feeder = talk(*HELLOS, down(*records, record(22, DONE)))
    (limit,) = of(feeder, LimitReached)
    assert (limit.limit, limit.value) == ("MAX_HANDSHAKE", MAX_HANDSHAKE)
    assert feeder.events[-1] == ServerHelloDone(0)


def test_a_gap_inside_a_record_loses_that_record_only():
    feeder = talk(*HELLOS)
    certificate = record(22, message(11, bytes(300)))
    feeder.data(TO_CLIENT, certificate[:50])
    feeder.gap(TO_CLIENT, 100)
    feeder.data(TO_CLIENT, certificate[150:] + record(22, DONE))
    assert of(feeder, Gap) == [Gap("tls", 100)]
    assert feeder.events[-1] == ServerHelloDone(0)


def test_a_lost_boundary_is_found_again():
    feeder = talk(*HELLOS)
    feeder.gap(TO_CLIENT, 1000)
    feeder.data(TO_CLIENT, b"in the middle of something" + record(22, DONE))
    assert of(feeder, Note) == [Note("tls", "found a record boundary again after 26 bytes")]
    assert feeder.events[-1] == ServerHelloDone(0)
    assert feeder.statements[-1].start == len(record(22, SERVER_HELLO)) + 1000 + 26 + 5


def test_what_is_no_record_is_malformed_once():
    for answer, reason in (
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP in the clear: this port does not speak TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no TLS record where one must begin"),
    ):
        feeder = talk(HELLOS[0], down(answer))
        assert of(feeder, Malformed) == [Malformed("tls", reason, answer[:5])]


def test_a_capture_that_starts_in_the_middle_says_so():
    feeder = talk(down(DATA + DATA), up(DATA))
    assert len(of(feeder, Note)) == 1
    feeder.end(TO_CLIENT)
    assert of(feeder, ApplicationData) == [ApplicationData("server", 2, 96)]
    assert of(feeder, TlsHandshake) == []
    feeder = talk(down(record(21, bytes(32))))
    assert len(of(feeder, EncryptedAlert)) == 1
    feeder = talk(up(record(21, b"\2\x50")))  # openssl s_client, where it has no suite to offer
    assert [event.what for event in of(feeder, Note)] == [
        "it does not begin with a ClientHello: that is not in the capture, or was never sent"
    ]
    assert [event.description for event in of(feeder, Alert)] == [80]


def test_an_ssl2_framed_hello_and_an_ssl2_server():
    body = b"\x01\x03\x01\0\x06\0\0\0\x10" + b"\0\0\x8c\x07\0\xc0" + b"c" * 16
    hello = (0x8000 | len(body)).to_bytes(2, "big") + body
    assert recognise(hello, TO_SERVER, context(443)) is YES
    feeder = talk(up(hello), down(record(22, SERVER_HELLO)))
    first, second = feeder.events
    assert (first.ssl2, first.cipher_suites, first.random) == (True, [0x8C, 0x0700C0], b"c" * 16)
    assert first.fields()["tls.handshake.challenge"] == (b"c" * 16).hex()
    assert isinstance(second, ServerHello)
    feeder = talk(up(hello), down(b"\x80\x20\x04" + bytes(30)))
    assert len(of(feeder, Unrecognised)) == 1
    assert feeder.dissector.finished


def test_a_heartbeat_that_asks_for_more_than_it_carries():
    feeder = talk(*HELLOS, up(record(24, b"\x01\x40\x00")))
    (beat,) = of(feeder, Heartbeat)
    assert (beat.type, beat.payload_length, beat.length) == (1, 0x4000, 3)
    assert "more than it carries" in beat.summary()


def test_renegotiation_without_keys_is_seen_as_such():
    feeder = talk(*WHOLE, down(record(22, bytes(40))), up(record(22, bytes(90)), record(20, bytes(40)), FINISHED))
    feeder.data(*down(record(20, bytes(40)), FINISHED))
    first, second = of(feeder, TlsHandshake)
    assert (first.renegotiation, second.renegotiation) == (False, True)
    assert (second.outcome, second.kind) == ("complete", "unknown")


def test_renegotiation_with_keys(shared):
    path = shared / "captures" / "loopback" / "tls" / "gnutls-tls1.2-mtls-rehandshake.pcap"
    keys = Keys.load(keylogs=[str(path).replace(".pcap", ".keylog.txt")])
    (conversation,) = conversations(path)
    events = [statement.event for statement in run(conversation, keys)]
    told = [event for event in events if isinstance(event, TlsHandshake)]
    assert [(event.kind, event.outcome, event.renegotiation) for event in told] == [
        ("mutual", "complete", False),
        ("mutual", "complete", True),
    ]
    assert [event.verified for event in events if isinstance(event, Finished)] == [True] * 4
    assert [event.opened for event in events if isinstance(event, Decryption)] == [True, True]


@pytest.mark.parametrize("name", ["openssl-tls1_3-mtls-aes128gcm", "openssl-tls1_2-ecdsa-aes128gcm"])
def test_a_key_log_may_come_while_the_handshake_runs(shared, name):
    """As in live capture, where the program writes its secrets a moment after the packets that need them."""
    path = shared / "captures" / "loopback" / "tls" / f"{name}.pcap"
    (conversation,) = conversations(path)
    log = path.with_name(f"{name}.keylog.txt").read_bytes()
    keys = Keys()
    keys.add_keylog(b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"00" * 48 + b"\n")
    feeder = Feeder(context(keys=keys))
    for number, (direction, data) in enumerate(conversation.chunks):
        if number == (
            3 if "tls1_3" in name else 2
        ):  # behind the server's first flight; before the first record under keys
            keys.add_keylog(log)
        feeder.data(direction, data)
    expected = plaintext(run(conversation, keys))
    assert len(expected) == 2
    assert plaintext(feeder.statements) == expected
    assert [event.opened for event in of(feeder, Decryption)] == [True]


def test_hello_retry_request_and_early_data(shared):
    path = shared / "captures" / "third-party" / "wireshark"
    keys = Keys.load(keylogs=[str(path / "keys" / "tls13-rfc8446.keys")])
    found = conversations(path / "captures" / "tls13-rfc8446.pcap")
    second = run(found[1], keys)
    assert plaintext(second)[0] == (TO_SERVER, b"GET /early HTTP/1.1\r\n\r\n")
    assert all(s.event.verified for s in second if isinstance(s.event, Finished))
    retry = conversations(shared / "captures" / "third-party" / "zeek" / "tls" / "hrr.pcap")[0]
    events = [statement.event for statement in run(retry)]
    assert [event.retry for event in events if isinstance(event, ServerHello)] == [True, False]
    assert len([event for event in events if isinstance(event, ClientHello)]) == 2
    (told,) = [event for event in events if isinstance(event, TlsHandshake)]
    assert (told.kind, told.outcome) == ("hidden", "complete")


@pytest.mark.parametrize(
    ("data", "port", "verdict"),
    [
        (record(22, CLIENT_HELLO), 443, YES),
        (record(22, SERVER_HELLO), 443, YES),
        (record(22, CLIENT_HELLO)[:10], 443, MORE),
        (record(22, CLIENT_HELLO)[:3], 16993, MORE),
        (DATA, 443, NO),
        (DATA, 16993, YES),
        (record(21, b"\x02\x28"), 16995, YES),
        (b"GET / HTTP/1.1\r\n", 16993, NO),
        (b"\x16\x03\x01\x00\x05hello", 443, NO),
        (b"", 443, MORE),
        (b"\x80", 443, MORE),
        (b"\x80\x2e\x02\x03", 443, NO),
    ],
)
def test_recognition(data, port, verdict):
    assert recognise(data, TO_SERVER, context(port)) is verdict


def test_the_registry_entry():
    assert (TLS.name, TLS.transport, TLS.ports) == ("tls", "tcp", frozenset((16993, 16995, 4433, 664)))
    assert PORTS is TLS.ports
    assert tuple(TLS.fields()) == FIELDS
    assert len({field.name for field in FIELDS}) == len(FIELDS)


def test_the_room_loads_nothing_heavy():
    """Recognising costs no imports; dissecting without certificates and keys needs no cryptography."""
    code = (
        "import sys; import amtdecode.protocols.tls\n"
        "found = {m for m in sys.modules if m.startswith('amtdecode.protocols.tls.')}\n"
        "assert found == {'amtdecode.protocols.tls.record_header'}, found\n"
        "import amtdecode.protocols.tls.dissector\n"
        "heavy = {'cryptography', 'construct', 'asn1crypto', 'amtdecode.protocols.tls.crypto'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
