"""Where tshark says that the fields of a protocol stand: `tshark -T pdml`, for comparison with `Observation.tree()`."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import oracle


def places(tshark, path, protocol, *options):
    """By packet, for each message of the protocol in it: its offset in the packet and (name, offset, size, shown)."""
    command = [tshark, "-n", "-r", str(path), "-Y", protocol, "-T", "pdml", *options]
    done = oracle.run(command, timeout=120, check=False)
    found: dict[int, list] = {}
    for packet in ET.fromstring(done.stdout).iter("packet"):
        number = int(next(f.get("show") for f in packet.iter("field") if f.get("name") == "frame.number"))
        for proto in packet.iter("proto"):
            if proto.get("name") != protocol:
                continue
            base = int(proto.get("pos"))
            fields = [
                (f.get("name"), int(f.get("pos") or 0) - base, int(f.get("size") or 0), f.get("show"))
                for f in proto.iter("field")
                if f.get("name")
            ]
            found.setdefault(number, []).append(fields)
    return found
