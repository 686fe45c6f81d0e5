"""The declaration of Kerberos: places against tshark, values against the reader of the room, hostile bytes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pdml
import pytest
import wire
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

import amtdecode
from amtdecode.protocols.gssapi import read_kdc_message, read_token
from amtdecode.protocols.kerberos import KerberosMessage
from amtdecode.protocols.kerberos.spec import MESSAGES, tree
from pcaps import kerberos

PCAPS = Path(__file__).resolve().parents[3] / "pcaps"
SPN = "HTTP/desk.example.com:16992"
PREAUTH = {"type": 128, "value": bytes.fromhex("3005a0030101ff"), "rest": b""}


def with_preauth() -> bytes:
    """A TGS-REQ with a part of preauthentication in front of its body."""
    plain = MESSAGES[12].parse(kerberos.asks(12, SPN))
    plain.preauth = [PREAUTH]
    return bytes(MESSAGES[12].build(plain))


MADE = {
    "AS-REQ": kerberos.asks(10, "krbtgt/EXAMPLE.COM", "admin"),
    "AS-REP": kerberos.gives(11),
    "TGS-REQ": kerberos.asks(12, SPN),
    "TGS-REP": kerberos.gives(13),
    "unknown": kerberos.error(7, ""),
    "skew": kerberos.error(37),
    "preauthentication": with_preauth(),
}
UNREAD = {"kerberos.padata_value"}  # tshark reads on inside
"""Fields that only we show."""


def walk(nodes):
    return [one for root in nodes for one in root.walk() if one.name]


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Path:
    """Each message over UDP and over TCP."""
    path = tmp_path_factory.mktemp("kerberos") / "made.pcap"
    packets = [wire.ipv4(wire.udp(data, 40000 + number, 88), proto=17) for number, data in enumerate(MADE.values())]
    for number, data in enumerate(MADE.values()):
        talk = wire.Talk(sport=50000 + number, dport=88)
        packets += [*talk.open(), *talk.say(len(data).to_bytes(4, "big") + data), *talk.close()]
    path.write_bytes(wire.pcap(wire.frames(packets)))
    return path


@pytest.mark.parametrize("path", ["", "kdc.pcapng"])
def test_fields_stand_where_tshark_says(tshark, capture, path) -> None:
    path = PCAPS / path if path else capture
    theirs = pdml.places(tshark, path, "kerberos")
    messages = 0
    for one in amtdecode.read(path, pdus=True, protocols=[], filter="kerberos"):
        if not isinstance(one.event, KerberosMessage):
            continue
        nodes = [each for each in walk(one.tree()) if each.name not in UNREAD]
        ours = Counter((each.name, each.start, each.length) for each in nodes)
        names = {each.name for each in nodes}
        expected = [
            Counter((name, start, size) for name, start, size, _ in fields if name in names and size)
            for fields in theirs[one.packet]
        ]
        assert ours in expected, (one.packet, ours - expected[0], expected[0] - ours)
        messages += 1
    assert messages >= (2 * len(MADE) if path == capture else 2)


def test_known_values() -> None:
    found = {each.name: (each.value, each.words, each.start, each.length) for each in walk(tree(MADE["skew"]))}
    assert found["kerberos.krb_error_element"] == (None, "", 2, 118)
    assert found["kerberos.error_code"] == (37, "clocks too far apart (KRB_AP_ERR_SKEW)", 61, 1)
    assert found["kerberos.ctime"] == ("20261129202000Z", "", 18, 15)
    assert found["kerberos.stime"][0] == "20261129203140Z"
    assert found["kerberos.sname_string"][0] == 2
    over_tcp = walk(tree((120).to_bytes(4, "big") + MADE["skew"]))
    assert [(each.name, each.value, each.start) for each in over_tcp[:2]] == [
        ("kerberos.rm.length", 120, 0),
        ("kerberos.krb_error_element", None, 6),
    ]


@pytest.mark.parametrize("name", MADE)
def test_the_tree_says_what_the_event_says(name: str) -> None:
    token = read_kdc_message(MADE[name])
    assert token is not None
    in_tree: dict[str, list] = {}
    for each in walk(tree(MADE[name])):
        in_tree.setdefault(each.name, []).append(each.value)
    fields = {each: value for each, value in KerberosMessage(token).fields().items() if each[:5] != "iamt."}
    assert len(fields) > 3
    for each, value in fields.items():
        assert in_tree[each] == (value if isinstance(value, list) else [value]), each


@pytest.mark.parametrize("name", MADE)
def test_what_is_declared_builds_the_same_message(name: str) -> None:
    """Not always the same bytes: DER has one byte for a length of 128 to 255, the captures' builder two."""
    message = MESSAGES[MADE[name][0] & 0x1F]
    again = message.build(message.parse(MADE[name]))
    assert read_kdc_message(again) == read_kdc_message(MADE[name]) is not None
    assert again == MADE[name] or len(again) < len(MADE[name])
    assert message.build(message.parse(again)) == again


def test_logins_are_declared_too() -> None:
    login = MESSAGES[14].parse(kerberos.REQUEST)
    assert (login.ticket.realm, login.ticket.service.parts[0]) == (b"EXAMPLE.COM", b"HTTP")
    assert read_token(MESSAGES[14].build(login)) == read_token(kerberos.REQUEST) is not None


def test_a_cut_message_gives_what_stands_before_the_cut() -> None:
    whole = walk(tree(MADE["TGS-REP"]))
    assert walk(tree(MADE["TGS-REP"][:20])) == []  # the length of all says that it is cut
    broken = bytearray(MADE["TGS-REP"])
    at = next(each.start for each in whole if each.name == "kerberos.crealm")
    broken[at - 2] = 0x0C  # no GeneralString
    names = [each.name for each in walk(tree(bytes(broken)))]
    assert names == ["kerberos.pvno", "kerberos.msg_type"]


@given(st.sampled_from(list(MADE.values())), st.integers(0, 300), st.binary(min_size=1, max_size=9))
def test_hostile_bytes_raise_nothing(data: bytes, at: int, more: bytes) -> None:
    broken = data[:at] + more + data[at + len(more) :]
    for each in walk(tree(broken)):
        assert 0 <= each.start <= each.start + each.length <= len(broken)
    message = MESSAGES[data[0] & 0x1F]
    try:
        message.parse(broken)
    except ConstructError:
        return


def test_a_length_that_no_message_has() -> None:
    for length in (b"\xff" * 128, b"\x80", b"\x84\xff\xff\xff\xff"):
        assert tree(b"\x7e" + length + bytes(300)) == ()
