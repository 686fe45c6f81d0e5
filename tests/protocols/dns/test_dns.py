"""DNS against known bytes, tshark, dpkt-made messages, splits and mutations."""

from __future__ import annotations

import struct

import dpkt.dns
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Gap, LimitReached, Malformed, Truncated
from amtdecode.protocols.dissector import MORE, NO, YES, Context
from amtdecode.protocols.dns import DNS_TCP, DNS_UDP
from amtdecode.protocols.dns.message import MAX_ANSWERS, Answer, DnsMessage, of_interest, read, read_name

CLIENT, SERVER = Endpoint(b"\xc0\0\2\x63", 40000), Endpoint(b"\xc0\0\2\1", 53)
UDP, TCP = Context("udp", CLIENT, SERVER), Context("tcp", CLIENT, SERVER)
# dnsmasq's answer, loopback/dns/provisionserver_dns.pcap frame 4
ANSWER = bytes.fromhex(
    "05c2858000010001000000000f50726f766973696f6e536572766572076578616d706c6503636f6d0000010001"
    "c00c00010001000000000004c000020a"
)
BARE = bytes.fromhex("11a5012000010000000000000f50726f766973696f6e5365727665720000010001")


def name(text: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".") if part) + b"\0"


def query(asked: str, kind: int = 1, flags: int = 0x0100) -> bytes:
    return b"\x12\x34" + flags.to_bytes(2, "big") + b"\0\1" + bytes(6) + name(asked) + kind.to_bytes(2, "big") + b"\0\1"


def record(kind: int, value: bytes, owner: bytes = b"\xc0\x0c", ttl: int = 60) -> bytes:
    return owner + kind.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big") + len(value).to_bytes(2, "big") + value


def response(asked: str, kind: int, *records: bytes, code: int = 0) -> bytes:
    message = query(asked, kind, 0x8180 | code)
    return message[:6] + len(records).to_bytes(2, "big") + message[8:] + b"".join(records)


def one(data: bytes, direction=TO_SERVER):
    statements = list(DNS_UDP.dissector(UDP).receive_data(direction, data))
    return statements[0].event if statements else None


def test_an_answer_gives_its_fields():
    assert one(ANSWER).fields() == {
        "dns.id": 0x05C2,
        "dns.flags": 0x8580,
        "dns.flags.response": True,
        "dns.flags.opcode": 0,
        "dns.flags.truncated": False,
        "dns.flags.authoritative": True,
        "dns.flags.rcode": 0,
        "dns.count.answers": 1,
        "dns.qry.name": "ProvisionServer.example.com",
        "dns.qry.type": 1,
        "dns.resp.name": ["ProvisionServer.example.com"],
        "dns.resp.type": [1],
        "dns.resp.ttl": [0],
        "dns.a": ["192.0.2.10"],
    }
    assert one(ANSWER).summary() == "DNS response A ProvisionServer.example.com: 192.0.2.10"
    assert one(ANSWER).suffix == "example.com"
    assert one(ANSWER).asks_for_provision_server


def test_the_bare_name_has_no_suffix():
    assert one(BARE).summary() == "DNS query A ProvisionServer"
    assert one(BARE).suffix == ""


@pytest.mark.parametrize(("code", "word"), [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (11, "code 11")])
def test_failures_are_named(code, word):
    event = one(response("provisionserver.example.com", 1, code=code), TO_CLIENT)
    assert event.reply_code == code
    assert event.summary() == f"DNS response A provisionserver.example.com: {word}"


def test_a_failure_without_its_question_is_kept():
    event = one(b"\x12\x34\x81\x82" + bytes(8), TO_CLIENT)
    assert (event.id, event.reply_code, event.name) == (0x1234, 2, "")
    assert event.summary() == "DNS response no question: SERVFAIL"


def test_an_alias_is_followed_to_its_address():
    data = response(
        "provisionserver.example.com",
        1,
        record(5, name("scs.example.com")),
        record(1, b"\xcb\0\x71\5", name("scs.example.com")),
    )
    event = one(data)
    assert event.answers == (
        Answer("provisionserver.example.com", 5, 60, "scs.example.com"),
        Answer("scs.example.com", 1, 60, "203.0.113.5"),
    )
    assert event.addresses == ("203.0.113.5",)
    assert event.fields()["dns.cname"] == ["scs.example.com"]


def test_an_alias_without_address_says_so():
    event = one(response("provisionserver.example.com", 1, record(5, name("gone.example.com"))))
    assert event.addresses == ()
    assert event.summary() == "DNS response A provisionserver.example.com: gone.example.com"
    assert one(response("provisionserver.example.com", 1)).summary().endswith(": no answer")


def test_reverse_look_ups_of_both_families():
    asked = "5.2.0.192.IN-ADDR.ARPA"
    event = one(response(asked, 12, record(12, name("pc5.example.com"))))
    assert event.fields()["dns.ptr.domain_name"] == ["pc5.example.com"]
    assert event.fields()["dns.qry.name"] == asked
    nibbles = ".".join("0" * 32) + ".ip6.arpa"
    assert one(query(nibbles, 12)).name == nibbles


def test_a_server_renamed_by_its_vendor_is_still_seen():
    assert one(query("ProvisionServer2.example.com")).asks_for_provision_server
    assert one(query("myprovisionserver.example.com")) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.1",
        "192.168.7.7",
        "169.254.1.1",
        "100.64.0.1",
        "100.127.0.1",
        "192.0.2.9",
        "198.51.100.9",
        "203.0.113.9",
    ],
)
def test_a_name_inside_the_site_is_stated(address):
    packed = bytes(map(int, address.split(".")))
    assert one(response("pc7.example.com", 1, record(1, packed))).addresses == (address,)


@pytest.mark.parametrize(
    "address", ["11.1.2.3", "172.15.0.1", "172.32.0.1", "192.167.7.7", "100.63.0.1", "100.128.0.1", "198.51.101.9"]
)
def test_a_name_outside_is_refused(address):
    packed = bytes(map(int, address.split(".")))
    assert one(response("www.example.com", 1, record(1, packed))) is None


def test_ipv6_inside_and_outside():
    inside = response("pc7.example.com", 28, record(28, bytes.fromhex("fd00" + "00" * 13 + "07")))
    assert one(inside).fields()["dns.aaaa"] == ["fd00::7"]
    assert one(response("www.example.com", 28, record(28, bytes.fromhex("2606" + "00" * 13 + "07")))) is None


def test_other_messages_are_refused():
    assert one(query("www.example.com")) is None
    assert one(query("pc7.example.com", 28)) is None
    assert one(response("www.example.com", 1, code=3)) is None
    assert one(query("5.2.0.192.in-addr.arpa", 6)) is None
    assert one(b"\0") is None


def test_a_name_that_is_not_utf8_is_shown_escaped():
    data = query("provisionserver.b_ro.test").replace(b"b_ro", b"b\xfcro")
    assert one(data).name == "provisionserver.b\\xfcro.test"


def test_records_dpkt_does_not_know_are_shown_as_hex():
    event = one(response("provisionserver.example.com", 1, record(46, b"\1\2\3"), record(1, b"\n\0\0\1")))
    assert [answer.value for answer in event.answers] == ["010203", "10.0.0.1"]


def test_compression_loops_end_and_keep_the_question():
    for pointer in (b"\xc0\x39", b"\xc0\xff", b"\xff\xff"):  # at itself, forward, out of the message
        data = response("provisionserver.example.com", 1, record(5, pointer), record(1, b"\n\0\0\1"))
        event, fault = read(data)
        assert event.name == "provisionserver.example.com"
        assert isinstance(fault, Malformed)
        assert "after 0 answers" in fault.reason


def test_what_was_read_before_a_cut_is_kept():
    whole = response("provisionserver.example.com", 1, record(1, b"\n\0\0\1"), record(1, b"\n\0\0\2"))
    event, fault = read(whole[:-3])
    assert event.addresses == ("10.0.0.1",)
    assert event.answer_count == 2
    assert fault.reason == "cut or broken after 1 answer: a record wants 4 bytes, 1 are left"


def test_a_question_that_is_cut_is_told_in_plain_words():
    whole = query("provisionserver.example.com")
    for size in range(len(whole) - 4, len(whole)):
        event, fault = read(whole[:size])
        assert event.summary() == "DNS query provisionserver.example.com, type cut off"
        assert (event.fields()["dns.qry.name"], "dns.qry.type" in event.fields()) == (event.name, False)
        assert fault.reason == "cut or broken after 0 answers: the bytes end"
    answered = response("provisionserver.example.com", 1, record(1, b"\n\0\0\1"))
    assert read(answered[:-12])[1].reason == "cut or broken after 0 answers: the bytes end"
    assert read(whole)[0].fields()["dns.qry.type"] == 1


def test_the_cap_on_answers_is_said():
    data = response("provisionserver.example.com", 1, *[record(1, b"\n\0\0\1")] * (MAX_ANSWERS + 3))
    event, limit = read(data)
    assert len(event.answers) == MAX_ANSWERS
    assert limit == LimitReached("dns", "MAX_ANSWERS", MAX_ANSWERS, "3 more answers are not read")


def test_udp_offsets_count_within_the_datagram():
    dissector = DNS_UDP.dissector(UDP)
    assert not list(dissector.receive_data(TO_SERVER, query("www.example.com")))
    (statement,) = dissector.receive_data(TO_SERVER, BARE)
    assert (statement.start, statement.end) == (0, len(BARE))


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


@given(st.lists(st.integers(1, 60), max_size=12))
def test_any_split_of_a_tcp_direction_gives_the_same(cuts):
    stream = framed(BARE, query("www.example.com"), ANSWER)
    dissector, at, found = DNS_TCP.dissector(TCP), 0, []
    for cut in [*cuts, len(stream)]:
        if stream[at : at + cut]:
            found += dissector.receive_data(TO_SERVER, stream[at : at + cut])
        at += cut
    first, last = found
    assert (first.event, first.start, first.end) == (one(BARE), 0, 2 + len(BARE))
    assert (last.event, last.start, last.end) == (one(ANSWER), len(stream) - 2 - len(ANSWER), len(stream))
    assert dissector.trim_to[TO_SERVER] == len(stream)


def test_a_gap_ends_a_tcp_direction_and_only_that():
    dissector = DNS_TCP.dissector(TCP)
    stream = framed(BARE)
    assert not list(dissector.receive_data(TO_SERVER, stream[:10]))
    (statement,) = dissector.receive_gap(TO_SERVER, 5)
    assert (statement.event, statement.start, statement.end) == (Gap("dns", 5), 10, 15)
    assert not list(dissector.receive_data(TO_SERVER, stream))
    assert [s.event for s in dissector.receive_data(TO_CLIENT, framed(ANSWER))] == [one(ANSWER)]
    assert not dissector.finished


def test_a_cut_tcp_message_is_said_where_it_matters():
    dissector = DNS_TCP.dissector(TCP)
    list(dissector.receive_data(TO_CLIENT, framed(ANSWER)[:40]))
    (statement,) = dissector.receive_eof(TO_CLIENT, End.RESET)
    assert statement.event == Truncated("dns", "a message is cut: RST", 40, len(ANSWER) + 2 - 40)
    other = DNS_TCP.dissector(TCP)
    list(other.receive_data(TO_CLIENT, framed(query("www.example.com"))[:30]))
    assert not list(other.receive_eof(TO_CLIENT, End.FIN))


def test_recognition_by_content():
    elsewhere = UDP._replace(server=Endpoint(b"\xc0\0\2\1", 5353))
    assert DNS_UDP.recognise(query("www.example.com"), TO_SERVER, UDP) == YES
    assert DNS_UDP.recognise(query("www.example.com"), TO_SERVER, elsewhere) == NO
    assert DNS_UDP.recognise(BARE, TO_SERVER, elsewhere) == YES
    assert DNS_UDP.recognise(query("x.example.com", flags=0x2800), TO_SERVER, UDP) == NO  # a dynamic update
    assert DNS_UDP.recognise(b"GET / HTTP/1.1\r\nHost: x\r\n", TO_SERVER, UDP) == NO
    far = TCP._replace(server=Endpoint(b"\xc0\0\2\1", 9971))
    for context, data, at_last in (
        (TCP, framed(query("www.example.com")), YES),
        (far, framed(BARE), YES),
        (far, framed(query("www.example.com")), NO),
    ):
        verdicts = [DNS_TCP.recognise(data[:size], TO_SERVER, context) for size in range(1, len(data) + 1)]
        assert verdicts[-1] == at_last
        assert set(verdicts[: verdicts.index(at_last)]) <= {MORE}
    assert DNS_TCP.recognise(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40), TO_SERVER, TCP) == NO


LABELS = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=20)


@given(st.lists(LABELS, max_size=5), st.lists(st.tuples(LABELS, st.binary(min_size=4, max_size=4)), max_size=4))
def test_agrees_with_dpkt(suffix, records):
    """Messages that dpkt packs (with its name compression) and unpacks itself."""
    asked = ".".join(["provisionserver", *suffix])
    made = dpkt.dns.DNS(id=7, op=0x8180, qd=[dpkt.dns.DNS.Q(name=asked, type=1)])
    made.an = [dpkt.dns.DNS.RR(name=owner, type=1, ip=address, rdata=b"") for owner, address in records]
    data = bytes(made)
    (event,) = read(data)
    theirs = dpkt.dns.DNS(data)
    assert event.name == theirs.qd[0].name
    assert [(a.name, a.value) for a in event.answers] == [(rr.name, ".".join(map(str, rr.ip))) for rr in theirs.an]


@given(
    st.lists(
        st.binary(min_size=0, max_size=70).map(lambda label: bytes([len(label)]) + label)
        | st.integers(0, 200).map(lambda to: bytes([0xC0, to]))
        | st.just(b"\0"),
        max_size=12,
    ).map(b"".join),
    st.integers(0, 40),
)
def test_names_end_where_dpkt_s_do(data, at):
    """Any labels and pointers: both read the same name, or both refuse."""
    try:
        theirs = dpkt.dns.unpack_name(data, at)
    except UnicodeDecodeError:  # dpkt gives up, we show what is no text
        assert "\\x" in read_name(data, at)[0]
    except (dpkt.UnpackError, struct.error):
        with pytest.raises((ValueError, IndexError)):
            read_name(data, at)
    else:
        assert read_name(data, at) == theirs


@given(
    st.binary(max_size=120)
    | st.tuples(st.integers(0, 60), st.binary(max_size=12)).map(
        lambda patch: ANSWER[: patch[0]] + patch[1] + ANSWER[patch[0] + len(patch[1]) :]
    )
)
def test_any_bytes_give_events_and_listed_fields_only(data):
    listed = {field.name for field in DNS_UDP.fields()}
    of_interest(data)
    for event in read(data):
        assert event.summary()
        if isinstance(event, DnsMessage):
            assert set(event.fields()) <= listed
    for dissector, context in ((DNS_UDP, UDP), (DNS_TCP, TCP)):
        assert dissector.recognise(data, TO_SERVER, context) in (NO, MORE, YES)
        running = dissector.dissector(context)
        for statement in list(running.receive_data(TO_SERVER, data or b"\0")):
            assert 0 <= statement.start < statement.end <= max(1, len(data))
        list(running.receive_eof(TO_SERVER, End.FIN))


COLUMNS = [
    "dns.id",
    "dns.qry.name",
    "dns.qry.type",
    "dns.flags.rcode",
    "dns.count.answers",
    "dns.a",
    "dns.aaaa",
    "dns.cname",
    "dns.ptr.domain_name",
]


def rows(tshark: str, capture, payload: str, condition: str) -> list[tuple[bytes, list[str]]]:
    columns = [part for column in [payload, *COLUMNS] for part in ("-e", column)]
    command = [tshark, "-n", "-r", str(capture), "-Y", condition, "-T", "fields", *columns]
    lines = oracle.run(command, check=True, text=True).stdout.splitlines()
    return [(bytes.fromhex(line.split("\t")[0]), line.split("\t")[1:]) for line in lines]


def shown(event: DnsMessage) -> list[str]:
    fields = event.fields()
    number = f"0x{fields['dns.id']:04x}"
    rest = [fields.get(column, "") for column in COLUMNS[1:]]
    return [number, *(",".join(map(str, value)) if isinstance(value, list) else str(value) for value in rest)]


def test_agrees_with_tshark_on_provisionserver(shared, tshark):
    capture = shared / "captures" / "loopback" / "dns" / "provisionserver_dns.pcap"
    found = rows(tshark, capture, "udp.payload", "dns && udp")
    assert len(found) == 14
    for payload, row in found:
        assert shown(one(payload)) == row
    over_tcp = rows(tshark, capture, "tcp.payload", "dns && tcp")
    assert len(over_tcp) == 2
    for payload, row in over_tcp:
        (statement,) = DNS_TCP.dissector(TCP).receive_data(TO_SERVER, payload)
        assert shown(statement.event) == row


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("zeek/dns-edns-ecs.pcap", 1),
        ("zeek/dns-two-responses.pcap", 1),
        ("zeek/dns_original_case.pcap", 1),
        ("zeek/dns/dns-wks.pcap", 1),
        ("tcpdump/dns_udp.pcap", 1),
        ("tcpdump/dns_udp_2.pcap", 1),
        ("tcpdump/edns-opts.pcap", 1),
        ("wireshark/captures/dns+icmp.pcapng.gz", 1),
    ],
)
def test_agrees_with_tshark_on_the_traffic_of_others(shared, tshark, path, least):
    """Also messages the room refuses are read, to compare the reading itself."""
    capture = shared / "captures" / "third-party" / path
    condition = "dns && udp.port == 53 && dns.count.queries == 1 && !_ws.malformed && !icmp && !(dns.count.auth_rr > 0)"
    compared = 0
    for payload, row in rows(tshark, capture, "udp.payload", condition):
        (event,) = read(payload)
        mine = shown(event)
        if mine[1] and "," not in row[4]:  # tshark lists the additional section's addresses too
            assert mine[:5] == row[:5]
            assert all(
                ours == theirs or theirs.startswith(ours) for ours, theirs in zip(mine[5:], row[5:], strict=True)
            )
            compared += 1
    assert compared >= least


@pytest.mark.parametrize(
    "path",
    [
        "zeek/dns/dns-corrupt.pcap",
        "zeek/dns/conn-count-too-large.pcap",
        "zeek/dns/max-compression-depth.pcap",
        "zeek/dns/dns-invalid-names.pcap",
        "tcpdump/dns-badlabel.pcap",
        "tcpdump/dns-zlip-1.pcap",
        "tcpdump/dns-zlip-2.pcap",
        "tcpdump/dns-zlip-3.pcap",
        "tcpdump/dns_fwdptr.pcap",
    ],
)
def test_broken_messages_of_others_raise_nothing(shared, path):
    with (shared / "captures" / "third-party" / path).open("rb") as file:
        frames = [data for _, data in dpkt.pcap.Reader(file)]
    assert frames
    for frame in frames:
        at = frame.find(b"\x00\x35") + 6  # wherever that is: any bytes will do
        assert all(event.summary() for event in read(frame[at:]))
