"""The steps that both kinds of remote configuration share: certificate, hello, handshake."""

from __future__ import annotations

from amtdecode.planning import proofs
from amtdecode.planning.common import GUIDE
from amtdecode.planning.step import Phase, Step

ARTICLE = "2007 article on remote configuration"

CERTIFICATE = (
    Step(
        "request",
        Phase.PREPARE,
        "administrator",
        "Buy the setup certificate",
        "From an authority whose root the machines list (`amtdecode explain amt {amt}`), one for each domain. "
        "`amtdecode preflight SITE.toml --texts csr-openssl` or `csr-certreq` writes the request with both marks.",
        "the file of the certificate; `amtdecode cert check` judges it",
        look=proofs.setup_certificate,
        shown_by="handshake",
    ),
    Step(
        "stores",
        Phase.PREPARE,
        "administrator",
        "Put certificate and key where the service looks for them",
        "With the key into the store of the account that runs the service, without it into that of the computer; run "
        "loadcert.exe, and restart the AMTconfig service. `amtdecode cert check --placement` lists all stores.",
        "the certificate in the TLS handshake; an empty one shows that the service cannot use the key",
        shown_by="handshake",
        when=lambda site: site.scs.product != "other",
        source="2007 article: where certificates live",
    ),
)

HELLO = Step(
    "hello",
    Phase.HELLO,
    "machine",
    "The machine says hello",
    "With its UUID and its root hashes, to port {port} of the server. The interface stays open for {window} hours, "
    "unless site or firmware say otherwise; then only the agent, or full unprovisioning, opens it again.",
    "hello of version 3 with root hashes",
    look=proofs.pki_hello,
    shown_by="handshake",
    source=f"{ARTICLE}; {GUIDE}",
)

HANDSHAKE = Step(
    "handshake",
    Phase.SETUP,
    "setup server and machine",
    "The machine takes the setup certificate",
    "The machine shows a certificate that it made itself, which is no fault. It checks mark, root hash and domain of "
    "the server's chain.",
    "TLS handshake in which the server shows its chain, finished on both sides",
    look=proofs.pki_handshake,
    shown_by="configuration",
    source=f"{ARTICLE}; {GUIDE}",
)

PASSWORD = Step(
    "mebx-password",
    Phase.SETUP,
    "setup server",
    "The server sets the MEBx password",
    "Where it is still that of the factory; before the commit.",
    "the call SetMEBxPassword, with the key of the connection",
    shown_by="commit",
    source=GUIDE,
)
