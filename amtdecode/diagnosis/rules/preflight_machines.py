"""AMT-PRE-008 to 011, 020, 022: the machines before the first of them is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.circumstances import Way, circumstances
from amtdecode.diagnosis.knowledge import capabilities, root_lists
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Met, Missing, Rules, confirmed, likely
from amtdecode.diagnosis.rules.preflight_network import listed
from amtdecode.diagnosis.rules.preflight_server import SAYS, told
from amtdecode.diagnosis.setup_chain import versions
from amtdecode.diagnosis.versions import is_mebx_version, version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer

CAPABILITY = {Way.PSK: "psk_setup", Way.AGENT: "remote_configuration", Way.BARE_METAL: "bare_metal"}
NO_PSK_SINCE = (11,)  # AMT; setup.bin of version 4 has no PID and PPS
V1_UNTIL = (3,)  # AMT below takes setup.bin of version 1 alone

RULES = Rules(Question.PREFLIGHT)


@RULES.fleet("AMT-PRE-008")
def firmware(case: Case) -> Iterator[Answer]:
    way = circumstances(case).way
    can: list[str] = []
    unsure: list[str] = []
    failed = False
    for text in versions(case):
        version = version_tuple(text)
        if not version or is_mebx_version(text):
            yield Missing(f"the AMT version: {text} is a version of MEBx")
            return
        capability = capabilities()[CAPABILITY[way]]
        present = capability.present(version)
        if present is False:
            failed = True
            yield confirmed((0, f"AMT {text}"), what=f"AMT {text} cannot do this: {capability.note}.")
        else:
            (can if present else unsure).append(text)
    if failed:
        return
    if unsure:
        yield Missing(f"whether AMT {listed(unsure)} can do this: the sources do not settle it")
    elif can:
        yield Met(f"AMT {listed(can)}")
    else:
        yield Missing("amt_version, or a capture that shows it")


@RULES.fleet("AMT-PRE-009", when=(needs.BY_AGENT,))
def drivers(case: Case) -> Iterator[Answer]:
    yield from told("hosts.drivers", case.site.hosts.drivers, "The driver of the Management Engine or LMS is missing.")


@RULES.fleet("AMT-PRE-010", when=(needs.BY_AGENT,))
def agent(case: Case) -> Iterator[Answer]:
    hosts = case.site.hosts
    if hosts.agent is not True:
        yield from told("hosts.agent", hosts.agent, "No agent runs on the machines.")
    else:
        wrong = "The agent on the machines does not know remote configuration yet."
        yield from told("hosts.agent_updated", hosts.agent_updated, wrong)


@RULES.fleet("AMT-PRE-011", when=(needs.BY_PKI,))
def root_hashes(case: Case) -> Iterator[Answer]:
    hellos = [hello for device in case.story.devices if (hello := device.last_hello) and hello.version == 3]
    if empty := [hello for hello in hellos if not hello.hashes]:
        text = f"The hello of {empty[0].source} lists no root hash."
        yield confirmed((empty[0].ref, text), what=text)
    elif hellos:
        text = f"the hello of {hellos[-1].source} lists {counted(len(hellos[-1].hashes), 'hash', 'hashes')}"
        yield Met(text, ((hellos[-1].ref, text),), "which of them are active no hello says")
    elif case.site.hosts.root_hashes is not None:
        yield from told("hosts.root_hashes", case.site.hosts.root_hashes, "The machines list no root hashes.")
    else:
        branches = {row.version for row in root_lists() if row.certainty == "documented"}
        seen = {".".join(text.split(".")[:2]) for text in versions(case)}
        if seen and seen <= branches:
            doubt = "the maker of the machine may have changed the list; its hello shows it"
            yield Met(f"AMT {', '.join(sorted(seen))} lists roots from the factory, as documented", (), doubt)
        else:
            yield Missing("whether the machines list root hashes: a capture with a hello, or hosts.root_hashes")


@RULES.fleet("AMT-PRE-020", when=(needs.BY_PSK,))
def keys_on_machines(case: Case) -> Iterator[Answer]:
    told_versions = [version for text in versions(case) if (version := version_tuple(text))]
    late = [version for version in told_versions if version >= NO_PSK_SINCE]
    if late:
        yield confirmed(what="AMT 11 and later takes no PID and PPS, on no USB key and in no MEBx.")
        return
    files = case.story.setup_bins
    for file in files:
        if not file.pids:
            yield confirmed((0, f"{file.name}: {file.words}"), what=f"{file.name} holds no PID and PPS.")
        elif not file.unused:
            yield confirmed((0, f"{file.name}: {file.words}"), what=f"Every record of {file.name} is used up.")
        elif any(version < V1_UNTIL for version in told_versions) and not file.version.startswith("1"):
            text = f"{file.name} has version {file.version}, and AMT below 3.0 takes version 1 alone."
            yield confirmed((0, f"{file.name}: {file.words}"), what=text)
        else:
            yield Met(f"{file.name} holds {counted(file.unused, 'record')} not yet used", ((0, file.words),))
    if files:
        return
    keyed = [device for device in case.story.devices if device.last_hello and device.last_hello.version == 2]
    if keyed and keyed[0].last_hello is not None:
        text = f"{keyed[0].name} says hello with a PID"
        yield Met(text, ((keyed[0].last_hello.ref, text),), "of the other machines that says nothing")
    else:
        yield Missing("a setup.bin for the USB key (amtdecode setupbin make), or a capture with a hello")


@RULES.fleet("AMT-PRE-022")
def wired(case: Case) -> Iterator[Answer]:
    wireless = [machine for machine in case.site.machine if machine.link == "wireless"]
    if wireless:
        name = wireless[0].fqdn or wireless[0].address or wireless[0].uuid or "a machine"
        yield likely((0, SAYS.format(key="machine.link", value="wireless")), what=f"{name} is on a wireless link.")
    else:
        yield from told("hosts.wired", case.site.hosts.wired, "The machines are not on a wire.")
