"""The setup certificate that a preflight is about, and every check of it against all that is known of the machines."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.diagnosis.chains import file_chains, moment, presented
from amtdecode.diagnosis.circumstances import circumstances

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.artifacts.certificates import Check, PrivateKey
    from amtdecode.diagnosis.case import Case
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.state import Ref

MAX_JUDGED = 64  # combinations of suffix, hash list and version against which one chain is checked


class SetupChain(NamedTuple):
    """Certificates of the setup chain, and where they stand."""

    certificates: tuple[CertificateInfo, ...]
    leaf: CertificateInfo
    proof: Ref
    keys: tuple[PrivateKey, ...] = ()
    unread: tuple[str, ...] = ()  # why certificates of the files cannot be read

    @property
    def name(self) -> str:
        """What it is called: the name in its leaf."""
        return self.leaf.common_names[0] if self.leaf.common_names else self.leaf.subject or "no name"


def setup_chain(case: Case) -> SetupChain | None:
    """The chain of the files given, which are parts of one; else the latest that a machine was shown."""
    if "setup chain" not in case.shared:
        case.shared["setup chain"] = _of_files(case) or _of_capture(case)
    found: SetupChain | None = case.shared["setup chain"]
    return found


def _of_files(case: Case) -> SetupChain | None:
    from amtdecode.artifacts.certificates import order_chain

    given = file_chains(case)
    if not given:
        return None
    files = case.story.certificate_files
    certificates = tuple(each for chain in given for each in chain.certificates)
    ordered = order_chain(certificates)
    if len(given) > 1 or any(file.bundle.format in ("PFX", "PKCS#7") for file in files):  # these have no order
        certificates = (*ordered.certificates, *ordered.strays)
    keys = tuple(key for file in files for key in file.bundle.private_keys)
    unread = tuple(f"{file.name}: {text}" for file in files for text in file.bundle.unread)
    leaf = ordered.certificates[0]
    proof = next(chain.proof for chain in given if leaf in chain.certificates)
    return SetupChain(certificates, leaf, proof, keys, unread)


def _of_capture(case: Case) -> SetupChain | None:
    for device in reversed(case.story.devices):
        for chain in reversed(presented(case, device)):
            if chain.session is not None and chain.certificates:
                return SetupChain(chain.certificates, chain.certificates[0], chain.proof)
    return None


def suffixes(case: Case) -> list[str]:
    """The DNS suffixes that machines get in option 15, from captures and the site file."""
    seen = [lease.suffix for lease in case.story.leases.values() if lease.ack and lease.suffix]
    texts = [suffix.rstrip(b"\0").decode("latin-1") for suffix in seen]
    return list(dict.fromkeys([*texts, *case.site.dhcp.domains]))


def versions(case: Case) -> list[str]:
    """The AMT versions of the machines, from captures and the site file."""
    site = case.site
    told = [case.version(device) for device in case.story.devices]
    told += [site.amt_version, *(machine.amt_version for machine in site.machine)]
    return list(dict.fromkeys(filter(None, told)))


def hash_lists(case: Case) -> list[tuple[tuple[int, bytes, str], ...]]:
    """The different lists of root hashes in hellos of version 3."""
    hellos = [device.last_hello for device in case.story.devices]
    return list(dict.fromkeys(hello.hashes for hello in hellos if hello is not None and hello.version == 3))


def judged(case: Case) -> list[Check]:
    """Every check of the chain, against each suffix, hash list and version that is known; each answer once."""
    if "setup checks" in case.shared:
        known: list[Check] = case.shared["setup checks"]
        return known
    from amtdecode.artifacts.certificates import check_chain, lint

    chain = setup_chain(case)
    found: dict[tuple[str, str, str], Check] = {}
    if chain is not None:
        at = circumstances(case).at or moment(case.story.last)
        mebx = case.site.network.suffixes or (None,)
        lists: Iterable[tuple[tuple[int, bytes, str], ...] | None] = hash_lists(case) or (None,)
        combinations = product(suffixes(case) or (None,), mebx, lists, versions(case) or (None,))
        for suffix, overruling, hashes, version in islice(combinations, MAX_JUDGED):
            for check in check_chain(
                chain.certificates,
                hashes=hashes,
                dhcp_suffix=suffix,
                mebx_suffix=overruling,
                amt_version=version,
                at_time=at,
                private_keys=chain.keys,
                unread=chain.unread,
            ):
                found.setdefault((check.id, check.outcome, check.explanation), check)
        files = [file.bundle for file in case.story.certificate_files if file.bundle.format == "PEM"]
        for bundle in files:
            check = lint(bundle, whole=len(case.story.certificate_files) == 1)
            found[check.id, check.outcome, check.explanation] = check
    case.shared["setup checks"] = list(found.values())
    return case.shared["setup checks"]  # type: ignore[no-any-return]
