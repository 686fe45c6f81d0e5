"""Arrow tables of what was read and found (extra `arrow`): Parquet files, Arrow streams, and what the library hands on.

    observations ─▶ collecting (columns of a batch) ─▶ typed (columns of a protocol) ─▶ writing (row groups of files)

`buffers` makes arrays of what lies in memory, `places` and `flows` the columns of where observations were seen and of
how connections fared.

`schemas` declares every table; docs/tables.md explains them, and the keys by which they join.
"""
