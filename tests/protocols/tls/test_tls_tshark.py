"""Handshake fields agree with tshark on every TLS capture there is."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import oracle
import pytest
from tls_driver import conversations, run

from amtdecode.protocols.tls.hellos import Handshake

ROOT = Path(__file__).resolve().parents[3]

# tshark's field, and whether its values are numbers, hex bytes or text
FIELDS = {
    "tls.handshake.type": int,
    "tls.handshake.version": int,
    "tls.handshake.ciphersuite": int,
    "tls.handshake.extension.type": int,
    "tls.handshake.extensions_server_name": str,
    "tls.handshake.extensions_supported_group": int,
    "tls.handshake.sig_hash_alg": int,
    "tls.handshake.extensions.supported_version": int,
    "tls.handshake.random": bytes,
    "tls.handshake.session_id": bytes,
    "tls.handshake.certificate": bytes,
    "tls.handshake.extensions_alpn_str": str,
    "tls.handshake.cert_type": int,
    "tls.handshake.identity": bytes,
    "tls.handshake.hint": bytes,
    "tls.handshake.epms": bytes,
    "tls.handshake.yc": bytes,
    "tls.handshake.ys": bytes,
    "tls.handshake.client_point": bytes,
    "tls.handshake.server_point": bytes,
    "tls.handshake.server_named_curve": int,
    "tls.handshake.client_cert_vrfy.sig": bytes,
    "tls.handshake.session_ticket": bytes,
    "tls.handshake.session_ticket_lifetime_hint": int,
    "tls.handshake.max_fragment_length": int,
    "tls.handshake.extensions_reneg_info": bytes,
    "tls.handshake.extensions_key_share_group": int,
    "tls.alert_message.level": int,
    "tls.alert_message.desc": int,
}

# where the two differ for a reason
SCT = (
    "certificate-with-sct",
    "client-certificate",
    "google-cert-repeat",
    "signed_certificate_timestamp",
    "tls-1.2-stream",
    "tls12-decryption",
)
PSK_EXCHANGES = ("dhepsk", "tls12-chacha20poly1305.pcap")  # tshark 4.0 does not read DHE_PSK and ECDHE_PSK messages
DIFFERENT = {
    "tls12-dsb.pcapng": "tshark takes keys out of the capture",
    "ssl-v2.pcap": "tshark reads SSL 2.0 sessions",
}
PSK_FIELDS = {f"tls.handshake.{name}" for name in ("identity", "hint", "yc", "ys")} | {
    f"tls.handshake.{name}" for name in ("client_point", "server_point", "server_named_curve")
}

SHARED = Path(os.environ.get("AMTDECODE_SHARED", ROOT.parent / "shared")) / "captures"


def captures():
    names = [str(path.relative_to(SHARED)) for path in sorted(SHARED.glob("loopback/*/*.pcap"))]
    names += [str(path.relative_to(SHARED)) for path in sorted(SHARED.glob("third-party/zeek/tls/*.pcap*"))]
    names += [
        str(path.relative_to(SHARED)) for path in sorted(SHARED.glob("third-party/wireshark/captures/*tls*.pcap*"))
    ]
    return names or ["no shared captures"]


def values_of(text, kind):
    if kind is int:
        return int(text, 0)
    return text.replace(":", "").lower() if kind is bytes else text


def by_tshark(tshark, path):
    """Fields by stream: how often each value was seen in the clear."""
    command = [tshark, "-n", "-r", str(path), "-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tls.keylog_file:"]
    for port in (16993, 16995, 4433):
        command += ["-d", f"tcp.port=={port},tls"]
    command += ["-Y", "tls && tcp && !dtls", "-T", "json", "--no-duplicate-keys", "-j", "tcp tls"]
    command += ["-e", "tcp.stream"] + [part for name in FIELDS for part in ("-e", name)]
    run_ = oracle.run(command, text=True, check=True)
    streams: dict[int, dict[str, Counter]] = {}
    for packet in json.loads(run_.stdout):
        layers = packet["_source"]["layers"]
        fields = streams.setdefault(int(layers["tcp.stream"][0]), {name: Counter() for name in FIELDS})
        for name, kind in FIELDS.items():
            for text in filter(None, layers.get(name, ())):
                fields[name][values_of(text, kind)] += 1
    return streams


def by_us(path):
    streams: dict[int, dict[str, Counter]] = {}
    for number, conversation in enumerate(conversations(path)):
        fields = {name: Counter() for name in FIELDS}
        seen = False
        for statement in run(conversation):
            event = statement.event
            if event.protocol != "tls" or not (
                isinstance(event, Handshake) or "tls.alert_message.level" in event.fields()
            ):
                continue
            seen = True
            for name, value in event.fields().items():
                if name in fields:
                    for one in filter(lambda one: one != "", value if isinstance(value, list) else [value]):
                        fields[name][one] += 1
        if seen:
            streams[number] = fields
    return streams


def differ_for_a_reason(name, field, found, expected):
    if field == "tls.handshake.sig_hash_alg" and any(part in name for part in SCT):
        return found < expected  # tshark counts those inside certificate timestamps, too
    return field in PSK_FIELDS and found > expected and any(part in name for part in PSK_EXCHANGES)


@pytest.mark.parametrize("name", captures())
def test_handshake_fields_are_those_of_tshark(shared, tshark, name):
    path = shared / "captures" / name
    if path.name in DIFFERENT:
        pytest.skip(DIFFERENT[path.name])
    theirs, ours = by_tshark(tshark, path), by_us(path)
    for stream, fields in theirs.items():
        for field, expected in fields.items():
            found = ours.get(stream, {}).get(field, Counter())
            assert found == expected or differ_for_a_reason(name, field, found, expected), (stream, field)


def test_certificates_by_fingerprint(shared, tshark):
    path = shared / "captures" / "loopback" / "tls" / "openssl-tls1_2-mtls-rsa-aes128sha.pcap"
    command = [
        tshark,
        "-n",
        "-r",
        str(path),
        "-d",
        "tcp.port==16993,tls",
        "-T",
        "fields",
        "-e",
        "tls.handshake.certificate",
    ]
    out = oracle.run(command, text=True, check=True).stdout
    theirs = [hashlib.sha256(bytes.fromhex(text)).hexdigest() for text in out.replace(",", " ").split()]
    (conversation,) = conversations(path)
    ours = [value for s in run(conversation) for value in s.event.fields().get("iamt.tls.certificate.sha256", [])]
    assert ours == theirs
    assert len(ours) == 4
