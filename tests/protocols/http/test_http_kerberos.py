"""Tokens of Negotiate and Kerberos against known bytes, tshark, cuts and mutations."""

from __future__ import annotations

from datetime import UTC, datetime

import oracle
import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.gssapi import AP_REP, AP_REQ, KRB_ERROR, Token, fields_of, read_token
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from pcaps.kerberos import REQUEST, SPNEGO, answer, ask, der, error, first, framed, integer, refuse, sealed, tagged

TOKENS = [
    framed(REQUEST, 1),
    first(framed(REQUEST, 1)),
    answer(framed(error(37), 3)),
    framed(error(7), 3),
    answer(framed(der(0x6F, der(0x30, tagged(0, integer(5)), tagged(1, integer(15)), tagged(2, sealed(18)))), 2)),
]
SERVICE = ("HTTP", "desk.example.com:16992")


def test_a_login() -> None:
    for token in TOKENS[:2]:
        assert read_token(token) == Token(AP_REQ, "EXAMPLE.COM", SERVICE, (23, 18))
    assert fields_of(read_token(TOKENS[1])) == {
        "kerberos.msg_type": 14,
        "kerberos.realm": "EXAMPLE.COM",
        "kerberos.SNameString": ["HTTP", "desk.example.com:16992"],
        "iamt.kerberos.spn": "HTTP/desk.example.com:16992",
        "kerberos.etype": [23, 18],
    }


def test_an_error_and_how_far_the_clocks_are_apart() -> None:
    told = read_token(TOKENS[2])
    assert (told.message, told.error, told.skew) == (KRB_ERROR, 37, 700)
    assert read_token(framed(error(37, ""), 3)).skew is None
    leap = datetime(2026, 11, 29, 20, 31, 40, tzinfo=UTC) - datetime(2024, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert read_token(framed(error(37, "20240228235959Z"), 3)).skew == leap.total_seconds()
    assert read_token(TOKENS[4]) == Token(AP_REP, etypes=(18,))


@pytest.mark.parametrize(
    "token", [b"", b"NTLMSSP\0\1", b"\x60", SPNEGO, first(b"NTLMSSP\0\1\0"), first(first(first(first(REQUEST))))]
)
def test_what_is_no_kerberos_gives_nothing(token) -> None:
    assert read_token(token) is None


@given(st.sampled_from(TOKENS), st.data())
def test_no_bytes_make_it_raise(token, data) -> None:
    at = data.draw(st.integers(0, len(token)))
    changed = token[:at] + data.draw(st.binary(max_size=4)) + token[at + data.draw(st.integers(0, 3)) :]
    told = read_token(changed)
    assert told is None or isinstance(fields_of(told), dict)


def exchange(port: int, token: bytes, reply: bytes) -> bytes:
    talk = wire.Talk(dport=port)
    return wire.pcap(wire.frames([*talk.open(), *talk.say(ask(token)), *talk.say(refuse(reply), 1)]))


def test_in_http() -> None:
    told = wire.events(exchange(16992, TOKENS[1], TOKENS[2]))
    (request,) = [each for each in told if isinstance(each, HttpRequest)]
    (response,) = [each for each in told if isinstance(each, HttpResponse)]
    assert request.fields()["iamt.kerberos.spn"] == "HTTP/desk.example.com:16992"
    assert response.fields()["kerberos.error_code"] == 37
    assert response.fields()["iamt.kerberos.skew"] == 700


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    names = ["kerberos.msg_type", "kerberos.realm", "kerberos.SNameString", "kerberos.etype", "kerberos.error_code"]
    path = tmp_path / "negotiate.pcap"
    path.write_bytes(exchange(80, TOKENS[1], TOKENS[2]))
    columns = [part for each in names for part in ("-e", each)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-Y", "kerberos", "-T", "fields", *columns],
        check=True,
        text=True,
    ).stdout.splitlines()
    assert len(lines) == 2
    for token, line in zip((TOKENS[1], TOKENS[2]), lines, strict=True):
        fields = fields_of(read_token(token))
        for each, value in zip(names, line.split("\t"), strict=True):
            own = fields.get(each, "")
            assert value == (",".join(map(str, own)) if isinstance(own, list) else str(own)), each
