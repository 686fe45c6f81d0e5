"""The fields of an X.509 certificate that a tree shows: no event has them.

Names and kinds are Wireshark's (x509af, x509if, x509sat, x509ce, pkix1implicit, pkcs1, ber), but object identifiers,
which are text here. Source: RFC 5280.
"""

from __future__ import annotations

from typing import Final

from amtdecode.fields import BOOLEAN, BYTES, INT32, IPV4, IPV6, NONE, STRING, UINT8, UINT32, UINT64, Field
from amtdecode.protocols.tls.registry.oids import NAMES

TIMES: Final = {0x17: (0, "utcTime"), 0x18: (1, "generalizedTime")}
"""By tag: number of the choice, and its name."""
STRINGS: Final = {
    0x14: (0, "teletexString", "latin-1"),
    0x13: (1, "printableString", "ascii"),
    0x1C: (2, "universalString", "utf-32-be"),
    0x1E: (3, "bmpString", "utf-16-be"),
    0x0C: (4, "uTF8String", "utf-8"),
}
"""Of a DirectoryString, by tag: number of the choice, name, encoding (RFC 5280, appendix A.1)."""
GENERAL_NAMES: Final = {  # of a GeneralName, by its tag
    0: "otherName",
    1: "rfc822Name",
    2: "dNSName",
    3: "x400Address",
    4: "directoryName",
    5: "ediPartyName",
    6: "uniformResourceIdentifier",
    7: "iPAddress",
    8: "registeredID",
}
KEY_USES: Final = (  # RFC 5280, section 4.2.1.3
    "digitalSignature",
    "contentCommitment",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)

FIELDS: Final = {
    field.name: field
    for field in (
        Field("x509af.signedCertificate_element", NONE, "what the issuer signs"),
        Field("x509af.version", INT32, "version of the certificate", values={0: "v1", 1: "v2", 2: "v3"}),
        Field("x509af.serialNumber", BYTES, "serial number"),
        Field("x509af.signature_element", NONE, "algorithm of the signature"),
        Field("x509af.algorithm.id", STRING, "algorithm", values=NAMES),
        Field("x509af.issuer", UINT32, "who issued the certificate", values={0: "rdnSequence"}),
        Field("x509af.validity_element", NONE, "from when to when it is valid"),
        Field("x509af.notBefore", UINT32, "from when it is valid", values=dict(TIMES.values())),
        Field("x509af.notAfter", UINT32, "until when it is valid", values=dict(TIMES.values())),
        Field("x509af.utcTime", STRING, "a time, the year with two digits"),
        Field("x509af.generalizedTime", STRING, "a time"),
        Field("x509af.subject", UINT32, "whom the certificate is for", values={0: "rdnSequence"}),
        Field("x509af.rdnSequence", UINT32, "parts of the subject's name"),
        Field("x509if.rdnSequence", UINT32, "parts of a name"),
        Field("x509if.RDNSequence_item", UINT32, "one part of a name"),
        Field("x509if.RelativeDistinguishedName_item_element", NONE, "type and value of a part of a name"),
        Field("x509if.oid", STRING, "type of a part of a name", values=NAMES),
        Field("x509sat.CountryName", STRING, "country"),
        Field("x509sat.PrintableString", STRING, "text"),
        Field("x509sat.IA5String", STRING, "text"),
        Field("x509sat.DirectoryString", UINT32, "a text", values={each[0]: each[1] for each in STRINGS.values()}),
        *[Field(f"x509sat.{each[1]}", STRING, "text") for each in STRINGS.values()],
        Field("x509af.subjectPublicKeyInfo_element", NONE, "the public key and its algorithm"),
        Field("x509af.algorithm_element", NONE, "algorithm of the key"),
        Field("pkcs1.ECParameters", UINT32, "parameters of the curve", values={1: "namedCurve"}),
        Field("pkcs1.namedCurve", STRING, "curve", values=NAMES),
        Field("x509af.subjectPublicKey", BYTES, "public key"),
        Field("pkcs1.modulus", BYTES, "modulus of an RSA key"),
        Field("pkcs1.publicExponent", INT32, "public exponent of an RSA key"),
        Field("ber.bitstring.padding", UINT8, "bits of the last byte that do not count"),
        Field("x509af.extensions", UINT32, "extensions"),
        Field("x509af.Extension_element", NONE, "an extension"),
        Field("x509af.extension.id", STRING, "type of an extension", values=NAMES),
        Field("x509af.critical", BOOLEAN, "who does not know the extension must refuse the certificate"),
        Field("x509ce.BasicConstraintsSyntax_element", NONE, "basic constraints"),
        Field("x509ce.cA", BOOLEAN, "it may issue certificates"),
        Field("x509ce.pathLenConstraint", UINT64, "certificates that may stand between it and the last one"),
        Field("x509ce.KeyUsage", BYTES, "what the key may be used for"),
        *[Field(f"x509ce.KeyUsage.{name}", BOOLEAN, "what the key may be used for") for name in KEY_USES],
        Field("x509ce.KeyPurposeIDs", UINT32, "purposes of the key"),
        Field("x509ce.KeyPurposeId", STRING, "purpose of the key", values=NAMES),
        Field("x509ce.SubjectKeyIdentifier", BYTES, "identifies the key"),
        Field("x509ce.AuthorityKeyIdentifier_element", NONE, "identifies the issuer's key"),
        Field("x509ce.keyIdentifier", BYTES, "identifies the issuer's key"),
        Field("x509ce.authorityCertIssuer", UINT32, "who issued the issuer's certificate"),
        Field("x509ce.authorityCertSerialNumber", BYTES, "serial number of the issuer's certificate"),
        Field("x509ce.GeneralNames", UINT32, "names of the subject"),
        Field("x509ce.GeneralName", UINT32, "a name", values=GENERAL_NAMES),
        Field("x509ce.rfc822Name", STRING, "mail address"),
        Field("x509ce.dNSName", STRING, "DNS name"),
        Field("x509ce.uniformResourceIdentifier", STRING, "URI"),
        Field("x509ce.directoryName", UINT32, "X.500 name", values={0: "rdnSequence"}),
        Field("x509ce.IPAddress.ipv4", IPV4, "IPv4 address"),
        Field("x509ce.IPAddress.ipv6", IPV6, "IPv6 address"),
        Field("x509ce.registeredID", STRING, "object identifier"),
        Field("x509ce.CRLDistPointsSyntax", UINT32, "where lists of revoked certificates are"),
        Field("x509ce.DistributionPoint_element", NONE, "where such a list is"),
        Field("x509ce.distributionPoint", UINT32, "name of that place", values={0: "fullName"}),
        Field("x509ce.fullName", UINT32, "names of that place"),
        Field("pkix1implicit.AuthorityInfoAccessSyntax", UINT32, "where to ask about the issuer"),
        Field("pkix1implicit.AccessDescription_element", NONE, "how and where to ask"),
        Field("pkix1implicit.accessMethod", STRING, "how to ask", values=NAMES),
        Field("pkix1implicit.accessLocation", UINT32, "where to ask", values=GENERAL_NAMES),
        Field("x509ce.CertificatePoliciesSyntax", UINT32, "policies of the issuer"),
        Field("x509ce.PolicyInformation_element", NONE, "a policy"),
        Field("x509ce.policyIdentifier", STRING, "a policy", values=NAMES),
        Field("x509af.algorithmIdentifier_element", NONE, "algorithm of the signature"),
        Field("x509af.encrypted", BYTES, "the signature"),
    )
}
