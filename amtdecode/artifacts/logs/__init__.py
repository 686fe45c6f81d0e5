"""Logs of servers and consoles: `read_log` gives the rows that say something, `explain` what they mean.

for row in read_log("scs_server.log"):
    print(row.line, row.time, row.code, explain(row).meaning)
"""

from typing import TYPE_CHECKING

from amtdecode.late import late

if TYPE_CHECKING:
    from amtdecode.artifacts.logs.anchors import Anchor, Code, Explanation, Table, explain, table
    from amtdecode.artifacts.logs.clock import ClockOffset, estimate_offset, vote_offset
    from amtdecode.artifacts.logs.files import KNOWN, KnownLog, in_order, known_log
    from amtdecode.artifacts.logs.reader import LogReader, looks_like_a_log, read_log
    from amtdecode.artifacts.logs.row import LogRow

__all__ = [
    "KNOWN",
    "Anchor",
    "ClockOffset",
    "Code",
    "Explanation",
    "KnownLog",
    "LogReader",
    "LogRow",
    "Table",
    "estimate_offset",
    "explain",
    "in_order",
    "known_log",
    "looks_like_a_log",
    "read_log",
    "table",
    "vote_offset",
]

__getattr__ = late(  # who has captures alone needs no log
    __name__,
    anchors="Anchor Code Explanation Table explain table",
    clock="ClockOffset estimate_offset vote_offset",
    files="KNOWN KnownLog in_order known_log",
    reader="LogReader looks_like_a_log read_log",
    row="LogRow",
)
