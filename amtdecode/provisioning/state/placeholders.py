"""UUIDs that makers of boards and BIOSes leave in place of the machine's own: many machines have the same.

Sources: the defaults of GLPI's list of invalid UUIDs (src/Blacklist.php); public reports of boards (MeshCentral issues
2359 and 3691). Sixteen equal bytes are no machine's own either.
"""

from __future__ import annotations

PLACEHOLDERS = frozenset(
    (
        "03000200-0400-0500-0006-000700080009",  # AMI's default
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
        "03d40274-0435-05dc-8506-010700080009",
        "6ab5b300-538d-1014-9fb5-b0684d007b53",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "12345678-1234-1234-1234-123456789012",
        "12345678-1234-1234-1234-123456789abc",
        "11111111-2222-3333-4444-555555555555",
        "deadbeef-dead-beef-dead-beefdeadbeef",
    )
)


def swapped(uuid: str) -> str:
    """A UUID with its first three groups in the other byte order: tools and logs do not agree on one."""
    one, two, three = uuid[0:8], uuid[9:13], uuid[14:18]
    return f"{one[6:]}{one[4:6]}{one[2:4]}{one[:2]}-{two[2:]}{two[:2]}-{three[2:]}{three[:2]}{uuid[18:]}"


_IN_EITHER_ORDER = PLACEHOLDERS | {swapped(uuid) for uuid in PLACEHOLDERS}


def tells_apart(uuid: str) -> bool:
    """Whether a UUID names one machine, and is no placeholder."""
    uuid = uuid.lower()
    if uuid in _IN_EITHER_ORDER:
        return False
    digits = uuid.replace("-", "")
    return digits != digits[:2] * (len(digits) // 2)  # one byte again and again


def empty(uuid: str) -> bool:
    """Whether a BIOS left it all 00 or all FF."""
    return set(uuid.lower()) <= {"0", "-"} or set(uuid.lower()) <= {"f", "-"}
