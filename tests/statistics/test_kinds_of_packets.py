"""What packets are, in words, where nothing about AMT is found."""

from __future__ import annotations

import struct

import pytest

from amtdecode.statistics.kinds import kinds_of

ETHERNET = bytes(12)
IP = bytes.fromhex("4500001c000040004001000001020304050607080800f7ff00000000")


def capture(tmp_path, *frames):
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, frame in enumerate(frames):
        data += struct.pack("<IIII", number, 0, len(frame), len(frame)) + frame
    file = tmp_path / "capture.pcap"
    file.write_bytes(data)
    return [str(file)]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (ETHERNET + b"\x08\x00" + IP, "ICMP"),
        (ETHERNET + b"\x08\x00" + IP[:9] + b"\x67" + IP[10:], "IP protocol 103"),
        *((ETHERNET + b"\x08\x00" + IP[:cut], "IPv4 cut in its header") for cut in (0, 1, 8, 9)),
        (ETHERNET + b"\x88\xcc" + bytes(40), "LLDP"),
        (ETHERNET + b"\x12\x34" + bytes(40), "Ethernet type 0x1234"),
    ],
)
def test_kinds(tmp_path, frame, kind):
    assert kinds_of(capture(tmp_path, frame, frame)) == [(kind, 2)]
