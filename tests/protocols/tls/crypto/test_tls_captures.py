"""Real traffic through key material and record protection alone: what tshark decrypted, and every Finished verified."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from tls_replay import CLIENT, SERVER, expected, merge, replay, secrets_blocks

from amtdecode.protocols.tls.registry import suite_parameters
from amtdecode.secrets import Keys

ROWS = 83
PSK = "0123456789ABCDEFGHJKLMNPQRSTUVWX"


def oracle_rows(shared):
    with (shared / "captures" / "ORACLE.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def keys_of(shared, row):
    """Keys as the tshark command of the row names them."""
    command, captures = next(value for name, value in row.items() if name.startswith("tshark")), shared / "captures"
    keys = Keys.load(
        psk=[f"*=hex:{psk}" for psk in re.findall(r"tls\.psk:([0-9a-f]+)", command)],
        rsa_keys=[
            f"{captures / file}:{password}".rstrip(":")
            for file, password in re.findall(r'rsa_keys:"([^"]+)","([^"]*)"', command)
        ],
        keylogs=[str(captures / file) for file in re.findall(r"tls\.keylog_file:(\S+)", command)],
    )
    if row["method"] == "dsb":
        for block in secrets_blocks(captures / row["capture"]):
            keys.add_keylog(block)
    return keys


@pytest.mark.parametrize("number", range(ROWS))
def test_every_row_of_the_oracle(shared, number):
    rows = oracle_rows(shared)
    assert len(rows) == ROWS
    row = rows[number]
    capture = shared / "captures" / row["capture"]
    name = re.sub(r"\.pcap(ng)?(\.gz)?$", "", str(capture)) + f".{row['method']}.expected.txt"
    streams = expected(Path(name))
    assert streams
    replays = replay(capture, keys_of(shared, row))
    for stream, runs in streams.items():
        ours = merge(replays[stream].application) if stream in replays else []
        # the tab of an expectation marks tshark's Node 1, which is not always the server
        assert ours in (
            [(int(side), data) for side, data in runs],
            [(1 - int(side), data) for side, data in runs],
        ), row["capture"]
        if runs:
            assert replays[stream].failed == 0
            assert {CLIENT, SERVER} == set(replays[stream].verified)


def test_the_captures_exercise_every_kind_of_record_protection(shared):
    seen = Counter()
    for row in oracle_rows(shared):
        for one in replay(shared / "captures" / row["capture"], keys_of(shared, row)).values():
            for suite in one.suites if one.verified else ():
                parameters = suite_parameters(suite)
                kind = "etm" if one.etm and parameters.mode == "CBC" else ""
                seen[max(one.versions), parameters.cipher, parameters.mode, parameters.mac, kind] += 1
    assert {
        (0x0300, "AES", "CBC", "sha1", ""),
        (0x0300, "3DES", "CBC", "sha1", ""),
        (0x0301, "AES", "CBC", "sha1", ""),
        (0x0301, "AES", "CBC", "sha1", "etm"),
        (0x0301, "3DES", "CBC", "sha1", ""),
        (0x0301, "RC4", "", "sha1", ""),
        (0x0301, "RC4", "", "md5", ""),
        (0x0301, "NULL", "", "sha1", ""),
        (0x0303, "AES", "CBC", "sha1", ""),
        (0x0303, "AES", "CBC", "sha1", "etm"),
        (0x0303, "AES", "CBC", "sha256", "etm"),
        (0x0303, "3DES", "CBC", "sha1", ""),
        (0x0303, "AES", "GCM", "", ""),
        (0x0303, "AES", "CCM", "", ""),
        (0x0303, "CHACHA20", "POLY1305", "", ""),
        (0x0303, "NULL", "", "sha256", ""),
        (0x0304, "AES", "GCM", "", ""),
        (0x0304, "CHACHA20", "POLY1305", "", ""),
    } <= set(seen), sorted(seen)


@pytest.mark.parametrize("version", ["1.0", "1.2"])
def test_dhe_psk_opens_with_the_key_log_and_not_with_the_psk_alone(shared, version):
    capture = shared / "captures" / "loopback" / "tls" / f"gnutls-tls{version}-dhepsk-aes128.pcap"
    with_log = Keys.load(keylogs=[str(capture.with_suffix(".keylog.txt"))])
    (opened,) = replay(capture, with_log).values()
    assert opened.failed == 0
    assert {CLIENT, SERVER} == set(opened.verified)
    (sealed,) = replay(capture, Keys.load(psk=[f"ABCD-1234={PSK}"])).values()
    assert sealed.verified == []


def test_rsa_psk_takes_both_keys(shared):
    capture = shared / "captures" / "loopback" / "tls" / "gnutls-tls1.2-rsapsk-aes128.pcap"
    key = str(shared / "captures" / "loopback" / "keys" / "amt_selfsigned.key")
    (opened,) = replay(capture, Keys.load(psk=[f"ABCD-1234={PSK}"], rsa_keys=[key])).values()
    assert {CLIENT, SERVER} == set(opened.verified)
    (reference,) = replay(capture, Keys.load(keylogs=[str(capture.with_suffix(".keylog.txt"))])).values()
    assert opened.application == reference.application != []


@pytest.mark.parametrize(
    "name",
    [
        "gnutls-tls1.0-psk-3des",
        "gnutls-tls1.0-psk-null",
        "gnutls-tls1.0-psk-rc4",
        "gnutls-tls1.2-psk-aes128-noems-noetm",
        "openssl-tls1-psk-aes128cbc-sha",
        "openssl-tls1-psk-aes128cbc-sha-noetm",
        "openssl-tls1_2-psk-aes128cbc-sha",
    ],
)
def test_a_wrong_psk_opens_no_record(shared, name):
    wrong = Keys.load(psk=[f"*={PSK[:-1]}Y"])
    (sealed,) = replay(shared / "captures" / "loopback" / "tls" / f"{name}.pcap", wrong).values()
    assert sealed.application == []
    assert sealed.verified == []
    assert sealed.failed > 2


@pytest.mark.parametrize(
    "name",
    [
        "openssl-tls1_3-mtls-aes128gcm",
        "openssl-tls1_3-chacha",
        "gnutls-tls1.3-mtls",
        "openssl-tls1_2-dhe-rsa-aes128sha",
    ],
)
def test_a_wrong_secret_in_the_key_log_opens_no_record(shared, name):
    capture = shared / "captures" / "loopback" / "tls" / f"{name}.pcap"
    log = capture.with_suffix(".keylog.txt").read_text()
    wrong = Keys()
    wrong.add_keylog(re.sub(r"[0-9a-fA-F]$", lambda m: "0" if m[0] != "0" else "1", log, flags=re.MULTILINE).encode())
    (sealed,) = replay(capture, wrong).values()
    assert sealed.application == []
    assert sealed.verified == []
    assert sealed.failed > 2
