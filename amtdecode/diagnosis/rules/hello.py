"""AMT-HELLO-*: whether the machine said hello, and what it says is sound."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.addressing import resolved
from amtdecode.diagnosis.case import about_all
from amtdecode.diagnosis.contacts import TWO_INTERVALS, hello_sessions, setup_contacts, to_former_address
from amtdecode.diagnosis.phrases import dead_record, quoted, seconds
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.sight import CUT, ONE_DIRECTION, absent, unseen_answer
from amtdecode.provisioning.sight import one_direction
from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.incidents import ContactElsewhere, HelloAnswered, MalformedHello, PartialUnprovision
from amtdecode.provisioning.state.placeholders import empty, tells_apart
from amtdecode.secrets.pid import check_character, is_pid_shaped, pid_is_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Hello, Ref, Session

ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")  # PID and PPS
NAMED = 4  # machines with the same placeholder that are named beside the one judged
REPEATS = 3  # hellos without an answer that make a pattern
LONG_SECONDS = 3600.0  # fewer make one only where the capture goes on for an hour


def contacts_of(device: Device) -> list[Session]:
    """Connections to the machine on the ports of setup."""
    return [session for session in device.sessions if session.port in ports.SETUP]


RULES = Rules(Question.HELLO)


@RULES.machine("AMT-HELLO-002", when=(needs.HELLO_SENT,))
def hello_not_accepted(case: Case, device: Device) -> Iterator[Answer]:
    if answers := device.incidents_of(HelloAnswered):
        yield from _no_setup_server(case, device, answers)
        return
    failed = [session for session in hello_sessions(case, device) if session.state in ("refused", "unanswered")]
    if not failed:
        return
    last = failed[-1]
    if any(_later(hello.time, last.time) for hello in device.hellos):
        return
    error = case.story.icmp.get(last.server) if last.state == "unanswered" else None
    if error is not None and _later(failed[0].time, error.time):
        error = None  # about another's connection
    lacking = unseen_answer(case, last) if last.state == "unanswered" and error is None else None
    if lacking is not None:
        yield lacking
        return
    if last.state == "unanswered" and last.syn_count < 2 and len(failed) < 2 and error is None:
        yield Missing("the capture ends before the machine repeats its unanswered SYN")
        return
    what = "refused (RST)" if last.state == "refused" else f"not answered ({last.syn_count} SYN)"
    proofs = [(s.ref, f"{s.client} to {s.server}:{s.port}: {s.state}") for s in failed[-3:]]
    if error is not None:
        proofs.append((error.ref, f"ICMP: {error.meaning}, says {error.reporter}"))
        what = f"turned away by {error.reporter} ({error.meaning})"
    others = {address: lookup.name for lookup in resolved(device) for address in lookup.addresses}
    name = others.pop(last.server, "")
    failing = {session.server for session in failed}
    advice = dead_record(name, [last.server], sorted(set(others) - failing)) if name else ""
    answer = confirmed if last.state == "refused" or error is not None else absent(case)
    yield answer(
        *proofs,
        said=f"port {last.port} of {last.server} is {what}",
        explained=f"The machine connects to {last.server}:{last.port} to say hello and is {what}. The service is not "
        "running, or a firewall is in the way.",
        todo=advice or f"Start the AMTconfig service on {last.server}, and open TCP port {last.port} to it.",
    )


def _no_setup_server(case: Case, device: Device, answers: list[HelloAnswered]) -> Iterator[Answer]:
    """A setup server sends nothing on the connection of a hello: a host that does is another one."""
    last = answers[-1]
    if any(session.client == last.server and session.connected for session in setup_contacts(case, device)):
        return  # it answers, and does its work all the same
    if any(_later(hello.time, last.time) and hello.destination != last.server for hello in device.hellos):
        return  # the machine found another one since
    names = dict.fromkeys(lookup.name for lookup in device.lookups if last.server in lookup.addresses)
    what = f"it speaks {last.speaks}" if last.speaks else "its bytes are of no protocol known here"
    cause = {"HTTP": "a web server or a web proxy", "TLS": "a TLS server, which may be a load balancer"}.get(
        last.speaks, f"a host that speaks {last.speaks}" if last.speaks else "another service"
    )
    asked = f", which is what {quoted(next(iter(names)))} leads to," if names else ""
    proofs: list[tuple[Ref, str]] = [
        (each.ref, f"{each.server}:{each.port} answers the hello with {quoted(each.data[:40])}") for each in answers
    ]
    yield confirmed(
        *proofs,
        said=f"{last.server} is not a setup server: {what}",
        explained=f"{last.server}{asked} answers the hello with bytes; a setup server only listens. It is {cause}: "
        "the name leads to the wrong host, another service has the port, or a proxy stands in between.",
        todo="Let ProvisionServer (or the address set in MEBx) lead to the setup server, and free its TCP port "
        f"{last.port}.",
    )


@RULES.machine("AMT-HELLO-001", needs=(needs.RESOLVED,))
def no_hello(case: Case, device: Device) -> Iterator[Answer]:
    found = resolved(device)
    if device.hellos or hello_sessions(case, device) or device.incidents_of(MalformedHello):
        return
    lookup = found[-1]
    watched = case.story.watched_after(lookup.answer_time)
    if watched is None or watched < TWO_INTERVALS:
        yield Missing("the capture ends less than two hello intervals (2 min) after the name was resolved")
        return
    yield likely(
        (lookup.answer, f"{quoted(lookup.name)} is {', '.join(lookup.addresses)}"),
        (lookup.answer, f"no connection from {lookup.client} to it in the {watched:.0f} s that follow"),
        name=lookup.name,
        address=", ".join(lookup.addresses),
        seconds=f"{watched:.0f}",
    )


@about_all
def _placeholders(case: Case) -> dict[str, tuple[int, list[tuple[int, Ref, str]]]]:
    """Machines by a UUID that tells none apart: how many, and number, first hello and address of some of them."""
    found: dict[str, tuple[int, list[tuple[int, Ref, str]]]] = {}
    for device in case.story.devices:
        if device.uuid and not tells_apart(device.uuid):
            count, some = found.get(device.uuid, (0, []))
            if len(some) <= NAMED:
                some += [(device.id, hello.ref, hello.source) for hello in device.hellos[:1]]
            found[device.uuid] = count + 1, some
    return found


@RULES.machine("AMT-HELLO-007", when=(needs.HELLO,))
def empty_uuid(case: Case, device: Device) -> Iterator[Answer]:
    if not device.uuid or tells_apart(device.uuid):
        return
    alike, first = _placeholders(case)[device.uuid]
    others = [each for each in first if each[0] != device.id]
    blank = empty(device.uuid)
    what = "the BIOS holds no SMBIOS UUID" if blank else "the BIOS holds the placeholder of the board's maker"
    proofs = [(hello.ref, f"UUID {device.uuid} from {hello.source}") for hello in device.hellos[:4]]
    proofs += [(ref, f"{source} says the same") for _, ref, source in others[:NAMED]]
    yield confirmed(
        *proofs,
        severity=Severity.LOW if device.committed and alike == 1 else None,
        uuid=device.uuid,
        said="" if blank else ": it says a placeholder",
        what=what,
        here=f" {alike} machines in what was given say it." if alike > 1 else "",
    )


@RULES.machine("AMT-HELLO-008", when=(needs.HELLO,))
def cloned_uuid(_case: Case, device: Device) -> Iterator[Answer]:
    hellos = device.hellos
    for name, of in (("MAC", _mac), ("address", _source)):
        path = [of(hello) for hello in hellos if of(hello)]
        if len(set(path)) < 2:
            continue
        turns = [value for value, before in zip(path, ["", *path], strict=False) if value != before]
        if name == "MAC" and len({hello.source for hello in hellos}) < 2:
            continue  # one machine, seen in front of a router and behind it
        if len(turns) > len(set(turns)):  # one of them came back after the other had spoken
            proofs = [(hello.ref, f"{device.uuid} from {hello.source} {hello.mac}".rstrip()) for hello in hellos]
            answer = confirmed if name == "MAC" else likely
            yield answer(*proofs, what=name, values=" and ".join(dict.fromkeys(path)))
            return


def _mac(hello: Hello) -> str:
    return hello.mac


def _source(hello: Hello) -> str:
    return hello.source


@RULES.machine("AMT-HELLO-017", when=(needs.HELLO,))
def bad_pid(_case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello and hello.version == 2:
        pid = hello.pid.replace("-", "")
        if wrong := set(pid) - ALPHABET:
            letters = " ".join(quoted(letter) for letter in sorted(wrong))
            said = f"it holds {letters}; a PID has only A to Z and 0 to 9."
            yield confirmed(
                (hello.ref, f"PID {quoted(hello.pid)}"), pid=quoted(hello.pid), what="is malformed", said=said
            )
        elif is_pid_shaped(pid) and not pid_is_valid(pid):
            right = check_character(pid[:-1])
            tls = [s.handshake for s in device.sessions if s.handshake and s.handshake.psk]
            taken = device.committed or any(handshake.complete for handshake in tls)  # both sides have this PID
            yield confirmed(
                (hello.ref, f"PID {quoted(hello.pid)}: its last character is {pid[-1]}, the others ask for {right}"),
                severity=Severity.INFO if taken else None,
                pid=quoted(hello.pid),
                what="has a wrong check character",
                said=f"its last character is {pid[-1]}, and the seven before it ask for {right}: it was mistyped.",
            )


@RULES.machine("AMT-HELLO-020", when=(needs.PKI, needs.HELLO))
def window_closed(case: Case, device: Device) -> Iterator[Answer]:
    attempt = device.attempts[-1]
    if attempt.outcome == Outcome.COMMITTED or len(attempt.hellos) < REPEATS:
        return
    first, before, last = attempt.hellos[0], attempt.hellos[-2], attempt.hellos[-1]
    if first.time is None or before.time is None or last.time is None:
        return
    limit = int(case.site.policy.window_hours * 3600e9)
    span, interval = last.time - first.time, last.time - before.time
    if first.retry_count or not limit - interval <= span <= limit or interval > limit / 2:
        return  # the interface opened earlier, is open still, or stays open for longer than that
    if any(session.connected and _later(session.last_time, last.time) for session in contacts_of(device)):
        return
    watched = case.story.watched_after(last.time)
    if watched is None or watched * 1e9 <= 2 * interval:
        yield Missing("the capture ends less than two retry intervals after the last hello")
        return
    yield likely(
        (first.ref, "first hello"),
        (last.ref, f"last hello, {seconds(span)} later; none in the {seconds(int(watched * 1e9))} that follow"),
        hours=f"{case.site.policy.window_hours:g}",
        span=seconds(span),
        interval=seconds(interval),
    )


@RULES.machine("AMT-HELLO-003", when=(needs.HELLO,))
def hello_unanswered(case: Case, device: Device) -> Iterator[Answer]:
    for attempt in device.attempts:
        if not attempt.hellos or attempt.outcome == Outcome.COMMITTED:
            continue
        if any(session.port in ports.SETUP for session in attempt.sessions):
            continue
        if attempt is device.attempts[-1] and device.incidents_of(ContactElsewhere):
            continue
        if one_direction(case.story) or case.story.sides.get(attempt.hellos[-1].destination, 0) < 0:
            yield Missing(ONE_DIRECTION)
            continue
        watched = case.story.watched_after(attempt.hellos[-1].time)
        answer = absent(case)
        if attempt.hello_count < REPEATS:
            if attempt is not device.attempts[-1] or watched is None or watched < LONG_SECONDS:
                continue
            answer = possible
        proofs = [(hello.ref, f"hello {quoted(hello.source)}, retry {hello.retry_count}") for hello in attempt.hellos]
        servers = ", ".join(dict.fromkeys(hello.destination for hello in attempt.hellos))
        yield answer(*proofs, count=counted(attempt.hello_count, "hello message"), server=servers)


@RULES.machine("AMT-HELLO-005", when=(needs.incident(MalformedHello),))
def odd_hello(_case: Case, device: Device) -> Iterator[Answer]:
    faults = [fault for fault in device.incidents_of(MalformedHello) if not fault.cut]
    if not faults:
        yield Missing(CUT)
        return
    yield confirmed(*((fault.ref, fault.fault) for fault in faults), what=faults[0].fault)


@RULES.machine("AMT-HELLO-010", when=(needs.HELLO,))
def one_hello_then_gone(case: Case, device: Device) -> Iterator[Answer]:
    hellos = device.hellos
    for hello in hellos:
        if sum(other.source == hello.source for other in hellos) != 1:
            continue
        tried = [session for session in contacts_of(device) if session.server == hello.source]
        if tried and to_former_address(device, tried[-1]) is not None:
            continue  # the machine had moved: the server calls its old address
        if not tried or any(session.state != "unanswered" for session in tried):
            continue
        if lacking := unseen_answer(case, tried[-1]):
            yield lacking
            continue
        later = [other for other in device.hellos if other.source != hello.source and _later(other.time, hello.time)]
        proofs = [(hello.ref, f"the only hello from {hello.source}")]
        proofs += [
            (session.ref, f"{session.client} to {session.server}:{session.port}: no answer") for session in tried
        ]
        if query := case.story.arp.get(hello.source):
            nobody = "" if query.answered else "; nobody answers"
            proofs.append((query.ref, f"ARP asks who has {hello.source}{nobody}"))
        if later:
            proofs.append((later[0].ref, f"hello from {later[0].source}"))
        yield likely(*proofs, address=hello.source, later=later[0].source if later else "nowhere yet")


@RULES.machine("AMT-HELLO-019", when=(needs.ATTEMPTS,))
def pid_kept(_case: Case, device: Device) -> Iterator[Answer]:
    if device.incidents_of(PartialUnprovision):
        return
    for number, attempt in enumerate(device.attempts):
        if attempt.outcome != Outcome.COMMITTED or not attempt.hello or not attempt.hello.pid:
            continue
        for later in device.attempts[number + 1 :]:
            hello = later.hello
            if hello and hello.pid == attempt.hello.pid:
                answer = confirmed if attempt.confidence >= 1 else likely
                yield answer(
                    (attempt.hello.ref, f"hello with PID {hello.pid}"),
                    (attempt.commit, "setup succeeds"),
                    (hello.ref, f"later hello, PID {hello.pid} again"),
                    pid=hello.pid,
                )
                return


@RULES.machine("AMT-HELLO-006", when=(needs.HELLO,))
def unknown_version(_case: Case, device: Device) -> Iterator[Answer]:
    odd = [hello for hello in device.hellos if hello.version not in (2, 3)]
    if odd:
        proofs = [(hello.ref, f"interface version {hello.version}") for hello in odd]
        yield confirmed(*proofs, version=odd[0].version)


@RULES.machine("AMT-HELLO-011", when=(needs.HELLO,))
def default_password(_case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello and not hello.admin_credentials_set:
        yield confirmed(
            (hello.ref, "admin credentials set: 0"),
            severity=Severity.LOW if hello.version == 2 else Severity.INFO,
            version=hello.version,
        )


@RULES.machine("AMT-HELLO-004", needs=(needs.HELLO,))
def retry_counter(_case: Case, device: Device) -> Iterator[Answer]:
    hellos = device.hellos
    counters = [hello.retry_count for hello in hellos]
    said = []
    if counters[0]:
        sent = counted(counters[0], "hello message was", "hello messages were")
        said.append(f"{sent} sent before this capture began")
    restarts = sum(after < before for before, after in itertools.pairwise(counters))
    if restarts:
        said.append(f"the counter went back {counted(restarts, 'time')}: setup was started anew")
    missed = sum(after - before - 1 for before, after in itertools.pairwise(counters) if after > before + 1)
    if missed and len(counters) < 16:
        gone = counted(
            missed, "hello message between the captured ones is", "hello messages between the captured ones are"
        )
        said.append(f"{gone} not in this capture")
    if said:
        proofs = [(hello.ref, f"retry counter {hello.retry_count}") for hello in hellos]
        yield confirmed(*proofs, said="; ".join(said), counters=", ".join(map(str, counters)))


@RULES.machine("AMT-HELLO-009", when=(needs.HELLO,))
def address_changed(_case: Case, device: Device) -> Iterator[Answer]:
    hellos = device.hellos
    for before, after in itertools.pairwise(hellos):
        if before.source != after.source:
            yield confirmed(
                (before.ref, f"hello from {before.source}"),
                (after.ref, f"hello from {after.source}"),
                before=before.source,
                after=after.source,
            )
            return


@RULES.machine("AMT-HELLO-021", when=(needs.HELLO,))
def unusual_place(_case: Case, device: Device) -> Iterator[Answer]:
    for hello in device.hellos:
        said = []
        if hello.vlan >= 0:
            said.append(f"tagged for VLAN {hello.vlan}")
        if hello.port != ports.HELLO:
            said.append(f"sent to port {hello.port} instead of {ports.HELLO}")
        if said:
            yield confirmed((hello.ref, "hello " + " and ".join(said)), what=" and ".join(said))
            return


@RULES.fleet("AMT-HELLO-018", when=(needs.SOME_HELLO,))
def shared_pid(case: Case) -> Iterator[Answer]:
    said: set[str] = set()
    users: dict[str, list[tuple[Device, Hello]]] = {}
    for device in case.story.devices:
        for pid in {hello.pid for hello in device.hellos if hello.pid}:
            if pid in said:
                users[pid] = []
            said.add(pid)
    for device in case.story.devices if users else ():
        for pid in dict.fromkeys(hello.pid for hello in device.hellos if hello.pid in users):
            hello = next(hello for hello in device.hellos if hello.pid == pid)
            users[pid].append((device, hello))
    for pid, seen in users.items():
        if len({device.uuid if tells_apart(device.uuid) else hello.mac or hello.source for device, hello in seen}) > 1:
            proofs = [(hello.ref, f"{device.name} says PID {pid}") for device, hello in seen]
            yield confirmed(*proofs, pid=pid, count=len(seen), about=seen[0][0])


def _later(time: int | None, start: int | None) -> bool:
    return time is not None and start is not None and time > start
