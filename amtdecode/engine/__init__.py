"""From packets to observations.

    raw packets ─▶ loop (headers, flows) ─▶ stack (dissectors on top of each other) ─▶ Observation

`loop` finds the flow of each packet · `outcome` says how connections fared · `stack` feeds dissectors · `marks` keeps
which packets carried what.
"""

from amtdecode.engine.loop import Engine

__all__ = ["Engine"]
