"""pyshark: tshark's packets as Python objects."""

from __future__ import annotations

import sys


def main(path: str, limit: int) -> None:
    """Read the first `limit` packets."""
    import pyshark

    capture = pyshark.FileCapture(path, keep_packets=False, custom_parameters=["-n", "-c", str(limit)])
    count = 0
    for packet in capture:
        count += 1
        if "TCP" in packet:
            _ = packet.tcp.stream
    capture.close()
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
