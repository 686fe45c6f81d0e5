"""Words of the field, ports, rules, and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.audit.rules import AUDIT_RULES
from amtdecode.diagnosis.docs import plain
from amtdecode.diagnosis.knowledge import conflicts, glossary
from amtdecode.diagnosis.rule import text_of
from amtdecode.diagnosis.rulebook import all_rules
from amtdecode.explaining.topic import Facts, Topic
from amtdecode.protocols.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

REGISTRY = "IANA Service Name and Transport Protocol Port Number Registry"
GUIDE = "Intel AMT Implementation and Reference Guide"
PORTS = {
    # port: who listens, what is said, source
    ports.HELLO: ("setup server", "hello messages; the MEBx may name another port", GUIDE),
    ports.CIRA: ("management presence server", "CIRA inside TLS; a site may choose another port", "no registry"),
    ports.HTTP: ("machine", "SOAP and WS-Man over HTTP, and the web page; gone from AMT 16.1 on", REGISTRY),
    ports.HTTPS: ("machine", "the same inside TLS; the setup server connects here", REGISTRY),
    ports.REDIRECTION: ("machine", "serial over LAN, IDE-R, KVM; gone from AMT 16.1 on", REGISTRY),
    ports.REDIRECTION_TLS: ("machine", "the same inside TLS", REGISTRY),
    ports.DASH: ("machine", "TCP: WS-Man of DASH; UDP: RMCP, the presence ping", REGISTRY),
    ports.DASH_TLS: ("machine", "TCP: WS-Man of DASH inside TLS; UDP: secure RMCP", REGISTRY),
    ports.PET: ("console", "UDP: alerts of machines (PET)", REGISTRY),
    5900: ("machine", "KVM for plain VNC viewers, where it is switched on", GUIDE),
    53: ("DNS server", "the lookup of ProvisionServer", REGISTRY),
    67: ("DHCP server", "UDP: the lease, with the suffix in option 15", REGISTRY),
    68: ("machine", "UDP: the answers of the DHCP server", REGISTRY),
}


def topics() -> Iterator[Topic]:
    """All of them."""
    for row in glossary():
        also = tuple(name.strip() for name in row.also.split(",") if name.strip())
        facts: Facts = (("also", row.also), ("means", row.meaning), ("source", row.source))
        yield Topic("word", row.word, (row.word, *also), facts)
    for each in conflicts():
        also = tuple(name.strip() for name in each.also.split(","))
        facts = (
            ("article", f"{each.article} ({each.article_date})"),
            ("later document", f"{each.later} ({each.later_date})"),
            ("followed", each.followed),
            ("source", each.source),
        )
        yield Topic("conflict", f"sources disagree: {each.topic}", (each.topic, *also), facts)
    for port, (listens, said, source) in PORTS.items():
        yield Topic("port", f"port {port}", (str(port),), (("listens", listens), ("for", said), ("source", source)))
    for rule in (*all_rules(), *AUDIT_RULES):
        text = text_of(rule)
        facts = (
            ("severity", str(text.level)),
            ("layer", text.layer),
            ("means", text.meaning or plain(text.explanation)),
            ("do", text.remedy or plain(text.fix)),
            ("evidence", text.evidence),
            ("source", text.source),
        )
        yield Topic("rule", f"{rule.id}: {plain(text.title)}", (rule.id,), facts)
    for field in catalogue():
        values = ", ".join(f"{value} {name}" for value, name in [*field.values.items()][:40])
        facts = (("kind", field.kind.words), ("means", field.meaning), ("values", values))
        yield Topic("field", field.name, (field.name,), facts)
