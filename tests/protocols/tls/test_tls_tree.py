"""Where the fields of a TLS message stand: the same as `tshark -T pdml` says; and what has no tree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

import amtdecode
from amtdecode.protocols.tls.certificates.tree import certificate_nodes
from amtdecode.protocols.tls.certificates.tree_fields import FIELDS
from amtdecode.protocols.tls.events import Alert, ChangeCipherSpec, EncryptedAlert, EncryptedHandshake
from amtdecode.protocols.tls.hellos import Handshake, read_client_hello, read_ssl2_client_hello

DATA = Path(__file__).resolve().parents[2] / "data"
TLS = ("loopback", "tls")
CAPTURES = [
    "gnutls-tls1.0-psk-rc4",
    "openssl-tls1-mtls-rsa-aes128sha",
    "openssl-tls1_2-maxfrag512-rsa",
    "openssl-tls1_2-mtls-ecdhe-aes256gcm",
    "gnutls-tls1.2-mtls-rehandshake",
    "openssl-tls1_3-mtls-aes128gcm",
    "openssl-tls1_3-psk",
]
HELLO = bytes.fromhex("0303" + "00" * 32 + "00" + "0002008c" + "0100" + "000e" + "0000000a0008000005612e636f6d")
BEYOND = "x509ce.KeyUsage.decipherOnly"  # the ninth bit: tshark shows it also where there are but eight


def declared_names():
    from amtdecode.protocols.tls.spec import item

    # of a name of a CertificateRequest tshark marks the contents, without its head
    return {*item._fields, *FIELDS} - {"tls.handshake.dname", BEYOND}


def pdml(tshark, path, keylog=None):
    command = [tshark, "-n", "-r", str(path), "-Y", "tls", "-T", "pdml"]
    if keylog:
        command += ["-o", f"tls.keylog_file:{keylog}"]
    done = oracle.run(command, timeout=120, check=True)
    return ET.fromstring(done.stdout)


def places(element, base, names):
    """The fields below an element of the PDML: each with its offset from `base` and its length."""
    found = []
    for each in element.iter("field"):
        size = int(each.get("size"))
        if each.get("name") in names and size and each.get("hide") != "yes":
            found.append((each.get("name"), int(each.get("pos")) - base, size))
    return tuple(sorted(found))


def by_tshark(tshark, path, keylog=None):
    """Of every handshake message that tshark reads: its fields with their places, counted from its first byte."""
    names, found = declared_names(), Counter()
    for message in pdml(tshark, path, keylog).iterfind(".//field[@name='tls.handshake']"):
        first = message.find("field[@name='tls.handshake.type']")
        if first is not None:
            found[places(message, int(first.get("pos")), names)] += 1
    return found


def nodes_of(observation, names):
    nodes = [node for root in observation.tree() for node in root.walk()]
    return tuple(sorted((node.name, node.start, node.length) for node in nodes if node.name in names and node.length))


def by_amtdecode(path, keylog=None):
    names, found = declared_names(), Counter()
    keys = amtdecode.Keys.load(keylogs=[str(keylog)]) if keylog else None
    for one in amtdecode.read(str(path), pdus=True, keys=keys):
        if isinstance(one.event, Handshake):
            found[nodes_of(one, names)] += 1
    return found


@pytest.mark.parametrize("name", CAPTURES)
def test_places_are_those_of_tshark(shared, tshark, name):
    path = shared.joinpath("captures", *TLS, f"{name}.pcap")
    ours = by_amtdecode(path)
    assert ours == by_tshark(tshark, path)
    assert () not in ours  # every message has a tree


@pytest.mark.parametrize("name", ["openssl-tls1_3-mtls-aes128gcm", "openssl-tls1_3-psk", "gnutls-tls1.0-psk-rc4"])
def test_places_in_decrypted_messages_are_those_of_tshark(shared, tshark, name):
    path = shared.joinpath("captures", *TLS, f"{name}.pcap")
    keylog = path.with_name(f"{name}.keylog.txt")
    ours = by_amtdecode(path, keylog)
    assert ours == by_tshark(tshark, path, keylog)
    assert ours.total() > by_amtdecode(path).total()
    assert () not in ours


@pytest.mark.parametrize("name", ["gnutls-tls1.0-psk-rc4", "openssl-tls1_3-psk", "openssl-tls1_2-mtls-ecdhe-aes256gcm"])
def test_records_stand_where_tshark_has_them(shared, tshark, name):
    """ChangeCipherSpec, alerts, and handshake records that nothing opens."""
    path = shared.joinpath("captures", *TLS, f"{name}.pcap")
    names = {"tls.record.content_type", "tls.record.version", "tls.record.length", "tls.alert_message.level"}
    theirs, ours = Counter(), Counter()
    for record in pdml(tshark, path).iterfind(".//field[@name='tls.record']"):
        shown = {each.get("name") for each in record.iter("field")}
        if not shown & {"tls.app_data", "tls.handshake.type"}:
            theirs[places(record, int(record.get("pos")), names)] += 1
    for one in amtdecode.read(str(path), pdus=True):
        if isinstance(one.event, (Alert, ChangeCipherSpec, EncryptedAlert, EncryptedHandshake)):
            ours[nodes_of(one, names)] += 1
    assert ours == theirs
    assert () not in ours


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


def test_bytes_that_are_not_one_message_have_no_tree():
    hello, _ = read_client_hello(HELLO, 0x0301)
    message = b"\1" + len(HELLO).to_bytes(3, "big") + HELLO
    assert hello.tree(message + b"\0") == hello.tree(message[:-1]) == ()


def test_a_message_that_spans_records_is_shown_without_their_headers(tmp_path):
    message = b"\1" + len(HELLO).to_bytes(3, "big") + HELLO
    records = b"".join(b"\x16\3\1" + len(part).to_bytes(2, "big") + part for part in (message[:30], message[30:]))
    segment = TCP(sport=1025, dport=16993, seq=1, flags="PA") / Raw(records)
    packets = [(1.0, bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / segment))]
    hello = next(one for one in amtdecode.read(packets, pdus=True) if isinstance(one.event, Handshake))
    assert hello.pdu == message
    assert hello.tree() == hello.event.tree(message) != ()


def test_the_tree_of_a_hello_framed_as_ssl_2():
    """Draft SSL 2.0, CLIENT-HELLO: places as in its table."""
    hello = bytes.fromhex("01030100060000001000002f000035" + "11" * 16)
    event, faults = read_ssl2_client_hello(hello)
    assert faults == ()
    tree = event.tree((0x8000 | len(hello)).to_bytes(2, "big") + hello)
    assert [(node.name, node.value, node.start, node.length) for root in tree for node in root.walk()] == [
        ("tls.handshake.type", 1, 2, 1),
        ("tls.handshake.version", 0x0301, 3, 2),
        ("tls.handshake.cipher_spec_len", 6, 5, 2),
        ("tls.handshake.session_id_length", 0, 7, 2),
        ("tls.handshake.challenge_length", 16, 9, 2),
        ("tls.handshake.cipherspec", 0x2F, 11, 3),
        ("tls.handshake.cipherspec", 0x35, 14, 3),
        ("tls.handshake.challenge", "11" * 16, 17, 16),
    ]


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


def test_a_certificate_with_many_extensions_stands_where_tshark_has_it(tshark, tmp_path):
    """Made with `openssl req -x509`: names of eight types, ten extensions."""
    der = (DATA / "certificate-extensions.der").read_bytes()
    names = {*FIELDS}
    listed = len(der).to_bytes(3, "big") + der
    body = len(listed).to_bytes(3, "big") + listed
    message = b"\x0b" + len(body).to_bytes(3, "big") + body
    record = b"\x16\3\1" + len(message).to_bytes(2, "big") + message
    path = tmp_path / "certificate.pcap"
    wrpcap(str(path), Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=443, dport=1025, flags="PA") / record)
    certificate = pdml(tshark, path).find(".//field[@name='tls.handshake.certificate']")
    nodes = [node for root in certificate_nodes(der, 0, 10_000) for node in root.walk()]
    ours = tuple(sorted((node.name, node.start, node.length) for node in nodes))
    assert ours == places(certificate, int(certificate.get("pos")), names)
    assert {node.name: node.value for node in nodes}["x509ce.pathLenConstraint"] == 2
    assert [node.value for node in nodes if node.name == "x509ce.dNSName"] == ["amt.example.com"]
    setup = [(node.value, node.words) for node in nodes if node.name == "x509ce.KeyPurposeId"][1]
    assert setup == ("2.16.840.1.113741.1.2.3", "Intel AMT setup")


@given(st.data())
def test_no_broken_certificate_gets_more_nodes_than_allowed_or_raises(data):
    der = bytearray((DATA / "certificate-extensions.der").read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(der[: data.draw(st.integers(0, len(der)))])
    most = data.draw(st.sampled_from([0, 5, 10_000]))
    nodes = [node for root in certificate_nodes(cut, 7, most) for node in root.walk()]
    assert len(nodes) <= most
    assert all(node.start >= 7 and node.start + node.length <= 7 + len(cut) for node in nodes)
