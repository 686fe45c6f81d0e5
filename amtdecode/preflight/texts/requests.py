"""Requests for the setup certificate: for OpenSSL, and for certreq of Windows.

Both marks are asked for: the key purpose of Intel and the organizational unit. AMT takes either, and an authority may
leave one out. Sources: Intel AMT Implementation and Reference Guide, acquiring an Intel vPro certificate;
openssl-req(1); Microsoft, certreq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.marking import SERVER_AUTH, SETUP_PURPOSE
from amtdecode.preflight.texts.kind import NOT_RUN, LackingError, Materials, Written, alias, domains
from amtdecode.protocols.tls.certificates import SETUP_UNIT

if TYPE_CHECKING:
    from amtdecode.diagnosis.site import Site

KEY_BITS = 2048  # AMT 15-H and 16 refuse less, AMT before 6.0 takes no 4096 (root certificate hashes; MS SCCM)
LONGEST_CN = 64  # characters; the upper bound of RFC 5280, appendix A
EARLY = "Early firmware (AMT 3 and before) may not verify SHA-256 (unverified)."


def names(site: Site) -> list[str]:
    """The name in each certificate: one for each domain, since AMT compares its suffix. Raises `LackingError`."""
    own = alias(site)
    found = [own if own.partition(".")[2] == zone else f"provisionserver.{zone}" for zone in domains(site)]
    if long := next((name for name in found if len(name) > LONGEST_CN), ""):
        raise LackingError(f"{long} is longer than the {LONGEST_CN} characters that a CN may have")
    return found


def openssl(materials: Materials) -> list[Written]:
    """A configuration of `openssl req` for each domain."""
    site = materials.site
    return [
        Written(f"{name}.cnf", "".join(f"{line}\n" for line in _configuration(site, name)).encode())
        for name in names(site)
    ]


def _configuration(site: Site, name: str) -> list[str]:
    return [
        "# Request for the setup certificate of Intel AMT:",
        f"#   openssl req -new -newkey rsa:{KEY_BITS} -keyout {name}.key -out {name}.csr -config {name}.cnf",
        "# The key stays with you, under the password that openssl asks for. Send the .csr to the authority.",
        f"# {EARLY}",
        "[req]",
        "prompt = no",
        "utf8 = yes",
        "string_mask = utf8only",
        f"default_bits = {KEY_BITS}",
        "default_md = sha256",
        "distinguished_name = subject",
        "req_extensions = wanted",
        "",
        "[subject]",
        *([f"C = {site.certificates.country.upper()}"] if site.certificates.country else []),
        *(["O = " + site.certificates.organization.replace("'", "\\'")] if site.certificates.organization else []),
        f"OU = {SETUP_UNIT}",
        f"CN = {name}",
        "",
        "[wanted]",
        "keyUsage = critical, digitalSignature, keyEncipherment",
        f"extendedKeyUsage = serverAuth, {SETUP_PURPOSE}",
        f"subjectAltName = DNS:{name}",
    ]


def certreq(materials: Materials) -> list[Written]:
    """An INF file of `certreq -new` for each domain."""
    site = materials.site
    return [
        Written(f"{name}.inf", "".join(f"{line}\r\n" for line in _inf(site, name)).encode()) for name in names(site)
    ]


def _inf(site: Site, name: str) -> list[str]:
    parts = [f"CN={name}", f"OU={SETUP_UNIT}"]
    if site.certificates.organization:
        parts.append(f"O={_quoted(site.certificates.organization)}")
    if site.certificates.country:
        parts.append(f"C={site.certificates.country.upper()}")
    return [
        f"; {NOT_RUN}",
        "; Request for the setup certificate of Intel AMT. Run it as the account of the setup service, since the key",
        "; is made in the store of whoever runs it:",
        f";   certreq -new {name}.inf {name}.req",
        "; and with the certificate that the authority sends:",
        f";   certreq -accept {name}.cer",
        f"; {EARLY}",
        "[Version]",
        'Signature = "$Windows NT$"',
        "",
        "[NewRequest]",
        f'Subject = "{",".join(parts)}"',
        f"KeyLength = {KEY_BITS}",
        "KeySpec = 1",
        "KeyUsage = 0xA0",
        "HashAlgorithm = sha256",
        'ProviderName = "Microsoft RSA SChannel Cryptographic Provider"',
        "ProviderType = 12",
        "Exportable = TRUE",
        "MachineKeySet = FALSE",
        "RequestType = PKCS10",
        "",
        "[EnhancedKeyUsageExtension]",
        f"OID = {SERVER_AUTH}",
        f"OID = {SETUP_PURPOSE}",
    ]


def _quoted(value: str) -> str:
    """A value of an X.500 name; inside the quotes of an INF file quotes are doubled."""
    return f'""{value}""' if set(value) & set(",+;") else value
