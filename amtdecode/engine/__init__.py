"""From packets to observations.

    raw packets ─▶ loop (headers) ─▶ connections, datagrams (flows) ─▶ stack (dissectors) ─▶ Observation

`outcome` says how connections fared; `provenance` keeps which packets carried what.
"""

from amtdecode.engine.loop import Engine

__all__ = ["Engine"]
