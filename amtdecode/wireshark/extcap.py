"""`amtdecode listen` in Wireshark's list of interfaces: `python -m amtdecode.wireshark.extcap`.

Wireshark runs every program in its extcap folder and asks it for interfaces, link types and options, and in the end to
write a capture into a pipe (extcap(4)).
"""

from __future__ import annotations

import argparse
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO

from amtdecode import ports
from amtdecode.capture.listen import RAW_IP, Listener
from amtdecode.errors import AmtdecodeError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amtdecode.capture.packets import RawPacket

INTERFACE = "amtdecode-listen"
VERSION = "1.0"  # of this program, which Wireshark shows
SNAPLEN = 65_535  # bytes; no packet of the listener is as long
NANOSECONDS = 0xA1B23C4D  # magic of pcap with times in nanoseconds (draft-ietf-opsawg-pcap)


def answers(arguments: argparse.Namespace) -> str:
    """What Wireshark asks before it captures."""
    if arguments.extcap_interfaces:
        return (
            f"extcap {{version={VERSION}}}{{display=amtdecode}}\n"
            f"interface {{value={INTERFACE}}}{{display=Intel AMT hello messages sent to this computer}}\n"
        )
    if arguments.extcap_dlts:
        return f"dlt {{number={RAW_IP}}}{{name=RAW}}{{display=Raw IP}}\n"
    if arguments.extcap_config:
        return (
            f"arg {{number=0}}{{call=--port}}{{display=TCP port}}{{type=unsigned}}{{range=0,65535}}"
            f"{{default={ports.HELLO}}}{{tooltip=Machines send hello messages to port {ports.HELLO}}}\n"
            "arg {number=1}{call=--host}{display=Address to accept on}{type=string}{tooltip=Empty: all addresses}\n"
        )
    return ""


def write_capture(file: BinaryIO, packets: Iterable[RawPacket]) -> None:
    """Packets as pcap, each written at once. Ends quietly when nobody reads any more."""
    try:
        file.write(struct.pack("<IHHiIII", NANOSECONDS, 2, 4, 0, 0, SNAPLEN, RAW_IP))
        file.flush()
        for _, buffer, start, captured, size, seconds, nanoseconds, _ in packets:
            file.write(struct.pack("<IIII", seconds, nanoseconds, captured, size))
            file.write(buffer[start : start + captured])
            file.flush()
    except BrokenPipeError:
        return


def main(arguments: Sequence[str] | None = None, stop: Callable[[], bool] = lambda: False) -> int:
    """Answer Wireshark; returns the exit code. `stop`: when to end a capture."""
    parser = argparse.ArgumentParser(prog="amtdecode-listen", description=__doc__.splitlines()[0])
    for question in ("interfaces", "dlts", "config"):
        parser.add_argument(f"--extcap-{question}", action="store_true")
    parser.add_argument("--extcap-interface")
    parser.add_argument("--extcap-version")
    parser.add_argument("--extcap-capture-filter")
    parser.add_argument("--capture", action="store_true")
    parser.add_argument("--fifo")
    parser.add_argument("--port", type=int, default=ports.HELLO)
    parser.add_argument("--host", default="")
    given, _ = parser.parse_known_args(arguments)  # newer Wiresharks ask more
    if not given.capture:
        sys.stdout.write(answers(given))
        return 0
    if not given.fifo:
        sys.stderr.write("amtdecode-listen: --capture needs --fifo FILE\n")
        return 2
    try:
        with open(given.fifo, "wb") as file:
            write_capture(file, Listener(given.port, given.host).packets(stop))
    except AmtdecodeError as error:
        sys.stderr.write(f"amtdecode-listen: {error}\n")
        return 3
    except OSError as error:
        sys.stderr.write(f"amtdecode-listen: {given.fifo}: {reason(error)}\n")
        return 3
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
