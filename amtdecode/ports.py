"""The ports of Intel AMT, TCP where nothing else is said, written once: every layer asks for them here.

Sources: IANA Service Name and Transport Protocol Port Number Registry, under the name given at each number; the Intel
AMT Implementation and Reference Guide, "Manageability Ports", and for 9971 "Setup mode hello messages". No number is
reserved for CIRA: 4433 is where Intel's sample MPS, MeshCentral and Open AMT listen, and a site may choose another.
"""

from __future__ import annotations

from typing import Final

HELLO: Final = 9971
"""The setup server listens for hello messages, unless the MEBx names another port."""
CIRA: Final = 4433
"""The management presence server (MPS) listens for machines that call home (CIRA)."""
HTTP: Final = 16992
"""AMT: SOAP and WS-Man over HTTP, and the web page (IANA: amt-soap-http)."""
HTTPS: Final = 16993
"""The same inside TLS (IANA: amt-soap-https)."""
REDIRECTION: Final = 16994
"""AMT: serial over LAN and storage redirection (IANA: amt-redir-tcp)."""
REDIRECTION_TLS: Final = 16995
"""The same inside TLS (IANA: amt-redir-tls)."""
DASH: Final = 623
"""DASH: WS-Man over HTTP, and RMCP (IANA: oob-ws-http, asf-rmcp)."""
DASH_TLS: Final = 664
"""The same inside TLS (IANA: oob-ws-https, asf-secure-rmcp)."""
VNC: Final = 5900
"""AMT 6.0 and later: KVM without redirection and without TLS, where it was switched on (IANA: rfb)."""
PET: Final = 162
"""The console listens for alerts (PET), UDP (IANA: snmptrap)."""

SETUP: Final = frozenset((HTTP, HTTPS))
"""The setup server connects back to these."""
INTEL: Final = frozenset((HTTP, HTTPS, REDIRECTION, REDIRECTION_TLS))
"""The four registered for Intel AMT alone."""
WEB: Final = frozenset((DASH, DASH_TLS, HTTP, HTTPS))
"""HTTP is spoken here, bare or inside TLS."""
MACHINE_TLS: Final = frozenset((DASH_TLS, HTTPS, REDIRECTION_TLS))
"""The machine is the TLS server here."""
MACHINE: Final = frozenset((DASH, DASH_TLS, HTTP, HTTPS, REDIRECTION, REDIRECTION_TLS))
"""The machine listens here."""
AMT: Final = MACHINE | {HELLO, CIRA}
"""All of them. They break ties only: content decides what a connection is."""
