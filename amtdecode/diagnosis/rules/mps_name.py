"""AMT-CIRA-013: whether the name of its management presence server (MPS) led a machine there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import server_lookups
from amtdecode.diagnosis.case import about_all
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import CUT, unseen_reply
from amtdecode.protocols.dns.fields import REPLY_CODES
from amtdecode.provisioning.calling_home import calls_home
from amtdecode.provisioning.state.incidents import PresenceServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref, ServerLookup

SHORT_NAMES = {2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}  # RFC 1035 section 4.1.1, as administrators know them
ASKED_AGAIN_SECONDS = 1.0  # resolvers ask again after that
UNANSWERED = 2  # queries

RULES = Rules(Question.ENVIRONMENT)


class Told(NamedTuple):
    """What says that a name is that of an MPS."""

    ref: Ref
    how: str


@about_all
def _told(case: Case) -> dict[str, Told]:
    """Names of management presence servers, lower case, and what says first that they are."""
    told: dict[str, Told] = {}
    for device in case.story.devices:
        for incident in device.incidents_of(PresenceServer):
            told.setdefault(_plain(incident.name), Told(incident.ref, "a call to AMT says that it is the MPS"))
        for session in calls_home(device):
            if session.lookup is not None:
                how = f"{session.client} calls home to {session.server}:{session.port}, where this name leads"
                told.setdefault(_plain(session.lookup.name), Told(session.ref, how))
    return told


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


@RULES.machine("AMT-CIRA-013", when=(needs.SERVER_LOOKUP,))
def name_of_the_mps_fails(case: Case, device: Device) -> Iterator[Answer]:
    for lookup in server_lookups(case, device):
        told = _told(case).get(_plain(lookup.name))
        asks = (lookup.last_query or lookup.ref, f"{lookup.client} asks {lookup.server} for {quoted(lookup.name)}")
        proofs = [asks] if lookup.queries else []
        if lookup.cut:
            yield Missing(CUT)
            continue
        if lookup.failed:
            proofs.append((lookup.failed, f"answer: {_said(lookup)}, {counted(lookup.failures, 'time')}"))
            what, verdict = f"the DNS server {lookup.server} answers {_said(lookup)}", confirmed
        elif lookup.waiting >= UNANSWERED and not lookup.found:
            if lacking := unseen_reply(case, lookup, lookup.last_query_time, ASKED_AGAIN_SECONDS):
                yield lacking
                continue
            what = f"the DNS server {lookup.server} leaves {lookup.waiting} queries without an answer"
            verdict = likely
        else:
            continue
        if told is not None:
            proofs.append(told)
        else:
            what, verdict = f"{what} (that this is the MPS is inferred from its name)", possible
        found = lookup.found > lookup.failed
        if found:
            proofs.append((lookup.found, f"a later answer: {', '.join(lookup.addresses)}"))
        yield verdict(*proofs, severity=Severity.INFO if found else None, name=quoted(lookup.name), what=what)


def _said(lookup: ServerLookup) -> str:
    if not lookup.rcode:
        return "no address"
    return SHORT_NAMES.get(lookup.rcode) or REPLY_CODES.get(lookup.rcode, f"code {lookup.rcode}")
