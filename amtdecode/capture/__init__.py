"""Where packets come from. All reading and listening of the library lives here.

    open_captures(names) ─▶ raw packets

`source` bytes of an input, plain or compressed · `pcap`, `pcapng` their packets · `opening` what an input is, and
several as one timeline · `live` an interface (extra `live`) · `listen` a sink for hello messages.
"""

from amtdecode.capture.opening import open_capture, open_captures, probe
from amtdecode.capture.packets import NOTICE, Interface, Notice, RawPacket, limited

__all__ = ["NOTICE", "Interface", "Notice", "RawPacket", "limited", "open_capture", "open_captures", "probe"]
