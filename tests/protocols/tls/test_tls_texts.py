"""Fields of TLS events keep to what is declared, and shared readings are kept."""

from __future__ import annotations

import msgspec
import pytest
from field_values import fits
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.tls.events import Alert, ApplicationData
from amtdecode.protocols.tls.extensions import CLIENT_HELLO, read_extensions
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello, read_client_hello, read_server_hello
from amtdecode.protocols.tls.messages import Finished, ServerKeyExchange


def fitting(event):
    """Every value is of a field that the class declares, and of its kind; what the event is told by has no holes."""
    declared = {field.name: field for field in event.declared}
    for name, value in event.fields().items():
        assert fits(declared[name], value), (name, value)
    assert event.summary()
    assert hash(event) == hash(msgspec.structs.replace(event))


@given(st.binary(min_size=60, max_size=400), st.sampled_from((0x0300, 0x0301, 0x0303)))
def test_hellos_of_any_bytes(body, version):
    for reader in (read_client_hello, read_server_hello):
        event, _ = reader(body, version)
        if event is not None:
            fitting(event)


@given(st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=12)), max_size=12))
def test_extensions_of_any_kind(items):
    block = b"".join(code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for code, data in items)
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\0\x8c" + b"\1\0" + len(block).to_bytes(2, "big") + block
    first, faults = read_client_hello(body, 0x0301)
    fitting(first)
    again, same_faults = read_client_hello(body, 0x0301)
    assert first == again
    assert faults == same_faults
    assert first.fields() == again.fields()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            ClientHello(40, 2, 0x0301, bytes(16), b"", b"\0\0\x8c\1\0\x80", ssl2=True),
            {
                "tls.handshake.type": 1,
                "tls.handshake.length": 40,
                "tls.record.version": 2,
                "tls.handshake.version": 0x0301,
                "tls.handshake.challenge": "00" * 16,
                "tls.handshake.cipherspec": [0x8C, 0x010080],
                "iamt.tls.ciphersuite.name": ["TLS_PSK_WITH_AES_128_CBC_SHA", "SSL_CK_RC4_128_WITH_MD5"],
            },
        ),
        (
            ServerHello(34, 0x0301, 0x0301),
            {
                "tls.handshake.type": 2,
                "tls.handshake.length": 34,
                "tls.record.version": 0x0301,
                "tls.handshake.version": 0x0301,
            },
        ),
        (
            ServerKeyExchange(10, "PSK", b'hint"\xff'),
            {
                "tls.handshake.type": 12,
                "tls.handshake.length": 10,
                "iamt.tls.key_exchange": "PSK",
                "tls.handshake.hint": "68696e7422ff",
                "iamt.tls.psk.hint": 'hint"\\xff',
            },
        ),
        (
            Finished(12, "server", bytes(12), verified=False),
            {
                "tls.handshake.type": 20,
                "tls.handshake.length": 12,
                "tls.handshake.verify_data": "00" * 12,
                "iamt.tls.sender": "server",
                "iamt.tls.verified": False,
            },
        ),
        (
            Alert(2, 115, "server", "AMT", "while keys are confirmed", "client Finished", 0x0301),
            {
                "tls.record.content_type": 21,
                "tls.alert_message.level": 2,
                "tls.alert_message.desc": 115,
                "iamt.tls.alert.name": "unknown_psk_identity",
                "iamt.tls.sender": "server",
                "iamt.tls.phase": "while keys are confirmed",
                "tls.record.version": 0x0301,
                "iamt.tls.machine": "AMT",
                "iamt.tls.after": "client Finished",
            },
        ),
        (
            ApplicationData("client", 3, 99),
            {
                "tls.record.content_type": 23,
                "iamt.tls.sender": "client",
                "iamt.tls.records": 3,
                "iamt.tls.bytes": 99,
                "iamt.tls.records_opened": 0,
            },
        ),
    ],
)
def test_each_kind(event, expected):
    fitting(event)
    assert list(event.fields().items()) == list(expected.items())


def test_a_reading_that_is_shared_is_not_changed_by_the_next():
    """Two extensions that fill one field (13 and 50) join their lists; the remembered ones stay as they were."""
    algorithms = b"\0\x0d\0\4\0\2\4\3", b"\0\x32\0\4\0\2\4\1"
    alone = read_extensions(algorithms[0], CLIENT_HELLO).values["tls.handshake.sig_hash_alg"]
    assert read_extensions(b"".join(algorithms), CLIENT_HELLO).values["tls.handshake.sig_hash_alg"] == [0x0403, 0x0401]
    assert alone == [0x0403]
    assert read_extensions(algorithms[0] + b"\0\x17\0\0", CLIENT_HELLO).values["tls.handshake.sig_hash_alg"] == [0x0403]
