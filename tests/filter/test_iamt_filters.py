"""Filters on fields of AMT's own, with the packets that they select in the captures of this repository."""

from __future__ import annotations

import pytest

HELLO, OFFICE, WSMAN, PSK = "hello.pcap", "office.pcapng", "wsman.pcap", "tls10_psk.pcap"
ALL_HELLOS = [14, 78, 92, 125, 133, 147, 155, 163]
DESK_23 = [78, 125, 147, 155, 163]
REFUSED = [98, 100, 102, 139, 141, 143]
CALLS = [6, 36, 46, 65, 75, 83, 95, 111]
REQUESTS = [4, 14, 38, 48, 67, 77, 85, 97]

SELECTED = [
    # the hello: HELLO's six are in the packets that end them, the fifth is cut by a reset
    (HELLO, "iamt.hello", [4, 16, 40, 48, 54, 62]),
    (HELLO, "iamt.hello.version == 3", [4, 16, 40, 48, 54]),
    (HELLO, "iamt.hello.version != 3", [62]),
    (HELLO, "iamt.hello.version < 3", [62]),
    (HELLO, "iamt.hello.version in {2, 4..9}", [62]),
    (HELLO, "not iamt.hello.version == 3 and iamt.hello", [62]),
    (HELLO, "iamt.hello.retry_count", [4, 16, 40, 48, 54, 62]),
    (HELLO, "iamt.hello.retry_count > 0", [40, 62]),
    (HELLO, "iamt.hello.retry_count + 1 == 2", [40]),
    (HELLO, "iamt.hello.retry_count & 2", [62]),
    (HELLO, "iamt.hello.uuid == d2ffc23e-9dd1-412d-860a-54b2039b72ff", [40]),
    (HELLO, "iamt.hello.uuid != d2ffc23e-9dd1-412d-860a-54b2039b72ff", [4, 16, 48, 54, 62]),
    (HELLO, "iamt.hello.uuid[0:4] == 93:9b:52:4b", [4, 16, 48, 54, 62]),
    (HELLO, "iamt.hello.uuid[-1] == ff", [40]),
    (HELLO, "iamt.hello.uuid contains 1c:69:7a", [4, 16, 48, 54, 62]),
    (HELLO, 'string(iamt.hello.uuid) matches "^D2FF"', [40]),
    (HELLO, "iamt.hello.hash_count == 24", [16, 40]),
    (HELLO, "iamt.hello.hash_count", [4, 16, 40, 48, 54]),
    (HELLO, "count(iamt.hello.hash.value) == iamt.hello.hash_count", [4, 16, 40, 48]),
    (HELLO, "count(iamt.hello.hash.value) < 24", [4, 48, 54]),
    (HELLO, "len(iamt.hello.hash.value) == 32", [4, 16, 40, 48, 54]),
    (HELLO, "iamt.hello.admin_credentials_set", [4, 16, 40, 48, 54, 62]),
    (HELLO, "iamt.hello.admin_credentials_set == 0", []),
    (HELLO, "iamt.hello.partial", [54]),
    (HELLO, "iamt.hello.partial == True || iamt.hello.pid.check == False", [54, 62]),
    (HELLO, "iamt.missing == 31 && iamt.offset == 300", [54]),
    (HELLO, 'iamt.layer == "iamt.hello"', [54]),
    (HELLO, 'iamt.layer == "IAMT.HELLO"', []),
    (HELLO, 'iamt.hello.pid == "ABCD1234"', [62]),
    (HELLO, 'iamt.hello.pid contains "CD12"', [62]),
    (HELLO, 'iamt.hello.pid[4:] == "1234"', [62]),
    (HELLO, 'lower(iamt.hello.pid) == "abcd1234"', [62]),
    (HELLO, "iamt.hello && tcp.stream == 1", [16]),
    (HELLO, "iamt.hello and tcp.srcport > 56540", [40, 48, 54, 62]),
    (HELLO, 'iamt.hello contains "ABCD1234"', [62]),
    (HELLO, "iamt.hello[0:2] == 01:00", [4, 16, 40, 48, 54, 62]),
    (HELLO, "iamt.hello and frame.number > 40", [48, 54, 62]),
    (OFFICE, "iamt.hello", ALL_HELLOS),
    (OFFICE, "iamt.hello.pid", [14, 92, 133]),
    (OFFICE, "iamt.hello and not iamt.hello.pid", DESK_23),
    (OFFICE, "iamt.hello.uuid == a3700017-1de5-11dc-8000-5e0000005317", DESK_23),
    (OFFICE, "iamt.hello.retry_count >= 3", [155, 163]),
    (OFFICE, "iamt.hello.hash_count * 2 == 10", DESK_23),
    (OFFICE, "count(iamt.hello.hash.name) == 5", DESK_23),
    (OFFICE, 'iamt.hello.hash.name contains "VeriSign"', DESK_23),
    (OFFICE, 'all iamt.hello.hash.name contains "VeriSign"', []),
    (OFFICE, "all iamt.hello.hash.algorithm == 1", DESK_23),
    (OFFICE, "len(iamt.hello.hash.value) == 20", DESK_23),
    (OFFICE, "iamt.hello.hash.value contains 74:2c:31:92", DESK_23),
    (OFFICE, 'iamt.connection.state == "refused"', REFUSED),
    (OFFICE, 'iamt.connection.closed_by == "server" && tcp.flags.reset == 1', REFUSED),
    (OFFICE, 'iamt.connection.state matches "^REF"', REFUSED),
    (OFFICE, "iamt.connection.syn_count == 1 and iamt.connection.client_bytes == 0", REFUSED),
    (OFFICE, "iamt.hello or iamt.connection.state", sorted(ALL_HELLOS + REFUSED)),
    (WSMAN, "iamt.soap", sorted(REQUESTS + CALLS)),
    (WSMAN, "iamt.call.kind", CALLS),
    (WSMAN, 'iamt.call.result == "OK"', [36, 46, 65, 75, 95, 111]),
    (WSMAN, 'iamt.call.result != "OK"', [6, 83]),
    (WSMAN, 'iamt.call.result contains "fault"', [83]),
    (WSMAN, "iamt.call.kind and not iamt.call.user", [6]),
    (WSMAN, 'iamt.wsman.method == "Pull"', [48, 65, 97, 111]),
    (WSMAN, 'iamt.wsman.method == "Pull" and http.request', [48, 97]),
    (WSMAN, 'iamt.wsman.class matches "^amt_" && iamt.wsman.method == "Get" && http.response', [6, 36, 75, 83]),
    (WSMAN, 'iamt.wsman.class == "CIM_SoftwareIdentity"', [38, 46, 48, 65]),
    (WSMAN, 'iamt.version == "8.0.3"', [6]),
    (WSMAN, 'iamt.version contains "14.0." && iamt.http.body.size > 3000', [65]),
    (WSMAN, "iamt.http.body.size in {700 .. 720}", [4, 14, 77]),
    (WSMAN, 'iamt.http.auth.user == "admin" and iamt.http.digest.nc == "00000007"', [97]),
    (WSMAN, "iamt.http.exchange == 6", [85, 95]),
    (WSMAN, "iamt.soap.secret", [75]),
    (WSMAN, 'iamt.soap.fault.code == "Sender" && http.response.code == 400', [83]),
    (WSMAN, 'count(iamt.soap.argument) > 20 and iamt.call.answer contains "IsEntity=true"', [65]),
    (PSK, 'iamt.tls.psk.identity == "ABCD-1234"', [8]),
    (PSK, 'iamt.tls.key_exchange == "PSK"', [6, 8, 9]),
    (PSK, 'iamt.tls.handshake.outcome == "complete" and iamt.tls.version == 0x0301', [9]),
    (PSK, "count(iamt.tls.handshake.messages) == 9", [9]),
    (PSK, 'iamt.tls.sender == "client" && tls.alert_message.level', []),
    (PSK, 'iamt.tls.machine == "AMT" or iamt.tls.machine == "SCA"', [14, 17]),
    (PSK, "iamt.tls.bytes > 1000", [14]),
    (PSK, 'iamt.tls.version.name == "TLS 1.0"', [9]),
]


@pytest.mark.parametrize(("capture", "text", "packets"), SELECTED, ids=[text for _, text, _ in SELECTED])
def test_filter_selects(capture, text, packets, select, pcaps):
    assert select(pcaps / capture, text) == packets


def test_what_a_call_says_again_counts_once(select, pcaps):
    """`Call` has the status of its response, too; Wireshark knows one."""
    assert select(pcaps / WSMAN, "count(http.response.code) == 1") == CALLS
