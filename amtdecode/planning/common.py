"""The steps that all ways of setup share."""

from __future__ import annotations

from amtdecode.planning import proofs
from amtdecode.planning.step import Phase, Step

GUIDE = "Intel AMT Implementation and Reference Guide"
PLANNING = "2007 articles on planning"

SITE = (
    Step(
        "server",
        Phase.PREPARE,
        "administrator",
        "Install the setup server",
        "Install {server} in enterprise mode: IIS with its own TLS certificate, the database, the service under an "
        "account of its own with no more rights than it needs, and a profile for the machines. Ask the vendor of your "
        "console first which versions and upgrade paths it supports.",
        "nothing on the wire; `amtdecode preflight` asks for it (AMT-PRE-007, 013, 018)",
        shown_by="contact",
        source=f"{PLANNING}; 2007 article: where certificates live",
    ),
    Step(
        "directory",
        Phase.PREPARE,
        "administrator",
        "Extend the schema of Active Directory",
        "Run the script of the setup server, on a domain at the level of Windows Server 2003 R2 or later.",
        "nothing on the wire; error 139 in the log of SCS shows that it is missing",
        when=lambda site: bool(site.policy.kerberos),
        source=f"{PLANNING}; 2007 article on common SCS errors",
    ),
    Step(
        "authority",
        Phase.PREPARE,
        "administrator",
        "Make a certification authority ready for the TLS certificates of the machines",
        "The setup server asks it for a certificate for each machine, in the name of the machine.",
        "later management on port 16993 with a certificate of that authority",
        look=proofs.managed,
        when=lambda site: bool(site.policy.tls),
        source=PLANNING,
    ),
    Step(
        "dhcp",
        Phase.PREPARE,
        "administrator",
        "Give options 6 and 15 by DHCP",
        "Option 6 is the DNS server, option 15 the domain ({domains}). `amtdecode preflight SITE.toml "
        "--texts dhcp-isc` writes the lines.",
        "DHCP ACK with options 6 and 15",
        shown_by="lease",
        source=GUIDE,
    ),
    Step(
        "dns",
        Phase.PREPARE,
        "administrator",
        "Let ProvisionServer lead to the setup server",
        "A record ProvisionServer in the domain of the machines ({domains}) for {server}. `--texts dns-bind` "
        "and its kin write it.",
        "DNS answer with the address of the server",
        shown_by="name",
        source=GUIDE,
    ),
    Step(
        "ports",
        Phase.PREPARE,
        "administrator",
        "Open the ports between machines and setup server",
        "TCP {port} from the machines to the server, 16992 to 16995 from server and console to the machines; "
        "`--texts firewall` lists all.",
        "hello to port {port}, connection back to port 16993",
        shown_by="contact",
        source=GUIDE,
    ),
)

CHECK = Step(
    "preflight",
    Phase.MACHINES,
    "administrator",
    "Check all of it",
    "`amtdecode preflight SITE.toml --probe`, with the certificates or the setup.bin, until it says ready.",
    "the exit code 0 of that command",
    source="amtdecode",
)
"""The last before the first machine is plugged in."""

FOUND = (
    Step(
        "lease",
        Phase.HELLO,
        "machine",
        "The machine gets its lease",
        "Its firmware asks by itself, or takes part in the lease of the operating system.",
        "DHCP ACK with options 6 and 15",
        look=proofs.lease,
        shown_by="hello",
        source=GUIDE,
    ),
    Step(
        "name",
        Phase.HELLO,
        "machine",
        "The machine finds its server",
        "It asks DNS for ProvisionServer, first the bare name (which may fail), then in the domain of option 15.",
        "DNS answer for provisionserver with an address",
        look=proofs.name,
        shown_by="hello",
        source=GUIDE,
    ),
)

CONTACT = (
    Step(
        "map",
        Phase.SETUP,
        "setup server",
        "The server finds out the name that belongs to the UUID",
        "From a script, a table, DNS or the agent. Without it the server waits (error 913), or for an approval.",
        "no error 913 in the log of SCS; the connection back shows that the server goes on",
        shown_by="commit",
        source="2007 article on common SCS errors",
    ),
    Step(
        "contact",
        Phase.SETUP,
        "setup server",
        "The server connects back",
        "To port 16993 of the address from which the hello came.",
        "TCP connection from the server to port 16993",
        look=proofs.contact,
        shown_by="handshake",
        source=GUIDE,
    ),
)

CONFIGURE = (
    Step(
        "configuration",
        Phase.SETUP,
        "setup server",
        "The server sends the profile",
        "Passwords, realms, certificates, settings; the clock of the machine is set.",
        "calls on port 16993: readable with the key of the connection, else requests and answers inside TLS",
        look=proofs.configuration,
        shown_by="commit",
    ),
    Step(
        "commit",
        Phase.SETUP,
        "setup server",
        "The server commits the changes",
        "The machine leaves setup mode.",
        "CommitChanges with status 0, the line of it in the log of SCS, or the pattern of a whole setup (inferred)",
        look=proofs.commit,
        shown_by="managed",
    ),
)

AFTER = (
    Step(
        "managed",
        Phase.AFTER,
        "console",
        "The console manages the machine",
        "A test: read the inventory, or switch the machine off and on.",
        "TLS connection to port 16993 behind the commit",
        look=proofs.managed,
        when=lambda site: site.policy.tls is not False,
        source=GUIDE,
    ),
    Step(
        "log-off",
        Phase.AFTER,
        "administrator",
        "Switch the debug log of the setup server off again",
        "It grows without bound. `--texts reg-log-off` writes the registry file; restart the AMTconfig service.",
        "an exported registry key without LogLevel",
        look=proofs.log_off,
        when=lambda site: site.scs.product != "other",
        source="2007 article on SCS debug logging",
    ),
)
