"""Numbers of RFB, and what they are called.

Sources: RFC 6143; for AMT's own, MeshCommander (amt-desktop) and the Intel AMT Implementation and Reference Guide,
"RFB extensions".
"""

from __future__ import annotations

NAME = "vnc"
NONE, VNC_AUTHENTICATION = 1, 2
SECURITY_TYPES = {0: "invalid", NONE: "none", VNC_AUTHENTICATION: "VNC authentication", 5: "RA2", 16: "Tight",
                  18: "TLS", 19: "VeNCrypt", 30: "Apple"}  # fmt: skip
SET_FORMAT, SET_ENCODINGS, ASK, KEY, POINTER, CUT = 0, 2, 3, 4, 5, 6
CLIENT_MESSAGES = {
    SET_FORMAT: "set pixel format",
    SET_ENCODINGS: "set encodings",
    ASK: "framebuffer update request",
    KEY: "key event",
    POINTER: "pointer event",
    CUT: "client cut text",
}
UPDATE, COLOUR_MAP, BELL, SERVER_CUT = 0, 1, 2, 3
SERVER_MESSAGES = {
    UPDATE: "framebuffer update",
    COLOUR_MAP: "set colour map entries",
    BELL: "ring bell",
    SERVER_CUT: "server cut text",
}
RAW, COPY, TILES, DATA_CHANNEL, DESKTOP_SIZE = 0, 1, 16, 1092, -223
ENCODINGS = {
    RAW: "raw",
    COPY: "copy rectangle",
    2: "RRE",
    5: "hextile",
    TILES: "ZRLE, or AMT's tiles",
    DATA_CHANNEL: "KVM data channel of AMT",
    DESKTOP_SIZE: "desktop size",
    -239: "cursor",
}
COMMAND, CHANNEL = b"\0KvmExtCmd\0", b"\0KvmDataChannel\0"
COMMANDS = {1: "get decimation", 2: "set decimation", 3: "get compression", 4: "set compression"}
