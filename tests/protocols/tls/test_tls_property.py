"""Any split gives the same statements; any mutation gives events only; nothing forged gives plaintext."""

from __future__ import annotations

import os
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest
from field_values import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_driver import Feeder, context, conversations, plaintext, run

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Gap, Malformed, Payload
from amtdecode.protocols.tls import recognise
from amtdecode.protocols.tls.catalogue import FIELDS
from amtdecode.protocols.tls.hellos import ServerHello
from amtdecode.secrets import Keys

ROOT = Path(__file__).resolve().parents[3]
LOOPBACK = Path(os.environ.get("AMTDECODE_SHARED", ROOT.parent / "shared")) / "captures" / "loopback"
PSK = "*=0123456789ABCDEFGHJKLMNPQRSTUVWX"
NAMES = {field.name: field for field in FIELDS}

SAMPLES = [
    ("tls/openssl-tls1-psk-aes128cbc-sha.pcap", "psk"),
    ("tls/gnutls-tls1.0-psk-rc4.pcap", "psk"),
    ("tls/gnutls-tls1.2-psk-null.pcap", "psk"),
    ("tls/openssl-tls1_2-mtls-rsa-aes256sha-etm.pcap", "keylog"),
    ("tls/gnutls-tls1.2-mtls-rehandshake.pcap", "keylog"),
    ("tls/openssl-tls1_2-maxfrag512-rsa.pcap", "keylog"),
    ("tls/openssl-tls1_3-mtls-aes128gcm.pcap", "keylog"),
]


@cache
def sample(name):
    path = LOOPBACK / name
    if not path.exists():
        pytest.skip("no shared captures")
    return conversations(path)[0]


@cache
def keys(name, method):
    if method == "psk":
        return Keys.load(psk=[PSK])
    return Keys.load(keylogs=[str(LOOPBACK / name.replace(".pcap", ".keylog.txt"))])


def check(events):
    """Every event can be told, with fields that its class declares and of their kinds."""
    for event in events:
        assert isinstance(event.summary(), str)
        if event.protocol != "tls":
            continue
        declared = {field.name for field in event.declared}
        for name, value in event.fields().items():
            assert name in declared, name
            assert fits(NAMES[name], value), (name, value)


@pytest.mark.parametrize("method", ["", "keys"])
@pytest.mark.parametrize(("name", "kind"), SAMPLES)
def test_byte_by_byte_is_as_whole(name, kind, method):
    conversation = sample(name)
    given_keys = keys(name, kind) if method else None
    whole = run(conversation, given_keys)
    check(statement.event for statement in whole)
    assert run(conversation, given_keys, split=1) == whole
    assert run(conversation, given_keys, split=7) == whole
    assert bool(plaintext(whole)) is (bool(method) or "null" in name)  # a NULL suite hides nothing


@given(st.data())
def test_any_split_is_as_whole(data):
    name, kind = data.draw(st.sampled_from(SAMPLES))
    conversation = sample(name)
    given_keys = keys(name, kind) if data.draw(st.booleans()) else None
    sizes = cycle(data.draw(st.lists(st.integers(1, 900), min_size=1, max_size=12)))
    pieces = []
    for direction, chunk in conversation.chunks:
        at = 0
        while at < len(chunk):
            size = next(sizes)
            pieces.append((direction, chunk[at : at + size]))
            at += size
    assert run(conversation._replace(chunks=pieces), given_keys) == run(conversation, given_keys)


def originals(name, kind):
    return [s.event.data for s in run(sample(name), keys(name, kind)) if isinstance(s.event, Payload)]


def test_a_null_suite_that_the_client_did_not_offer_is_a_damaged_hello():
    """Eleven bytes of a ServerHello are lost, and what then stands in the place of its suite is 0001, a NULL suite."""
    name, kind = SAMPLES[1]
    feeder = Feeder(context(keys=keys(name, kind)))
    for number, (direction, chunk) in enumerate(sample(name).chunks):
        feeder.data(direction, chunk[:44] + chunk[55:] if number == 1 else chunk)
    (hello,) = [event for event in feeder.events if isinstance(event, ServerHello)]
    assert hello.suite == 1
    assert not [event for event in feeder.events if isinstance(event, Payload)]


@settings(max_examples=200)
@given(st.data())
def test_mutations_give_events_and_no_forged_plaintext(data):
    """Bytes changed, inserted, dropped or lost: whatever plaintext comes out was in the original."""
    name, kind = data.draw(st.sampled_from(SAMPLES))
    conversation = sample(name)
    genuine = originals(name, kind)
    feeder = Feeder(context(keys=keys(name, kind)))
    for direction, chunk in conversation.chunks:
        changed = bytearray(chunk)
        for _ in range(data.draw(st.integers(0, 2))):
            at = data.draw(st.integers(0, max(len(changed) - 1, 0)))
            action = data.draw(st.sampled_from(["change", "insert", "drop", "gap"]))
            if action == "change" and changed:
                changed[at] ^= data.draw(st.integers(1, 255))
            elif action == "insert":
                changed[at:at] = data.draw(st.binary(min_size=1, max_size=8))
            elif action == "drop":
                del changed[at : at + data.draw(st.integers(1, 40))]
            else:
                feeder.data(direction, bytes(changed[:at]))
                size = data.draw(st.integers(1, 3000))
                feeder.gap(direction, size)
                del changed[: at + size]
        feeder.data(direction, bytes(changed))
    for direction in (TO_SERVER, TO_CLIENT):
        feeder.end(direction, data.draw(st.sampled_from(list(End))))
    check(feeder.events)
    for event in feeder.events:
        # a NULL suite is read as it comes
        assert not isinstance(event, Payload) or event.data in genuine or "null" in name


@given(st.lists(st.tuples(st.sampled_from(list(Direction)), st.binary(max_size=300)), max_size=12))
def test_noise_gives_events_only(chunks):
    feeder = Feeder(context())
    for direction, chunk in chunks:
        feeder.data(direction, chunk)
    for direction in (TO_SERVER, TO_CLIENT):
        feeder.end(direction, End.CAPTURE)
    check(feeder.events)
    assert not [event for event in feeder.events if isinstance(event, Payload)]


@given(st.binary(min_size=1, max_size=40), st.sampled_from([16993, 443]))
def test_recognition_never_takes_back_its_word(data, port):
    """What more bytes can turn YES or NO, fewer bytes call MORE."""
    verdicts = [recognise(data[:size], TO_SERVER, context(port)).name for size in range(1, len(data) + 1)]
    decided = [verdict for verdict in verdicts if verdict != "MORE"]
    assert len(set(decided)) <= 1
    assert verdicts == ["MORE"] * (len(verdicts) - len(decided)) + decided


def test_a_changed_record_stays_closed_and_so_does_what_follows(shared):
    name, kind = SAMPLES[0]
    conversation = sample(name)
    at = next(i for i, (way, chunk) in enumerate(conversation.chunks) if way is TO_CLIENT and len(chunk) > 1000)
    chunks = list(conversation.chunks)
    chunks[at] = (TO_CLIENT, chunks[at][1][:-1] + bytes((chunks[at][1][-1] ^ 1,)))
    statements = run(conversation._replace(chunks=chunks), keys(name, kind))
    assert [direction for direction, _ in plaintext(statements)] == [TO_SERVER]
    assert "MAC" in next(s.event.reason for s in statements if isinstance(s.event, Malformed))


def test_a_gap_inside_application_data_keeps_the_framing(shared):
    conversation = sample(SAMPLES[0][0])
    feeder = Feeder(context())
    for direction, chunk in conversation.chunks:
        if direction is TO_CLIENT and len(chunk) > 1000:
            feeder.data(direction, chunk[:100])
            feeder.gap(direction, 700)
            feeder.data(direction, chunk[800:])
        else:
            feeder.data(direction, chunk)
    for direction in (TO_SERVER, TO_CLIENT):
        feeder.end(direction)
    assert [event.size for event in feeder.events if isinstance(event, Gap)] == [700]
    whole = [statement.event for statement in run(conversation)]
    assert [event for event in feeder.events if not isinstance(event, Gap)] == whole


def captures():
    found = sorted(LOOPBACK.parent.glob("*/*/*.pcap*")) + sorted(LOOPBACK.parent.glob("third-party/*/*/*.pcap*"))
    wanted = [path for path in found if "tls" in str(path.relative_to(LOOPBACK.parent)) or "ssl" in path.name]
    return wanted or [LOOPBACK / "no shared captures"]


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.name)
def test_every_event_of_every_capture_keeps_to_the_catalogue(shared, path):
    for conversation in conversations(path):
        if not conversation.chunks:
            continue
        statements = run(conversation)
        check(statement.event for statement in statements)
        assert run(conversation, split=1000) == statements
