"""The tables of this room: classes, values, return values, EOI services, steps.

They are files in `data/`, read when first asked, which costs about a millisecond; each states its sources at its top.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache

from amtdecode.masking import SHOWN_INSIDE, is_reference, is_secret_name
from amtdecode.protocols.soap.pt_status import PT_STATUS, VENDOR_BASE, pt_text

MAX_JUDGED = 1024  # paths whose judgement is kept: machines and consoles name the same ones again and again
_DATA = os.path.join(os.path.dirname(__file__), "data")


def _rows(name: str) -> list[list[str]]:
    with open(os.path.join(_DATA, f"{name}.tsv"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


@cache
def classes() -> dict[str, str]:
    """Map each CIM class to the class it extends, "" at the top."""
    return dict(_rows("classes"))


@cache
def services() -> dict[str, str]:
    """Map the namespace of an EOI service to its name."""
    return {namespace: name for namespace, name, _url in _rows("services")}


@cache
def _values() -> dict[tuple[str, str, str], dict[int, str]]:
    table: dict[tuple[str, str, str], dict[int, str]] = {}
    for owner, scope, name, value, meaning in _rows("values"):
        table.setdefault((owner, scope, name), {})[int(value)] = meaning
    return table


@cache
def _named() -> frozenset[str]:
    return frozenset(name for _, _, name in _values())


@cache
def _returns() -> dict[tuple[str, str], dict[int, str]]:
    table: dict[tuple[str, str], dict[int, str]] = {}
    for owner, method, value, name in _rows("returns"):
        table.setdefault((owner, method), {})[int(value)] = name
    return table


@cache
def _steps() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for owner, method, step, _source in _rows("steps"):
        table.setdefault(owner, {})[method] = step
    return table


MAX_DIGITS = 10  # of a value that can be an enumeration's: they are 32 bits wide
_LISTS = {"RealmValue": "Realms", "Realm": "Realms"}  # how the members of a list are written


def value_name(owner: str, scope: str, path: str, value: str) -> str:
    """Name an enumerated value of a class (or EOI service), operation and path; "" where no table does."""
    leaf = path.rpartition("/")[2]
    leaf = _LISTS.get(leaf, leaf)
    if leaf not in _named() or not value.isdecimal() or len(value) > MAX_DIGITS:
        return ""
    if "Items/" in path:
        owner = next((part for part in (p.partition("[")[0] for p in path.split("/")) if part in classes()), owner)
    number = int(value)
    if leaf == "SystemPowerState":
        number &= 0xF  # iamt_api.h: the low nibble is the state
    owners, scopes = _addressed()
    return _meanings(owner if owner in owners else "*", scope if scope in scopes else "", leaf).get(number, "")


@cache
def _addressed() -> tuple[frozenset[str], frozenset[str]]:
    """The classes and services that the table of values or that of classes has, and the operations."""
    return (
        frozenset([*classes(), *(owner for owner, _, _ in _values())]),
        frozenset(scope for _, scope, _ in _values()),
    )


@cache
def _meanings(owner: str, scope: str, leaf: str) -> dict[int, str]:
    """What the values of a name mean in an operation of a class: by its own table, then by those of what it extends."""
    table = _values()
    found: dict[int, str] = {}
    while True:
        found = (table.get((owner, scope, leaf)) or table.get((owner, "", leaf)) or {}) | found
        if owner == "*":
            return found
        owner = classes().get(owner) or "*"


def return_name(class_name: str, method: str, code: int) -> tuple[str, str, str]:
    """Explain a WS-Man ReturnValue: its text (`PT_STATUS 0x809 DATA_MISSING`), its name, its meaning."""
    table = _returns()
    names = table.get((class_name, method)) or table.get(("*", method))
    if names is None and class_name.startswith("CIM_"):
        names = table[("*", "*")]
    if names is not None and code in names:
        return f"ReturnValue {code} {names[code]}", names[code], ""
    if names is not None and code < VENDOR_BASE:
        return f"ReturnValue {code}", "", "not in the value map of this method"
    return status_name(code)


def status_name(code: int) -> tuple[str, str, str]:
    """Explain a PT_STATUS: its text, its name, its meaning."""
    status = PT_STATUS.get(code) or PT_STATUS.get(code - VENDOR_BASE)
    if status is None:
        return pt_text(code), "", "not in Intel's tables"
    return pt_text(code), status.name, status.meaning


def code_text(kind: str, class_name: str, method: str, code: int | None) -> tuple[str, str, str]:
    """Text, name and meaning of a result code."""
    if code is None:
        return "OK", "", ""
    return return_name(class_name, method, code) if kind == "wsman" else status_name(code)


def step_of(owner: str, method: str) -> str:
    """Give the configuration step that a call on a class or service is, "" where it is none."""
    steps = _steps().get(owner)
    return "" if steps is None else steps.get(method) or steps.get("*") or ""


_READS = re.compile("Get|Enumerate|Pull$|Release$|Read|Query|Check|Is[A-Z]|PositionTo|Event$|Identify$")
_TRANSFERS = frozenset(("Put", "Create", "Delete", "Subscribe", "Unsubscribe"))
_ACTS = re.compile(
    "RemoteControl|RequestPowerStateChange|RequestOSPowerSavingStateChange|ChangeBootOrder|SetBootConfigRole"
    "|StartOptIn|CancelOptIn|SendOptInCode|TerminateSession|StartLogging|Renew$"
)


def changes_settings(owner: str, method: str) -> bool:
    """Whether a call changes what a machine is set to, rather than reads it or acts once, as a switch of power does.

    WS-Transfer says it of its verbs (DSP0226 chapter 7). Of methods, those that are a step of the configuration do;
    of others their name decides [inferred]: Intel's names begin with what they do.
    """
    if not method or not owner:
        return False
    if method in _TRANSFERS or step_of(owner, method):
        return True
    return _READS.match(method) is None and _ACTS.match(method) is None


@lru_cache(MAX_JUDGED)
def is_secret(path: str) -> bool:
    """Tell by their names whether an element of this path, or one it lies in, holds a password, key or other secret.

    Names of classes speak of secrets without being one: `AMT_MPSUsernamePassword/RemoteID`. What stands in brackets is
    the name of a selector or option, or a number.
    """
    *above, name = path.split("/")
    name = name.partition("[")[0]
    return is_secret_name(name) or (name.lower() not in SHOWN_INSIDE and _is_secret_inside(above, path))


@lru_cache(MAX_JUDGED)
def is_secret_inside(path: str) -> bool:
    """Tell the same of all that lies in an element of this path."""
    return _is_secret_inside(path.split("/"), path)


def _is_secret_inside(above: list[str], path: str) -> bool:
    if "[" in path and any(is_secret_name(name.partition("]")[0]) for name in path.split("[")[1:]):
        return True
    return any(is_secret_element(name.partition("[")[0]) for name in above)


def is_secret_element(name: str) -> bool:
    """Tell whether all that lies in an element of this name is secret: `Password`, but no class and no operation."""
    return not is_reference(name) and is_secret_name(name)
