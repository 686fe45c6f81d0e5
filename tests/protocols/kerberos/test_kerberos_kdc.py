"""Kerberos to a KDC against known bytes, tshark, and mutated messages."""

from __future__ import annotations

import oracle
import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.demand import in_full
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.gssapi import read_kdc_message, read_token
from amtdecode.protocols.kerberos import KERBEROS_TCP, KERBEROS_UDP, MAX_MESSAGE, KerberosMessage
from amtdecode.protocols.registry import REGISTRY
from pcaps import kerberos

SPN = "HTTP/desk.example.com:16992"
MADE = {
    "AS-REQ": kerberos.asks(10, "krbtgt/EXAMPLE.COM", "admin"),
    "AS-REP": kerberos.gives(11),
    "TGS-REQ": kerberos.asks(12, SPN),
    "TGS-REP": kerberos.gives(13),
    "unknown": kerberos.error(7, ""),
    "skew": kerberos.error(37),
}
ALL = in_full(REGISTRY, ["kerberos"])


def context(port: int = 88, transport: str = "udp") -> Context:
    return Context(transport, Endpoint(b"\xc0\0\2\1", 40000), Endpoint(b"\xc0\0\2\2", port))


def one(data: bytes) -> KerberosMessage:
    token = read_kdc_message(data)
    assert token is not None
    return KerberosMessage(token)


def test_known_bytes() -> None:
    assert one(MADE["TGS-REQ"]).fields() == {
        "kerberos.msg_type": 12,
        "kerberos.realm": "EXAMPLE.COM",
        "kerberos.SNameString": ["HTTP", "desk.example.com:16992"],
        "iamt.kerberos.spn": SPN,
        "kerberos.ENCTYPE": [18, 17, 23],
    }
    assert one(MADE["TGS-REP"]).fields()["kerberos.etype"] == [23, 18]
    assert one(MADE["AS-REQ"]).summary() == "Kerberos AS-REQ, for krbtgt/EXAMPLE.COM by admin, realm EXAMPLE.COM"
    assert one(MADE["unknown"]).summary() == (
        "Kerberos KRB-ERROR 7: service principal name not known (KDC_ERR_S_PRINCIPAL_UNKNOWN), "
        f"for {SPN}, realm EXAMPLE.COM"
    )
    assert one(MADE["skew"]).fields()["iamt.kerberos.skew"] == 700


def test_a_token_of_a_login_is_no_message_to_a_kdc() -> None:
    assert read_kdc_message(kerberos.REQUEST) is None
    assert read_token(MADE["TGS-REQ"]) is None


def streams(*messages: bytes) -> bytes:
    """A capture: each message over UDP, then all over TCP."""
    packets = [wire.ipv4(wire.udp(data, 40000 + n, 88), proto=17) for n, data in enumerate(messages)]
    talk = wire.Talk(sport=41000, dport=88)
    framed = b"".join(len(data).to_bytes(4, "big") + data for data in messages)
    packets += [*talk.open(), *talk.say(framed, size=100), *talk.close()]
    return wire.pcap(wire.frames(packets))


def seen(data: bytes, **options) -> list[int]:
    return [each.token.message for each in wire.events(data, **options) if isinstance(each, KerberosMessage)]


def test_only_what_concerns_a_machine_is_stated_unless_somebody_asks() -> None:
    other = kerberos.asks(12, "cifs/files.example.com")
    data = streams(*MADE.values(), other)
    assert seen(data) == 2 * [12, 13, 30, 30]
    assert seen(data, registry=ALL) == 2 * [10, 11, 12, 13, 30, 30, 12]
    for each in wire.events(data, registry=ALL):
        assert not isinstance(each, Malformed)


@pytest.mark.parametrize("port", [88, 89])
def test_recognised_on_port_88_alone(port: int) -> None:
    for data in MADE.values():
        assert KERBEROS_UDP.recognise(data, TO_SERVER, context(port)) == (YES if port == 88 else NO)
        framed = len(data).to_bytes(4, "big") + data
        assert KERBEROS_TCP.recognise(framed, TO_SERVER, context(port, "tcp")) == (YES if port == 88 else NO)
        assert KERBEROS_TCP.recognise(framed[:4], TO_SERVER, context(port, "tcp")) == (MORE if port == 88 else NO)
    assert KERBEROS_UDP.recognise(b"GET /", TO_SERVER, context()) == NO
    assert KERBEROS_TCP.recognise(b"GET /", TO_SERVER, context(transport="tcp")) == NO


def test_tcp_keeps_what_came_before_a_fault() -> None:
    def told(*data: bytes) -> list:
        dissector = KERBEROS_TCP.dissector(context(transport="tcp"))
        return [each for part in data for each in dissector.receive_data(TO_SERVER, part)]

    framed = len(MADE["skew"]).to_bytes(4, "big") + MADE["skew"]
    huge = (MAX_MESSAGE + 1).to_bytes(4, "big")
    first, fault = told(framed + huge + framed)
    assert first.event == one(MADE["skew"])
    assert fault.event == Malformed("kerberos", "a message of 65537 bytes", huge)
    assert (fault.start, fault.end) == (len(framed), len(framed) + 4)
    assert told(framed + huge, framed) == [first, fault]
    dissector = KERBEROS_TCP.dissector(context(transport="tcp"))
    assert list(dissector.receive_data(TO_SERVER, framed[:30])) == []
    (gap,) = dissector.receive_gap(TO_SERVER, 10)
    assert (gap.start, gap.end) == (30, 40)
    assert list(dissector.receive_data(TO_SERVER, framed)) == []


@given(st.sampled_from([*MADE.values()]), st.data())
def test_no_bytes_make_it_raise(data, draw) -> None:
    at = draw.draw(st.integers(0, len(data)))
    changed = data[:at] + draw.draw(st.binary(max_size=6)) + data[at + draw.draw(st.integers(0, 6)) :]
    names = {field.name for field in KERBEROS_UDP.fields()}
    full = KERBEROS_UDP.in_full
    assert full is not None
    for statement in full.dissector(context()).receive_data(TO_SERVER, changed):
        if isinstance(statement.event, KerberosMessage):
            assert set(statement.event.fields()) <= names
            assert statement.event.summary()


ASKED = [
    f"kerberos.{name}"
    for name in ("msg_type", "realm", "SNameString", "etype", "ENCTYPE", "error_code", "CNameString", "crealm")
]


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(streams(*MADE.values()))
    columns = [part for name in ASKED for part in ("-e", name)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-Y", "kerberos && udp", "-T", "fields", *columns],
        check=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for data, line in zip(MADE.values(), lines, strict=True):
        fields = one(data).fields()
        for name, theirs in zip(ASKED, line.split("\t"), strict=True):
            ours = fields.get(name, [])
            assert theirs.split(",") == [str(each) for each in (ours if isinstance(ours, list) else [ours])] or (
                not theirs and not ours
            ), (name, theirs)
