"""Redirection against bytes of real machines, recorded traffic, its declaration, gaps and mutations."""

from __future__ import annotations

import pytest
import redir_messages as made
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Gap, Note, Payload, Truncated, Unrecognised
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.redir import REDIR, names
from amtdecode.protocols.redir.framing import MAX_LOGIN
from amtdecode.protocols.redir.messages import IderCommand, IderToHost, RedirAnswer, RedirLogin, RedirMessage, SolData
from amtdecode.protocols.redir.spec import declaration
from amtdecode.secrets import Keys

CONTEXT = Context("tcp", Endpoint(b"\xc0\0\2\1", 40000), Endpoint(b"\xc0\0\2\2", 16994))

# as published from hardware, MeshCommander issue 24; `*` there, texts of these lengths here
AMT_12 = [
    (TO_SERVER, bytes.fromhex("100100004b564d52")),
    (TO_CLIENT, bytes.fromhex("1100000001000c005701000000")),
    (TO_SERVER, bytes.fromhex("130000000000000000")),
    (TO_CLIENT, bytes.fromhex("14000000000100000004")),
    (TO_SERVER, made.FIRST_STEP),
    (TO_CLIENT, made.CHALLENGE),
    (TO_SERVER, made.login("P@ssw0rd")),
    (TO_CLIENT, bytes.fromhex("140000000400000000")),
    (TO_SERVER, bytes.fromhex("4000000000000000")),
    (TO_CLIENT, bytes.fromhex("4100000000000000") + b"RFB 003.008\n"),
]


def say(parts, context=CONTEXT, size=1 << 16, ends=True):
    dissector, told = REDIR.dissector(context), []
    for direction, data in parts:
        if isinstance(data, int):
            told += dissector.receive_gap(direction, data)
            continue
        for at in range(0, len(data), size):
            told += dissector.receive_data(direction, data[at : at + size])
    for direction in (TO_SERVER, TO_CLIENT) if ends else ():
        told += dissector.receive_eof(direction, End.FIN)
    return told


def events(parts, **more):
    return [each.event for each in say(parts, **more)]


def summaries(parts, **more):
    return [each.summary() for each in events(parts, **more) if not isinstance(each, Payload)]


def test_the_lengths_are_those_of_a_real_machine() -> None:
    """In the published dialogue the first login has 20h bytes of data, the challenge 4Eh, the second login B3h."""
    assert [made.FIRST_STEP[:9].hex(), made.CHALLENGE[:9].hex(), made.login("x")[:9].hex()] == [
        "130000000420000000",
        "14010000044e000000",
        "1300000004b3000000",
    ]


def test_kvm_of_amt_12_up_to_rfb() -> None:
    told = events(AMT_12)
    assert summaries(AMT_12) == [
        "Redirection: KVM session is asked for",
        "Redirection: KVM session open, AMT 12.0",
        "Redirection: how can one log in?",
        "Redirection: ways to log in: digest (RFC 2617)",
        "Redirection: a challenge for digest (RFC 2617) is asked for",
        f"Redirection: challenge, realm {made.REALM}",
        "Redirection: login as admin, digest (RFC 2617)",
        "Redirection: login accepted",
        "Redirection: KVM open",
        "Redirection: KVM open reply",
    ]
    assert told[-1] == Payload(b"RFB 003.008\n", "vnc")


def test_busy_as_a_real_machine_says_it() -> None:
    _, event = events([(TO_CLIENT, made.STARTED), (TO_CLIENT, bytes.fromhex("140200000100000000"))])
    assert isinstance(event, RedirAnswer)
    assert (event.status, event.method, event.refused) == (2, 1, False)
    assert event.summary() == "Redirection: login not taken: busy"
    told = summaries([(TO_SERVER, made.start("KVM")), (TO_CLIENT, made.refused(2))])
    assert told[-1] == "Redirection: KVM session refused: busy"


def test_digest_is_checked_with_the_password_given(tmp_path) -> None:
    def verified(password: bytes, method: int = 4, user: str = "admin"):
        (tmp_path / "password").write_bytes(password)
        keys = Keys.load(http_passwords=[f"admin={tmp_path / 'password'}"])
        parts = [(TO_SERVER, made.start("SOL") + made.login("P@ssw0rd", method, user))]
        (login,) = [e for e in events(parts, context=CONTEXT._replace(keys=keys)) if isinstance(e, RedirLogin)]
        return login.verified

    assert verified(b"P@ssw0rd") is True
    assert verified(b"P@ssw0rd", 3) is True
    assert verified(b"p@ssw0rd") is False
    assert verified(b"P@ssw0rd", user="other") is None
    login = RedirLogin(data=made.login("P@ssw0rd"), verified=True)
    assert login.summary().endswith(", password right")
    assert login.fields()["iamt.redir.auth.verified"] is True


def test_every_element_of_a_login() -> None:
    login = RedirLogin(data=made.login("P@ssw0rd"))
    fields = login.fields()
    response = fields.pop("iamt.redir.auth.response")
    assert len(response) == 32
    assert fields == {
        "iamt.redir.type": 0x13,
        "iamt.redir.auth.type": 4,
        "iamt.redir.auth.user": "admin",
        "iamt.redir.auth.realm": made.REALM,
        "iamt.redir.auth.nonce": made.NONCE,
        "iamt.redir.auth.uri": "/RedirectionService",
        "iamt.redir.auth.cnonce": "0a4f113b0a4f113b0a4f113b0a4f113b",
        "iamt.redir.auth.nc": "00000002",
        "iamt.redir.auth.qop": "auth",
    }
    assert response not in repr(login)


def test_secrets_are_masked() -> None:
    clear = RedirLogin(data=made.made(names.LOGIN, method=1, data={"user": b"admin", "password": b"P@ssw0rd"}))
    assert clear.fields()["iamt.redir.auth.password"] == "P@ssw0rd"
    assert clear.masked_fields()["iamt.redir.auth.password"] == "********"
    typed = [each for each in events(made.SOL) if isinstance(each, SolData) and each.type == names.SOL_TO_HOST]
    assert [each.fields()["iamt.sol.typed"] for each in typed] == ["root\r", "S3cret-typed\r"]
    for each in (clear, *typed):
        assert "P@ssw0rd" not in repr(each) + each.summary()
        assert "S3cret" not in repr(each) + each.summary()


def test_a_console() -> None:
    assert summaries(made.SOL)[8:] == [
        "Redirection: SOL start",
        "Redirection: SOL begins",
        "Redirection: SOL console controls",
        "SOL: host on",
        "SOL: the host shows login:",
        "SOL: 5 bytes typed",
        "SOL: the host shows Password:",
        "SOL: 13 bytes typed",
        "Redirection: SOL heartbeat",
        "Redirection: SOL end",
        "Redirection: SOL end reply",
        "Redirection: end session",
    ]
    carried = [(each.direction, each.event.data) for each in say(made.SOL) if isinstance(each.event, Payload)]
    assert carried == [
        (TO_CLIENT, b"login: "),
        (TO_SERVER, b"root\r"),
        (TO_CLIENT, b"Password: "),
        (TO_SERVER, b"S3cret-typed\r"),
    ]
    unknown = next(each for each in events(made.SOL) if getattr(each, "type", 0) == names.SOL_CONSOLE)
    assert unknown.fields()["iamt.redir.data"] == "00001b000000"


def test_a_drive() -> None:
    assert summaries(made.IDER)[8:] == [
        "IDE-R is to begin",
        "IDE-R open, AMT 9.1",
        "IDE-R features: set 0x19",
        "IDE-R features reply: set 0x1",
        "IDE-R CD: TEST UNIT READY",
        "IDE-R command end: unit attention, 28/00",
        "IDE-R CD: READ (10), block 16, 2 blocks",
        "IDE-R: 2048 bytes for the host, more follows",
        "IDE-R: 2048 bytes for the host",
        "Redirection: IDE-R heartbeat",
        "Redirection: IDE-R close",
        "Redirection: IDE-R close reply",
    ]
    command = next(each for each in events(made.IDER) if isinstance(each, IderCommand) and each.is_read)
    assert {name: value for name, value in command.fields().items() if "scsi" in name} == {
        "iamt.ider.scsi.command": 0x28,
        "iamt.ider.scsi.lba": 16,
        "iamt.ider.scsi.blocks": 2,
        "iamt.ider.scsi.cdb": "280000000010000002000000",
    }
    data = [each.event for each in say(made.IDER) if isinstance(each.event, Payload)]
    assert b"".join(each.data for each in data) == made.BLOCKS + made.BLOCKS[::-1]
    assert all(isinstance(each.head, IderToHost) and each.head.command == command for each in data)


@pytest.mark.parametrize(
    ("cdb", "block", "blocks"),
    [
        (bytes.fromhex("080123450000"), 0x12345, 256),
        (bytes.fromhex("0a0123450700"), 0x12345, 7),
        (bytes.fromhex("2a00000000ff0000100000"), 255, 16),
        (bytes.fromhex("a800000001000000020000"), 0x100, 0x200),
        (bytes.fromhex("2500000000000000000000"), None, None),
    ],
)
def test_blocks_of_commands(cdb, block, blocks) -> None:
    command = IderCommand(data=made.command(cdb, 0xA0))
    assert (command.block, command.blocks, command.device) == (block, blocks, 0xA0)


def test_the_same_numbers_mean_another_thing_in_kvm() -> None:
    assert len(made.OPEN) == 18
    with_kvm = [(TO_SERVER, made.start("KVM") + bytes.fromhex("4000000000000000") + b"RFB 003.008\n")]
    assert events(with_kvm)[-1] == Payload(b"RFB 003.008\n", "vnc")


def test_what_nobody_knows_stays_unknown_with_its_bytes() -> None:
    odd = b"\x77\1\2\3" + made.QUERY
    told = say([(TO_SERVER, made.start("SOL") + odd), (TO_SERVER, bytes(100))])
    what = "message of type 0x77, which no public source tells"
    assert told[1].event == Unrecognised("iamt.redir", what, (odd + bytes(100))[:64])
    assert len(told) == 2
    assert (told[1].start, told[1].end) == (8, 8 + 64)
    assert events([(TO_SERVER, made.start("SOL") + odd)])[1:] == [Unrecognised("iamt.redir", what, odd)]
    too_long = made.QUERY[:5] + (MAX_LOGIN + 1).to_bytes(4, "little")
    assert isinstance(events([(TO_SERVER, made.start("SOL") + too_long)])[1], Unrecognised)


def test_a_gap_inside_a_message_costs_that_message_alone() -> None:
    text = made.console(names.SOL_FROM_HOST, b"x" * 100)
    behind = made.console(names.SOL_FROM_HOST, b"behind")
    told = events([(TO_CLIENT, made.STARTED + text[:40]), (TO_CLIENT, 50), (TO_CLIENT, text[90:] + behind)])
    assert told[1:3] == [
        Truncated("iamt.redir", "SOL data from host: bytes of it are missing from the capture", 53, 50),
        Gap("iamt.redir", 50),
    ]
    assert told[3].text == "behind"
    beyond = events([(TO_CLIENT, made.STARTED + text[:40]), (TO_CLIENT, 80), (TO_CLIENT, behind)])
    assert [type(each) for each in beyond[1:]] == [Note, Gap]


def test_a_message_that_ends_early() -> None:
    told = say([(TO_SERVER, made.start("SOL") + made.SOL_START[:10])])
    assert told[-1].event == Truncated("iamt.redir", "SOL start ends early (FIN)", 18, 14)


@pytest.mark.parametrize(
    ("data", "direction", "port", "verdict"),
    [
        (made.start("SOL"), TO_SERVER, 5000, YES),
        (made.start("KVM"), TO_SERVER, 5000, YES),
        (b"\x10\0\0\0SOL", TO_SERVER, 5000, MORE),
        (b"\x10\0\0\0SOX", TO_SERVER, 16994, NO),
        (b"\x10\2\0\0SOL ", TO_SERVER, 16994, NO),
        (made.STARTED, TO_CLIENT, 16994, YES),
        (made.STARTED, TO_CLIENT, 5000, NO),
        (b"\x11\x77\0\0", TO_CLIENT, 16994, NO),
        (b"GET / HTTP/1.1\r\n", TO_SERVER, 16994, NO),
    ],
)
def test_recognised(data, direction, port, verdict) -> None:
    context = CONTEXT._replace(server=Endpoint(b"\xc0\0\2\2", port))
    assert REDIR.recognise(data, direction, context) == verdict


@pytest.mark.parametrize("parts", [made.SOL, made.IDER], ids=["sol", "ider"])
def test_trees_stand_where_the_declaration_has_them(parts) -> None:
    told = [each for each in say(parts) if isinstance(each.event, RedirMessage)]
    whole = {TO_SERVER: b"", TO_CLIENT: b""}
    for direction, data in parts:
        whole[direction] += data
    for each in told:
        pdu = whole[each.direction][each.start : each.end]
        fields = each.event.fields()
        nodes = [one for root in each.event.tree(pdu) for one in root.walk() if one.name]
        assert nodes[0].name == "iamt.redir.type"
        assert nodes[0].value == each.event.type == pdu[0]
        for one in nodes:
            assert 0 <= one.start <= one.start + one.length <= len(pdu)
            if one.name in fields:
                value = fields[one.name]
                assert one.value == value or str(one.value) == str(value), one


@pytest.mark.parametrize("parts", [made.SOL, made.IDER, AMT_12], ids=["sol", "ider", "kvm"])
@given(st.data())
def test_any_split_says_the_same_and_no_bytes_make_it_raise(parts, data) -> None:
    whole, split = ([(s.event, s.start) for s in told if not isinstance(s.event, Payload)]
                    for told in (say(parts), say(parts, size=data.draw(st.integers(1, 60)))))  # fmt: skip
    assert split == whole
    changed = list(parts)
    at = data.draw(st.integers(0, len(changed) - 1))
    direction, message = changed[at]
    place = data.draw(st.integers(0, len(message)))
    changed[at] = (direction, message[:place] + data.draw(st.binary(max_size=5)) + message[place + 1 :])
    known = {field.name for field in REDIR.fields()}
    for each in events(changed):
        assert isinstance(each.summary(), str)
        if isinstance(each, RedirMessage):
            assert set(each.fields()) <= known
            each.tree(each.data)


def test_recorded_traffic_decodes_without_an_unexplained_byte(shared) -> None:
    import wire

    folder = shared / "captures" / "loopback" / "redir"
    log = (folder / "amtterm.out").read_text()
    told = [
        o.event for o in wire.observe((folder / "sol_16994_amtterm.pcap").read_bytes()) if o.protocol == "iamt.redir"
    ]
    assert all(isinstance(each, RedirMessage) for each in told)
    assert len(told) == 17
    shown = "".join(each.text for each in told if isinstance(each, SolData))
    assert all(line in log for line in ("Welcome to AMT SOL", "login: root", "SOL device is running in loopback mode"))
    assert shown.startswith("Welcome to AMT SOL\r\nlogin: root\r")
    (state,) = [each for each in told if each.type == names.SOL_CONTROLS]
    assert state.fields() == {
        "iamt.redir.type": 0x29,
        "iamt.redir.sequence": 1,
        "iamt.sol.rts": True,
        "iamt.sol.dtr": True,
        "iamt.sol.break": False,
        "iamt.sol.tx_overflow": False,
        "iamt.sol.loopback": True,
        "iamt.sol.powered": True,
        "iamt.sol.rx_flush_timeout": False,
        "iamt.sol.test_mode": False,
    }


def test_the_declaration_reads_what_it_builds() -> None:
    parsed = declaration(names.LOGIN).parse(made.login("x"))
    assert (parsed.method, parsed.data.user, parsed.data.nc) == (4, b"admin", b"00000002")
    assert declaration(names.IDER_TO_HOST).parse(made.to_host(b"abc", last=True)).data == b"abc"
