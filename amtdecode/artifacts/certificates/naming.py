"""Whether the CN of the setup certificate suits the domain of the machine (the rules are in `suffix.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.check import ARTICLE, FAIL, GUIDE, PASS, UNKNOWN, WARN, Check, sides
from amtdecode.artifacts.certificates.suffix import WILDCARD_SINCE, accepted_by, clean, compare, names_in, suffix_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.artifacts.certificates.suffix import Rule, Version
    from amtdecode.protocols.tls.certificates import CertificateInfo

PRIVATE_DOMAINS = ("local", "corp", "lan", "internal", "intranet", "home", "private", "localdomain")
"""Top-level domains for which no public authority issues certificates (field reports; Intel article 000100444)."""

_SOURCE = f"{GUIDE}, acquiring an Intel vPro certificate; {ARTICLE}"
_TITLE = "Name suits the domain of the machine"


def check_name(
    leaf: CertificateInfo, dhcp_suffix: str | None, mebx_suffix: str | None, version: Version | None
) -> Iterator[Check]:
    """AMT-RCFG-009, 010 and 012, AMT-NET-002."""
    if dhcp_suffix is not None:
        yield _suffix_form(dhcp_suffix)
    yield _wildcard(leaf, version)
    suffix = mebx_suffix or dhcp_suffix
    where = "PKI DNS suffix in MEBx" if mebx_suffix else "DHCP option 15"
    if not suffix:
        text = "Neither DHCP option 15 nor a suffix from MEBx is known, so the CN has nothing to be compared with."
        fix = "Give the suffix with --suffix." if suffix is None else "Configure option 15 or a suffix in MEBx."
        yield Check("AMT-RCFG-009", _TITLE, UNKNOWN if suffix is None else FAIL, text, fix, _SOURCE)
        return
    if not leaf.common_names:
        text = "The certificate has no CN; AMT looks there and not at the alternative names."
        fix = "Have it issued again with a CN."
        yield Check("AMT-RCFG-009", _TITLE, FAIL, text, fix, _SOURCE)
        return
    names = names_in(suffix)
    if len(names) > 1:
        yield _several(leaf.common_names[0], names, suffix, where, version)
        return
    yield from _compared(leaf.common_names[0], suffix, where, version)


def _several(name: str, names: tuple[str, ...], suffix: str, where: str, version: Version | None) -> Check:
    """Several names in one option: each is compared, since nothing says which of them AMT takes."""
    shown = sides(("CN", name), (where, suffix))
    fits = [each for each in names if accepted_by(compare(name, each, version))[0] is not None]
    details = tuple(f"{each}: {'agrees' if each in fits else 'differs'}" for each in names)
    fix = "Configure one plain domain name."
    if fits:
        text = f"{where} holds {len(names)} names; the CN suits {', '.join(fits)}. Which one AMT takes is not known."
        return Check("AMT-RCFG-009", _TITLE, WARN, text, fix, _SOURCE, shown, details)
    text = f"{where} holds {len(names)} names, and no rule accepts the CN for any of them."
    return Check("AMT-RCFG-009", _TITLE, FAIL, text, fix, _SOURCE, shown, details)


def _compared(name: str, suffix: str, where: str, version: Version | None) -> Iterator[Check]:
    rules = compare(name, suffix, version)
    details = tuple(_line(each) for each in rules)
    shown = sides(("CN", name), (where, suffix))
    certain, possible = accepted_by(rules)
    number = f"AMT {'.'.join(map(str, version))}" if version else "the AMT version"
    if certain:
        text = f"Accepted by the rule '{certain.name}' ({certain.since}): {certain.comparison}."
        yield Check("AMT-RCFG-009", _TITLE, PASS, text, "", _SOURCE, shown, details)
        if certain.name == "last two labels":
            yield Check(
                "AMT-RCFG-012",
                "Last two labels relied on",
                PASS,
                "Only the last two labels agree. AMT 2.6 and later take that, in .com and .net alone.",
                "",
                "communities.intel.com message 1395, 28 September 2007",
                shown,
            )
    elif possible and version is None:
        text = f"Some AMT versions accept the name (rule '{possible.name}', {possible.since}), others do not."
        fix = "Say which version it is with --amt-version."
        yield Check("AMT-RCFG-009", _TITLE, UNKNOWN, text, fix, _SOURCE, shown, details)
    elif possible:
        text = f"Only the rule '{possible.name}' accepts the name, and it is not settled whether {number} has it."
        yield Check("AMT-RCFG-009", _TITLE, WARN, text, _fix(suffix), _SOURCE, shown, details)
    else:
        text = f"No rule of {number} accepts the name for the domain of the machine, so AMT refuses the certificate."
        yield Check("AMT-RCFG-009", _TITLE, FAIL, text, _fix(suffix), _SOURCE, shown, details)


def _fix(suffix: str) -> str:
    if clean(suffix).rpartition(".")[2].casefold() in PRIVATE_DOMAINS:
        return (
            "No public authority issues certificates for this domain: set the PKI DNS suffix in MEBx to "
            "the registered domain of the certificate, or use an own root whose hash is on the machine."
        )
    return "Correct option 15 or the PKI DNS suffix in MEBx, or have the certificate issued for this domain."


def _line(rule: Rule) -> str:
    applies = {True: "applies", False: "does not apply", None: "may apply"}[rule.applies]
    return f"{rule.name} ({rule.since}; {applies}): {'agrees' if rule.matches else 'differs'}: {rule.comparison}"


def _suffix_form(suffix: str) -> Check:
    title = "Option 15 well formed"
    faults = tuple(suffix_faults(suffix))
    if not faults:
        return Check("AMT-NET-002", title, PASS, "DHCP option 15 is one plain domain.")
    text = f"DHCP option 15 {' and '.join(faults)}; the comparison with the CN may fail for that alone."
    shown = sides(("option 15", suffix), ("plain", clean(suffix)))
    return Check("AMT-NET-002", title, WARN, text, "Configure one plain suffix.", _SOURCE, shown)


def _wildcard(leaf: CertificateInfo, version: Version | None) -> Check:
    title = "Wildcard suits the firmware"
    name = leaf.common_names[0] if leaf.common_names else ""
    if "*" not in name:
        return Check("AMT-RCFG-010", title, PASS, "The CN holds no wildcard.")
    if version is None:
        text = f"The CN {name} is a wildcard, which AMT takes from 2.6 and 3.0 on, and 2.2 does not."
        return Check("AMT-RCFG-010", title, UNKNOWN, text, "Say which version it is with --amt-version.", ARTICLE)
    if version < WILDCARD_SINCE:
        text = f"AMT {'.'.join(map(str, version))} does not take wildcards; they came with 2.6 and 3.0."
        fix = "Use a certificate for each server and domain, or update the firmware."
        return Check("AMT-RCFG-010", title, FAIL, text, fix, ARTICLE, (), (f"CN: {name}",))
    if not name.startswith("*.") or name.count("*") > 1:
        text = f"The wildcard of {name} does not stand alone as the first label, where AMT looks for it."
        return Check("AMT-RCFG-010", title, FAIL, text, "Have it issued as *.domain.", ARTICLE)
    return Check("AMT-RCFG-010", title, PASS, "This version takes wildcards.", "", ARTICLE)
