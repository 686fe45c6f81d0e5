"""Names logs are known by, and the order of rotated ones."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class KnownLog(NamedTuple):
    """A file name of the field."""

    name: str
    writer: str
    note: str
    certainty: str
    product: str = ""  # the program, as `table/*.toml` names it


KNOWN = (
    KnownLog(
        "scs_win_server.log", "Intel SCS", "debug log in the root of C:, off by default", "page", product="Intel SCS"
    ),
    KnownLog(
        "scs_server.log", "Intel SCS", "commonly appears only after errors have occurred", "page", product="Intel SCS"
    ),
    KnownLog("RCSLog.log", "Intel RCS (SCS 7 and later)", "", "recall", product="ACUConfig or RCS"),
    KnownLog("ACUConfig.log", "Intel ACUConfig", "", "recall", product="ACUConfig or RCS"),
    KnownLog("AmtConfig.log", "Altiris", "", "page"),
    KnownLog(
        "amtopmgr.log",
        "ConfigMgr out-of-band service point",
        "discovery, provisioning, power",
        "page",
        product="ConfigMgr",
    ),
    KnownLog("amtproxymgr.log", "ConfigMgr site server", "instruction files, replication", "page", product="ConfigMgr"),
    KnownLog("oobmgmt.log", "ConfigMgr client", "", "page", product="ConfigMgr"),
    KnownLog("Oobconsole.log", "ConfigMgr out-of-band console", "", "page", product="ConfigMgr"),
    KnownLog("amtactivation.log", "MeshCentral", "one JSON object for each activation", "page", product="MeshCentral"),
)
"""Sources: the 2007 article on SCS debug logging, Microsoft documentation of ConfigMgr, Broadcom KB 439430."""

_BY_NAME = {known.name.lower(): known for known in KNOWN}
_PACKED = re.compile(r"\.(gz|bz2|xz)$", re.IGNORECASE)
_NUMBERED = re.compile(r"\.(\d{1,4})$")
_DATED = re.compile(r"[-_.](\d{4}-?\d\d-?\d\d(?:[-_T]?\d{4,6})?)(?=\.|$)")


def _taken_apart(path: str) -> tuple[str, tuple[int, str, int]]:
    """The name a log has while it is written, and where this file stands: older ones lower."""
    folder, name = os.path.split(path)
    name = _PACKED.sub("", name)
    rank = (2, "", 0)  # being written
    if match := _NUMBERED.search(name):
        name, rank = name[: match.start()], (1, "", -int(match[1]))
    elif name.lower().endswith(".lo_"):  # ConfigMgr keeps one older file so
        name, rank = name[:-1] + "g", (1, "", -1)
    if match := _DATED.search(name):
        name, rank = (
            name[: match.start()] + name[match.end() :],
            (0, match[1].replace("-", "").replace("_", ""), rank[2]),
        )
    return os.path.join(folder, name), rank


def known_log(path: str) -> KnownLog | None:
    """What is known of a log by its name, rotated and compressed ones included."""
    return _BY_NAME.get(os.path.basename(_taken_apart(path)[0]).lower())


def in_order(paths: Iterable[str]) -> list[str]:
    """The oldest first within the files of one log; the logs in the order in which they were first named."""
    groups: dict[str, list[tuple[tuple[int, str, int], str]]] = {}
    for path in paths:
        name, rank = _taken_apart(path)
        groups.setdefault(name, []).append((rank, path))
    return [path for group in groups.values() for _, path in sorted(group)]
