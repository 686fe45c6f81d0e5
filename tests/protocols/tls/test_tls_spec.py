"""The fast readers agree with the declared messages on every input, good or bad."""

from __future__ import annotations

import construct
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_driver import message, record

from amtdecode.protocols.tls import spec
from amtdecode.protocols.tls.extensions import CLIENT_HELLO, SERVER_HELLO, Extensions, read_extensions
from amtdecode.protocols.tls.hellos import read_ssl2_client_hello
from amtdecode.protocols.tls.reading import Known, read_handshake
from amtdecode.protocols.tls.registry import suite_parameters

SUITES = {"RSA": 0x2F, "PSK": 0x8C, "DHE_PSK": 0x90, "RSA_PSK": 0x94, "ECDHE_PSK": 0xC035, "DHE": 0x33, "ECDHE": 0xC013}
TLS10, TLS12, TLS13 = 0x0301, 0x0303, 0x0304


def opaque(most):
    return st.binary(max_size=most)


bytes8, bytes16 = opaque(20), opaque(40)
code16 = st.integers(0, 0xFFFF)
items16 = st.lists(code16, max_size=6)
extensions = st.lists(st.fixed_dictionaries({"type": st.integers(60, 5000), "data": bytes16}), max_size=4)
hello = {"version": st.sampled_from([0x0300, TLS10, TLS12]), "random": st.binary(min_size=32, max_size=32)}

CASES = {
    "client hello": (
        1,
        TLS10,
        "RSA",
        spec.CLIENT_HELLO,
        st.fixed_dictionaries(
            {
                **hello,
                "session_id": bytes8,
                "cipher_suites": items16,
                "compression_methods": st.lists(st.integers(0, 255), max_size=3),
                "extensions": extensions,
            }
        ),
    ),
    "server hello": (
        2,
        TLS10,
        "RSA",
        spec.SERVER_HELLO,
        st.fixed_dictionaries(
            {
                **hello,
                "session_id": bytes8,
                "cipher_suite": code16,
                "compression_method": st.integers(0, 255),
                "extensions": extensions,
            }
        ),
    ),
    "certificate": (
        11,
        TLS12,
        "RSA",
        spec.CERTIFICATE,
        st.fixed_dictionaries({"certificates": st.lists(bytes16, max_size=3)}),
    ),
    "certificate 1.3": (
        11,
        TLS13,
        "",
        spec.CERTIFICATE_TLS13,
        st.fixed_dictionaries(
            {
                "request_context": bytes8,
                "certificates": st.lists(
                    st.fixed_dictionaries({"certificate": bytes16, "extensions": extensions}), max_size=2
                ),
            }
        ),
    ),
    "certificate request": (
        13,
        TLS10,
        "RSA",
        spec.CERTIFICATE_REQUEST,
        st.fixed_dictionaries(
            {"types": st.lists(st.integers(0, 255), max_size=4), "authorities": st.lists(bytes16, max_size=3)}
        ),
    ),
    "certificate request 1.2": (
        13,
        TLS12,
        "RSA",
        spec.CERTIFICATE_REQUEST_TLS12,
        st.fixed_dictionaries(
            {
                "types": st.lists(st.integers(0, 255), max_size=4),
                "signature_schemes": items16,
                "authorities": st.lists(bytes16, max_size=3),
            }
        ),
    ),
    "certificate request 1.3": (
        13,
        TLS13,
        "",
        spec.CERTIFICATE_REQUEST_TLS13,
        st.fixed_dictionaries({"request_context": bytes8, "extensions": extensions}),
    ),
    "certificate verify": (15, TLS10, "RSA", spec.CERTIFICATE_VERIFY, st.fixed_dictionaries({"signature": bytes16})),
    "certificate verify 1.2": (
        15,
        TLS12,
        "RSA",
        spec.CERTIFICATE_VERIFY_TLS12,
        st.fixed_dictionaries({"scheme": code16, "signature": bytes16}),
    ),
    "certificate status": (
        22,
        TLS12,
        "RSA",
        spec.CERTIFICATE_STATUS,
        st.fixed_dictionaries({"type": st.integers(0, 255), "response": bytes16}),
    ),
    "ticket": (
        4,
        TLS12,
        "RSA",
        spec.NEW_SESSION_TICKET,
        st.fixed_dictionaries({"lifetime": st.integers(0, 2**32 - 1), "ticket": bytes16}),
    ),
    "ticket 1.3": (
        4,
        TLS13,
        "",
        spec.NEW_SESSION_TICKET_TLS13,
        st.fixed_dictionaries(
            {
                "lifetime": st.integers(0, 2**32 - 1),
                "age_add": st.integers(0, 2**32 - 1),
                "nonce": bytes8,
                "ticket": bytes16,
                "extensions": extensions,
            }
        ),
    ),
    "encrypted extensions": (
        8,
        TLS13,
        "",
        spec.ENCRYPTED_EXTENSIONS,
        st.fixed_dictionaries({"extensions": extensions}),
    ),
    "key update": (24, TLS13, "", spec.KEY_UPDATE, st.fixed_dictionaries({"request_update": st.integers(0, 255)})),
    "server hello done": (14, TLS10, "RSA", spec.SERVER_HELLO_DONE, st.just({})),
    "hello request": (0, TLS10, "RSA", spec.HELLO_REQUEST, st.just({})),
}
for _exchange, _spec in spec.CLIENT_KEY_EXCHANGE.items():
    _names = [part.name for part in _spec.subcons if part.name]
    _parts = st.fixed_dictionaries(dict.fromkeys(_names, bytes16))
    CASES[f"client key exchange {_exchange}"] = (16, TLS12, _exchange, _spec, _parts)
for (_exchange, _scheme), _spec in spec.SERVER_KEY_EXCHANGE.items():
    _names = {part.name: bytes16 for part in _spec.subcons if part.name}
    _names |= {name: code16 for name in ("named_curve", "scheme") if name in _names}
    _names |= {"curve_type": st.just(b"\x03")} if "curve_type" in _names else {}
    CASES[f"server key exchange {_exchange} {_scheme}"] = (
        12,
        TLS12 if _scheme else TLS10,
        _exchange,
        _spec,
        st.fixed_dictionaries(_names),
    )


def values_of(parsed):
    """All leaves of what the declared message read, in order."""
    if isinstance(parsed, dict):
        return [leaf for name, part in parsed.items() if name not in {"_io", "more"} for leaf in values_of(part)]
    if isinstance(parsed, (list, tuple)):
        return [leaf for part in parsed for leaf in values_of(part)]
    return [] if parsed is None else [parsed]


def told_of(event):
    """The same leaves, as the event has them."""
    names = {name: getattr(event, name) for name in event.__struct_fields__}
    leaves = []
    for name, value in names.items():
        if name in {"length", "record_version", "sender", "exchange", "rest", "ssl2", "verified", "certificates"}:
            continue
        if name == "suites":
            leaves += event.cipher_suites
        elif name == "extensions":
            blocks = [value] if isinstance(value, Extensions) else value
            leaves += [leaf for block in blocks for item in block.items for leaf in item]
        elif name == "compressions" or name in {"types", "schemes", "authorities", "chain"}:
            leaves += list(value)
        elif name == "numbers":
            leaves += [number for _, number in value]
        elif name == "curve_type":
            leaves += [bytes((value,))] if value >= 0 else []
        elif value is not None and value != -1:
            leaves.append(value)
    return leaves


def inner(fault):
    """Whether a fault lies inside one extension, which the declaration of the message leaves closed."""
    return (fault.startswith("extension ") and " is cut: " not in fault) or "names in server_name" in fault


def agree(name, body):
    code, version, exchange, declared, _ = CASES[name]
    event, faults = read_handshake(code, body, Known("client", version, suite_parameters(SUITES.get(exchange, 0x1301))))
    faults = [fault for fault in faults if not inner(fault)]
    if getattr(event, "curve_type", -1) not in {-1, 3}:
        return  # curves that are spelled out are kept as bytes
    try:
        parsed = declared.parse(body)
    except construct.ConstructError:
        assert faults or event is None, (name, body)
        return
    assert not faults, (name, body, faults)
    expected = values_of(parsed)
    if name == "certificate 1.3":
        expected = sorted(map(repr, expected))
        assert sorted(map(repr, told_of(event))) == expected
        return
    if code == 4 and version != TLS13:
        assert [event.lifetime, event.ticket] == expected
        return
    found = told_of(event)
    drop = (b"", 0) if code in {13, 8, 4, 15, 16, 12, 11} else ()
    assert [value for value in found if value not in drop] == [value for value in expected if value not in drop]


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25)
@given(st.data())
def test_readers_agree_on_what_is_declared(name, data):
    agree(name, CASES[name][3].build(data.draw(CASES[name][4])))


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=60)
@given(st.data())
def test_readers_agree_on_damaged_messages(name, data):
    body = bytearray(CASES[name][3].build(data.draw(CASES[name][4])))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        action = data.draw(st.sampled_from(["change", "insert", "cut", "drop"]))
        if action == "change" and at < len(body):
            body[at] = data.draw(st.integers(0, 255))
        elif action == "insert":
            body[at:at] = data.draw(st.binary(min_size=1, max_size=3))
        elif action == "cut":
            del body[at:]
        else:
            del body[at : at + 1]
    if CASES[name][0] == 2 and body[:1] == b"\x7f":
        return  # drafts of TLS 1.3 have another layout
    agree(name, bytes(body))


def test_signature_algorithms_of_a_request_that_end_in_half_a_code_are_told():
    event, faults = read_handshake(13, bytes.fromhex("0100 0003 040000 0000"), Known("server", 0x0303))
    assert event.schemes == (0x0400,)
    assert faults == ("odd number of bytes of signature algorithms",)


def test_extensions_that_are_cut_behind_a_broken_one_are_told_so():
    body = bytes.fromhex("0303" + "00" * 32 + "00 0002 008c 01 00" + "0005 0000 0000")
    event, faults = read_handshake(1, body, Known("client", 0x0303, suite_parameters(0x8C)))
    assert event.suites == b"\x00\x8c"
    assert faults == ("extension server_name: its size is cut", "extensions are cut: 4 bytes of 5")


@settings(max_examples=300)
@given(st.sampled_from(sorted(spec.CLIENT_EXTENSIONS)), st.binary(max_size=24))
def test_extension_readers_agree(code, data):
    block = code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
    for where, declared in ((CLIENT_HELLO, spec.CLIENT_EXTENSIONS), (SERVER_HELLO, spec.SERVER_EXTENSIONS)):
        if code not in declared:
            continue
        try:
            declared[code].parse(data)
        except construct.ConstructError:
            assert read_extensions(block, where).faults, (code, where, data)
        else:
            assert not read_extensions(block, where).faults, (code, where, data)


@given(st.integers(0, 12).map(lambda n: n * 3), st.sampled_from([0, 16]), st.integers(16, 32), st.binary(max_size=2))
def test_ssl2_hello_agrees(suites, session, challenge, more):
    body = spec.SSL2_CLIENT_HELLO.build(
        {
            "version": 0x0301,
            "cipher_specs_size": suites,
            "session_id_size": session,
            "challenge_size": challenge,
            "cipher_specs": bytes(range(suites)),
            "session_id": bytes(session),
            "challenge": b"c" * challenge,
        }
    )
    event, faults = read_ssl2_client_hello(body + more)
    assert bool(faults) is bool(more)
    if not more:
        assert (event.suites, event.session_id, event.random) == (
            bytes(range(suites)),
            bytes(session),
            b"c" * challenge,
        )


def test_records_and_handshake_headers_are_framed_as_declared():
    body = message(14, b"")
    assert dict(spec.RECORD.parse(record(22, body)), _io=None) == {
        "_io": None,
        "type": 22,
        "version": 0x0301,
        "fragment": body,
    }
    assert spec.HANDSHAKE.parse(body).type == 14
    assert (spec.ALERT.parse(b"\x02\x30").level, spec.ALERT.parse(b"\x02\x30").description) == (2, 48)
    assert spec.CHANGE_CIPHER_SPEC.parse(b"\x01") is not None
