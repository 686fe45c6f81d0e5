"""From segments to in-order bytes.

segment ─▶ tcp.Reassembly ─▶ Chunk (bytes, gap, end);  events: what is said of a connection as a whole
"""
