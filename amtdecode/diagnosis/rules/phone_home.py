"""AMT-CIRA-002 and following: how far a machine gets with its management presence server (MPS), and what stops it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import latest_lease, suffix_of
from amtdecode.diagnosis.contacts import ENDED, contacts
from amtdecode.diagnosis.handshakes import FATAL, alert_name
from amtdecode.diagnosis.phrases import no_dhcp, quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.calling_home import CERTIFICATE_ALERTS, calls_home, fails_early, refuses_certificate
from amtdecode.provisioning.sight import answers_shown, long_enough
from amtdecode.provisioning.state.incidents import EnvironmentDetection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer, Hit
    from amtdecode.provisioning.state import Cira, Device, Ref, Session

SECOND = 1_000_000_000
SHORT_CALL = 60 * SECOND  # a call that ends sooner was of no use: machines stay connected for hours
SOON = 120 * SECOND  # after which the next one begins
FLAPS = 3
IDLE = 80 * SECOND  # without a word of the machine: Open AMT's MPS ends a connection after 90 s
NEVER = 1 << 62
CLOCK_ERROR = 5 * SECOND  # by which a log's time may differ from the capture's: logs are written in seconds, and late
LOGIN_LINES = frozenset({"mc-cira-password", "mc-cira-group", "mc-cira-refused", "mps-login"})
AWAY_LINES = frozenset({"mc-other-node", "mc-unknown-node", "mc-cira-group", "mps-not-allowed"})

RULES = Rules(Question.ENVIRONMENT)


def _place(session: Session) -> str:
    return f"{session.server}:{session.port}"


def _log_says(case: Case, device: Device, session: Session, anchors: frozenset[str]) -> list[tuple[Ref, str]]:
    """The line of the server's log about this call: the machine's, written while the call went on."""
    if session.time is None or session.last_time is None:
        return []
    for entry in device.log_entries:
        if entry.anchor in anchors and entry.time is not None:
            written = entry.time + case.story.log_offset
            if session.time - CLOCK_ERROR <= written <= session.last_time + CLOCK_ERROR:
                return [(entry.ref, f"the server's log says so: {entry.text}")]
    return []


def _began(session: Session) -> tuple[Ref, str]:
    return session.ref, f"{session.client} calls {_place(session)}"


def _lasted(session: Session) -> int:
    return NEVER if session.time is None or session.last_time is None else session.last_time - session.time


def _comes_through(session: Session) -> bool:
    """Whether the machine was logged in, or stayed long behind TLS that nobody opens."""
    if session.cira is not None:
        return bool(session.cira.accepted)
    tls = session.handshake
    return tls is not None and tls.established and SHORT_CALL <= _lasted(session) < NEVER


def _later(calls: list[Session], session: Session) -> Session | None:
    """A later call that comes through."""
    return next((each for each in calls if each.ref > session.ref and _comes_through(each)), None)


def _told(hit: Hit, calls: list[Session], session: Session) -> Hit:
    """The same, as information where a later call comes through."""
    later = _later(calls, session)
    if later is not None:
        hit.proofs.append((later.ref, "a later call comes through"))
        return hit._replace(severity=Severity.INFO)
    return hit


def _seen_whole(session: Session) -> bool:
    """Whether nothing is missing that may have been said in a call, and it is over."""
    return session.whole and session.state in ENDED and not (session.cira is not None and session.cira.lost)


def _ended_by_server(session: Session, cira: Cira) -> bool:
    return cira.disconnect_by_server if cira.disconnect else session.who_closed == "server"


@RULES.machine("AMT-CIRA-002", when=(needs.CALLS_HOME,))
def login_refused(case: Case, device: Device) -> Iterator[Answer]:
    calls = calls_home(device)
    refused = [each for each in calls if each.cira is not None and each.cira.refused and not each.cira.accepted]
    if refused and (cira := refused[-1].cira) is not None:
        hit = confirmed(
            _began(refused[-1]),
            (cira.login, f"the machine logs in as {quoted(cira.user)}, method {cira.method}"),
            (cira.refused, f"the MPS refuses the login, {counted(len(refused), 'call')} in vain"),
            *_log_says(case, device, refused[-1], LOGIN_LINES),
            user=quoted(cira.user),
            server=_place(refused[-1]),
        )
        yield _told(hit, calls, refused[-1])


@RULES.machine("AMT-CIRA-003", when=(needs.CALLS_HOME,))
def turned_away(case: Case, device: Device) -> Iterator[Answer]:
    calls = calls_home(device)
    for session in reversed(calls):
        cira = session.cira
        if cira is None or not cira.version or cira.accepted or cira.refused or cira.out_of_step:
            continue
        if not _seen_whole(session) or not _ended_by_server(session, cira) or cira.method == "none":
            continue
        when = "behind the login" if cira.login else "before any login"
        proofs = [_began(session), (cira.version, "the machine says who it is")]
        if cira.login:
            proofs.append((cira.login, f"it logs in as {quoted(cira.user)}"))
        if cira.disconnect:
            proofs.append((cira.disconnect, f"the MPS disconnects: {cira.disconnect_reason}"))
        else:
            proofs.append((session.last_ref, "the MPS closes the connection, and gives no reason"))
        said = _log_says(case, device, session, AWAY_LINES)
        proofs += said
        verdict = confirmed if cira.disconnect or said else likely
        yield _told(verdict(*proofs, server=_place(session), moment=when, uuid=device.uuid), calls, session)
        return


@RULES.machine("AMT-CIRA-004", when=(needs.CALLS_HOME,))
def comes_and_goes(_case: Case, device: Device) -> Iterator[Answer]:
    """Short calls in a row whose reason no other rule tells."""
    short = [each for each in calls_home(device) if _is_short(each)]
    row: list[Session] = short[:1]
    for before, session in pairwise(short):
        apart = NEVER if before.last_time is None or session.time is None else session.time - before.last_time
        row = [*row, session] if 0 <= apart <= SOON else [session]
    if len(row) < FLAPS:
        return
    by = {each.who_closed or each.broken_by for each in row}
    who = {"client": "the machine", "server": "the MPS"}.get(next(iter(by)), "nobody knows") if len(by) == 1 else "both"
    resets = sum(bool(each.broken_by) for each in row)
    yield likely(
        *[(each.ref, f"a call to {_place(each)}, {_lasted(each) / SECOND:.0f} s") for each in row[:3]],
        (row[-1].last_ref, f"the last of {len(row)} ends, {counted(resets, 'reset')} among them"),
        count=len(row),
        server=_place(row[-1]),
        who=who,
    )


def _is_short(session: Session) -> bool:
    cira, tls = session.cira, session.handshake
    up = bool(cira is not None and cira.version) or (tls is not None and tls.established)
    told = cira is not None and (cira.refused or cira.out_of_step or (cira.version and not cira.accepted))
    return up and not told and _seen_whole(session) and _lasted(session) < SHORT_CALL


@RULES.machine("AMT-CIRA-005", when=(needs.CALLS_HOME,))
def beyond_the_window(_case: Case, device: Device) -> Iterator[Answer]:
    for session in calls_home(device):
        cira = session.cira
        if cira is not None and cira.beyond:
            who = "The MPS" if cira.beyond_by_server else "The machine"
            what = f"{counted(cira.excess, 'byte')} more than granted, in a channel to port {cira.beyond_port}"
            yield confirmed(_began(session), (cira.beyond, what), who=who, port=cira.beyond_port)
            return


@RULES.machine("AMT-CIRA-006", when=(needs.CALLS_HOME,))
def channel_refused(_case: Case, device: Device) -> Iterator[Answer]:
    for session in calls_home(device):
        cira = session.cira
        if cira is None:
            continue
        for refused in cira.refused_channels:
            forwarded = refused.port in cira.granted
            told = cira.forwards and not cira.lost
            ports_told = ", ".join(map(str, cira.granted)) or "none"
            cause = (
                "it forwards that port, but nobody listens there, or its limit of channels is reached"
                if forwarded
                else f"it does not forward that port, only {ports_told}"
                if told
                else "which ports it forwards is not in the capture"
            )
            yield confirmed(
                (
                    refused.ref,
                    f"channel to port {refused.port} refused {counted(refused.count, 'time')}: {refused.reason}",
                ),
                *([(cira.forwards, f"forwarded ports: {ports_told}")] if told else []),
                port=refused.port,
                cause=cause,
                advice=_port_advice(refused.port),
            )


def _port_advice(port: int) -> str:
    if port in (ports.HTTP, ports.REDIRECTION):
        return f"From AMT 16.1 on {port} is closed: use {port + 1}, inside TLS. Else see that the service is enabled."
    if port in (ports.HTTPS, ports.REDIRECTION_TLS):
        return f"Enable TLS on the machine, or use {port - 1} where its firmware still has it."
    return "See that the service behind the port is enabled on the machine (redirection, KVM)."


@RULES.machine("AMT-CIRA-007", when=(needs.CALLS_HOME,))
def idle(_case: Case, device: Device) -> Iterator[Answer]:
    for session in calls_home(device):
        cira = session.cira
        if cira is None or not cira.accepted or not _seen_whole(session) or not _ended_by_server(session, cira):
            continue
        if cira.machine_heard is None or session.last_time is None or session.last_time - cira.machine_heard < IDLE:
            continue
        seconds = (session.last_time - cira.machine_heard) // SECOND
        asked = f"every {cira.interval} s was asked for" if cira.interval else "no interval was asked for"
        yield likely(
            (session.last_ref, f"the MPS ends the call, {seconds} s after the machine's last message"),
            *(
                [(cira.keepalive, f"the last of {counted(cira.keepalives, 'keep-alive message')}")]
                if cira.keepalive
                else []
            ),
            seconds=seconds,
            server=_place(session),
            asked=asked,
        )
        return


@RULES.machine("AMT-CIRA-008", when=(needs.incident(EnvironmentDetection),))
def taken_to_be_inside(case: Case, device: Device) -> Iterator[Answer]:
    """Environment detection: a machine whose domain is one of the list stays inside and never calls home."""
    told = device.incidents_of(EnvironmentDetection)[-1]
    suffix = suffix_of(device)
    if not suffix:
        yield Missing(no_dhcp(case) if not device.leases else "domain of the machine (DHCP option 15)")
        return
    domain = suffix.rstrip("\0. ").lower()
    inside = next((each for each in told.domains if domain == each.lower().strip(". ")), "")
    lease = latest_lease(device)
    proofs: list[tuple[Ref, str]] = [
        (told.ref, f"environment detection is set to {', '.join(map(quoted, told.domains))}")
    ]
    if lease is not None:
        proofs.append((lease.ack or lease.ref, f"the lease gives the domain {quoted(domain)}"))
    calls = [each for each in calls_home(device) if each.ref > told.ref]
    if inside and not calls:
        yield likely(*proofs, domain=quoted(domain))
    elif not inside:
        dark = [each for each in contacts(case, device) if each.ref > told.ref and each.state == "refused"]
        if dark:
            proofs.append((dark[0].ref, f"{dark[0].client} to port {dark[0].port}: refused"))
            yield possible(*proofs, severity=Severity.INFO, domain=quoted(domain))


@RULES.machine("AMT-CIRA-009", when=(needs.CALLS_HOME,))
def out_of_step(_case: Case, device: Device) -> Iterator[Answer]:
    for session in calls_home(device):
        cira = session.cira
        if cira is None or cira.lost:
            continue
        if cira.out_of_step:
            who = "MPS" if cira.out_of_step_server else "machine"
            yield confirmed(_began(session), (cira.out_of_step, f"bytes of the {who} that are no message"), who=who)
            return
        silent = cira.login and cira.method == "none" and not cira.accepted and not cira.refused
        if silent and _seen_whole(session):
            what = "a login with method none, which no answer follows"
            yield possible(_began(session), (cira.login, what), who="MPS")
            return


@RULES.machine("AMT-CIRA-010", when=(needs.CALLS_HOME,))
def not_reached(case: Case, device: Device) -> Iterator[Answer]:
    calls = calls_home(device)
    failed = [
        each
        for each in calls
        if each.state == "refused"
        or (each.state == "unanswered" and answers_shown(case.story, each) and long_enough(case.story, each.time))
    ]
    if failed:
        last = failed[-1]
        how = "refuses the connection" if last.state == "refused" else "does not answer"
        hit = confirmed(
            *_name(last),
            (last.ref, f"{last.client} to {_place(last)}: {last.state}, {counted(len(failed), 'call')} in vain"),
            server=_place(last),
            how=how,
        )
        connected = next((each for each in calls if each.ref > last.ref and each.connected), None)
        if connected is not None:
            hit = hit._replace(severity=Severity.INFO)
            hit.proofs.append((connected.ref, "a later call is accepted"))
        yield hit


@RULES.machine("AMT-CIRA-011", when=(needs.CALLS_HOME,))
def no_common_tls(_case: Case, device: Device) -> Iterator[Answer]:
    calls = calls_home(device)
    failed = [each for each in calls if fails_early(each)]
    if not failed:
        return
    last = failed[-1]
    tls = last.handshake
    if tls is None:
        return
    alert = next((a for a in tls.alerts if a.level >= FATAL and a.code not in CERTIFICATE_ALERTS), None)
    proofs: list[tuple[Ref, str]] = [
        (
            tls.client_hello,
            f"the machine offers at most {_version(tls.offered_version)}, {counted(len(failed), 'time')}",
        )
    ]
    if alert is not None:
        who = "the MPS" if alert.from_server else "the machine"
        proofs.append((alert.ref, f"{who} sends alert {alert.code} {alert_name(alert.code)}"))
        said = f"{who} ends the handshake with alert {alert.code} {alert_name(alert.code)}"
    else:
        proofs.append((last.last_ref, "the connection ends behind the ClientHello, without an alert"))
        said = "the MPS ends the connection behind the first message, without a word"
    verdict = confirmed if alert is not None and not device.called_home else likely
    yield _told(verdict(*proofs, server=_place(last), said=said, offered=_version(tls.offered_version)), calls, last)


def _version(number: int) -> str:
    return {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}.get(
        number, f"version 0x{number:04x}"
    )


@RULES.machine("AMT-CIRA-012", when=(needs.CALLS_HOME,))
def stages(_case: Case, device: Device) -> Iterator[Answer]:
    """How far the call got that came furthest."""
    best: list[tuple[Ref, str]] = []
    for session in calls_home(device):
        found = _stages(session)
        if len(found) >= len(best):
            best, furthest = found, session
    if len(best) > 1:
        stage = best[-1][1].partition(":")[0]
        yield confirmed(*_name(furthest), *best, server=_place(furthest), stage=stage)


def _name(session: Session) -> list[tuple[Ref, str]]:
    """Before all stages: how the machine learned the address, where the capture shows it."""
    lookup = session.lookup
    if lookup is None:
        return []
    return [(lookup.answer, f"name: {quoted(lookup.name)} is {session.server}, says the DNS server {lookup.server}")]


def _stages(session: Session) -> list[tuple[Ref, str]]:
    """The stages that a call reached, each with its proof."""
    if not session.connected:
        return []
    found: list[tuple[Ref, str]] = [(session.ref, f"connection: {session.client} to {_place(session)}")]
    tls, cira = session.handshake, session.cira
    if tls is not None and tls.client_hello:
        found.append((tls.client_hello, "TLS begins: the machine is the client"))
    if tls is not None and tls.established and not refuses_certificate(session):
        found.append((tls.server_finished or tls.server_ccs or tls.last_data, "TLS is up: the rest is sealed"))
    if cira is None:
        return found
    granted = ", ".join(map(str, cira.granted))
    steps = (
        (cira.version, f"greeting: the machine calls because of {cira.trigger}"),
        (cira.login, f"login: as {quoted(cira.user)}"),
        (cira.accepted, "login accepted: by the MPS"),
        (cira.forwards, f"ports forwarded: {granted}"),
        (cira.keepalive, f"keep-alive: {cira.keepalives} messages"),
        (cira.channel, f"channels: {cira.channels} opened"),
    )
    return found + [(proof, words) for proof, words in steps if proof]
