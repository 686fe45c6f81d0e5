"""AMT-RCFG-027 to 040: how a setup handshake with certificates was broken off, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.chains import failing, read_chain, summary
from amtdecode.diagnosis.handshakes import alert_meaning, alert_name, pki_stops, setup_sessions
from amtdecode.diagnosis.rule import confirmed, likely, possible
from amtdecode.diagnosis.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.handshakes import Stop
    from amtdecode.diagnosis.rule import Answer, Case
    from amtdecode.provisioning.facts import Device, Ref, Session

HANDSHAKE_FAILURE, DECRYPT_ERROR, PROTOCOL_VERSION, UNKNOWN_PSK_IDENTITY = 40, 51, 70, 115
BUSY = (80, 90, 0)  # internal_error, user_canceled, close_notify
ABOUT_AMT = (42, 46, 48)
OWN_RULES = {42, 43, 44, 45, 46, 48, 49, HANDSHAKE_FAILURE, DECRYPT_ERROR, *BUSY}
FEW_RECORDS = 3


def last_stop(case: Case, device: Device) -> tuple[Session, Stop] | None:
    """The latest PKI setup handshake that stopped."""
    found = pki_stops(case, device)
    return found[-1] if found else None


def _proofs(case: Case, device: Device, session: Session, stop: Stop) -> list[tuple[Ref, str]]:
    proofs = [(session.ref, f"{session.client} connects to {session.server}:{session.port}"), (stop.ref, stop.text)]
    return proofs + summary(case, device, session)


def amt_alert(code: int) -> Callable[[Case, Device], Iterator[Answer]]:
    """The rule for one alert of AMT after the setup certificate."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        found = last_stop(case, device)
        if found is None or not found[1].by_amt or found[1].code != code:
            return
        session, stop = found
        wrong = failing(case, device, session)
        yield confirmed(
            *_proofs(case, device, session, stop),
            alert=f"{code} {alert_name(code)}",
            meaning=alert_meaning(code, from_amt=True),
            failing=", ".join(wrong) or "none",
        )

    return ask


def established_for_nothing(session: Session) -> bool:
    """Whether a handshake completed and next to nothing was said after it."""
    tls = session.handshake
    return (
        tls is not None
        and tls.established
        and tls.client_records < FEW_RECORDS
        and tls.server_records < FEW_RECORDS
        and not session.messages
        and session.state in ("closed", "reset", "half-closed")
    )


def server_refuses(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-034."""
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


def no_agreement(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-035."""
    found = last_stop(case, device)
    if found is None or found[1].code != HANDSHAKE_FAILURE:
        return
    session, stop = found
    tls = session.handshake
    why = "no cipher suite in common"
    if tls is not None and tls.server_hello:
        why = (
            "no client certificate"
            if tls.request and not tls.client_chain
            else "the other side's certificate or key exchange"
        )
    yield confirmed(*_proofs(case, device, session, stop), who="AMT" if stop.by_amt else "the server", why=why)


def wrong_private_key(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-036."""
    found = last_stop(case, device)
    if found is not None and found[1].by_amt and found[1].code == DECRYPT_ERROR:
        session, stop = found
        yield confirmed(*_proofs(case, device, session, stop), alert=f"{stop.code} {alert_name(stop.code)}")


def busy(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-037."""
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    who = "AMT" if stop.by_amt else "the server"
    if stop.alerted and stop.code in BUSY:
        yield confirmed(*_proofs(case, device, session, stop), alert=f"{stop.code} {alert_name(stop.code)}", who=who)
    elif not stop.alerted and stop.after in (
        "hello",
        "server hello",
        "amt certificate",
    ):  # before anybody's secret was at stake
        yield likely(*_proofs(case, device, session, stop), alert="a silent close", who=who)


def silent_refusal(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-038."""
    found = last_stop(case, device)
    if found is None:
        return
    session, stop = found
    tls = session.handshake
    if stop.by_amt and stop.code < 0 and tls is not None and tls.client_chain:
        wrong = failing(case, device, session)
        yield confirmed(*_proofs(case, device, session, stop), failing=", ".join(wrong) or "none")


def nothing_follows(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-039."""
    for session in setup_sessions(case, device):
        if established_for_nothing(session):
            tls = session.handshake
            records = tls.client_records if tls else 0
            answer = confirmed if session.setup else possible
            yield answer(
                (session.ref, f"{session.client} connects to {session.server}:{session.port}, the handshake completes"),
                (session.last_ref, f"the connection ends after {counted(records, 'record')} to the machine"),
                records=counted(records, "record"),
            )
            return


def other_alert(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-RCFG-040."""
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
