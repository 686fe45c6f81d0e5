"""The fields of EAPOL and EAP, under tshark's names. Numbers: IEEE 802.1X-2010 table 11-3; IANA, "EAP Registry"."""

from __future__ import annotations

from amtdecode.fields import STRING, UINT8, UINT16, UINT32, Field, Fields
from amtdecode.protocols.tls.registry.alerts import ALERTS

EAP, START, LOGOFF = 0, 1, 2
TYPES = {
    EAP: "EAP packet",
    START: "start",
    LOGOFF: "logoff",
    3: "key",
    4: "ASF alert",
    5: "MKA",
    6: "announcement (generic)",
    7: "announcement (specific)",
    8: "announcement request",
}
REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
CODES = {REQUEST: "request", RESPONSE: "response", SUCCESS: "success", FAILURE: "failure", 5: "initiate", 6: "finish"}
IDENTITY, NOTIFICATION, NAK = 1, 2, 3
METHODS = {
    IDENTITY: "identity",
    NOTIFICATION: "notification",
    NAK: "another method is wanted (Nak)",
    4: "EAP-MD5",
    5: "one-time password",
    6: "generic token card",
    13: "EAP-TLS",
    17: "LEAP",
    18: "EAP-SIM",
    21: "EAP-TTLS",
    23: "EAP-AKA",
    25: "PEAP",
    26: "EAP-MSCHAPv2",
    43: "EAP-FAST",
    47: "EAP-PSK",
    49: "EAP-IKEv2",
    50: "EAP-AKA'",
    52: "EAP-pwd",
    55: "TEAP",
    254: "expanded type",
}
WITH_TLS = frozenset({13, 21, 25, 43, 55})
"""Methods that carry TLS, in fragments with flags in front."""
LENGTH_INCLUDED, MORE, STARTS = 0x80, 0x40, 0x20  # these flags, RFC 5216 section 3.1

EAPOL: Fields = (
    Field("eapol.version", UINT8, "version of 802.1X: 1 of 2001, 2 of 2004, 3 of 2010", "version"),
    Field("eapol.type", UINT8, "what the frame is", "type", values=TYPES),
    Field("eapol.len", UINT16, "bytes of what follows", "length"),
)
EAP_PACKET: Fields = (
    Field("eap.code", UINT8, "request, response, success or failure", "code", values=CODES),
    Field("eap.id", UINT8, "number that a response has of its request", "id"),
    Field("eap.len", UINT16, "bytes of the EAP packet", "eap_length"),
    Field("eap.type", UINT8, "what a request or response is about: the method", "method", None, METHODS),
    Field("eap.identity", STRING, "who the machine says it is; in a request, words to display", "identity", ""),
    Field("eap.notification", STRING, "words to display", "notification", "", free=True),
    Field("eap.desired_type", UINT8, "methods the machine wants instead", "desired", (), METHODS, repeated=True),
    Field("eap.tls.flags", UINT8, "of methods with TLS: 0x80 length, 0x40 more fragments, 0x20 start", "flags", None),
    Field("eap.tls.len", UINT32, "bytes of the TLS message of which this is a fragment", "tls_length", None),
    Field("iamt.eap.alert", UINT8, "TLS alert in the clear, where it is a fragment of its own", "alert", None, ALERTS),
)
