"""Fields that differ between any two dialogues, whatever else is equal: numbers drawn by chance, clocks, counters.

They say nothing about why one dialogue went well and the other did not. Everything else counts as a difference.
"""

from __future__ import annotations

CHANCE = frozenset({
    "dhcp.id", "dhcpv6.xid", "dhcpv6.iaid", "dns.id",
    "tls.handshake.random", "tls.handshake.session_id", "tls.handshake.challenge",
    "tls.handshake.epms", "tls.handshake.yc", "tls.handshake.ys", "tls.handshake.client_point",
    "tls.handshake.server_point", "tls.handshake.sig", "tls.handshake.client_cert_vrfy.sig",
    "tls.handshake.verify_data", "tls.handshake.extensions_key_share_key_exchange",
    "tls.handshake.extensions_reneg_info", "tls.handshake.extensions.cookie", "iamt.tls.psk_binder",
    "tls.handshake.session_ticket", "tls.handshake.session_ticket_nonce", "tls.handshake.session_ticket_age_add",
    "tls.handshake.extensions.psk.identity.obfuscated_ticket_age", "iamt.tls.srp.a", "iamt.tls.srp.b",
    "iamt.http.digest.nonce", "iamt.http.digest.cnonce", "iamt.http.digest.response", "iamt.http.digest.opaque",
    "iamt.wsman.message_id", "iamt.wsman.relates_to", "iamt.wsman.enumeration.context",
})  # fmt: skip

CLOCKS = frozenset({
    "http.date", "http.last_modified", "dns.resp.ttl",
    "dhcp.option.ip_address_lease_time", "dhcp.option.renewal_time_value", "dhcp.option.rebinding_time_value",
    "dhcpv6.iaaddr.pref_lifetime", "dhcpv6.iaaddr.valid_lifetime",
})  # fmt: skip

# What follows from lengths of names and numbers, or from how often something was asked before.
COUNTERS = frozenset({
    "http.content_length", "http.content_length_header", "iamt.http.body.size", "iamt.http.exchange",
    "iamt.http.digest.nc", "tls.handshake.length", "tls.record.length", "iamt.tls.bytes", "iamt.tls.turns",
    "iamt.tls.padding_size", "iamt.connection.client_bytes", "iamt.connection.server_bytes",
})  # fmt: skip

# What says the same again as fields beside it, or holds parts drawn by chance in a longer text.
REPEATED = frozenset({
    "http.authorization", "http.www_authenticate", "iamt.http.authentication_info", "iamt.http.digest.realm",
    "tls.handshake.certificate", "tls.handshake.identity", "tls.handshake.hint", "tls.handshake.dname",
    "dhcp.option.type",
    "dhcp.client_id.uuid", "iamt.dhcp.client_id", "dns.flags", "dns.count.answers",
})  # fmt: skip

VARYING = CHANCE | CLOCKS | COUNTERS | REPEATED

BYTES_OF = {"iamt.dhcp.option.domain_name.raw": "dhcp.option.domain_name"}
"""The bytes of a text: they count only where the text is the same, and a NUL or a dot behind it differs."""
