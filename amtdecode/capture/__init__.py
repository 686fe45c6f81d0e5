"""Where packets come from. All reading and listening of the library lives here.

    inputs_of(given) ─▶ inputs;  open_captures(inputs) ─▶ raw packets;  open_records(inputs) ─▶ runs of them, where an
    input allows it

`inputs` what a caller gives: names, bytes, open files, packets · `source` bytes of an input, plain or compressed ·
`pcap`, `pcapng` their packets · `iterables` packets that a program has · `opening` what an input is, and several as one
timeline · `live` an interface (extra `live`) · `listen` a sink for hello messages.
"""

from amtdecode.capture.opening import name_of, open_capture, open_captures, open_records, probe
from amtdecode.capture.packets import NOTICE, Interface, Notice, RawPacket, Records, Stamp, limited, one_by_one

__all__ = [
    "NOTICE",
    "Interface",
    "Notice",
    "RawPacket",
    "Records",
    "Stamp",
    "limited",
    "name_of",
    "one_by_one",
    "open_capture",
    "open_captures",
    "open_records",
    "probe",
]
