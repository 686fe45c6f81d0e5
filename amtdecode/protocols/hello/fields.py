"""The fields of hello messages."""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, GUID, STRING, UINT8, UINT16, UINT32, Field, Fields

PSK, PKI = 2, 3  # InterfaceVersion
ALGORITHMS = {1: ("SHA-1", 20), 2: ("SHA-256", 32), 3: ("SHA-384", 48)}
VERSION_NAMES = {PSK: "PSK", PKI: "PKI"}

VERSION = Field("iamt.hello.version", UINT16, "InterfaceVersion: PKI is remote configuration", values=VERSION_NAMES)
ADMIN_CREDENTIALS_SET = Field(
    "iamt.hello.admin_credentials_set",
    BOOLEAN,
    "AdminCredentialsSet: the MEBx administrator password was changed from its default",
)
RETRY_COUNT = Field("iamt.hello.retry_count", UINT32, "RetryCount, from 0")
MACHINE = Field("iamt.hello.uuid", GUID, "UUID of the machine, SMBIOS order")
PID = Field("iamt.hello.pid", STRING, "version 2: PID, the public half of the pre-shared key, eight characters")
PID_CHECK = Field("iamt.hello.pid.check", BOOLEAN, "version 2: the PID's check character is right")
HASH_COUNT = Field("iamt.hello.hash_count", UINT8, "version 3: number of trusted root hashes")
HASH_ALGORITHM = Field(
    "iamt.hello.hash.algorithm",
    UINT8,
    "version 3: algorithm of each hash",
    values={code: name for code, (name, _) in ALGORITHMS.items()},
    repeated=True,
)
HASH_VALUE = Field("iamt.hello.hash.value", BYTES, "version 3: each hash", repeated=True)
HASH_NAME = Field(
    "iamt.hello.hash.name",
    STRING,
    'version 3: the certification authority of each hash, "" when unknown',
    repeated=True,
)
REST = Field("iamt.hello.rest", BYTES, "unknown version: the bytes behind the UUID")
PARTIAL = Field("iamt.hello.partial", BOOLEAN, "the message is cut: what stands before that is shown")
ANSWER = Field("iamt.hello.answer", BYTES, "the first bytes a host answers a hello with: a setup server sends none")
ANSWER_PROTOCOL = Field("iamt.hello.answer.protocol", STRING, "what that host speaks [inferred from its first bytes]")

HELLO_MESSAGE: Fields = (
    VERSION.at("version"),
    ADMIN_CREDENTIALS_SET.at("admin_credentials_set"),
    RETRY_COUNT.at("retry_count"),
    MACHINE.at("uuid"),
    PID.at("pid", absent=""),
    PID_CHECK.at("pid_check", absent=None),
    HASH_COUNT.at("hash_count", absent=None),
    HASH_ALGORITHM.at("hashes.algorithms", absent=()),
    HASH_VALUE.at("hashes.values", absent=()),
    HASH_NAME.at("hashes.names", absent=()),
    REST.at("rest", absent=b""),
)

PARTIAL_HELLO: Fields = (
    VERSION.at("begun.version"),
    ADMIN_CREDENTIALS_SET.at("begun.admin_credentials_set"),
    RETRY_COUNT.at("begun.retry_count"),
    MACHINE.at("begun.uuid"),
    PID.at("begun.pid", absent=""),
    HASH_ALGORITHM.at("begun.hashes.algorithms", absent=()),
    HASH_VALUE.at("begun.hashes.values", absent=()),
    HASH_NAME.at("begun.hashes.names", absent=()),
    REST.at("begun.rest", absent=b""),
    HASH_COUNT.at("hash_count", absent=None),
    PARTIAL.at(lambda _: True),
)
