"""AMT-RCFG-021 to 040: how a setup handshake with certificates was broken off, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.facts import date_faults
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.chains import local_checks, summary
from amtdecode.diagnosis.handshakes import (
    alert_meaning,
    alert_name,
    established_for_nothing,
    last_stop,
    setup_sessions,
    stopped,
)
from amtdecode.diagnosis.phrases import SECOND, seconds
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely, possible
from amtdecode.diagnosis.sight import unseen_bytes
from amtdecode.diagnosis.versions import version_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.handshakes import Stop
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref, Session

SIGNING_VERSION = (15,)  # from Tiger Lake on the setup certificate of AMT is issued by a factory authority (ODCA)
SEC_E_INVALID_TOKEN = 0x80090308
ALERTS = {42: "AMT-RCFG-027", 43: "AMT-RCFG-028", 44: "AMT-RCFG-029", 45: "AMT-RCFG-030", 46: "AMT-RCFG-031",
          48: "AMT-RCFG-032", 49: "AMT-RCFG-033"}  # fmt: skip
HANDSHAKE_FAILURE, DECRYPT_ERROR, PROTOCOL_VERSION, UNKNOWN_PSK_IDENTITY = 40, 51, 70, 115
BUSY = (80, 90, 0)  # internal_error, user_canceled, close_notify
ABOUT_AMT = (42, 46, 48)
UNSETTLED = "Give what these checks lack: the hello, the lease, the version of AMT (--site)."
HIDDEN = (
    "Look at what no packet shows: whether the hash of the root is active in MEBx, the PKI DNS suffix set there, the "
    "clock of the machine, and its provisioning state."
)
OWN_RULES = {42, 43, 44, 45, 46, 48, 49, HANDSHAKE_FAILURE, DECRYPT_ERROR, *BUSY}


def amt_alert(code: int) -> Callable[[Case, Device], Iterator[Answer]]:
    """The rule for one alert of AMT after the setup certificate."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        found = last_stop(case, device)
        if found is None or not found[1].by_amt or found[1].code != code:
            return
        session, stop = found
        failing, advice = _checked(case, device, session)
        yield confirmed(
            *_proofs(case, device, session, stop),
            alert=f"{code} {alert_name(code)}",
            meaning=alert_meaning(code, from_amt=True),
            failing=failing,
            advice=advice,
        )

    return ask


RULES = Rules(Question.RCFG)


@RULES.machine("AMT-RCFG-023", when=(needs.LOG_OR_HANDSHAKE,))
def unusable_certificate(case: Case, device: Device) -> Iterator[Answer]:
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is None or not tls.server_chain:
            continue
        stop = stopped(session)
        leaf = read_chain(case, tls.server_chain[:1])[0]
        faults = [*leaf.faults, *date_faults(leaf)]
        if stop is None or stop.by_amt or not faults:
            continue
        yield confirmed(
            (tls.server_certificate, "certificate of AMT: " + "; ".join(dict.fromkeys(faults))),
            (stop.ref, stop.text),
            faults="; ".join(dict.fromkeys(faults)),
        )
        return
    for entry in device.log_entries:
        if entry.value == SEC_E_INVALID_TOKEN:
            yield likely((entry.ref, entry.text), faults="Windows could not read what AMT sent")
            return


def _proofs(case: Case, device: Device, session: Session, stop: Stop) -> list[tuple[Ref, str]]:
    proofs = [(session.ref, f"{session.client} connects to {session.server}:{session.port}"), (stop.ref, stop.text)]
    return proofs + summary(case, device, session)


def _checked(case: Case, device: Device, session: Session) -> tuple[str, str]:
    """What the checks of the refused chain say, and what to do about it."""
    made = local_checks(case, device, session)[1]
    wrong = [check for check in made if check.outcome == "fail"]
    open_ = [check for check in made if check.outcome in ("unknown", "warn")]
    if wrong:
        said = "What fails here: " + "; ".join(f"{check.title.lower()} ({check.id})" for check in wrong) + "."
        return said, " ".join(dict.fromkeys(check.fix for check in wrong if check.fix))
    if open_:
        said = "What cannot be settled here: " + "; ".join(check.title.lower() for check in open_) + "."
        return said, " ".join(dict.fromkeys(check.fix for check in open_ if check.fix)) or UNSETTLED
    return "Every check that can be made here passes.", HIDDEN


@RULES.machine("AMT-RCFG-034", when=(needs.PKI_STOP,))
def server_refuses(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is None or found[1].by_amt or found[1].code not in ABOUT_AMT:
        return
    session, stop = found
    tls = session.handshake
    proofs: list[tuple[Ref, str]] = []
    if tls is not None and tls.server_chain:
        leaf = read_chain(case, tls.server_chain[:1])[0]
        proofs.append((tls.server_certificate, f"AMT presents {leaf.subject}, issued by {leaf.issuer}"))
    yield confirmed(*proofs, (stop.ref, stop.text), alert=f"{stop.code} {alert_name(stop.code)}")


for _code, _id in ALERTS.items():
    RULES.machine(_id, when=(needs.PKI_STOP,))(amt_alert(_code))


@RULES.machine("AMT-RCFG-035", when=(needs.PKI_STOP,))
def no_agreement(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is None or found[1].code != HANDSHAKE_FAILURE:
        return
    session, stop = found
    tls = session.handshake
    why = "no cipher suite in common"
    if not session.whole:
        why = "the message it answers is not in this capture"
    elif tls is not None and tls.server_hello:
        why = (
            "no client certificate"
            if tls.request and not tls.client_chain
            else "the other side's certificate or key exchange"
        )
    yield confirmed(*_proofs(case, device, session, stop), who="AMT" if stop.by_amt else "the server", why=why)


@RULES.machine("AMT-RCFG-038", when=(needs.PKI_STOP,))
def silent_refusal(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    tls = session.handshake
    if stop.by_amt and stop.code < 0 and tls is not None and tls.client_chain:
        failing, advice = _checked(case, device, session)
        yield confirmed(*_proofs(case, device, session, stop), failing=failing, advice=advice)


@RULES.machine("AMT-RCFG-037", when=(needs.PKI_STOP,))
def busy(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    who = "AMT" if stop.by_amt else "the server"
    if stop.alerted and stop.code in BUSY:
        yield confirmed(
            *_proofs(case, device, session, stop), alert=f"{stop.code} {alert_name(stop.code)}", who=who, silence=""
        )
    elif not stop.alerted and stop.after in (
        "hello",
        "server hello",
        "amt certificate",
    ):  # before anybody's secret was at stake
        yield likely(*_proofs(case, device, session, stop), alert="a silent close", who=who, silence=_silence(session))


def _silence(session: Session) -> str:
    """How long nothing was said before a connection ended."""
    heard = session.handshake.heard if session.handshake is not None else None
    if heard is None or session.last_time is None or session.last_time < heard + SECOND:
        return ""
    return f" after {seconds(session.last_time - heard)} of silence"


@RULES.machine("AMT-RCFG-039", when=(needs.SETUP_HANDSHAKE,))
def nothing_follows(case: Case, device: Device) -> Iterator[Answer]:
    for session in setup_sessions(case, device)[-1:]:
        if established_for_nothing(session):
            tls = session.handshake
            said = counted(tls.requests if tls else 0, "request")
            answer = confirmed if session.setup else possible
            yield answer(
                (session.ref, f"{session.client} connects to {session.server}:{session.port}, the handshake completes"),
                (session.last_ref, f"the connection ends after {said}"),
                said=said,
            )
            return


@RULES.machine("AMT-RCFG-021", when=(needs.HELLO,))
def not_asked(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello is None or hello.version != 3:
        return
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is None or not tls.server_chain or not tls.key_exchange or tls.request:
            continue
        if lacking := unseen_bytes(session):
            yield lacking
        else:
            yield confirmed(
                (hello.ref, "hello of version 3"),
                (tls.server_certificate, "AMT presents its certificate and asks for none"),
                address=session.server,
            )
            return


@RULES.machine("AMT-RCFG-022", when=(needs.SETUP_HANDSHAKE,))
def not_self_signed(case: Case, device: Device) -> Iterator[Answer]:
    version = version_tuple(case.version(device))
    if version and version >= SIGNING_VERSION:
        return
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is None or not tls.server_chain or tls.psk:
            continue
        leaf = read_chain(case, tls.server_chain[:1])[0]
        if not leaf.self_issued:
            answer = likely if version else possible
            yield answer(
                (tls.server_certificate, f"subject {leaf.subject}"),
                (tls.server_certificate, f"issuer {leaf.issuer}"),
                subject=leaf.subject,
                issuer=leaf.issuer,
            )
            return


@RULES.machine("AMT-RCFG-040", when=(needs.PKI_STOP,))
def other_alert(case: Case, device: Device) -> Iterator[Answer]:
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    if not stop.alerted or stop.code < 0 or stop.code == UNKNOWN_PSK_IDENTITY:
        return
    if stop.by_amt and stop.code in OWN_RULES:
        return
    if not stop.by_amt and stop.code in (*ABOUT_AMT, HANDSHAKE_FAILURE, *BUSY):
        return
    yield confirmed(
        *_proofs(case, device, session, stop),
        alert=f"{stop.code} {alert_name(stop.code)}",
        who="AMT" if stop.by_amt else "the server",
        meaning=alert_meaning(stop.code, from_amt=stop.by_amt),
    )
