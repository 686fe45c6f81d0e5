"""Key material: what a dissector may ask for, and where it comes from (PSK tables, RSA keys, key logs, passwords)."""

from __future__ import annotations

from amtdecode.secrets.keys import Keys

__all__ = ["Keys"]
