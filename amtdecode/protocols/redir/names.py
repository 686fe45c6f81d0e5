"""Numbers of the redirection protocol, and what they are called.

Sources: public source (MeshCommander amt-redir and amt-ider, amtterm RedirectionConstants.h, redir.c and ider.c); the
SCSI commands: SPC-4, SBC-3, MMC-6; ATA register bits: ATA/ATAPI-6.
"""

from __future__ import annotations

NAME = "iamt.redir"
SOL, IDER, KVM = "SOL", "IDER", "KVM"
KINDS = {b"SOL ": SOL, b"IDER": IDER, b"KVMR": KVM}

START, STARTED, END, LOGIN, ANSWER = 0x10, 0x11, 0x12, 0x13, 0x14
SOL_START, SOL_STARTED, SOL_END, SOL_ENDED, SOL_PING, SOL_PONG = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25
SOL_CONSOLE, SOL_TO_HOST, SOL_CONTROLS, SOL_FROM_HOST, SOL_HEARTBEAT = 0x27, 0x28, 0x29, 0x2A, 0x2B
OPEN, OPENED = 0x40, 0x41  # of IDE-R and of KVM, by the session
IDER_CLOSE, IDER_CLOSED, IDER_PING, IDER_PONG, IDER_RESET, IDER_RESET_TAKEN = 0x42, 0x43, 0x44, 0x45, 0x46, 0x47
IDER_FEATURES, IDER_FEATURES_ARE, IDER_ERROR, IDER_HEARTBEAT = 0x48, 0x49, 0x4A, 0x4B
IDER_COMMAND, IDER_DONE, IDER_ASK, IDER_FROM_HOST, IDER_TO_HOST = 0x50, 0x51, 0x52, 0x53, 0x54
RELAY = 0xF0

TYPES = {
    START: "start session",
    STARTED: "start session reply",
    END: "end session",
    LOGIN: "authenticate",
    ANSWER: "authenticate reply",
    SOL_START: "SOL start",
    SOL_STARTED: "SOL start reply",
    SOL_END: "SOL end",
    SOL_ENDED: "SOL end reply",
    SOL_PING: "SOL ping",
    SOL_PONG: "SOL pong",
    SOL_CONSOLE: "SOL console controls",
    SOL_TO_HOST: "SOL data to host",
    SOL_CONTROLS: "SOL controls from host",
    SOL_FROM_HOST: "SOL data from host",
    SOL_HEARTBEAT: "SOL heartbeat",
    OPEN: "open",
    OPENED: "open reply",
    IDER_CLOSE: "IDE-R close",
    IDER_CLOSED: "IDE-R close reply",
    IDER_PING: "IDE-R ping",
    IDER_PONG: "IDE-R pong",
    IDER_RESET: "IDE-R reset occurred",
    IDER_RESET_TAKEN: "IDE-R reset occurred reply",
    IDER_FEATURES: "IDE-R features",
    IDER_FEATURES_ARE: "IDE-R features reply",
    IDER_ERROR: "IDE-R error occurred",
    IDER_HEARTBEAT: "IDE-R heartbeat",
    IDER_COMMAND: "IDE-R command",
    IDER_DONE: "IDE-R command end",
    IDER_ASK: "IDE-R get data from host",
    IDER_FROM_HOST: "IDE-R data from host",
    IDER_TO_HOST: "IDE-R data to host",
    RELAY: "recorded by a relay",
}
STATUSES = {0: "success", 1: "unknown type (inferred)", 2: "busy", 3: "unsupported", 0xFF: "error"}
LOGIN_STATUSES = {0: "accepted", 1: "refused, or a challenge", 2: "busy"}
QUERY, PASSWORD, KERBEROS, DIGEST_OLD, DIGEST = 0, 1, 2, 3, 4
AUTHENTICATIONS = {
    QUERY: "query",
    PASSWORD: "user and password in the clear",
    KERBEROS: "Kerberos or Negotiate",
    DIGEST_OLD: "digest (RFC 2069)",
    DIGEST: "digest (RFC 2617)",
}
FEATURES = {1: "what is supported", 2: "what is registered", 3: "set"}
DEVICES = {0xA0: "floppy disk", 0xB0: "CD"}
COMMANDS = {
    0x00: "TEST UNIT READY",
    0x03: "REQUEST SENSE",
    0x08: "READ (6)",
    0x0A: "WRITE (6)",
    0x12: "INQUIRY",
    0x15: "MODE SELECT (6)",
    0x1A: "MODE SENSE (6)",
    0x1B: "START STOP UNIT",
    0x1E: "PREVENT ALLOW MEDIUM REMOVAL",
    0x23: "READ FORMAT CAPACITIES",
    0x25: "READ CAPACITY",
    0x28: "READ (10)",
    0x2A: "WRITE (10)",
    0x2E: "WRITE AND VERIFY (10)",
    0x43: "READ TOC/PMA/ATIP",
    0x46: "GET CONFIGURATION",
    0x4A: "GET EVENT STATUS NOTIFICATION",
    0x4C: "LOG SELECT",
    0x51: "READ DISC INFORMATION",
    0x55: "MODE SELECT (10)",
    0x5A: "MODE SENSE (10)",
    0xA8: "READ (12)",
    0xAC: "GET PERFORMANCE",
}
SENSE_KEYS = {
    0: "no sense",
    1: "recovered error",
    2: "not ready",
    3: "medium error",
    4: "hardware error",
    5: "illegal request",
    6: "unit attention",
    7: "data protect",
    11: "aborted command",
}
NUMBERED = frozenset(
    (
        *(SOL_END, SOL_ENDED, SOL_PING, SOL_PONG, SOL_HEARTBEAT),
        *(IDER_CLOSE, IDER_CLOSED, IDER_PING, IDER_PONG, IDER_HEARTBEAT),
        IDER_RESET_TAKEN,
    )
)
"""Messages that have no more than a sequence number."""
