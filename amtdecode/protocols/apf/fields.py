"""The fields of APF messages, and the names of their values."""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, GUID, STRING, UINT8, UINT32, UINT64, Field

DISCONNECT = 1
SERVICE_REQUEST, SERVICE_ACCEPT = 5, 6
USERAUTH_REQUEST, USERAUTH_FAILURE, USERAUTH_SUCCESS = 50, 51, 52
GLOBAL_REQUEST, REQUEST_SUCCESS, REQUEST_FAILURE = 80, 81, 82
CHANNEL_OPEN, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE = 90, 91, 92
CHANNEL_WINDOW_ADJUST, CHANNEL_DATA, CHANNEL_CLOSE = 93, 94, 97
PROTOCOLVERSION = 192
KEEPALIVE_REQUEST, KEEPALIVE_REPLY, KEEPALIVE_OPTIONS_REQUEST, KEEPALIVE_OPTIONS_REPLY = 208, 209, 210, 211
JSON_CONTROL = 250  # MeshCentral's own
FORWARD, CANCEL, UDP = b"tcpip-forward", b"cancel-tcpip-forward", b"udp-send-to@amt.intel.com"  # global requests

TYPES = {
    DISCONNECT: "DISCONNECT",
    SERVICE_REQUEST: "SERVICE_REQUEST",
    SERVICE_ACCEPT: "SERVICE_ACCEPT",
    USERAUTH_REQUEST: "USERAUTH_REQUEST",
    USERAUTH_FAILURE: "USERAUTH_FAILURE",
    USERAUTH_SUCCESS: "USERAUTH_SUCCESS",
    GLOBAL_REQUEST: "GLOBAL_REQUEST",
    REQUEST_SUCCESS: "REQUEST_SUCCESS",
    REQUEST_FAILURE: "REQUEST_FAILURE",
    CHANNEL_OPEN: "CHANNEL_OPEN",
    CHANNEL_OPEN_CONFIRMATION: "CHANNEL_OPEN_CONFIRMATION",
    CHANNEL_OPEN_FAILURE: "CHANNEL_OPEN_FAILURE",
    CHANNEL_WINDOW_ADJUST: "CHANNEL_WINDOW_ADJUST",
    CHANNEL_DATA: "CHANNEL_DATA",
    CHANNEL_CLOSE: "CHANNEL_CLOSE",
    PROTOCOLVERSION: "PROTOCOLVERSION",
    KEEPALIVE_REQUEST: "KEEPALIVE_REQUEST",
    KEEPALIVE_REPLY: "KEEPALIVE_REPLY",
    KEEPALIVE_OPTIONS_REQUEST: "KEEPALIVE_OPTIONS_REQUEST",
    KEEPALIVE_OPTIONS_REPLY: "KEEPALIVE_OPTIONS_REPLY",
    JSON_CONTROL: "JSON_CONTROL",
}
# go-wsman-messages pkg/apf/types.go; 9 was seen from a machine (rps pull request 929), and has no public name
TRIGGERS = {1: "user request", 2: "alert", 3: "provisioning (HIT)", 4: "periodic", 254: "local host (LME)"}
# Intel LMS, go-wsman-messages; 16 to 18 in Open AMT's MPS only
DISCONNECT_REASONS = {
    1: "host not allowed to connect",
    2: "protocol error",
    3: "key exchange failed",
    4: "reserved",
    5: "MAC error",
    6: "compression error",
    7: "service not available",
    8: "protocol version not supported",
    9: "host key not verifiable",
    10: "connection lost",
    11: "by application",
    12: "too many connections",
    13: "authentication cancelled by user",
    14: "no more authentication methods",
    15: "illegal user name or invalid credentials",
    16: "connection timed out",
    17: "by policy",
    18: "temporarily unavailable",
}
OPEN_FAILURES = {
    1: "administratively prohibited",
    2: "connect failed",
    3: "unknown channel type",
    4: "resource shortage",
}

TYPE = Field("iamt.apf.type", UINT8, "message type", values=TYPES)
MAJOR = Field("iamt.apf.version.major", UINT32, "protocol version, major")
MINOR = Field("iamt.apf.version.minor", UINT32, "protocol version, minor")
TRIGGER = Field("iamt.apf.trigger", UINT32, "why the machine connects", values=TRIGGERS)
MACHINE = Field("iamt.apf.uuid", GUID, "UUID of the machine, SMBIOS order")
RESERVED = Field("iamt.apf.reserved", BYTES, "reserved bytes")
SERVICE = Field("iamt.apf.service", STRING, "service asked for, or accepted")
USER = Field("iamt.apf.user", STRING, "user name of the login; in MeshCentral it tells the device group")
METHOD = Field("iamt.apf.auth.method", STRING, "how the machine logs in: none or password")
PASSWORD = Field("iamt.apf.auth.password", STRING, "password of the login", secret=True)
METHODS = Field("iamt.apf.auth.methods", STRING, "ways to log in that the server takes, with commas between them")
PARTIAL = Field("iamt.apf.auth.partial", BOOLEAN, "the login succeeded in part")
REQUEST = Field("iamt.apf.request", STRING, "what a global request asks for")
WANT_REPLY = Field("iamt.apf.want_reply", BOOLEAN, "the request wants an answer (servers answer anyway)")
ADDRESS = Field("iamt.apf.address", STRING, "address or name that is forwarded, or that a channel goes to")
PORT = Field("iamt.apf.port", UINT32, "port that is forwarded, or that a channel goes to")
ORIGIN_ADDRESS = Field("iamt.apf.origin.address", STRING, "address of whoever connects through the channel")
ORIGIN_PORT = Field("iamt.apf.origin.port", UINT32, "port of whoever connects through the channel")
DATA = Field("iamt.apf.data", BYTES, "bytes of a UDP datagram that is forwarded, or of a channel")
CHANNEL_TYPE = Field(
    "iamt.apf.channel.type",
    STRING,
    "forwarded-tcpip: the server connects to the machine; direct-tcpip: the machine connects outwards",
)
SENDER = Field("iamt.apf.channel.sender", UINT32, "number that whoever sends this gives to the channel")
RECIPIENT = Field("iamt.apf.channel.recipient", UINT32, "number that whoever receives this gave to the channel")
WINDOW = Field("iamt.apf.window", UINT32, "bytes that the other side may send in the channel, before more are granted")
GRANTED = Field("iamt.apf.window.add", UINT32, "further bytes that the other side may send in the channel")
EXCESS = Field("iamt.apf.window.excess", UINT64, "bytes sent beyond the window")
DISCONNECT_REASON = Field("iamt.apf.disconnect.reason", UINT32, "why the connection ends", values=DISCONNECT_REASONS)
OPEN_FAILURE = Field("iamt.apf.channel.failure", UINT32, "why a channel is not opened", values=OPEN_FAILURES)
COOKIE = Field("iamt.apf.keepalive.cookie", UINT32, "what the reply to a keep-alive repeats")
INTERVAL = Field("iamt.apf.keepalive.interval", UINT32, "seconds between keep-alives")
TIMEOUT = Field("iamt.apf.keepalive.timeout", UINT32, "seconds that an answer may take; 0: no limit")
JSON = Field("iamt.apf.json", STRING, "MeshCentral's control message", free=True)
BYTES_TO_SERVER = Field("iamt.apf.channel.bytes_to_server", UINT64, "bytes to whoever was connected to")
BYTES_TO_CLIENT = Field("iamt.apf.channel.bytes_to_client", UINT64, "bytes to whoever opened the channel")
MESSAGES = Field("iamt.apf.channel.messages", UINT64, "messages of data in the channel, both ways")
STALLED = Field("iamt.apf.channel.stalled", BOOLEAN, "at the end somebody had used up the window, and got no more")

FIELDS = (
    TYPE,
    MAJOR,
    MINOR,
    TRIGGER,
    MACHINE,
    RESERVED,
    SERVICE,
    USER,
    METHOD,
    PASSWORD,
    METHODS,
    PARTIAL,
    REQUEST,
    WANT_REPLY,
    ADDRESS,
    PORT,
    ORIGIN_ADDRESS,
    ORIGIN_PORT,
    DATA,
    CHANNEL_TYPE,
    SENDER,
    RECIPIENT,
    WINDOW,
    GRANTED,
    EXCESS,
    DISCONNECT_REASON,
    OPEN_FAILURE,
    COOKIE,
    INTERVAL,
    TIMEOUT,
    JSON,
    BYTES_TO_SERVER,
    BYTES_TO_CLIENT,
    MESSAGES,
    STALLED,
)
"""All of them."""


def request_kind(request: bytes) -> bytes:
    """Which request it is, compared as LMS does: without regard to case, by its beginning; `b""`: none we know."""
    lowered = request.lower()
    return next((known for known in (FORWARD, CANCEL, UDP) if lowered.startswith(known)), b"")


def text(raw: bytes) -> str:
    """A string of a message as text."""
    return raw.decode("utf-8", "replace")
