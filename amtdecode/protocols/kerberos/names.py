"""What recognition takes of Kerberos."""

from __future__ import annotations

NAME = "kerberos"
