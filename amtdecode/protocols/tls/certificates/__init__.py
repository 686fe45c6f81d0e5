"""X.509 certificates: the fields an administrator judges by.

`read_certificate` never raises: what the library refuses (a date of zero, serial 0, bytes behind the certificate, a
certificate that is cut) is read as far as it goes, piece by piece, and `faults` says what is broken.

Sources: RFC 5280; the purposes Intel defines: Intel AMT Implementation and Reference Guide, "Acquiring an Intel vPro
Certificate" (2.16.840.1.113741.1.2.1 remote console, .2 local console, .3 setup; the older mark of a setup certificate
is the organizational unit "Intel(R) Client Setup Certificate").
"""

from amtdecode.protocols.tls.certificates.chain import CHAIN_FIELDS, chain_faults, chain_fields
from amtdecode.protocols.tls.certificates.info import MAX_NAMES, SETUP_UNIT, CertificateInfo
from amtdecode.protocols.tls.certificates.names import read_name
from amtdecode.protocols.tls.certificates.reader import read_certificate

__all__ = [
    "CHAIN_FIELDS",
    "MAX_NAMES",
    "SETUP_UNIT",
    "CertificateInfo",
    "chain_faults",
    "chain_fields",
    "read_certificate",
    "read_name",
]
