"""What is clear text and what is not: NULL suites, records behind a ChangeCipherSpec, records whose past is unseen."""

from __future__ import annotations

import struct

import pytest
from loopback import need
from tls_driver import Conversation, Feeder, context, plaintext, run
from tls_live import record

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Gap, LimitReached, Note
from amtdecode.protocols.tls.events import (
    Alert,
    ApplicationData,
    ChangeCipherSpec,
    Decryption,
    EncryptedAlert,
    EncryptedHandshake,
    TlsHandshake,
)
from amtdecode.protocols.tls.handshake_framing import could_be_messages
from amtdecode.protocols.tls.hellos import ClientHello
from amtdecode.protocols.tls.messages import Finished
from amtdecode.protocols.tls.null_cipher import NullCipher

PSK = b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
NOISE = bytes((number * 197 + 91) % 256 for number in range(64))
GCM = bytes(8) + NOISE[:40]  # a counter stands in front of its ciphertext (RFC 5288, section 3)


def of(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def hello(suite: int = 0x002F) -> bytes:
    body = struct.pack(">H", 0x0303) + bytes(32) + b"\0" + struct.pack(">HH", 2, suite) + b"\1\0"
    return of(22, b"\1" + len(body).to_bytes(3, "big") + body)


def answer(suite: int, done: bytes = b"\x0e\0\0\0") -> bytes:
    body = struct.pack(">H", 0x0303) + bytes(32) + b"\0" + struct.pack(">HB", suite, 0)
    return of(22, b"\2" + len(body).to_bytes(3, "big") + body + done)


CCS = of(20, b"\1")


def told(*pieces: tuple[int, bytes], gaps: dict[int, tuple[int, int]] | None = None) -> list[object]:
    """Events of bytes given by direction; `gaps`: before which piece so many bytes of a direction are missing."""
    feeder = Feeder(context())
    for number, (direction, data) in enumerate(pieces):
        if gaps and number in gaps:
            feeder.gap(*gaps[number])
        feeder.data(direction, data)
    feeder.end(TO_SERVER, End.FIN)
    feeder.end(TO_CLIENT, End.FIN)
    return [statement.event for statement in feeder.statements]


def kinds(events: list[object], kind: type) -> list[object]:
    return [event for event in events if isinstance(event, kind)]


# -- NULL suites ------------------------------------------------------------------------------------------------------

OPENSSL = {
    "psk": (["-nocert", "-psk", PSK.hex()], ["-psk_identity", "0000037M", "-psk", PSK.hex()], "PSK-NULL-SHA"),
    "psk-sha256": (["-nocert", "-psk", PSK.hex()], ["-psk_identity", "0000037M", "-psk", PSK.hex()], "PSK-NULL-SHA256"),
}


@pytest.mark.parametrize("name", OPENSSL)
def test_a_null_suite_between_real_programs_is_read_without_a_key(name: str) -> None:
    openssl = need("openssl")
    server, client, suite = OPENSSL[name]
    weak = ["-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0"]
    recording = record(
        [openssl, "s_server", "-accept", "PORT", *server, *weak, "-quiet", "-rev"],
        [openssl, "s_client", "-connect", "127.0.0.1:PORT", *client, *weak, "-quiet"],
        b"GET / HTTP/1.0\n",
    )
    ends = context()
    statements = run(Conversation(ends.client, ends.server, *recording))
    events = [statement.event for statement in statements]
    assert [event.summary() for event in kinds(events, Decryption)] == [
        "read without a key: the suite encrypts nothing (NULL); MACs are not verified"
    ]
    assert [event.sender for event in kinds(events, Finished)] == ["client", "server"]
    assert all(len(event.verify_data) == 12 for event in kinds(events, Finished))
    said = dict(plaintext(statements))
    assert said[TO_SERVER] == b"GET / HTTP/1.0\n"
    assert said[TO_CLIENT].startswith(b"0.1/PTTH / TEG")
    assert not kinds(events, EncryptedHandshake)
    assert not kinds(events, EncryptedAlert)
    assert all(event.opened == event.records for event in kinds(events, ApplicationData))
    assert kinds(events, TlsHandshake)[0].complete


def test_an_alert_under_a_null_suite_is_read() -> None:
    suite = 0x003B  # TLS_RSA_WITH_NULL_SHA256, MAC of 32 bytes
    finished = b"\x14\0\0\x0c" + bytes(12) + bytes(32)
    events = told(
        (TO_SERVER, hello(suite)),
        (TO_CLIENT, answer(suite)),
        (TO_SERVER, CCS + of(22, finished)),
        (TO_CLIENT, of(21, b"\2\x14")),
        (TO_SERVER, of(21, b"\2\x33" + bytes(32))),
    )
    assert [(event.description, event.sender) for event in kinds(events, Alert)] == [(20, "server"), (51, "client")]
    assert [event.sender for event in kinds(events, Finished)] == ["client"]


def test_a_record_shorter_than_its_mac_opens_nothing() -> None:
    assert NullCipher(20).open(23, 0x0301, b"abc" + bytes(20)) == (23, b"abc")
    assert NullCipher(20).open(23, 0x0301, bytes(20)) == (23, b"")
    assert NullCipher(20).open(23, 0x0301, bytes(19)) is None


def test_a_suite_that_encrypts_is_not_read() -> None:
    events = told((TO_SERVER, hello()), (TO_CLIENT, answer(0x002F)), (TO_SERVER, CCS + of(22, NOISE)))
    assert not kinds(events, Decryption)
    assert [event.length for event in kinds(events, EncryptedHandshake)] == [64]


# -- behind a ChangeCipherSpec ----------------------------------------------------------------------------------------


def test_without_the_serverhello_what_follows_the_change_is_encrypted() -> None:
    events = told(
        (TO_SERVER, hello() + CCS + of(22, b"\x0b\x6b\x00\x00" + NOISE) + of(21, b"\x6a\x01" + NOISE[:30])),
        (TO_CLIENT, CCS + of(22, NOISE)),
    )
    assert not kinds(events, Alert)
    assert not kinds(events, LimitReached)
    assert [(event.sender, event.length) for event in kinds(events, EncryptedHandshake)] == [
        ("client", 68),
        ("server", 64),
    ]
    assert [(event.sender, event.length) for event in kinds(events, EncryptedAlert)] == [("client", 32)]


def test_early_change_of_a_client_that_is_answered_in_tls_1_2_changed_nothing() -> None:
    exchange = of(22, b"\x10\0\0\x04\0\x02ab")
    events = told((TO_SERVER, hello() + CCS), (TO_CLIENT, answer(0x002C)), (TO_SERVER, exchange))
    assert [event.compatibility for event in kinds(events, ChangeCipherSpec)] == [True]
    assert not kinds(events, EncryptedHandshake)
    assert "client ClientKeyExchange" in kinds(events, TlsHandshake)[0].messages


@pytest.mark.parametrize("body", [b"\2\x6a\0", NOISE[:32], GCM])
def test_an_alert_of_more_than_two_bytes_is_none_in_the_clear(body: bytes) -> None:
    events = told((TO_SERVER, hello()), (TO_CLIENT, of(21, body)))
    assert not kinds(events, Alert)
    assert [event.length for event in kinds(events, EncryptedAlert)] == [len(body)]
    assert [
        event.description for event in kinds(told((TO_SERVER, hello()), (TO_CLIENT, of(21, b"\2\x28"))), Alert)
    ] == [40]


# -- past unseen ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fragment", "clear"),
    [
        (b"\x0e\0\0\0", True),
        (b"\0\0\0\0", True),
        (b"\x14\0\0\x0c" + bytes(12), True),
        (b"\x0b\0\x10\0" + bytes(200), True),  # goes on in the next record
        (GCM, False),
        (NOISE, False),
        (b"\x14\0\0\x0d" + bytes(13), False),  # no Finished is so long
        (b"\x0b\x6b\0\0" + bytes(60), False),  # 7 MB
        (b"\0\0\0\0" + GCM, False),
        (b"", False),
    ],
)
def test_ciphertext_is_told_from_handshake_messages(fragment: bytes, clear: bool) -> None:
    assert could_be_messages(fragment) is clear


def test_a_capture_that_begins_in_the_middle_makes_no_messages_of_ciphertext() -> None:
    events = told((TO_SERVER, of(22, GCM) + of(21, GCM[:26])), (TO_CLIENT, of(22, GCM)))
    assert [type(event) for event in events if not isinstance(event, Note)] == [
        EncryptedHandshake,
        EncryptedAlert,
        EncryptedHandshake,
    ]


def test_an_alert_that_came_whole_is_read_where_the_hello_is_missing() -> None:
    events = told((TO_CLIENT, of(22, b"\x0e\0\0\0")), (TO_SERVER, of(21, b"\2\x30")))
    assert [(event.description, event.name) for event in kinds(events, Alert)] == [(48, "unknown_ca")]
    assert kinds(events, TlsHandshake)[0].missing == ()  # its beginning is not in the capture
    assert not kinds(events, ClientHello)


# -- what is not said to be absent ------------------------------------------------------------------------------------


def test_a_message_passed_over_by_a_limit_came() -> None:
    big = b"\x0b" + (300_000).to_bytes(3, "big")
    flood = b"".join(of(22, (big + bytes(300_000))[at : at + 16_000]) for at in range(0, 300_004, 16_000))
    events = told((TO_SERVER, hello()), (TO_CLIENT, answer(0x002F, b"")), (TO_CLIENT, flood))
    summary = kinds(events, TlsHandshake)[0]
    assert len(kinds(events, LimitReached)) == 1
    assert "server Certificate" in summary.messages
    assert "server Certificate" not in summary.missing


def test_what_lost_bytes_may_have_held_is_not_said_to_be_missing() -> None:
    events = told((TO_SERVER, hello()), (TO_CLIENT, CCS), gaps={1: (TO_CLIENT, 3000)})
    assert kinds(events, Gap)
    assert all(not message.startswith("server") for message in kinds(events, TlsHandshake)[0].missing)
    whole = told((TO_SERVER, hello()))
    assert kinds(whole, TlsHandshake)[0].missing == ("server ServerHello",)
