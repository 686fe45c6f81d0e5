"""Whether the root of the chain is among the hashes the machine lists in its hello."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amtdecode.artifacts.certificates.chain import is_root
from amtdecode.artifacts.certificates.check import ARTICLE, FAIL, GUIDE, PASS, UNKNOWN, WARN, Check, Side, sides
from amtdecode.artifacts.certificates.facts import ALGORITHMS, fingerprint, name_of
from amtdecode.artifacts.certificates.remembered import remembered
from amtdecode.protocols.hello.roots import ROOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates.suffix import Version
    from amtdecode.protocols.tls.certificates import CertificateInfo

NEAR_DIGITS = 4
"""Hex digits in which a typed hash may differ from the root's and still count as a typing error."""

_NAMES = {1: "SHA-1", 2: "SHA-256", 3: "SHA-384", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384"}
_BY_LENGTH = {40: "SHA-1", 64: "SHA-256", 96: "SHA-384"}
_SOURCE = f"{GUIDE}, root certificate hashes; {ARTICLE}"


class Listed(NamedTuple):
    """One entry of a machine's hash list."""

    algorithm: str  # "SHA-1", "SHA-256", "SHA-384", or as it was given
    value: str  # lower-case hex


@remembered
def listed(hashes: tuple[tuple[Any, ...], ...]) -> tuple[Listed, ...]:
    """Read a hash list: (algorithm as number or name, value as bytes or hex with or without separators, …)."""
    entries = []
    for algorithm, value, *_ in hashes:
        text = value.hex() if isinstance(value, bytes) else "".join(each for each in value.lower() if each.isalnum())
        name = algorithm.lower().replace("-", "") if isinstance(algorithm, str) else algorithm
        entries.append(Listed(_NAMES.get(name, _BY_LENGTH.get(len(text), str(algorithm))), text))
    return tuple(entries)


def check_root(
    chain: Sequence[CertificateInfo], hashes: Sequence[Listed] | None, version: Version | None
) -> Iterator[Check]:
    """AMT-RCFG-003 and 015, AMT-HELLO-015 and 016; `chain` is in order."""
    if not chain or not is_root(chain[-1]):
        text = "The chain does not reach its root, so the hash AMT would compare cannot be computed."
        yield Check("AMT-RCFG-003", _TITLE, UNKNOWN, text, "Add the root certificate to the file.", _SOURCE)
        return
    root = chain[-1]
    own = {name: fingerprint(root, name) for name in ALGORITHMS}
    known = ROOTS.get(own["SHA-256"]) or ROOTS.get(own["SHA-1"])
    if hashes is None:
        text = "No hello was given, so the hash list of the machine is not known."
        if known:
            text += f" The root is a known one: {known.name}. Whether a machine lists it, its hello says."
        else:
            text += " The root is none of those known from AMT firmware: it would have to be added to each machine."
        yield Check("AMT-RCFG-003", _TITLE, UNKNOWN, text, "Give the hello with --hello.", _SOURCE, _own(own))
    else:
        yield from _in_list(root, own, hashes)
    yield from _starfield(root, own, hashes, version)


_TITLE = "Root among the hashes of the machine"


def _in_list(root: CertificateInfo, own: dict[str, str], hashes: Sequence[Listed]) -> Iterator[Check]:
    values = {entry.value for entry in hashes}
    found = [name for name, value in own.items() if value in values]
    near = [
        (name, entry)
        for entry in hashes
        for name, value in own.items()
        if 0 < differing(value, entry.value) <= NEAR_DIGITS
    ]
    if found:
        text = f"The machine lists the root {name_of(root)} by its {' and '.join(found)} hash."
        text += " Whether the entry is active is not in the hello."
        shown = sides(*((f"{name} of the root and in the hello", own[name]) for name in found))
        yield Check("AMT-RCFG-003", _TITLE, PASS, text, "", _SOURCE, shown)
    else:
        names = [f"{entry.algorithm} {entry.value} {_name(entry)}" for entry in hashes]
        yield Check(
            "AMT-RCFG-003",
            _TITLE,
            FAIL,
            f"None of the {len(hashes)} hashes of the machine is that of the root {name_of(root)}; "
            "AMT stops at this comparison.",
            "Buy the setup certificate from an authority the machine lists, or add this hash to the machine "
            "(OEM, MEBx, USB key).",
            _SOURCE,
            _own(own),
            tuple(names),
        )
    if near:
        name, entry = near[0]
        yield Check(
            "AMT-HELLO-015",
            "No hash mistyped",
            WARN if found else FAIL,
            f"A hash of the machine differs from the {name} hash of the root in {differing(own[name], entry.value)} "
            "of its hex digits: most likely a typing error in MEBx.",
            "Enter the hash again.",
            ARTICLE,
            sides((f"{name} of the root", own[name]), ("in the hello", entry.value)),
        )
    else:
        yield Check("AMT-HELLO-015", "No hash mistyped", PASS, "No listed hash is nearly that of the root.")
    yield _algorithm(root, found)


def _algorithm(root: CertificateInfo, found: list[str]) -> Check:
    title = "Root listed under the right algorithm"
    own = root.signature_hash
    if found == ["SHA-1"] and own not in ("sha1", "md5", "md2", ""):
        return Check(
            "AMT-HELLO-016",
            title,
            WARN,
            f"The root is signed with {own.upper()}, but the machine lists it by its SHA-1 hash only. "
            "Servers that compare SHA-256 hashes alone will miss it, and AMT from 11.0 on has no SHA-1 defaults.",
            "Add the SHA-256 hash of the root to the machine.",
            f"{GUIDE}, root certificate hashes",
        )
    return Check("AMT-HELLO-016", title, PASS, "No root is listed by an outdated hash alone.")


def _starfield(
    root: CertificateInfo, own: dict[str, str], hashes: Sequence[Listed] | None, version: Version | None
) -> Iterator[Check]:
    if version is None or version[:2] != (3, 0):
        return
    title = "No Starfield root on AMT 3.0"
    missing = hashes is None or not {entry.value for entry in hashes} & set(own.values())
    if "starfield" in root.subject.casefold() and missing:
        text = "AMT 3.0 leaves the factory without the Starfield root"
        text += (
            "; the hello would show whether it was added." if hashes is None else ", and the machine does not list it."
        )
        fix = "Use a certificate of another authority, or add the hash."
        yield Check("AMT-RCFG-015", title, FAIL if hashes is not None else WARN, text, fix, ARTICLE)
    else:
        yield Check("AMT-RCFG-015", title, PASS, "The root is not Starfield's, or the machine lists it.", "", ARTICLE)


def differing(one: str, other: str) -> int:
    """Digits in which two hashes of one length differ; more than any hash has for two lengths."""
    return sum(map(str.__ne__, one, other)) if len(one) == len(other) else 1000


def _name(entry: Listed) -> str:
    root = ROOTS.get(entry.value)
    return root.name if root else "(not known)"


def _own(own: dict[str, str]) -> tuple[Side, ...]:
    return tuple(Side(f"{name} of the root", value) for name, value in own.items())
