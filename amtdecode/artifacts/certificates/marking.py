"""Whether the leaf is marked as a setup certificate: by key purpose, or by organizational unit, letter for letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.check import ARTICLE, FAIL, GUIDE, PASS, WARN, Check, plain, sides
from amtdecode.protocols.tls.certificates import SETUP_UNIT
from amtdecode.protocols.tls.registry.oids import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.protocols.tls.certificates import CertificateInfo

SETUP_PURPOSE = "2.16.840.1.113741.1.2.3"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
ANY_PURPOSE = "2.5.29.37.0"
NEAR = 0.85
"""Share of equal letters from which an organizational unit is taken for a misspelt mark (0 to 1)."""

_SOURCE = f"{GUIDE}, acquiring an Intel vPro certificate; {ARTICLE}"


def check_marking(leaf: CertificateInfo) -> Iterator[Check]:
    """AMT-RCFG-001, 002 and 026."""
    by_purpose = SETUP_PURPOSE in leaf.purposes
    by_unit = SETUP_UNIT in leaf.units
    marks = [f"key purpose {SETUP_PURPOSE}"] * by_purpose + [f'OU "{SETUP_UNIT}"'] * by_unit
    others = [f"{PURPOSES[each]} ({each})" for each in leaf.purposes if each in PURPOSES and "AMT" in PURPOSES[each]]
    yield Check(
        "AMT-RCFG-001",
        "Marked as a setup certificate",
        PASS if marks else FAIL,
        f"The certificate carries {' and '.join(marks)}."
        if marks
        else "The certificate carries neither Intel's key purpose nor the organizational unit, so AMT refuses it as "
        "not meant for setup." + (f" It carries another purpose of Intel: {'; '.join(others)}." if others else ""),
        "" if marks else f'Have it issued again with the key purpose {SETUP_PURPOSE} or with OU "{SETUP_UNIT}".',
        _SOURCE,
        sides(
            ("key purposes", ", ".join(leaf.purposes) or "(none)"),
            ("wanted", SETUP_PURPOSE),
            ("OU", ", ".join(leaf.units) or "(none)"),
            ("or wanted", SETUP_UNIT),
        )
        if not marks
        else (),
    )
    near = next((unit for unit in leaf.units if unit != SETUP_UNIT and nearly_the_mark(unit)), None)
    if near is not None:
        yield Check(
            "AMT-RCFG-002",
            "Organizational unit spelt right",
            WARN if marks else FAIL,
            f"The organizational unit is not the mark letter for letter: {_difference(near)}."
            + (" Harmless here, since the certificate is marked otherwise." if marks else " AMT compares it exactly."),
            f'Have it issued again with OU "{SETUP_UNIT}", or with the key purpose {SETUP_PURPOSE}.',
            _SOURCE,
            sides(("OU", near), ("wanted", SETUP_UNIT)),
        )
    else:
        text = "The organizational unit is the mark." if by_unit else "No organizational unit resembles the mark."
        yield Check("AMT-RCFG-002", "Organizational unit spelt right", PASS, text, "", _SOURCE)
    yield _server_purpose(leaf)


def nearly_the_mark(unit: str) -> bool:
    """Whether an organizational unit is the mark, misspelt."""
    one, other = _bare(unit), _bare(SETUP_UNIT)
    import difflib  # slow to load, and seldom needed

    return one == other or difflib.SequenceMatcher(None, one[:200], other).ratio() >= NEAR


def _bare(unit: str) -> str:
    text = plain(unit.replace("®", "").replace("(R)", "").replace("(r)", ""))
    return "".join(each for each in text if each.isalnum())


def _difference(unit: str) -> str:
    if "®" in unit:
        return "it has the sign ® where the mark has the letters (R)"
    if unit.casefold() == SETUP_UNIT.casefold():
        return "upper and lower case differ"
    if "".join(unit.split()) == "".join(SETUP_UNIT.split()):
        return "blanks differ"
    if plain(unit) == plain(SETUP_UNIT):
        return "other letters of the same look"
    if "(r)" not in unit.casefold():
        return "the letters (R) are missing"
    return "letters differ"


def _server_purpose(leaf: CertificateInfo) -> Check:
    if SERVER_AUTH in leaf.purposes or ANY_PURPOSE in leaf.purposes:
        outcome, text = PASS, "The certificate is one of an SSL server."
    elif not leaf.purposes:
        outcome = WARN
        text = "The certificate has no extended key usage and so no limits; Intel asks for the SSL server purpose."
    else:
        outcome = FAIL
        text = "The extended key usage lacks the SSL server purpose, and AMT asks for an SSL server certificate."
    return Check(
        "AMT-RCFG-026",
        "SSL server certificate",
        outcome,
        text,
        "" if outcome == PASS else f"Have it issued again with serverAuth ({SERVER_AUTH}) in the extended key usage.",
        _SOURCE,
        ()
        if outcome == PASS
        else sides(("key purposes", ", ".join(leaf.purposes) or "(none)"), ("wanted", SERVER_AUTH)),
    )
