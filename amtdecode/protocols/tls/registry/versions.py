"""Protocol versions by code: data.

Source: RFC 6101 (SSL 3.0), RFC 2246, 4346, 5246, 8446 (TLS 1.0 to 1.3), Hickman 1995 (SSL 2.0), RFC 4347, 6347 (DTLS);
the drafts of TLS 1.3 are 0x7F00 and their number (RFC 8446 drafts, section 4.2.1).
"""

from __future__ import annotations

from typing import Final

SSL2: Final = 0x0002
SSL3: Final = 0x0300
TLS10: Final = 0x0301
TLS11: Final = 0x0302
TLS12: Final = 0x0303
TLS13: Final = 0x0304

VERSIONS: dict[int, str] = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
    0xFEFF: "DTLS 1.0",
    0xFEFD: "DTLS 1.2",
} | {0x7F00 | draft: f"TLS 1.3 (draft {draft})" for draft in range(14, 29)}
