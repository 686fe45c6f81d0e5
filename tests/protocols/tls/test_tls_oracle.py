"""What tshark decrypts, the dissector opens too: every row of the shared oracle."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from tls_driver import conversations, expectation, plaintext, run, secrets_blocks

from amtdecode.model import Malformed
from amtdecode.protocols.memory import Memory
from amtdecode.protocols.tls.events import Decryption
from amtdecode.secrets import Keys

ROWS = 83


def oracle_rows(shared):
    with (shared / "captures" / "ORACLE.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def keys_of(shared, row):
    """Keys as the tshark command of the row names them."""
    command = next(value for name, value in row.items() if name.startswith("tshark"))
    captures = shared / "captures"
    keys = Keys.load(
        psk=[f"*=hex:{psk}" for psk in re.findall(r"tls\.psk:([0-9a-f]+)", command)],
        rsa_keys=[
            f"{captures / file}:{password}".rstrip(":")
            for file, password in re.findall(r'rsa_keys:"([^"]+)","([^"]*)"', command)
        ],
        keylogs=[str(captures / file) for file in re.findall(r"tls\.keylog_file:(\S+)", command)],
    )
    for block in secrets_blocks(captures / row["capture"]) if row["method"] == "dsb" else ():
        keys.add_keylog(block)
    return keys


@pytest.mark.parametrize("number", range(ROWS))
def test_every_row_of_the_oracle(shared, number):
    rows = oracle_rows(shared)
    assert len(rows) == ROWS
    row = rows[number]
    capture = shared / "captures" / row["capture"]
    streams = expectation(Path(re.sub(r"\.pcap(ng)?(\.gz)?$", "", str(capture)) + f".{row['method']}.expected.txt"))
    assert streams
    found = conversations(capture)
    keys, memory = keys_of(shared, row), Memory()
    for number, conversation in enumerate(found):
        statements = run(conversation, keys, memory=memory)
        ours = [(int(direction), data) for direction, data in plaintext(statements)]
        runs = streams.get(number, [])
        # the tab of an expectation marks tshark's Node 1, which is not always the server
        assert ours in (runs, [(1 - side, data) for side, data in runs]), (row["capture"], number)
        assert not [s for s in statements if isinstance(s.event, Malformed)]
        told = [s.event for s in statements if isinstance(s.event, Decryption)]
        if runs:
            assert told[0].opened
        elif row["method"] == "rsakey" and int(row["decrypted_bytes"]) == 0:
            assert [event.opened for event in told] == [False]
            assert "key log" in told[0].reason  # a good reason is said: Diffie-Hellman, RSA_PSK or TLS 1.3
