"""Anybody's TLS is left once its handshake is complete; AMT's is followed to the end, whatever it runs on."""

from __future__ import annotations

import pytest
from test_tls_property import LOOPBACK, PSK, sample
from tls_driver import Feeder

from amtdecode.model import TO_CLIENT, TO_SERVER, Endpoint
from amtdecode.protocols.dissector import Context
from amtdecode.secrets import Keys

WEB = ["tls/openssl-tls1_2-ecdsa-aes128gcm.pcap", "tls/openssl-tls1_3-chacha.pcap"]
AMT = ["tls/openssl-tls1-psk-aes128cbc-sha.pcap", "tls/openssl-tls1_2-mtls-rsa-aes256sha-etm.pcap"]


def events(name, port, keys=None, carrier=""):
    """Events of a capture as if its server listened on `port`; whether the dissector was done before the end."""
    conversation = sample(name)
    server = Endpoint(conversation.server.packed, port)
    feeder = Feeder(Context("tcp", conversation.client, server, keys, carrier))
    for direction, data in conversation.chunks:
        feeder.data(direction, data)
    done = feeder.dissector.finished
    for direction in (TO_SERVER, TO_CLIENT):
        feeder.end(direction)
    return feeder.events, done


@pytest.mark.parametrize("name", WEB)
def test_the_handshake_is_told_whole_and_what_follows_is_left(name):
    followed, kept_on = events(name, 16993)
    left, done = events(name, 443)
    assert (kept_on, done) == (False, True)
    assert type(left[-1]).__name__ == "TlsHandshake"
    assert left[-1].complete
    told = [type(event).__name__ for event in followed]
    assert "ApplicationData" in told[len(left) :]
    assert [str(e) for e in left if not hasattr(e, "machine")] == [
        str(e) for e in followed[: len(left)] if not hasattr(e, "machine")
    ]


@pytest.mark.parametrize("name", AMT)
def test_psk_and_mutual_handshakes_are_followed_on_any_port(name):
    told, done = events(name, 443)
    assert not done
    assert "ApplicationData" in [type(event).__name__ for event in told]


def test_with_keys_or_inside_another_protocol_nothing_is_left():
    keys = Keys.load(psk=[PSK])
    for more in ({"keys": keys}, {"carrier": "iamt.apf"}):
        told, done = events(WEB[0], 443, **more)
        assert not done
        assert "ApplicationData" in [type(event).__name__ for event in told]


def test_the_samples_are_there():
    if LOOPBACK.exists():
        assert all((LOOPBACK / name).exists() for name in WEB + AMT)
