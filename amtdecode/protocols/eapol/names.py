"""What recognition takes of EAPOL."""

from __future__ import annotations

NAME = "eapol"
HEADER = 4  # bytes of the header of EAPOL, and of that of EAP
