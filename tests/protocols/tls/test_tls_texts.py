"""The texts TLS events write themselves: the same to the byte as by way of their fields; and shared readings kept."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.tls.events import Alert, ApplicationData, ChangeCipherSpec, EncryptedHandshake
from amtdecode.protocols.tls.extensions import CLIENT_HELLO, read_extensions
from amtdecode.protocols.tls.hellos import ClientHello, ServerHello, read_client_hello, read_server_hello
from amtdecode.protocols.tls.messages import ClientKeyExchange, Finished, ServerKeyExchange

encode = msgspec.json.Encoder(enc_hook=str).encode


def same(event):
    """Ask twice: the second answer is the one that was kept."""
    for _ in (1, 2):
        assert event.fields_json() == encode(event.fields())
    assert event.summary() == event.summary() == type(event).summary(event)


@given(st.binary(min_size=60, max_size=400), st.sampled_from((0x0300, 0x0301, 0x0303)))
def test_hellos_of_any_bytes(body, version):
    for reader in (read_client_hello, read_server_hello):
        event, _ = reader(body, version)
        if event is not None:
            same(event)


@given(st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=12)), max_size=12))
def test_extensions_of_any_kind(items):
    block = b"".join(code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for code, data in items)
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\0\x8c" + b"\1\0" + len(block).to_bytes(2, "big") + block
    first, faults = read_client_hello(body, 0x0301)
    same(first)
    again, same_faults = read_client_hello(body, 0x0301)
    assert first == again
    assert faults == same_faults
    assert first.fields() == again.fields()


@pytest.mark.parametrize(
    "event",
    [
        ClientHello(49, 0x0301, 0x0301, bytes(32), b"", b"\0\x8c\0\xff", b"\0"),
        ClientHello(40, 2, 0x0301, bytes(16), b"", b"\0\0\x8c\1\0\x80", ssl2=True),
        ServerHello(70, 0x0301, 0x0301, bytes(range(32)), b"\1\2", 0x8C, 0),
        ServerHello(34, 0x0301, 0x0301),
        ServerKeyExchange(10, "PSK", b'hint"\\\x7f\xff'),
        ClientKeyExchange(10, "PSK", "Ä".encode()),
        Finished(12, "client", bytes(range(12))),
        Finished(12, "client", bytes(range(12)), True),
        Finished(36, "server", bytes(36), verified=False),
        ChangeCipherSpec("client"),
        EncryptedHandshake(48, "server", "Finished"),
        Alert(2, 115, "server", "AMT", "while keys are confirmed", "client Finished", 0x0301),
        ApplicationData("client", 3, 99),
    ],
)
def test_each_kind(event):
    same(event)


def test_a_reading_that_is_shared_is_not_changed_by_the_next():
    """Two extensions that fill one field (13 and 50) join their lists; the remembered ones stay as they were."""
    algorithms = b"\0\x0d\0\4\0\2\4\3", b"\0\x32\0\4\0\2\4\1"
    alone = read_extensions(algorithms[0], CLIENT_HELLO).values["tls.handshake.sig_hash_alg"]
    assert read_extensions(b"".join(algorithms), CLIENT_HELLO).values["tls.handshake.sig_hash_alg"] == [0x0403, 0x0401]
    assert alone == [0x0403]
    assert read_extensions(algorithms[0] + b"\0\x17\0\0", CLIENT_HELLO).values["tls.handshake.sig_hash_alg"] == [0x0403]
