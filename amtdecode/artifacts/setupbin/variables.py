"""The variables of setup.bin: what each is called, what values it has, and which version of the file first has it.

Sources: MeshCommander, amt-setupbin-0.1.0.js (numbers, types, values, lengths); Intel AMT Implementation and Reference
Guide, "Intel AMT and USB Versions" (which release takes what). The guide names groups of settings, not numbers: the
version of a variable is read off those groups. Variables 2/28 to 2/35 are in none of them: that they belong to
version 3 is inferred.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from amtdecode.secrets import setupbin

FORMATS = {(1, 0): "AMT 2.x", (2, 0): "AMT 3.0", (2, 1): "AMT 4.0", (3, 0): "AMT 6.0", (4, 0): "AMT 11 (inferred)"}
"""Versions of the file, and the first AMT release that takes each."""

FILE_TYPES = {major: raw for raw, major in setupbin.FILE_TYPES.items()}
"""First 16 bytes of a file, by major version."""


class Shape(enum.Enum):
    """What a value looks like."""

    TEXT = "text"
    BYTE = "number of 1 byte"
    SHORT = "number of 2 bytes"
    INT = "number of 4 bytes"
    GUID = "UUID, 16 bytes"
    IPV4 = "IPv4 address, its bytes in reverse"
    ROOT_HASH = "root hash: algorithm, hash, name"
    BYTES = "bytes whose inside no public source tells"


class Variable(NamedTuple):
    """One variable. `size`: bytes at most, or exactly where `exact`; 0 where nothing says."""

    module: int
    number: int
    name: str
    meaning: str
    shape: Shape
    since: tuple[int, int]
    size: int = 0
    exact: bool = False
    values: dict[int, str] = {}  # noqa: RUF012 - never changed
    secret: bool = False
    remark: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """Module and number."""
        return self.module, self.number


MODULES = {1: "ME kernel (MEBx)", 2: "AMT"}
OFF_ON = {0: "off", 1: "on"}
TEXT, BYTE, SHORT, INT, GUID, BYTES = Shape.TEXT, Shape.BYTE, Shape.SHORT, Shape.INT, Shape.GUID, Shape.BYTES
V1, V20, V21, V3 = (1, 0), (2, 0), (2, 1), (3, 0)

VARIABLES = (
    Variable(1, 1, "current-password", "MEBx password the machine has now", TEXT, V1, 32, secret=True),
    Variable(1, 2, "new-password", "MEBx password it gets", TEXT, V1, 32, secret=True),
    Variable(1, 3, "manageability", "Manageability feature", BYTE, V20, values={0: "none", 1: "amt"}),
    Variable(
        1, 4, "fw-local-update", "Local update of the firmware", BYTE, V21,
        values={0: "off", 1: "on", 2: "password-protected"},
    ),
    Variable(
        1, 5, "fw-update-qualifier", "Who may update the firmware", BYTE, V21,
        values={0: "always", 1: "never", 2: "restricted"},
    ),
    Variable(1, 6, "power-package", "Power package: in which power states the ME is on", GUID, V21, 16, exact=True),
    Variable(2, 1, "pid", "PID: names the pre-shared key", TEXT, V1, 8, exact=True),
    Variable(2, 2, "pps", "PPS: the pre-shared key", TEXT, V1, 32, exact=True, secret=True),
    Variable(2, 3, "pki-dns-suffix", "PKI DNS suffix", TEXT, V20, 255),
    Variable(2, 4, "server-fqdn", "FQDN of the setup and configuration server", TEXT, V20, 255),
    Variable(2, 5, "remote-configuration", "Remote configuration (RCFG)", BYTE, V20, values=OFF_ON),
    Variable(2, 6, "preinstalled-hashes", "Root hashes of the factory in use", BYTE, V20, values=OFF_ON),
    Variable(
        2, 7, "user-hashes", "Root hashes of one's own", BYTE, V20, values={0: "off", 1: "on", 2: "delete"}
    ),
    Variable(2, 8, "add-user-hash", "Root hash to add", Shape.ROOT_HASH, V20, 1 + 48 + 1 + 32),
    Variable(
        2, 10, "redirection", "SOL and IDE-R", BYTE, V20,
        values={
            0: "none", 1: "sol", 2: "ider", 3: "sol+ider", 4: "user", 5: "sol+user", 6: "ider+user",
            7: "sol+ider+user",
        },
        remark="user: log-in with user name and password",
    ),
    Variable(2, 11, "hostname", "Host name", TEXT, V21, 63),
    Variable(2, 12, "domain", "Domain name", TEXT, V21, 255),
    Variable(2, 13, "dhcp", "DHCP", BYTE, V21, values={1: "off", 2: "on"}),
    Variable(2, 14, "secure-fw-update", "Secure firmware update", BYTE, V21, values=OFF_ON),
    Variable(2, 15, "idle-timeout", "ME idle timeout (ITO)", BYTES, V21),
    Variable(
        2, 16, "provisioning-mode", "Provisioning mode", BYTE, V21,
        remark="ambiguous: one source says 1 enterprise, 2 small business, and also 0 and 1",
    ),
    Variable(2, 17, "server-address", "Address of the setup and configuration server", Shape.IPV4, V21, 4, exact=True),
    Variable(2, 18, "server-port", "Port of the setup and configuration server", SHORT, V21),
    Variable(2, 19, "static-ipv4", "Static IPv4 parameters", BYTES, V21),
    Variable(2, 20, "vlan", "VLAN", BYTES, V21),
    Variable(2, 21, "password-policy", "Password policy", BYTES, V21),
    Variable(2, 22, "ipv6", "IPv6 parameters", BYTES, V3),
    Variable(
        2, 23, "shared-fqdn", "FQDN: the host's or one of its own", BYTE, V3, values={0: "dedicated", 1: "shared"}
    ),
    Variable(2, 24, "dynamic-dns", "Dynamic DNS update", BYTE, V3, values=OFF_ON),
    Variable(2, 25, "kvm", "KVM", BYTE, V3, values=OFF_ON),
    Variable(2, 26, "user-consent", "User consent", BYTE, V3, values={0: "none", 1: "kvm", 255: "all"}),
    Variable(2, 27, "remote-consent-policy", "Consent policy may be changed from afar", BYTE, V3, values=OFF_ON),
    Variable(2, 28, "provisioning", "Provisioning by the ME", BYTE, V3, values={0: "halt", 1: "activate"}),
    Variable(2, 29, "manual-setup", "Manual setup", BYTE, V3, values={0: "automated", 1: "manual"}),
    Variable(2, 30, "support-channel", "Identifier of the support channel, 1 to 65535", INT, V3),
    Variable(2, 31, "support-channel-name", "Description of the support channel", TEXT, V3, 60),
    Variable(2, 32, "service-account", "Service account number", TEXT, V3, 32, secret=True),
    Variable(2, 33, "enrollment-passcode", "Enrolment passcode", TEXT, V3, 32, secret=True),
    Variable(
        2, 34, "service-type", "Service type", INT, V3, remark="bits: 1 reactive, 2 proactive, 4 one-time session"
    ),
    Variable(2, 35, "service-provider", "Identifier of the service provider", GUID, V3, 16, exact=True),
)  # fmt: skip
BY_KEY = {variable.key: variable for variable in VARIABLES}
_BY_NAME = {variable.name: variable for variable in VARIABLES}

HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha384", 48)}
"""Algorithms of a root hash, and the bytes of each. 2 and 3 from version 3 of the file on."""

POWER_PACKAGES = {
    # sources: LMS, AuditLogWSManClientConsts.h; the bytes as they stand there
    "763997110b56504388709812f391b560": "mobile: ME on in S0",
    "26d31c768708c74bbb5f38744315a5ff": "mobile: ME on in S0, S3 on AC",
    "530e08db6c0fd948b2d28958d3f1156e": "mobile: ME on in S0, S3 on AC, S4-5 on AC",
    "055dd5b64ca4874da5a8b47c14deda5f": "mobile: ME on in S0, wakes in S3 on AC",
    "30800dee09c07843af287868a2dbbe3a": "mobile: ME on in S0, wakes in S3 on AC, S4-5 on AC",
    "944f8312fb104fdc968e1e232b0c9065": "desktop: ME on in S0",
    "a18600ab9a7f4c42a6e6bb243a295d9e": "desktop: ME on in S0, S3",
    "7286abac96b448e29b9e9b7df91c7fd4": "desktop: ME on in S0, S3, S4-5",
    "7b32cd4d6bbe4389a62a4d7bd8dbd026": "desktop: ME on in S0, wakes in S3",
    "7322734623dc432fa98a13d37982d855": "desktop: ME on in S0, wakes in S3, S4-5",
    "c519a4ba6e6f8d4db227517f7e4595db": "desktop: ME on in S0, S3, S4-5, off after a power loss",
    "d60be3ed04c52c46b772d18018ee2fc4": "desktop: ME on in S0, wakes in S3, S4-5, off after a power loss",
}
"""What is known of power packages, by their bytes in hexadecimal."""


def variable_named(name: str) -> Variable | None:
    """A variable by the name it has on the command line, or by numbers as `2/25`; `None` for none that is known."""
    module, slash, number = name.partition("/")
    if slash and module.isdecimal() and number.isdecimal():
        return BY_KEY.get((int(module), int(number)))
    return _BY_NAME.get(name.lower())


def names() -> list[str]:
    """All names, in the order of the file."""
    return [*_BY_NAME]
