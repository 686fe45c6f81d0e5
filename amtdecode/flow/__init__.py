"""From segments to in-order bytes.

segment ─▶ reassembly ─▶ Chunk (bytes, gap, end)

`tcp` state of a connection · `table` all connections · `events` how a connection fared.
"""
