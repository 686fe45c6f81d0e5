"""A rule added from outside the package with one object: the example of CONTRIBUTING.md."""

from __future__ import annotations

import struct

import pytest
import wire
from patient_machine import PATIENT_MACHINE

import amtdecode


def report(*frames):
    return amtdecode.diagnose(wire.pcap(wire.frames(frames)), rules=PATIENT_MACHINE)


@pytest.mark.parametrize(("retries", "speaks"), [(9, False), (10, True)])
def test_it_speaks_of_the_machine_that_it_finds(retries, speaks):
    talk = wire.Talk()
    hello = wire.PSK_HELLO[:4] + struct.pack("<I", retries) + wire.PSK_HELLO[8:]
    told = report(*talk.open(), *talk.say(hello), *talk.close())
    found = [finding for finding in told.findings if finding.id == "LAB-001"]
    assert bool(found) is speaks
    if found:
        assert found[0].explanation == f"The machine has said hello {retries} times, and nobody set it up."
        assert (str(found[0].severity), str(found[0].verdict)) == ("low", "confirmed")
        assert [evidence.packet for evidence in found[0].evidence] == [4]
        assert found[0].device_id == told.devices[0].id
    assert any(finding.id.startswith("AMT-") for finding in told.findings)  # the others are asked too


def test_it_says_what_it_lacks():
    talk = wire.Talk(dport=16992)
    server = b"Server: Intel(R) Active Management Technology 8.0.3"
    opened = talk.open()
    asked = talk.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    answered = talk.say(b"HTTP/1.1 200 OK\r\n" + server + b"\r\nContent-Length: 0\r\n\r\n", 1)
    told = report(*opened, *asked, *answered, *talk.close())
    assert [entry.missing for entry in told.not_judged if entry.id == "LAB-001"] == ["no hello in this capture"]
