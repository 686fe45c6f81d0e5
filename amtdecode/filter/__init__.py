"""Display filters, as Wireshark 4.0 reads them (`-Y`, `filter=`).

    text ─▶ `lexer` tokens ─▶ `parser` tree ─▶ `check` kinds and literals ─▶ `compile` one Python function

`schema` says which names there are, `values` what the values of each kind are, `facts` where they come from: the
packet's own headers, and the events of the observations that it completes. `gate` lets observations through,
`packets` packets.
"""

from typing import TYPE_CHECKING

from amtdecode.errors import FilterError
from amtdecode.late import late

if TYPE_CHECKING:
    from amtdecode.filter.compile import Filter, compile_filter

__all__ = ["Filter", "FilterError", "compile_filter"]

__getattr__ = late(__name__, compile="Filter compile_filter")  # who does not filter needs no compiler
