"""The fields of ARP messages, under tshark's names."""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, ETHER, IPV4, UINT16, Field, Fields

REQUEST, REPLY = 1, 2
OPCODES = {
    REQUEST: "request",
    REPLY: "reply",
    3: "reverse request",  # RFC 903
    4: "reverse reply",
    8: "inverse request",  # RFC 2390
    9: "inverse reply",
}

ARP_MESSAGE: Fields = (
    Field("arp.opcode", UINT16, "what the message is", "opcode", values=OPCODES),
    Field("arp.src.hw_mac", ETHER, "hardware address of the sender", "source_mac"),
    Field("arp.src.proto_ipv4", IPV4, "IPv4 address of the sender", "source_address"),
    Field("arp.dst.hw_mac", ETHER, "hardware address of the target; zero where it is asked for", "target_mac"),
    Field("arp.dst.proto_ipv4", IPV4, "IPv4 address of the target", "target_address"),
    Field(
        "arp.isgratuitous",
        BOOLEAN,
        "sender and target address are the same: an announcement",
        "is_gratuitous",
    ),
)
