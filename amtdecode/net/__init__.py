"""From a frame to the TCP segment or UDP datagram in it.

link (frame to network layer) ─▶ ip (headers, fragments) ─▶ Datagram;  icmp errors, checksums beside it
"""
