"""The fields of platform event traps: those of SNMP under tshark's names, those of PET under our own.

Names of sources and severities: IPMI Platform Event Trap Format Specification 1.0, section 2; that of AMT's own source
(58h) is in the Intel AMT Implementation and Reference Guide.
"""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, GUID, INT16, INT32, IPV4, STRING, UINT8, UINT16, UINT32, Field, Fields
from amtdecode.protocols.pet.words import EVENT_TYPES, SENSORS

NAME = "snmp"
ENTERPRISE = bytes.fromhex("2b06010401986f0101")  # 1.3.6.1.4.1.3183.1.1
VARIABLE = ENTERPRISE + b"\1"
MAX_TRAP = 1024  # bytes read of a datagram; a trap of PET has some 160 at most
INTEL = 343  # IANA enterprise number
SYSTEM_MANAGEMENT_CARD = 0x58  # as AMT calls itself

SOURCES = {
    0x00: "platform firmware (BIOS)",
    0x08: "SMI handler",
    0x10: "software of another vendor",
    0x18: "alert circuit",
    0x20: "IPMI",
    0x28: "BIOS vendor",
    0x30: "board vendor",
    0x38: "system integrator",
    0x40: "add-in card of another vendor",
    0x48: "vendor of the operating system",
    0x50: "network card",
    SYSTEM_MANAGEMENT_CARD: "system management card (AMT)",
}
SEVERITIES = {
    0x00: "unspecified",
    0x01: "monitor",
    0x02: "information",
    0x04: "ok",
    0x08: "non-critical",
    0x10: "critical",
    0x20: "non-recoverable",
}
GENERIC_TRAPS = {
    0: "coldStart",
    1: "warmStart",
    2: "linkDown",
    3: "linkUp",
    4: "authenticationFailure",
    5: "egpNeighborLoss",
    6: "enterpriseSpecific",
}
UNSPECIFIED_OFFSET = 0xFFFF

SNMP: Fields = (
    Field("snmp.version", INT32, "version of SNMP", "snmp_version", values={0: "version-1"}),
    Field("snmp.community", STRING, "community: what passes for a password", "community", secret=True),
    Field("snmp.enterprise", STRING, "who defined the trap: 1.3.6.1.4.1.3183.1.1 for PET", "enterprise"),
    Field("snmp.agent_addr", IPV4, "address of the machine, as it says", "agent_address"),
    Field("snmp.generic_trap", INT32, "kind of trap", "generic", values=GENERIC_TRAPS),
    Field("snmp.specific_trap", INT32, "sensor type, event type and offset as one number", "specific"),
    Field("snmp.time_stamp", UINT32, "hundredths of a second since the agent began", "uptime"),
)
PET: Fields = (
    Field("iamt.pet.event", STRING, "what happened, in words", "event"),
    Field("iamt.pet.sensor_type", UINT8, "type of the sensor", "sensor_type", values=SENSORS),
    Field("iamt.pet.event_type", UINT8, "type of the event", "event_type", values=EVENT_TYPES),
    Field("iamt.pet.offset", UINT8, "which event of its type", "offset"),
    Field("iamt.pet.deasserted", BOOLEAN, "true where the event is over", "deasserted", False),
    Field("iamt.pet.guid", GUID, "GUID of the machine, in network order as PET has it", "guid"),
    Field("iamt.pet.guid.smbios", GUID, "the same bytes in SMBIOS order, as AMT's hello has its UUID", "guid_smbios"),
    Field("iamt.pet.sequence", UINT16, "sequence number: the same where a trap is sent again", "sequence"),
    Field("iamt.pet.timestamp", UINT32, "seconds since 1998 by the machine's clock; 0: not specified", "timestamp"),
    Field("iamt.pet.time", STRING, "the same as local time of the machine", "local_time", ""),
    Field("iamt.pet.utc_offset", INT16, "minutes by which its clock is ahead of UTC", "utc_offset", None),
    Field("iamt.pet.trap_source", UINT8, "who sent the trap", "trap_source", values=SOURCES),
    Field("iamt.pet.event_source", UINT8, "who saw the event", "event_source", values=SOURCES),
    Field("iamt.pet.severity", UINT8, "how bad it is", "severity", values=SEVERITIES),
    Field("iamt.pet.sensor_device", UINT8, "device with the sensor; 255: not specified", "sensor_device"),
    Field("iamt.pet.sensor_number", UINT8, "number of the sensor; 255: not specified", "sensor_number"),
    Field("iamt.pet.entity", UINT8, "part of the machine that is concerned", "entity"),
    Field("iamt.pet.entity_instance", UINT8, "which of these parts", "entity_instance"),
    Field("iamt.pet.event_data", BYTES, "8 bytes about the event", "event_data"),
    Field("iamt.pet.language", UINT8, "language of the text; 255: not specified", "language", values={0x19: "English"}),
    Field("iamt.pet.manufacturer", UINT32, "IANA number of the manufacturer", "manufacturer", values={INTEL: "Intel"}),
    Field("iamt.pet.system", UINT16, "number of the system, of the manufacturer's own", "system"),
    Field("iamt.pet.oem", BYTES, "fields of the manufacturer's own", "oem", b""),
)
