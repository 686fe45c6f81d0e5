"""Where packets come from. All reading and listening of the library lives here.

    open_captures(names) ─▶ raw packets;  open_records(names) ─▶ runs of them, where an input allows it

`source` bytes of an input, plain or compressed · `pcap`, `pcapng` their packets · `opening` what an input is, and
several as one timeline · `live` an interface (extra `live`) · `listen` a sink for hello messages.
"""

from amtdecode.capture.opening import open_capture, open_captures, open_records, probe
from amtdecode.capture.packets import NOTICE, Interface, Notice, RawPacket, Records, Stamp, limited, one_by_one

__all__ = [
    "NOTICE",
    "Interface",
    "Notice",
    "RawPacket",
    "Records",
    "Stamp",
    "limited",
    "one_by_one",
    "open_capture",
    "open_captures",
    "open_records",
    "probe",
]
