"""The fields of LLDP, under tshark's names. Numbers: IEEE 802.1AB-2016 clause 8.5, 802.1Q-2018 annex D."""

from __future__ import annotations

from amtdecode.fields import BYTES, ETHER, IPV4, STRING, UINT8, UINT16, UINT24, Field, Fields

NAME = "lldp"
END, CHASSIS, PORT, TTL, PORT_DESC, SYSTEM_NAME, SYSTEM_DESC, CAPABILITIES, MANAGEMENT = range(9)
ORGANISATION = 127
TYPES = {
    END: "end",
    CHASSIS: "chassis",
    PORT: "port",
    TTL: "time to live",
    PORT_DESC: "description of the port",
    SYSTEM_NAME: "name of the system",
    SYSTEM_DESC: "description of the system",
    CAPABILITIES: "capabilities",
    MANAGEMENT: "management address",
    ORGANISATION: "organisation's own",
}
IEEE_802_1 = 0x0080C2  # OUI of the 802.1 working group
PORT_VLAN, VLAN_NAME = 1, 3  # its subtypes
CHASSIS_MAC, CHASSIS_ADDRESS = 4, 5
CHASSIS_KINDS = {
    1: "chassis component",
    2: "interface alias",
    3: "port component",
    CHASSIS_MAC: "MAC address",
    CHASSIS_ADDRESS: "network address",
    6: "interface name",
    7: "locally assigned",
}
PORT_MAC, PORT_ADDRESS = 3, 4
PORT_KINDS = {
    1: "interface alias",
    2: "port component",
    PORT_MAC: "MAC address",
    PORT_ADDRESS: "network address",
    5: "interface name",
    6: "agent circuit ID",
    7: "locally assigned",
}
FAMILY_IPV4 = 1
BRIDGE = 0x0004  # bit of the capabilities

LLDP: Fields = (
    Field("lldp.chassis.subtype", UINT8, "what names the chassis", "chassis_kind", None, CHASSIS_KINDS),
    Field("lldp.chassis.id.mac", ETHER, "MAC address of the chassis", "chassis_mac", ""),
    Field("lldp.chassis.id.ip4", IPV4, "address of the chassis", "chassis_ip4", ""),
    Field("lldp.chassis.id", BYTES, "name of the chassis, where it is none of these", "chassis_id", b""),
    Field("lldp.port.subtype", UINT8, "what names the port", "port_kind", None, PORT_KINDS),
    Field("lldp.port.id.mac", ETHER, "MAC address of the port", "port_mac", ""),
    Field("lldp.port.id.ip4", IPV4, "address of the port", "port_ip4", ""),
    Field("lldp.port.id", STRING, "name of the port, where it is none of these", "port_id", ""),
    Field("lldp.time_to_live", UINT16, "seconds for which this holds; 0: it ends", "ttl", None),
    Field("lldp.port.desc", STRING, "description of the port", "port_description", "", free=True),
    Field("lldp.tlv.system.name", STRING, "name of the switch", "system_name", ""),
    Field("lldp.tlv.system.desc", STRING, "what the switch says of itself", "system_description", "", free=True),
    Field(
        "lldp.tlv.enable_system_cap", UINT16, "what it is, as bits: 0x04 a switch, 0x20 a telephone", "enabled", None
    ),
    Field("lldp.mgn.addr.ip4", IPV4, "addresses it is managed at", "management", (), repeated=True),
    Field("lldp.ieee.802_1.port_vlan.id", UINT16, "VLAN of untagged frames; 0: none", "port_vlan", None),
    Field("lldp.ieee.802_1.vlan.id", UINT16, "VLANs of the port that have a name", "vlans", (), repeated=True),
    Field("lldp.ieee.802_1.vlan.name", STRING, "their names", "vlan_names", (), repeated=True),
)
PARTS: Fields = (
    Field("lldp.tlv.type", UINT16, "what the part is", values=TYPES, repeated=True),
    Field("lldp.tlv.len", UINT16, "bytes of its value", repeated=True),
    Field("lldp.orgtlv.oui", UINT24, "organisation whose own it is", repeated=True),
    Field("lldp.ieee.802_1.subtype", UINT8, "which part of 802.1's", repeated=True),
)
