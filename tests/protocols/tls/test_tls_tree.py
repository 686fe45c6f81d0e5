"""Where the fields of a TLS message stand: the same as `tshark -T pdml` says; and what has no tree."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import amtdecode
from amtdecode.protocols.tls.events import Alert, ChangeCipherSpec
from amtdecode.protocols.tls.hellos import Handshake, read_client_hello

PCAPS = Path(__file__).resolve().parents[3] / "pcaps"
CAPTURES = [
    "gnutls-tls1.0-psk-rc4",
    "openssl-tls1-psk-aes128cbc-sha",
    "openssl-tls1_2-mtls-rsa-aes256sha-etm",
    "openssl-tls1_2-maxfrag512-rsa",
    "gnutls-tls1.2-mtls-rehandshake",
    "openssl-tls1_3-mtls-aes128gcm",
    "openssl-tls1_3-psk",
]
HELLO = bytes.fromhex("0303" + "00" * 32 + "00" + "0002008c" + "0100" + "000e" + "0000000a0008000005612e636f6d")


def declared_names():
    from amtdecode.protocols.tls.spec import item

    return set(item._fields) - {"tls.handshake.dname"}  # of a name tshark marks the contents, without its head


def by_tshark(tshark, path):
    """Of every message in the clear, in one packet: its fields with their places, counted from its first byte."""
    command = [tshark, "-n", "-r", str(path), "-Y", "tls", "-T", "pdml"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    names, found = declared_names(), Counter()
    for packet in ET.fromstring(done.stdout).iter("packet"):
        for field in packet.iter("field"):
            if field.get("name") != "tls.handshake" or field.find("field[@name='tls.handshake.type']") is None:
                continue
            base = int(field.get("pos"))
            fields = []
            for each in field.iter("field"):
                place = int(each.get("pos")) - base, int(each.get("size"))
                if each.get("name") in names and place[1] and each.get("hide") != "yes":
                    fields.append((each.get("name"), *place))
            found[tuple(sorted(fields))] += 1
    return found


def by_amtdecode(path):
    found = Counter()
    for one in amtdecode.read(str(path), pdus=True):
        if isinstance(one.event, Handshake) and one.tree():
            names = declared_names()
            nodes = [node for root in one.tree() for node in root.walk() if node.name in names and node.length]
            found[tuple(sorted((node.name, node.start, node.length) for node in nodes))] += 1
    return found


@pytest.mark.parametrize("name", CAPTURES)
def test_places_are_those_of_tshark(shared, tshark, name):
    path = shared / "captures" / "loopback" / "tls" / f"{name}.pcap"
    ours, theirs = by_amtdecode(path), by_tshark(tshark, path)
    assert ours
    assert not ours - theirs, next(iter(ours - theirs))


def test_the_tree_of_a_client_hello():
    hello, faults = read_client_hello(HELLO, 0x0301)
    assert faults == ()
    message = b"\1" + len(HELLO).to_bytes(3, "big") + HELLO
    nodes = [node for root in hello.tree(message) for node in root.walk()]
    assert [(node.name or node.words, node.value, node.words, node.start, node.length) for node in nodes] == [
        ("tls.handshake.type", 1, "ClientHello", 0, 1),
        ("tls.handshake.length", 57, "", 1, 3),
        ("tls.handshake.version", 0x0303, "TLS 1.2", 4, 2),
        ("tls.handshake.random", "00" * 32, "", 6, 32),
        ("tls.handshake.session_id_length", 0, "", 38, 1),
        ("tls.handshake.cipher_suites_length", 2, "", 39, 2),
        ("tls.handshake.ciphersuite", 0x8C, "TLS_PSK_WITH_AES_128_CBC_SHA", 41, 2),
        ("tls.handshake.comp_methods_length", 1, "", 43, 1),
        ("tls.handshake.comp_method", 0, "null", 44, 1),
        ("tls.handshake.extensions_length", 14, "", 45, 2),
        ("Extension: server_name", None, "Extension: server_name", 47, 14),
        ("tls.handshake.extension.type", 0, "server_name", 47, 2),
        ("tls.handshake.extension.len", 10, "", 49, 2),
        ("tls.handshake.extensions_server_name_list_len", 8, "", 51, 2),
        ("tls.handshake.extensions_server_name_type", 0, "host_name", 53, 1),
        ("tls.handshake.extensions_server_name_len", 5, "", 54, 2),
        ("tls.handshake.extensions_server_name", "a.com", "", 56, 5),
    ]


def test_a_message_that_is_not_in_one_piece_has_no_tree():
    hello, _ = read_client_hello(HELLO, 0x0301)
    message = b"\1" + len(HELLO).to_bytes(3, "big") + HELLO
    assert hello.tree(message[:30] + b"\x16\3\1\0\x1f" + message[30:]) == ()  # a record's header between
    assert hello.tree(message[:-1]) == ()


def test_alerts_and_change_cipher_spec_are_shown_with_their_record():
    alert = Alert(2, 48, "client", "AMT", "during the server's messages", "server Certificate", 0x0301)
    assert [
        (node.name, node.value, node.words, node.start, node.length)
        for node in alert.tree(bytes.fromhex("15030100020230"))
    ] == [
        ("tls.record.content_type", 21, "alert", 0, 1),
        ("tls.record.version", 0x0301, "TLS 1.0", 1, 2),
        ("tls.record.length", 2, "", 3, 2),
        ("tls.alert_message.level", 2, "fatal", 5, 1),
        ("tls.alert_message.desc", 48, "unknown_ca", 6, 1),
    ]
    change = ChangeCipherSpec("client").tree(bytes.fromhex("140301000101"))
    assert [(node.name, node.start, node.length) for node in change] == [
        ("tls.record.content_type", 0, 1),
        ("tls.record.version", 1, 2),
        ("tls.record.length", 3, 2),
    ]
