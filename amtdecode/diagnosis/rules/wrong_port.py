"""AMT-CONN-010: a client speaks another protocol than the port is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.contacts import began_after, contacts, wrong_protocol
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed
from amtdecode.diagnosis.severity import Severity
from amtdecode.provisioning.sight import answers_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref, Session

OTHER_PORT = {ports.HTTP: ports.HTTPS, ports.REDIRECTION: ports.REDIRECTION_TLS, ports.DASH: ports.DASH_TLS}
OTHER_PORT |= {secure: clear for clear, secure in OTHER_PORT.items()}

RULES = Rules(Question.CONTACT)


@RULES.machine("AMT-CONN-010", when=(needs.CONTACT,))
def other_protocol(case: Case, device: Device) -> Iterator[Answer]:
    tried = contacts(case, device)
    odd: dict[tuple[str, int, str], list[Session]] = {}
    for session in tried:
        if (speaks := wrong_protocol(session)) and answers_shown(case.story, session):
            odd.setdefault((session.client, session.port, speaks), []).append(session)
    for (client, port, speaks), sessions in odd.items():
        last = sessions[-1]
        later = [s for s in tried if s.client == client and began_after(s, last) and _understood(s)]
        expected = "TLS" if speaks == "HTTP" else "no TLS"
        proofs: list[tuple[Ref, str]] = [
            (_first_word(s), f"{client} speaks {speaks} to {s.server}:{port}; it ends without an answer in kind")
            for s in sessions[-3:]
        ]
        proofs += [(s.ref, f"later it speaks to port {s.port} and is understood") for s in later[:1]]
        yield confirmed(
            *proofs,
            severity=Severity.INFO if later else None,
            speaks=speaks,
            port=port,
            client=client,
            expected=expected,
            other=OTHER_PORT[port],
            times=counted(len(sessions), "time"),
        )


def _first_word(session: Session) -> Ref:
    tls = session.handshake
    return tls.client_hello if tls is not None and tls.client_hello else session.last_ref or session.ref


def _understood(session: Session) -> bool:
    tls = session.handshake
    return bool(session.answered or (tls is not None and tls.server_hello))
