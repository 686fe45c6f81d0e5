"""AMT-PRE-001, 002, 016, 017: names, leases and ports before the first machine is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.diagnosis.circumstances import Way, circumstances
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Met, Missing, Rules, confirmed, likely
from amtdecode.diagnosis.site import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Lease, Ref

NAME_ERROR = 3  # RFC 1035 section 4.1.1
MAX_SHOWN = 4  # names or ports of one sentence

RULES = Rules(Question.PREFLIGHT)


def listed(texts: list[str]) -> str:
    """Some of them, and how many more."""
    more = f" and {len(texts) - MAX_SHOWN} more" if len(texts) > MAX_SHOWN else ""
    return ", ".join(texts[:MAX_SHOWN]) + more


@RULES.fleet("AMT-PRE-001")
def name_of_server(case: Case) -> Iterator[Answer]:
    good: list[tuple[Ref, str]] = []
    for proof, name, addresses, fault in _answers(case):
        allowed = case.site.scs.addresses
        strangers = [address for address in addresses if allowed and not within(address, allowed)]
        if not addresses:
            yield confirmed((proof, f"{name}: {fault}"), what=f"{name} has no address: {fault}.")
        elif strangers:
            text = f"{name} leads to {listed(strangers)}, which is none of the setup servers (scs.addresses)."
            yield confirmed((proof, f"{name}: {listed([*addresses])}"), what=text)
        else:
            good.append((proof, f"{name} is {listed([*addresses])}"))
    if good:
        yield Met(listed([text for _, text in good]), tuple(good))
    elif case.site.dns.provisionserver:
        addresses = case.site.dns.provisionserver
        strangers = [
            each for each in addresses if case.site.scs.addresses and not within(each, case.site.scs.addresses)
        ]
        if strangers:
            yield likely(what=f"dns.provisionserver names {listed(strangers)}, which is none of scs.addresses.")
        else:
            yield Met(f"it is {listed([*addresses])}, as the site file says (dns.provisionserver)")
    else:
        yield Missing("what ProvisionServer leads to: dns.provisionserver, or --probe, or a capture with DNS")


def _answers(case: Case) -> Iterator[tuple[Ref, str, tuple[str, ...], str]]:
    """Proof, name, addresses, and why there are none: of the probe, else of captures."""
    probed = circumstances(case).probed.names
    for answer in probed:
        yield 0, f"{answer.name} (asked {answer.server})", answer.addresses, answer.fault
    if probed:
        return
    names = {}
    for (_client, name), lookup in case.story.lookups.items():
        if not lookup.bare and lookup.rcode >= 0 and not lookup.cut:  # the bare name may fail, that is no fault
            names[name.lower()] = lookup
    for name, lookup in names.items():
        fault = "there is no such name" if lookup.rcode == NAME_ERROR else f"DNS code {lookup.rcode}"
        if lookup.rcode == 0:
            fault = "the answer holds no address"
        yield lookup.answer, name, lookup.addresses, "" if lookup.addresses else fault


@RULES.fleet("AMT-PRE-002")
def lease_options(case: Case) -> Iterator[Answer]:
    leases = [lease for lease in case.story.leases.values() if lease.ack and not lease.v6 and not lease.cut]
    needs_suffix = circumstances(case).way is not Way.PSK and not case.site.network.suffixes
    if leases:
        yield from _of_leases(leases, needs_suffix=needs_suffix)
        return
    dhcp = case.site.dhcp
    lacking = [key for key, value in (("dhcp.dns", dhcp.dns), ("dhcp.domains", dhcp.domains)) if not value]
    if "dhcp.dns" in lacking or (needs_suffix and lacking):
        keys = " and ".join(lacking)
        yield Missing(f"what DHCP gives to the machines: {keys} (options 6 and 15), or a capture with DHCP")
        return
    suffix = f"option 15 is {listed([*dhcp.domains])}" if dhcp.domains else "option 15 is not told"
    yield Met(
        f"option 6 is {listed([*dhcp.dns])}, {suffix}, as the site file says (dhcp)", doubt=_without(dhcp.domains)
    )


def _of_leases(leases: list[Lease], *, needs_suffix: bool) -> Iterator[Answer]:
    faulty = False
    for lease in leases:
        lacking = ["6 (DNS servers)"] * (not lease.dns) + ["15 (domain name)"] * (needs_suffix and not lease.suffix)
        if lacking:
            faulty = True
            text = f"The lease of {lease.address} carries no option {' and no option '.join(lacking)}."
            yield confirmed((lease.ack, text), what=text)
    if not faulty:
        lease = leases[-1]
        suffix = f"option 15 {quoted(lease.suffix)}" if lease.suffix else "no option 15"
        text = f"the lease of {lease.address} carries option 6 and {suffix}"
        yield Met(text, ((lease.ack, text),), _without(lease.suffix))


def _without(suffix: object) -> str:
    return "" if suffix else "without a suffix the machine asks for the bare name alone"


@RULES.fleet("AMT-PRE-016")
def server_listens(case: Case) -> Iterator[Answer]:
    port = case.site.scs.port
    probed = [answer for answer in circumstances(case).probed.ports if answer.port == port]
    for answer in probed:
        place = f"{answer.host} port {port}"
        if answer.state != "open":
            yield confirmed((0, f"{place}: {answer.state}"), what=f"{place}: {answer.state}.")
    if good := [answer.host for answer in probed if answer.state == "open"]:
        yield Met(f"port {port} is open on {listed(good)}", tuple((0, f"{host} port {port}: open") for host in good))
    if probed:
        return
    hello = next((device.last_hello for device in case.story.devices if device.last_hello), None)
    if hello is not None:
        text = f"{hello.destination} took a hello on port {hello.port}"
        yield Met(text, ((hello.ref, text),))
    elif case.site.network.ports_open is not None:
        yield from _stated(case)
    else:
        yield Missing(f"whether the setup server takes hellos on TCP port {port}: --probe, or network.ports_open")


@RULES.fleet("AMT-PRE-017")
def machines_reached(case: Case) -> Iterator[Answer]:
    for device in case.story.devices:
        for session in device.sessions:
            if session.port in ports.SETUP and session.connected and session.server in device.addresses:
                text = f"{session.client} reaches {session.server} on port {session.port}"
                yield Met(text, ((session.ref, text),))
                return
    probed = [answer for answer in circumstances(case).probed.ports if answer.port in ports.SETUP]
    if good := [answer for answer in probed if answer.state == "open"]:
        text = listed([f"{answer.host} port {answer.port} is open" for answer in good])
        yield Met(f"{text}, from here", (), "the setup server may stand behind another firewall than this computer")
    elif case.site.network.ports_open is not None:
        yield from _stated(case)
    else:
        tried = f" ({listed([f'{each.host} port {each.port}: {each.state}' for each in probed])})" if probed else ""
        closed = "; a machine opens its ports only once it said hello" if probed else ""
        yield Missing(f"whether the setup server reaches the machines: network.ports_open, or a capture{closed}{tried}")


def _stated(case: Case) -> Iterator[Answer]:
    if case.site.network.ports_open:
        yield Met("the ports are open, as the site file says (network.ports_open)")
    else:
        yield likely(
            (0, "the site file says network.ports_open = false"), what="The site file says that they are not open."
        )
