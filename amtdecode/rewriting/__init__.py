"""Packets that may leave the house: addresses, MACs, UUIDs and names are others, and what cannot be told is cut off.

Only what is understood is kept: headers, DNS, DHCP, hello, the frame of TLS, HTTP with SOAP. Names are replaced by
others of the same length, so that sequence numbers, lengths and offsets stay true; checksums are made anew. Of all
else the payload is cut, as a capture with a snap length cuts it. A guard looks at the result: a packet in which one of
the originals still stands, in any spelling, loses its payload, or is left out.
"""

from amtdecode.rewriting.guard import Guard
from amtdecode.rewriting.packets import Rewriter
from amtdecode.rewriting.pseudonyms import Pseudonyms

__all__ = ["Guard", "Pseudonyms", "Rewriter"]
