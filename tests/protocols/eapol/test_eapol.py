"""EAPOL and EAP against known bytes, the declaration, tshark, and mutated frames."""

from __future__ import annotations

import oracle
import pytest
import wire
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_SERVER, Endpoint, Malformed
from amtdecode.protocols.dissector import NO, YES, Context
from amtdecode.protocols.eapol import EAPOL, EapMessage, EapolMessage
from amtdecode.protocols.eapol.messages import read
from amtdecode.protocols.eapol.spec import MESSAGE
from pcaps.eapol import ALERT, FAILURE, RESPONSE, SUCCESS, WHO, eap, eapol, identity

MADE = {
    "start": eapol(1),
    "logoff": eapol(2),
    "key": eapol(3, b"\xfe" + bytes(40)),
    "MKA": eapol(5, bytes(40), version=3),
    "who": WHO,
    "who, with words": eapol(0, eap(1, 1, 1, b"Example\0networkid=lab")),
    "identity": identity(1, "host/desk.example.com"),
    "MD5": eapol(0, eap(1, 2, 4, b"\x10" + bytes(16))),
    "nak": eapol(0, eap(RESPONSE, 2, 3, b"\x0d\x19")),
    "TLS begins": eapol(0, eap(1, 3, 13, b"\x20")),
    "alert": ALERT,
    "fragment": eapol(0, eap(RESPONSE, 4, 25, b"\xc0\0\0\x10\0" + bytes(90))),
    "acknowledged": eapol(0, eap(1, 5, 13, b"\0")),
    "notification": eapol(0, eap(1, 6, 2, b"Password expires")),
    "failure": eapol(0, eap(FAILURE, 7)),
    "success": eapol(0, eap(SUCCESS, 8)),
    "expanded": eapol(0, eap(1, 9, 254, bytes.fromhex("00013700000001") + b"xx")),
}
CONTEXT = Context("eapol", Endpoint(bytes(6), 0), Endpoint(bytes(6), 0))


def one(data: bytes) -> EapolMessage:
    (event,) = read(data)
    assert isinstance(event, EapolMessage)
    return event


def test_a_start() -> None:
    assert one(MADE["start"]).fields() == {"eapol.version": 1, "eapol.type": 1, "eapol.len": 0}
    assert one(MADE["start"]).summary() == "802.1X start"
    assert not isinstance(one(MADE["start"]), EapMessage)


def test_an_identity() -> None:
    assert one(MADE["identity"]).fields() == {
        "eapol.version": 1,
        "eapol.type": 0,
        "eapol.len": 26,
        "eap.code": 2,
        "eap.id": 1,
        "eap.len": 26,
        "eap.type": 1,
        "eap.identity": "host/desk.example.com",
    }
    assert one(MADE["identity"]).summary() == "EAP response, identity: host/desk.example.com"
    assert one(MADE["who, with words"]).fields()["eap.identity"] == "Example"  # what follows the NUL is no name


def test_methods_and_what_ends_them() -> None:
    assert one(MADE["nak"]).summary() == "EAP response, another method is wanted (Nak): EAP-TLS, PEAP"
    assert one(MADE["TLS begins"]).summary() == "EAP request, EAP-TLS, begins"
    assert one(ALERT).fields()["iamt.eap.alert"] == 48
    assert one(ALERT).summary() == "EAP response, EAP-TLS: TLS alert unknown_ca"
    fragment = one(MADE["fragment"]).fields()
    assert (fragment["eap.tls.flags"], fragment["eap.tls.len"]) == (0xC0, 4096)
    assert "iamt.eap.alert" not in fragment
    assert one(MADE["failure"]).summary() == "EAP failure"
    assert "eap.type" not in one(MADE["failure"]).fields()


def test_an_alert_is_told_only_where_it_is_all_of_a_message() -> None:
    whole = eap(RESPONSE, 3, 13, b"\0" + bytes.fromhex("15030300020230"))
    assert one(eapol(0, whole)).fields()["iamt.eap.alert"] == 48
    for inside in (b"\x40" + bytes.fromhex("15030300020230"), b"\0" + bytes.fromhex("1503030002023000")):
        assert "iamt.eap.alert" not in one(eapol(0, eap(RESPONSE, 3, 13, inside))).fields()
    assert "iamt.eap.alert" not in one(eapol(0, eap(RESPONSE, 3, 4, whole[5:]))).fields()


def test_padding_is_no_part_of_it() -> None:
    assert one(MADE["who"] + bytes(37)) == one(MADE["who"])
    assert one(eapol(0, eap(1, 1, 1) + b"\0\0")).data == MADE["who"][:2] + b"\0\7" + MADE["who"][4:]


def test_faults_keep_what_is_there() -> None:
    assert read(b"\1\0\0") == [Malformed("eapol", "3 of 4 bytes", b"\1\0\0")]
    assert read(b"\1\0\0\4\3\1") == [Malformed("eapol", "2 of 4 bytes of EAP", b"\1\0\0\4\3\1")]
    event, fault = read(MADE["identity"][:20])
    assert isinstance(event, EapMessage)
    assert event.identity == "host/desk.e"
    assert fault == Malformed("eapol", "26 bytes are declared, 16 are there", MADE["identity"][:20])
    event, fault = read(MADE["key"][:20])
    assert isinstance(fault, Malformed)
    event, fault = read(eapol(0, b"\1\1\0\x30\1"))
    assert isinstance(fault, Malformed)
    assert fault.reason == "an EAP packet of 48 bytes in a frame of 5"


def test_recognised() -> None:
    for data in MADE.values():
        assert EAPOL.recognise(data, TO_SERVER, CONTEXT) == YES
        assert EAPOL.recognise(data, TO_SERVER, CONTEXT._replace(transport="udp")) == NO
    assert EAPOL.recognise(MADE["identity"][:-1], TO_SERVER, CONTEXT) == NO


@pytest.mark.parametrize("name", MADE)
def test_the_reader_agrees_with_the_declaration(name) -> None:
    data = MADE[name]
    event, declared = one(data), MESSAGE.parse(data)
    assert (event.version, event.type) == (declared.version, declared.type)
    found = {}
    for each in (each for root in event.tree(data + bytes(4)) for each in root.walk() if each.name):
        found.setdefault(each.name, []).append(each.value)
    fields = {key: value if isinstance(value, list) else [value] for key, value in event.fields().items()}
    assert found == fields
    assert MESSAGE.build(declared) == data


@given(st.sampled_from([*MADE.values()]), st.data())
def test_no_bytes_make_it_raise(data, draw) -> None:
    at = draw.draw(st.integers(0, len(data)))
    changed = data[:at] + draw.draw(st.binary(max_size=6)) + data[at + draw.draw(st.integers(0, 6)) :]
    names = {field.name for field in EAPOL.fields()}
    for event in read(changed):
        if isinstance(event, EapolMessage):
            assert set(event.fields()) <= names
            assert event.summary()
            event.tree(changed)
            try:
                declared = MESSAGE.parse(changed)
            except ConstructError:
                continue
            if isinstance(event, EapMessage):
                assert (declared.data.code, declared.data.id) == (event.code, event.id)


ASKED = [
    *(f"eapol.{name}" for name in ("version", "type", "len")),
    *(f"eap.{name}" for name in ("code", "id", "len", "type", "identity", "notification", "desired_type")),
    *(f"eap.tls.{name}" for name in ("flags", "len")),
]


def compared(tshark, path, events) -> None:
    columns = [part for name in ASKED for part in ("-e", name)]
    lines = oracle.run(
        [tshark, "-n", "-r", str(path), "-Y", "eapol", "-T", "fields", *columns],
        check=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for event, line in zip(events, lines, strict=True):
        fields = event.fields()
        for name, theirs in zip(ASKED, line.split("\t"), strict=True):
            ours = fields.get(name, [])
            ours = ours if isinstance(ours, list) else [ours]
            if name == "eap.identity" and fields.get("eap.type") != 1:
                continue  # tshark also shows those inside EAP-SIM
            if name == "eap.desired_type":
                ours = ours[:1]  # tshark leaves out those behind
            assert [str(int(part, 0)) if part[:2] == "0x" else part for part in theirs.split(",") if part] == [
                str(each) for each in ours
            ], (name, event)


def test_agrees_with_tshark(tshark, tmp_path) -> None:
    path = tmp_path / "made.pcap"
    path.write_bytes(wire.pcap([wire.ether(data + bytes(max(0, 46 - len(data))), 0x888E) for data in MADE.values()]))
    compared(tshark, path, [one(data) for data in MADE.values()])


def test_agrees_with_tshark_on_recorded_traffic(shared, tshark) -> None:
    path = shared / "captures" / "third-party" / "tcpdump" / "eapon1.pcap"
    observations = wire.observe(path.read_bytes())
    events = [each.event for each in observations if isinstance(each.event, EapolMessage)]
    assert len(events) == 41
    assert not [each for each in observations if each.protocol == "eapol" and isinstance(each.event, Malformed)]
    compared(tshark, path, events)


def test_who_sends_is_told_by_hardware_address() -> None:
    frame = wire.ether(MADE["who"] + bytes(37), 0x888E, src=bytes.fromhex("00005e005301"))
    (one,) = wire.observe(wire.pcap([frame]))
    assert one.flow is not None
    assert (one.flow.transport, one.flow.client.address) == ("eapol", "00:00:5e:00:53:01")
    assert one.flow.server.address == "02:00:00:00:00:01"
    assert str(one.flow.client) == "[00:00:5e:00:53:01]:0"
    tagged = wire.ether(b"\0\5\x88\x8e" + MADE["who"], 0x8100)  # in a VLAN
    assert [each.event for each in wire.observe(wire.pcap([tagged]))] == [EapMessage(MADE["who"])]
    cooked = bytes.fromhex("00000001000600005e0053010000888e") + MADE["who"]  # Linux's pseudo-interface has no target
    (one,) = wire.observe(wire.pcap([cooked], link=113))
    assert (one.flow.client.address, one.flow.server.address) == ("00:00:5e:00:53:01", "0.0.0.0")
