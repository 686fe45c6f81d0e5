"""Hello messages: every field of known bytes, the declaration as the reference reader, odd and hostile input."""

from __future__ import annotations

import struct
import uuid

import msgspec
import pytest
import wire
from construct import ConstructError
from hypothesis import example, given
from hypothesis import strategies as st

from amtdecode.capture import open_capture
from amtdecode.engine import Engine
from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Gap, Malformed, Statement, Truncated
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.hello import (
    HELLO,
    MAX_MESSAGE,
    HelloAnswer,
    HelloDissector,
    HelloMessage,
    PartialHello,
    messages,
    read_hello,
    recognise,
    single_message,
    spec,
)
from amtdecode.protocols.hello.messages import pid_is_valid, read_uuid
from amtdecode.protocols.hello.roots import ROOTS
from amtdecode.protocols.memory import Memory

HOME = Context("tcp", Endpoint(bytes(4), 49152), Endpoint(bytes(4), 9971))
ABROAD = Context("tcp", Endpoint(bytes(4), 49152), Endpoint(bytes(4), 8080))


def dissected(pieces, end=End.FIN, context=HOME):
    dissector = HelloDissector(context)
    found = [statement for piece in pieces for statement in dissector.receive_data(TO_SERVER, piece)]
    return found + list(dissector.receive_eof(TO_SERVER, end))


def events(*pieces, **more):
    return [statement.event for statement in dissected(pieces, **more)]


def header(version, retry=0, credentials=0):
    return struct.pack("<HHI", credentials, version, retry) + wire.UUID_BYTES


def pki(*hashes, count=None, retry=0):
    entries = b"".join(bytes([algorithm, len(value)]) + value for algorithm, value in hashes)
    return header(3, retry) + bytes([len(hashes) if count is None else count]) + entries


# -- known messages ---------------------------------------------------------------------------------------------------


def test_psk():
    (message,) = events(wire.PSK_HELLO)
    assert message == HelloMessage(1, 2, 4, wire.UUID_TEXT, "0000037M")
    assert message.pid_check is True
    assert dict(message.fields()) == {
        "iamt.hello.version": 2,
        "iamt.hello.admin_credentials_set": True,
        "iamt.hello.retry_count": 4,
        "iamt.hello.uuid": wire.UUID_TEXT,
        "iamt.hello.pid": "0000037M",
        "iamt.hello.pid.check": True,
    }
    assert message.summary() == f"Hello PSK, UUID {wire.UUID_TEXT}, PID 0000-037M, retry 4"


def test_pki():
    (message,) = events(wire.PKI_HELLO)
    assert dict(message.fields()) == {
        "iamt.hello.version": 3,
        "iamt.hello.admin_credentials_set": False,
        "iamt.hello.retry_count": 1,
        "iamt.hello.uuid": wire.UUID_TEXT,
        "iamt.hello.hash_count": 2,
        "iamt.hello.hash.algorithm": [2, 1],
        "iamt.hello.hash.value": [wire.SHA256_VALUE.hex(), bytes(range(20)).hex()],
        "iamt.hello.hash.name": ["Go Daddy Class 2 CA", ""],
    }
    assert message.pid_check is None
    assert message.summary() == f"Hello PKI, UUID {wire.UUID_TEXT}, 2 root hashes, retry 1"


def by_hand(data):
    """The layout of Intel's guide, read a second time without the code under test."""
    assert data[2:4] == b"\x03\x00"
    at, hashes = 25, []
    for _ in range(data[24]):
        hashes.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    assert at == len(data)
    return {
        "iamt.hello.version": 3,
        "iamt.hello.admin_credentials_set": data[0] == 1,
        "iamt.hello.retry_count": int.from_bytes(data[4:8], "little"),
        "iamt.hello.uuid": str(uuid.UUID(bytes_le=data[8:24])),
        "iamt.hello.hash_count": len(hashes),
        "iamt.hello.hash.algorithm": [algorithm for algorithm, _ in hashes],
        "iamt.hello.hash.value": [value.hex() for _, value in hashes],
        "iamt.hello.hash.name": [ROOTS[value.hex()].name if value.hex() in ROOTS else "" for _, value in hashes],
    }


@pytest.mark.parametrize(("number", "size", "count"), [(1, 807, 23), (2, 841, 24)])
def test_published_messages(shared, number, size, count):
    data = (shared / "captures" / "loopback" / "hello" / f"meshcentral_hello_{number}.bin").read_bytes()
    (statement,) = dissected([data])
    assert (statement.direction, statement.start, statement.end) == (TO_SERVER, 0, size)
    fields = dict(statement.event.fields())
    assert fields == by_hand(data)
    assert fields["iamt.hello.hash_count"] == count
    assert fields["iamt.hello.hash.algorithm"] == [2] * count
    assert "Go Daddy Class 2 CA" in fields["iamt.hello.hash.name"]
    assert statement.event == single_message(data, TO_SERVER, Memory())


FIRST, OTHER = "939b524b-13d4-1d18-e487-1c697a6b7a2b", "d2ffc23e-9dd1-412d-860a-54b2039b72ff"
CAPTURED = [
    # flow, packets that carry it, version, retry, UUID, root hashes or PID
    (0, (4,), 3, 0, FIRST, 23),
    (1, (12, 14, 16), 3, 0, FIRST, 24),
    (2, tuple(range(24, 41, 2)), 3, 1, OTHER, 24),
    (3, (48,), 3, 0, FIRST, 23),  # its connection is reset
    (5, (62,), 2, 3, FIRST, "ABCD1234"),
]


def test_the_capture_of_hellos(shared):
    """Whole, split, reset and cut ones, each with the packets that carried it and every field."""
    path = str(shared / "captures" / "loopback" / "hello" / "amt_hello_9971.pcap")
    sent = {}

    def tap(flow, chunk):
        if not chunk.sender.direction:
            sent[flow.number] = sent.get(flow.number, b"") + chunk.data

    list(Engine(tcp_tap=tap).observe(open_capture(path)))
    found = list(Engine().observe(open_capture(path)))
    begun, cut = found.pop(4), found.pop(4)
    assert cut.event == Truncated("iamt.hello", "the message ends early (FIN)", 300, 31)
    assert (begun.flow.number, begun.packets) == (cut.flow.number, cut.packets) == (4, (54,))
    assert begun.event.summary() == f"Beginning of a hello PKI, UUID {FIRST}, 8 of 23 root hashes"
    assert len(sent[4]) == 300
    fields = dict(begun.event.fields())
    assert (fields.pop("iamt.hello.partial"), fields.pop("iamt.hello.hash_count")) == (True, 23)
    whole_part = by_hand(sent[4][:24] + b"\x08" + sent[4][25 : 25 + 8 * 34])
    assert whole_part.pop("iamt.hello.hash_count") == 8
    assert fields == whole_part
    rows = []
    for one in found:
        event = one.event
        more = event.pid if event.version == 2 else len(event.hashes)
        rows.append((one.flow.number, one.packets, event.version, event.retry_count, event.uuid, more))
        if event.version == 3:
            assert dict(event.fields()) == by_hand(sent[one.flow.number])
    assert rows == CAPTURED
    assert found[-1].event.pid_check is False
    assert found[-1].event.admin_credentials_set == 1


# -- the declaration --------------------------------------------------------------------------------------------------


def declared(data):
    """What the declaration says: the fields, or `None` when it refuses."""
    try:
        parsed = spec.Hello.parse(data)
    except ConstructError:
        return None
    body = parsed.body
    more = {2: lambda: body.pid, 3: lambda: [(entry.algorithm, entry.value) for entry in body.hashes]}
    rest = more.get(parsed.version, lambda: body.rest)()
    return parsed.admin_credentials_set, parsed.version, parsed.retry_count, parsed.uuid, rest


def fast(data):
    """The same of the fast reader, for messages that fill the bytes."""
    message, size, _ = read_hello(data)
    if message is None:
        if len(data) < 24:
            return None
        found = (events(data) or (None,))[0]
        if not isinstance(found, HelloMessage):
            return None
        message, size = found, len(data)
    if size != len(data):
        return None
    rest = message.rest
    if message.version == 2:
        rest = message.pid.encode("latin-1")
    elif message.version == 3:
        rest = [entry[:2] for entry in message.hashes]
    return message.admin_credentials_set, message.version, message.retry_count, uuid.UUID(message.uuid).bytes_le, rest


hash_lists = st.lists(
    st.tuples(
        st.integers(0, 255), st.one_of(st.binary(max_size=60), st.sampled_from([bytes(20), bytes(32), bytes(48)]))
    ),
    max_size=40,
)
heads = st.builds(header, st.sampled_from([2, 3]), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))
good = st.one_of(
    st.builds(lambda head, pid: head[:2] + b"\2\0" + head[4:] + pid, heads, st.binary(min_size=8, max_size=8)),
    st.builds(
        lambda head, hashes: head[:2] + b"\3\0" + pki(*hashes)[4:8] + head[8:] + pki(*hashes)[24:], heads, hash_lists
    ),
)
bad = st.builds(lambda data, cut, more: data[: len(data) - cut] + more, good, st.integers(0, 40), st.binary(max_size=5))


@given(st.one_of(good, bad, st.builds(bytes.__add__, heads, st.binary(max_size=80)), st.binary(max_size=100)))
@example(wire.PSK_HELLO)
@example(wire.PKI_HELLO)
@example(header(7) + b"something")
@example(header(7))
def test_the_fast_reader_agrees_with_the_declaration(data):
    assert fast(data) == declared(data)


@given(good)
def test_good_messages_are_read_and_built_again(data):
    assert declared(data) is not None
    assert spec.Hello.build(spec.Hello.parse(data)) == data


@given(good, st.data())
def test_any_split_gives_the_same(data, draw):
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(data) - 1), max_size=6)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert dissected(pieces) == dissected([data])


@given(st.one_of(good, bad, st.binary(min_size=1, max_size=100)))
def test_any_bytes_give_statements_never_an_exception(data):
    for statement in dissected([data]):
        assert 0 <= statement.start <= statement.end <= len(data)
        json = statement.event.fields_json()
        if json is not None:
            assert json == msgspec.json.encode(dict(statement.event.fields()))
        statement.event.summary()


# -- odd ones ---------------------------------------------------------------------------------------------------------


def test_a_message_without_hashes_and_one_with_255():
    assert events(pki())[0].hashes == ()
    many = [(2, bytes([n]) * 32) for n in range(255)]
    (message,) = events(pki(*many))
    assert [entry[:2] for entry in message.hashes] == many


def test_more_than_24_hashes():
    values = [(2, bytes.fromhex(digest)) for digest, root in ROOTS.items() if root.algorithm == "SHA-256"]
    assert len(values) > 24
    (message,) = events(pki(*values))
    assert [entry.name for entry in message.hashes] == [ROOTS[value.hex()].name for _, value in values]
    assert all(entry.name for entry in message.hashes)


def test_odd_hashes_are_kept_and_told():
    found = events(pki((1, bytes(32)), (9, b"xyz"), (3, bytes(48)), (2, b"")))
    assert [entry[:2] for entry in found[0].hashes] == [(1, bytes(32)), (9, b"xyz"), (3, bytes(48)), (2, b"")]
    assert found[1:] == [
        Malformed(
            "iamt.hello",
            "hash 1 at byte 25 is 32 bytes long where SHA-1 has 20; hash 2 at byte 59 has unknown algorithm 9; "
            "hash 4 at byte 114 is 0 bytes long where SHA-256 has 32",
        )
    ]


@pytest.mark.parametrize(("more", "shown"), [(b"!", b"!"), (b"x" * 100, b"x" * 64)])
def test_bytes_behind_the_message(more, shown):
    for message in (wire.PSK_HELLO, wire.PKI_HELLO):
        size = len(message)
        first, second = dissected([message + more])
        assert first.event == events(message)[0]
        count = "1 byte" if len(more) == 1 else f"{len(more)} bytes"
        assert second.event == Malformed(
            "iamt.hello", f"{count} behind the end of the message, from byte {size}", shown
        )
        assert (second.start, second.end) == (size, size + len(more))


@pytest.mark.parametrize("message", [wire.PSK_HELLO, wire.PKI_HELLO])
def test_cut_messages_say_what_is_missing(message):
    for size in range(24, len(message)):
        begun, statement = dissected([message[:size]], end=End.RESET)
        event = statement.event
        assert isinstance(begun.event, PartialHello)
        assert begun.event.fields()["iamt.hello.uuid"] == wire.UUID_TEXT
        assert isinstance(event, Truncated)
        assert (event.offset, event.reason) == (size, "the message ends early (RST)")
        assert 0 < event.missing <= len(message) - size
    if message is wire.PSK_HELLO:
        assert event.missing == 1


@pytest.mark.parametrize("version", [0, 1, 4, 16])
def test_unknown_versions_are_decoded_to_the_uuid(version):
    (message,) = events(header(version, 5, 1) + b"who knows")
    assert message == HelloMessage(1, version, 5, wire.UUID_TEXT, rest=b"who knows")
    assert dict(message.fields())["iamt.hello.rest"] == b"who knows".hex()
    assert message.summary() == f"Hello of unknown version {version}, UUID {wire.UUID_TEXT}, retry 5"


def test_an_unknown_version_is_held_within_its_limit():
    dissector = HelloDissector(HOME)
    for _ in range(40):
        assert list(dissector.receive_data(TO_SERVER, header(1) + bytes(10_000))) == []
    (statement,) = dissector.receive_eof(TO_SERVER, End.FIN)
    assert len(statement.event.rest) == MAX_MESSAGE - 24


@pytest.mark.parametrize(
    ("message", "size", "shown"),
    [
        (wire.PSK_HELLO, 24, {"iamt.hello.retry_count": 4}),
        (wire.PSK_HELLO, 27, {"iamt.hello.retry_count": 4, "iamt.hello.pid": "000"}),
        (wire.PKI_HELLO, 24, {"iamt.hello.retry_count": 1}),
        (wire.PKI_HELLO, 25, {"iamt.hello.retry_count": 1, "iamt.hello.hash_count": 2}),
        (
            wire.PKI_HELLO,
            60,
            {
                "iamt.hello.retry_count": 1,
                "iamt.hello.hash_count": 2,
                "iamt.hello.hash.algorithm": [2],
                "iamt.hello.hash.value": [wire.PKI_HELLO[27:59].hex()],
                "iamt.hello.hash.name": ["Go Daddy Class 2 CA"],
            },
        ),
        (header(7, 3, 1) + b"odd", 26, {"iamt.hello.retry_count": 3, "iamt.hello.rest": b"od".hex()}),
    ],
)
def test_what_stands_before_a_cut_is_kept(message, size, shown):
    dissector = HelloDissector(HOME)
    assert list(dissector.receive_data(TO_SERVER, message[:size])) == []
    begun, _ = dissector.receive_gap(TO_SERVER, 1)
    assert (begun.start, begun.end) == (0, size)
    assert dict(begun.event.fields()) == {
        "iamt.hello.version": message[2],
        "iamt.hello.admin_credentials_set": message[0] == 1,
        "iamt.hello.uuid": wire.UUID_TEXT,
        "iamt.hello.partial": True,
        **shown,
    }
    assert list(dissector.receive_gap(TO_SERVER, 1)) == [Statement(Gap("iamt.hello", 1), TO_SERVER, size, size + 1)]
    whole_message, _, _ = read_hello(wire.PKI_HELLO)
    assert len(whole_message.hashes) == 2


def test_a_hole_in_a_hello_loses_what_stands_behind_it():
    dissector = HelloDissector(HOME)
    assert list(dissector.receive_data(TO_SERVER, wire.PKI_HELLO[:30])) == []
    _, statement = dissector.receive_gap(TO_SERVER, 10)
    assert statement.event == Gap("iamt.hello", 10)
    assert (statement.start, statement.end) == (30, 40)
    assert list(dissector.receive_data(TO_SERVER, wire.PKI_HELLO[40:])) == []
    assert list(dissector.receive_eof(TO_SERVER, End.FIN)) == []


@pytest.mark.parametrize("sizes", [[40], [12, 28], [1] * 40])
def test_an_answer_is_noted_once_by_its_first_bytes(sizes):
    dissector, answer = HelloDissector(HOME), b"HTTP/1.1 400 Bad Request\r\n".ljust(40)
    list(dissector.receive_data(TO_SERVER, wire.PSK_HELLO))
    told, at = [], 0
    for size in sizes:
        told += dissector.receive_data(TO_CLIENT, answer[at : at + size])
        at += size
    event = HelloAnswer("HTTP", answer)
    assert [*told, *dissector.receive_eof(TO_CLIENT, End.FIN)] == [Statement(event, TO_CLIENT, 0, 40)]


def test_a_short_answer_is_noted_at_its_end():
    dissector = HelloDissector(HOME)
    assert list(dissector.receive_data(TO_CLIENT, b"no")) == []
    assert list(dissector.receive_gap(TO_CLIENT, 5)) == [
        Statement(HelloAnswer("", b"no"), TO_CLIENT, 0, 2),
        Statement(Gap("iamt.hello", 5), TO_CLIENT, 2, 7),
    ]
    assert list(dissector.receive_data(TO_CLIENT, b"more")) == list(dissector.receive_eof(TO_CLIENT, End.FIN)) == []


@pytest.mark.parametrize("sizes", [[32 + 100], [32, 100], [32 + 10] + [1] * 90])
def test_bytes_behind_the_message_are_shown_however_they_come(sizes):
    dissector, sent = HelloDissector(HOME), wire.PSK_HELLO + bytes(range(100))
    at = 0
    for size in sizes:
        list(dissector.receive_data(TO_SERVER, sent[at : at + size]))
        at += size
    (statement,) = dissector.receive_eof(TO_SERVER, End.FIN)
    assert statement.event == Malformed(
        "iamt.hello", "100 bytes behind the end of the message, from byte 32", bytes(range(64))
    )


# -- PID and UUID -----------------------------------------------------------------------------------------------------


def test_check_characters():
    assert pid_is_valid("0000037M")
    assert not pid_is_valid("0000037N")
    assert not pid_is_valid("0000-37M")
    assert not pid_is_valid("0000037m")
    assert not pid_is_valid("")


def test_a_wrong_check_character_is_reported():
    (message,) = events(wire.PSK_HELLO[:-1] + b"N")
    assert (message.pid, message.pid_check) == ("0000037N", False)
    assert "PID 0000-037N (wrong check character)" in message.summary()


@given(st.binary(min_size=16, max_size=16))
def test_uuids_are_in_smbios_order(raw):
    assert read_uuid(raw) == str(uuid.UUID(bytes_le=raw))


# -- recognition ------------------------------------------------------------------------------------------------------

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(64))
FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": CLIENT_HELLO,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nmap, generic lines": b"\r\n\r\n",
    "nmap, RPC check": bytes.fromhex("8000002872fe1d130000000000000002000186a00001977c0000000000000000"),
    "nmap, DNS version": bytes.fromhex("001e0006010000010000000000000776657273696f6e0462696e640000100003"),
    "nmap, SMB": bytes.fromhex("000000a4ff534d4272000000000801400000000000000000000000000000400600000100"),
    "nmap, X11": bytes.fromhex("6c000b000000000000000000") + bytes(20),
    "nmap, LDAP": bytes.fromhex("300c020101600702010204008000") + bytes(20),
    "nmap, TLS session": bytes.fromhex("160300006901000065030355"),
    "RDP": bytes.fromhex("030000130ee000000000000100080003000000") + bytes(20),
    "zeros": bytes(64),
    "version 17": header(17) + bytes(20),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("context", [HOME, ABROAD], ids=["9971", "8080"])
def test_others_on_the_port_are_not_taken_for_machines(name, context):
    data = FOREIGN[name]
    assert recognise(data, TO_SERVER, context) == NO
    # and never for an instant, however the bytes are cut
    assert YES not in {recognise(data[:size], TO_SERVER, context) for size in range(1, len(data) + 1)}


@pytest.mark.parametrize("message", [wire.PSK_HELLO, wire.PKI_HELLO, header(1), header(16, 9)])
def test_recognised_from_the_header_on_at_home(message):
    verdicts = [recognise(message[:size], TO_SERVER, HOME) for size in range(1, len(message) + 1)]
    assert verdicts == [MORE] * 23 + [YES] * (len(message) - 23)
    assert recognise(message, TO_CLIENT, HOME) == NO


def test_recognised_on_other_ports_by_more_of_the_content():
    for message, needed in ((wire.PSK_HELLO, 32), (wire.PKI_HELLO, 27)):
        verdicts = [recognise(message[:size], TO_SERVER, ABROAD) for size in range(1, len(message) + 1)]
        assert verdicts == [MORE] * (needed - 1) + [YES] * (len(message) - needed + 1)
    assert recognise(wire.PSK_HELLO[:-1] + b"-", TO_SERVER, ABROAD) == NO
    assert recognise(header(3, 1 << 16) + bytes(20), TO_SERVER, ABROAD) == NO
    assert recognise(header(3) + b"\x01\x02\x21", TO_SERVER, ABROAD) == NO
    assert recognise(header(1), TO_SERVER, ABROAD) == NO


@given(st.binary(min_size=1, max_size=60), st.sampled_from([HOME, ABROAD]))
def test_no_stays_no_when_more_bytes_come(data, context):
    refused = False
    for size in range(1, len(data) + 1):
        verdict = recognise(data[:size], TO_SERVER, context)
        assert not (refused and verdict != NO)
        refused |= verdict == NO


# -- cached hash lists ------------------------------------------------------------------------------------------------


def test_equal_lists_of_a_run_are_one_object_and_the_memory_is_bounded():
    memory = messages.HelloMemory()
    first, second = read_hello(wire.PKI_HELLO, memory)[0], read_hello(wire.PKI_HELLO, memory)[0]
    assert first.hashes is second.hashes
    assert read_hello(wire.PKI_HELLO, messages.HelloMemory())[0].hashes is not first.hashes
    for number in range(2 * messages.MAX_HASH_LISTS):
        read_hello(pki((2, struct.pack(">I", number) + bytes(28))), memory)
    assert len(memory.lists) <= messages.MAX_HASH_LISTS
    before = len(memory.lists)
    read_hello(pki(*[(2, bytes(32))] * 255), memory)
    assert len(memory.lists) == before


# -- through the engine -----------------------------------------------------------------------------------------------

SLOW = (HELLO._replace(single_message=None),)


def observed(packets, registry):
    found = wire.observe(wire.pcap(wire.frames(packets)), registry=registry)
    return [(one.event, one.packets, one.time_ns, one.flow, one.direction, one.offset) for one in found]


def conversation(payload, *, size=1 << 16, port=9971, after=(), end="close"):
    talk = wire.Talk(dport=port)
    packets = [*talk.open(), *talk.say(payload, size=size)]
    for step in after:
        packets += step(talk)
    return packets + (talk.close() if end == "close" else [talk.packet(0, b"", wire.RST | wire.ACK)] if end else [])


AFTER = {
    "nothing": [],
    "more bytes": [lambda talk: talk.say(b"behind")],
    "an answer": [lambda talk: talk.say(b"HTTP/1.1 400 Bad\r\n", 1)],
    "both": [lambda talk: talk.say(b"x"), lambda talk: talk.say(b"y", 1), lambda talk: talk.say(b"z")],
    "itself again": [lambda talk: talk.say(wire.PSK_HELLO)],
    "a gap": [lambda talk: [talk.packet(0, b"lost")][:0] + talk.say(b"found")],
}


@pytest.mark.parametrize("end", ["close", "reset", ""])
@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize("payload", [wire.PSK_HELLO, wire.PKI_HELLO, wire.PKI_HELLO + b"!", wire.PKI_HELLO[:40]])
def test_the_short_way_tells_what_the_dissector_tells(payload, name, end):
    packets = conversation(payload, after=AFTER[name], end=end)
    assert observed(packets, SLOW) == observed(packets, (HELLO,))
    assert observed(packets, (HELLO,)), "something is said"


def test_the_hello_is_told_with_the_packet_that_completes_it():
    """No FIN is needed."""
    packets = conversation(wire.PKI_HELLO, size=30, end="")
    ((event, numbers, *_),) = observed(packets, (HELLO,))
    assert (event.uuid, numbers) == (wire.UUID_TEXT, (4, 5, 6))


def test_on_any_port():
    for port in (9971, 80, 443, 16993, 65535):
        ((event, *_),) = observed(conversation(wire.PSK_HELLO, port=port), (HELLO,))
        assert event.pid == "0000037M"


def test_retries_are_told_apart():
    """One machine: counters 0, 1, 1 again, and 0 after a restart are four hellos on four connections."""
    packets = []
    for number, retry in enumerate((0, 1, 1, 0)):
        talk = wire.Talk(sport=50_000 + number, isn=9000 * number)
        packets += [*talk.open(), *talk.say(pki((2, wire.SHA256_VALUE), retry=retry)), *talk.close()]
    found = observed(packets, (HELLO,))
    assert [(event.retry_count, flow.number) for event, _, _, flow, *_ in found] == [(0, 0), (1, 1), (1, 2), (0, 3)]
    assert len({event.uuid for event, *_ in found}) == 1
    assert [numbers for _, numbers, *_ in found] == [(4,), (11,), (18,), (25,)]


@pytest.mark.parametrize("size", range(1, 24))
def test_too_few_bytes_for_a_hello_are_not_silent(size):
    found = wire.observe(wire.pcap(wire.frames(conversation(wire.PSK_HELLO[:size]))))
    assert [one.event.what for one in found] == ["bytes on port 9971 that no room here knows"]
    assert found[0].event.data == wire.PSK_HELLO[:size]
    assert found[0].packets == (4,)


def test_every_field_is_in_the_catalogue():
    names = {field.name for field in HELLO.fields()}
    for message in (wire.PSK_HELLO, wire.PKI_HELLO, header(1) + b"x"):
        assert set(events(message)[0].fields()) <= names
