"""Display filters, as Wireshark 4.0 reads them (`-Y`, `filter=`).

    text ─▶ `lexer` tokens ─▶ `parser` tree ─▶ `check` kinds and literals ─▶ `compile` one Python function

`schema` says which names there are, `values` what the values of each kind are, `facts` where they come from: the
packet's own headers, and the events of the observations that it completes. `gate` lets observations through,
`packets` packets.
"""

from typing import TYPE_CHECKING, Any

from amtdecode.errors import FilterError

if TYPE_CHECKING:
    from amtdecode.filter.compile import Filter, compile_filter

__all__ = ["Filter", "FilterError", "compile_filter"]


def __getattr__(name: str) -> Any:
    """Load the compiler when somebody filters."""
    if name in ("Filter", "compile_filter"):
        from amtdecode.filter import compile as compiling

        return getattr(compiling, name)
    raise AttributeError(f"module 'amtdecode.filter' has no attribute {name!r}")
