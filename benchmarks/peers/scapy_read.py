"""scapy: every packet dissected with PcapReader; with a session, its TCP streams put together."""

from __future__ import annotations

import sys


def main(path: str, limit: int) -> None:
    """Read the first `limit` packets."""
    from scapy.layers.inet import IP, TCP  # noqa: F401
    from scapy.layers.inet6 import IPv6  # noqa: F401
    from scapy.layers.l2 import Ether  # noqa: F401
    from scapy.sendrecv import sniff
    from scapy.sessions import TCPSession

    count = 0

    def seen(_: object) -> None:
        nonlocal count
        count += 1

    sniff(offline=path, session=TCPSession, store=False, prn=seen, count=limit)
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
