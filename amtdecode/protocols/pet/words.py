"""What sensors and events of PET are called.

Sources: IPMI 2.0, tables 42-2 (event types) and 42-3 (sensor types); for AMT's own (12h with 0Ah, C0h, 26h with 01h)
Intel AMT Implementation and Reference Guide, "Event filters". What AMT means by the offsets of its own events is not
documented there.
"""

from __future__ import annotations

SENSOR_SPECIFIC, AMT_USER = 0x6F, 0xC0
SENSORS = {
    0x01: "temperature",
    0x02: "voltage",
    0x03: "current",
    0x04: "fan",
    0x05: "physical security",
    0x06: "violation of platform security",
    0x07: "processor",
    0x08: "power supply",
    0x09: "power unit",
    0x0A: "cooling device",
    0x0C: "memory",
    0x0D: "drive slot",
    0x0F: "system firmware",
    0x10: "event log disabled",
    0x11: "watchdog 1",
    0x12: "system event",
    0x13: "critical interrupt",
    0x14: "button or switch",
    0x19: "chip set",
    0x1B: "cable or interconnect",
    0x1D: "system boot or restart",
    0x1E: "boot error",
    0x1F: "operating system boot",
    0x20: "operating system stop",
    0x21: "slot or connector",
    0x22: "power state",
    0x23: "watchdog 2",
    0x24: "platform alert",
    0x25: "presence of an entity",
    0x26: "monitor circuit",
    0x27: "LAN",
    0x28: "health of the management subsystem",
    0x29: "battery",
    AMT_USER: "user notification of AMT",
}
EVENT_TYPES = {
    0x01: "threshold",
    0x02: "usage",
    0x03: "state",
    0x04: "predictive failure",
    0x05: "limit",
    0x06: "performance",
    0x07: "severity",
    0x08: "presence of a device",
    0x09: "device enabled",
    0x0A: "availability",
    0x0B: "redundancy",
    0x0C: "device power state",
    SENSOR_SPECIFIC: "of this sensor type",
    0x70: "of the manufacturer's own",
}
STATES = {  # by event type, then offset (table 42-2)
    0x01: {
        0x00: "falls below the lower non-critical limit",
        0x02: "falls below the lower critical limit",
        0x04: "falls below the lower non-recoverable limit",
        0x07: "rises above the upper non-critical limit",
        0x09: "rises above the upper critical limit",
        0x0B: "rises above the upper non-recoverable limit",
    },
    0x03: {0: "deasserted", 1: "asserted"},
    0x04: {0: "no failure is expected", 1: "a failure is expected"},
    0x05: {0: "within its limit", 1: "beyond its limit"},
    0x06: {0: "performs as it should", 1: "performs badly"},
    0x07: {0: "is well", 1: "becomes non-critical", 2: "becomes critical", 3: "becomes non-recoverable"},
    0x08: {0: "device removed", 1: "device inserted"},
    0x09: {0: "device disabled", 1: "device enabled"},
    0x0B: {0: "fully redundant", 1: "redundancy lost", 2: "redundancy degraded"},
}
EVENTS = {  # by sensor type, then offset, where the event type is the sensor's own (table 42-3)
    0x05: {0: "chassis opened", 1: "drive bay opened", 4: "LAN cable unplugged", 6: "fan area opened"},
    0x06: {1: "pre-boot user password wrong", 2: "pre-boot setup password wrong", 5: "other pre-boot password wrong"},
    0x07: {0: "processor error (IERR)", 1: "processor tripped on temperature", 4: "processor missing"},
    0x08: {0: "power supply present", 1: "power supply failed", 3: "power supply input lost"},
    0x0C: {0: "memory error corrected", 1: "memory error not correctable", 3: "memory scrub failed"},
    0x0F: {0: "firmware error (POST error)", 1: "firmware hangs", 2: "firmware progress"},
    0x13: {0: "front panel NMI", 1: "bus timeout", 4: "PCI parity error", 5: "PCI system error"},
    0x14: {0: "power button pressed", 1: "sleep button pressed", 2: "reset button pressed"},
    0x1D: {0: "powered up", 1: "hard reset", 2: "warm reset", 3: "network boot requested by the user"},
    0x1E: {
        0: "no bootable medium",
        1: "no diskette in the drive",
        2: "network boot server not found",
        3: "boot sector not valid",
        4: "the user chose no boot device in time",
    },
    0x1F: {0: "booted from A:", 1: "booted from C:", 2: "booted from the network", 4: "booted from CD"},
    0x20: {0: "stopped while loading", 1: "stopped while running"},
    0x23: {0: "timer ran out", 1: "hard reset by the watchdog", 2: "powered down by the watchdog"},
    0x25: {0: "present", 1: "absent", 2: "disabled"},
    0x27: {0: "LAN heartbeat lost", 1: "LAN heartbeat there again"},
}


def event_words(sensor: int, kind: int, offset: int, *, over: bool) -> str:
    """An event in words; what is not known is given as a number."""
    name = SENSORS.get(sensor, f"sensor type 0x{sensor:02x}")
    if sensor == 0x12 and kind == 0x0A:
        what = "a watched program (agent presence) changed its state"
    elif sensor == AMT_USER:
        what = "the user is told of a remote session"
    elif sensor == 0x26 and kind == 0x01:
        what = "the network card was tampered with"
    elif kind == SENSOR_SPECIFIC:
        what = EVENTS.get(sensor, {}).get(offset, f"event {offset}")
    else:
        of = EVENT_TYPES.get(kind, f"event type 0x{kind:02x}")
        what = STATES.get(kind, {}).get(offset, f"{of}, event {offset}")
    return f"{name}: {what}{' (over)' if over else ''}"
