"""APF messages: the fast reader against the declaration, and single messages of public sources."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf.reading import READERS, BrokenRulesError, read_message, size_of
from amtdecode.protocols.apf.spec import MESSAGE
from pcaps import apf

MACHINE = uuid.UUID("44b3d470-afdb-11e5-be66-1e7a66911400")
WORDS = st.integers(0, 2**32 - 1)
TEXTS = st.binary(max_size=40)


def body(**parts):
    return st.fixed_dictionaries(parts)


FORWARDED = {"address": TEXTS, "port": WORDS}
UDP = {**FORWARDED, "origin_address": TEXTS, "origin_port": WORDS, "data": TEXTS}
REQUESTS = st.one_of(
    body(request=st.sampled_from([b"tcpip-forward", b"Cancel-TCPIP-forward"]), want_reply=st.integers(0, 1),
         body=body(**FORWARDED)),
    body(request=st.just(b"udp-send-to@amt.intel.com"), want_reply=st.integers(0, 1), body=body(**UDP)),
    body(request=st.sampled_from([b"", b"other"]), want_reply=st.integers(0, 1), body=st.none()),
)  # fmt: skip
LOGINS = st.one_of(
    body(user=TEXTS, service=TEXTS, method=st.just(b"password"),
         password=body(reserved=st.just(b"\0"), value=TEXTS)),
    body(user=TEXTS, service=TEXTS, method=st.sampled_from([b"none", b""]), password=st.none()),
)  # fmt: skip
FOUR = st.binary(min_size=4, max_size=4)
BODIES = {
    f.DISCONNECT: body(reason=WORDS, reserved=st.just(b"\0\0")),
    f.SERVICE_REQUEST: body(service=TEXTS),
    f.SERVICE_ACCEPT: body(service=TEXTS),
    f.USERAUTH_REQUEST: LOGINS,
    f.USERAUTH_FAILURE: body(methods=TEXTS, partial=st.integers(0, 1), padding=st.none()),
    f.USERAUTH_SUCCESS: st.none(),
    f.GLOBAL_REQUEST: REQUESTS,
    f.REQUEST_SUCCESS: body(port=st.none() | st.integers(0, 65535)),
    f.REQUEST_FAILURE: st.none(),
    f.CHANNEL_OPEN: body(channel_type=TEXTS, sender=WORDS, window=WORDS, reserved=FOUR, **UDP).map(
        lambda made: {name: value for name, value in made.items() if name != "data"}
    ),
    f.CHANNEL_OPEN_CONFIRMATION: body(recipient=WORDS, sender=WORDS, window=WORDS, reserved=FOUR),
    f.CHANNEL_OPEN_FAILURE: body(recipient=WORDS, reason=WORDS, reserved=st.just(bytes(8))),
    f.CHANNEL_WINDOW_ADJUST: body(recipient=WORDS, add=WORDS),
    f.CHANNEL_CLOSE: body(recipient=WORDS),
    f.PROTOCOLVERSION: body(
        major=WORDS, minor=WORDS, trigger=WORDS, uuid=st.binary(min_size=16, max_size=16), reserved=st.just(bytes(64))
    ),
    f.KEEPALIVE_REQUEST: body(cookie=WORDS),
    f.KEEPALIVE_REPLY: body(cookie=WORDS),
    f.KEEPALIVE_OPTIONS_REQUEST: body(interval=WORDS, timeout=WORDS),
    f.KEEPALIVE_OPTIONS_REPLY: body(interval=WORDS, timeout=WORDS),
    f.JSON_CONTROL: body(text=TEXTS),
}


def test_each_type_has_a_reader_and_a_strategy_here():
    assert BODIES.keys() == READERS.keys() == f.TYPES.keys() - {f.CHANNEL_DATA}


@pytest.mark.parametrize("kind", BODIES, ids=f.TYPES.get)
def test_reader_and_declaration_agree(kind):
    @given(BODIES[kind], st.binary(max_size=3))
    def agree(made, behind):
        pdu = MESSAGE.build({"type": kind, "body": made})
        if kind == f.REQUEST_SUCCESS:
            assert len(pdu) == (1 if made["port"] is None else 5)
        else:
            assert size_of(pdu + behind) == len(pdu)
            for cut in range(1, len(pdu)):
                assert cut < size_of(pdu[:cut]) <= len(pdu)
        event = read_message(pdu)
        told = {node.name: node.value for root in event.tree(pdu) for node in root.walk() if node.name}
        read = event.fields()
        told.pop("iamt.apf.reserved", None)
        assert {name: value.hex() if isinstance(value, bytes) else value for name, value in told.items()} == read
        assert event.summary()

    agree()


@given(st.binary(min_size=1, max_size=80))
def test_no_bytes_make_the_reader_raise_anything_else(data):
    if data[0] == f.REQUEST_SUCCESS:
        return
    try:
        size = size_of(data)
    except BrokenRulesError:
        return
    if size <= len(data) and data[0] != f.CHANNEL_DATA:
        assert isinstance(read_message(data[:size]), e.ApfMessage)


def test_the_version_of_a_real_machine():
    """rps pull request 929: the version a machine sent through LME, and its UUID as they print it."""
    raw = bytes((68, 69, 76, 76, 77, 0, 16, 77, 128, 80, 178, 192, 79, 50, 81, 51))
    pdu = b"\xc0\0\0\0\1\0\0\0\0\0\0\0\x09" + raw + bytes(64)
    assert read_message(pdu) == e.ProtocolVersion(1, 0, 9, "4c4c4544-004d-4d10-8050-b2c04f325133")
    assert read_message(pdu).reason == "reason 9"
    assert [node.words for node in read_message(pdu[:9] + b"\0\0\0\xfe" + pdu[13:]).tree(pdu) if node.words][:1] == [
        "PROTOCOLVERSION"
    ]


@pytest.mark.parametrize(
    ("pdu", "summary"),
    [
        (apf.version(MACHINE, 2), f"APF 1.0, UUID {MACHINE}, alert"),
        (apf.version(MACHINE, 254), f"APF 1.0, UUID {MACHINE}, local host (LME)"),
        (apf.disconnect(15), "disconnects: illegal user name or invalid credentials"),
        (apf.failure(4, 1), "channel 4 refused: administratively prohibited"),
        (apf.forward(16993, b"a.example"), "tcpip-forward a.example:16993"),
        (apf.login(b"mesh", None), "login as mesh, method none"),
    ],
)
def test_words(pdu, summary):
    assert read_message(pdu).summary() == summary


def test_the_password_is_masked():
    event = read_message(apf.login(b"admin", b"P@ssw0rd"))
    assert event.fields()["iamt.apf.auth.password"] == "P@ssw0rd"
    assert "P@ssw0rd" not in repr(event)
    assert event.masked_fields()["iamt.apf.auth.password"] != "P@ssw0rd"


@pytest.mark.parametrize(
    "data",
    [b"\x07", b"\xff\0", b"\x05\0\0\x08\1", b"\x32\0\0\0\1a\x7f\xff\xff\xff", b"\xfa\0\1\0\1"],
)
def test_what_is_no_message(data):
    with pytest.raises(BrokenRulesError):
        size_of(data)
