"""AMT-PRE-007, 012 to 014, 018, 019, 021, 023: the setup server before the first machine is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.circumstances import Way, circumstances
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Met, Missing, Rules, confirmed, likely
from amtdecode.diagnosis.rules.setup_requirements import AGENT_ONLY, ARTICLE_ASKS, TABLE_ASKS, TABLE_WANTS
from amtdecode.diagnosis.rules.versions import MATRIX_UNTIL, too_old
from amtdecode.diagnosis.setup_chain import judged, setup_chain, versions
from amtdecode.diagnosis.versions import version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer

NOT_INTEL = "the setup server is not Intel SCS (scs.product)"
SAYS = "the site file says {key} = {value}"

RULES = Rules(Question.PREFLIGHT)


def told(key: str, value: bool | None, wrong: str) -> Iterator[Answer]:
    """What a key of the site file says that is true or false."""
    words = SAYS.format(key=key, value=str(value).lower())
    if value is None:
        yield Missing(f"{key} (true or false)")
    elif value:
        yield Met(words)
    else:
        yield likely((0, words), what=wrong)


@RULES.fleet("AMT-PRE-007", when=(needs.INTEL_SCS,), needs=(needs.SCS_VERSION,))
def version_of_scs(case: Case) -> Iterator[Answer]:
    told_version, scs = case.site.scs.version, version_tuple(case.site.scs.version)
    pki = circumstances(case).way is not Way.PSK
    doubt = "SCS 1.x is out of date, and 1.2 is called unstable" if scs[0] == 1 else ""
    if pki and scs < ARTICLE_ASKS:
        yield confirmed(
            (0, SAYS.format(key="scs.version", value=told_version)),
            what=f"SCS {told_version} has no remote configuration: the 2007 article asks for 3.1 or later.",
        )
        return
    old = False
    for text in versions(case):
        amt = version_tuple(text)
        if not amt:
            continue
        if pki and amt[:2] in AGENT_ONLY and scs < TABLE_WANTS:
            doubt = f"the sources disagree: the 2007 article asks for SCS 3.1 or later. {TABLE_ASKS[:-1]}"
        if amt[0] <= MATRIX_UNTIL and too_old(scs, amt):
            old = True
            yield confirmed(
                (0, SAYS.format(key="scs.version", value=told_version)),
                what=f"SCS {told_version} does not serve AMT {text}, by the matrix of 2007.",
            )
    if not old:
        yield Met(f"SCS {told_version}, as the site file says", (), doubt)


@RULES.fleet("AMT-PRE-018")
def enterprise_mode(case: Case) -> Iterator[Answer]:
    mode = case.site.scs.mode
    if case.site.scs.product == "other":
        yield Met(NOT_INTEL)
    elif not mode:
        yield Missing("scs.mode (enterprise or smb)")
    elif mode == "smb":
        yield confirmed((0, SAYS.format(key="scs.mode", value=mode)), what="The server runs in small business mode.")
    else:
        yield Met(SAYS.format(key="scs.mode", value=mode))


@RULES.fleet("AMT-PRE-012")
def directory_schema(case: Case) -> Iterator[Answer]:
    kerberos = case.site.policy.kerberos
    if kerberos is None:
        yield Missing("policy.kerberos (whether AMT is tied to Active Directory)")
    elif not kerberos:
        yield Met("no Active Directory is wanted (policy.kerberos = false)")
    else:
        yield from told("scs.schema", case.site.scs.schema, "The schema of Active Directory is not extended.")


@RULES.fleet("AMT-PRE-013")
def rights(case: Case) -> Iterator[Answer]:
    yield from told("scs.account_rights", case.site.scs.account_rights, "The account of the service lacks rights.")


@RULES.fleet("AMT-PRE-014", when=(needs.BY_PKI,))
def stores(case: Case) -> Iterator[Answer]:
    scs, chain = case.site.scs, setup_chain(case)
    for check in judged(case):
        if check.id == "AMT-RCFG-036" and check.outcome == "fail":
            yield confirmed((chain.proof if chain else 0, check.title), what=check.explanation)
            return
    noted = [scs.thumbprint, *(text for file in case.story.registry_files for text in file.thumbprints)]
    wanted = {text.replace(":", "").replace(" ", "").lower() for text in noted if text}
    if chain is not None and wanted and chain.leaf.sha1 not in wanted:
        yield confirmed(
            (chain.proof, f"the certificate {chain.name} has SHA-1 {chain.leaf.sha1}"),
            (0, f"the service is set to {', '.join(sorted(wanted))}"),
            what="The service is set to another certificate than the one given (thumbprint in the registry).",
        )
        return
    where = "the store of the account that runs the service"
    if scs.key_in_service_store is not True:
        wrong = f"Certificate and private key are not in {where}."
        yield from told("scs.key_in_service_store", scs.key_in_service_store, wrong)
        return
    if scs.product != "other" and scs.certificate_in_computer_store is not True:
        wrong = "The certificate is not in the store of the local computer, where loadcert.exe looks for it."
        yield from told("scs.certificate_in_computer_store", scs.certificate_in_computer_store, wrong)
        return
    same = ", and the thumbprint is that of the certificate given" if chain is not None and wanted else ""
    yield Met(f"the site file says that certificate and key are where they belong{same}")


@RULES.fleet("AMT-PRE-019", when=(needs.BY_PKI,))
def one_time_password(case: Case) -> Iterator[Answer]:
    otp = case.site.policy.otp
    if otp is None:
        yield Missing("policy.otp (whether a one-time password is required)")
    elif otp and circumstances(case).way is Way.BARE_METAL:
        yield likely(
            (0, SAYS.format(key="policy.otp", value="true")),
            what="A one-time password is required, and only an agent makes one.",
        )
    else:
        yield Met("an agent brings the one-time password" if otp else "no one-time password is required (policy.otp)")


@RULES.fleet("AMT-PRE-021", when=(needs.BY_PSK,))
def keys_in_database(case: Case) -> Iterator[Answer]:
    for device in case.story.devices:
        for session in device.sessions:
            tls = session.handshake
            if tls is not None and tls.psk and tls.established:
                text = f"{session.client} has set up TLS with the key of {device.name}"
                yield Met(text, ((session.ref, text),), "of the other machines that says nothing")
                return
    wrong = "The pairs of PID and PPS are not in the database of the server."
    yield from told("scs.keys_imported", case.site.scs.keys_imported, wrong)


@RULES.fleet("AMT-PRE-023")
def authority(case: Case) -> Iterator[Answer]:
    if case.site.policy.tls is None:
        yield Missing("policy.tls (whether management is to be encrypted)")
    elif not case.site.policy.tls:
        yield Met("management without TLS (policy.tls = false)", (), "passwords and data then go in the clear")
    else:
        wrong = "The profile asks for TLS, and there is no authority that issues certificates to the machines."
        yield from told("scs.certification_authority", case.site.scs.certification_authority, wrong)
