"""AMT-PSK-*: whether machine and server agree on the pre-shared key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.handshakes import alert_name, psk_stops, setup_sessions
from amtdecode.diagnosis.phrases import both
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, confirmed, likely
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.protocols.tls.registry import name_of_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device

UNKNOWN_PSK_IDENTITY = 115  # RFC 4279 §2
PROTOCOL_VERSION = 70
PSK_REMOVED = 11  # AMT 11.0 and later no longer know setup with pre-shared keys
DECRYPT_ERROR = 51  # which may also say that the PID is unknown, RFC 4279 §2
WRONG_KEY = (DECRYPT_ERROR, 20, 21)  # bad_record_mac, decryption_failed
NO_SUITE = (40, 71)  # handshake_failure, insufficient_security


def by_alert(codes: tuple[int, ...], *, either: bool = False) -> Callable[[Case, Device], Iterator[Answer]]:
    def ask(case: Case, device: Device) -> Iterator[Answer]:
        for session, stop in reversed(psk_stops(case, device)):
            if stop.alerted and stop.code in codes and (stop.by_amt or either):
                tls = session.handshake
                pid = device.last_hello.pid if device.last_hello else ""
                identity = tls.psk_identity if tls else ""
                # an alert that names no key answers whatever was sent, perhaps no TLS
                answer = confirmed if stop.code == UNKNOWN_PSK_IDENTITY or (tls and tls.client_hello) else likely
                yield answer(
                    (session.ref, f"{session.client} connects to {session.server}:{session.port}"),
                    *([(tls.key_exchange, f"PSK identity {identity}")] if tls and tls.key_exchange else []),
                    (stop.ref, stop.text),
                    identity=identity,
                    said=f"Its hello said PID {pid}." if pid else "Its hello is not in this capture.",
                    alert=f"{stop.code} {alert_name(stop.code)}",
                    who="AMT" if stop.by_amt else "the server",
                )
                return

    return ask


RULES = Rules(Question.PSK)


@RULES.machine("AMT-PSK-002", when=(needs.PSK,), needs=(needs.PID,))
def wrong_identity(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello is None or not hello.pid:
        return
    for session in reversed(setup_sessions(case, device)):
        tls = session.handshake
        if tls is None or not tls.psk_identity:
            continue
        known = {hello.pid.replace("-", "") for hello in device.hellos}
        if tls.psk_identity.replace("-", "") not in known:
            yield confirmed(
                (hello.ref, f"hello with PID {hello.pid}"),
                (tls.key_exchange, f"PSK identity and PID: {both(tls.psk_identity, hello.pid)}"),
                identity=tls.psk_identity or "unknown",
                pid=hello.pid,
            )
        return  # an earlier one was mended


RULES.machine("AMT-PSK-001", when=(needs.PSK_STOP,))(by_alert((UNKNOWN_PSK_IDENTITY,)))


@RULES.machine("AMT-PSK-003", when=(needs.PSK_STOP,))
def wrong_key(case: Case, device: Device) -> Iterator[Answer]:
    for session, stop in reversed(psk_stops(case, device)):
        tls = session.handshake
        if tls is None or not tls.key_exchange or not stop.alerted:
            continue
        shown = tls.psk_identity
        identity = f"PID {shown}" if shown else "a PID that this capture does not show"
        same = bool(shown) and shown.replace("-", "") in {hello.pid.replace("-", "") for hello in device.hellos}
        pid = "; the PID is the same" if same else "" if shown else ", or their PIDs do"
        proofs = ((tls.key_exchange, f"PSK identity {shown or 'not in this capture'}"), (stop.ref, stop.text))
        if stop.code in WRONG_KEY:
            answer = confirmed if same or (shown and stop.code != DECRYPT_ERROR) else likely
            yield answer(*proofs, identity=identity, pid=pid, alert=f"{stop.code} {alert_name(stop.code)}")
            return
        if stop.code < 0 and tls.client_ccs:
            yield likely(*proofs, identity=identity, pid=pid, alert="an encrypted alert")
            return


RULES.machine("AMT-PSK-007", when=(needs.PSK_STOP,))(by_alert((PROTOCOL_VERSION,), either=True))


@RULES.machine("AMT-PSK-005", when=(needs.PSK_HELLO,))
def certificate_for_psk(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello is None:
        return
    for session in setup_sessions(case, device):
        tls = session.handshake
        if tls is not None and tls.server_chain and not tls.psk:
            yield confirmed(
                (hello.ref, f"hello of version 2: PSK, PID {hello.pid}"),
                (tls.server_certificate, f"the handshake uses certificates: {tls.suite_name}"),
                suite=tls.suite_name,
            )
            return


@RULES.machine("AMT-PSK-004", when=(needs.PSK_STOP,))
def no_common_suite(case: Case, device: Device) -> Iterator[Answer]:
    for session, stop in reversed(psk_stops(case, device)):
        tls = session.handshake
        if tls is None or tls.key_exchange or stop.code not in NO_SUITE:
            continue
        if not tls.client_hello:
            yield Missing("the ClientHello that the alert answers")
            continue
        offered = [name_of_suite(code) for code in tls.offered_suites]
        psk = [name for name in offered if "PSK" in name]
        said = f"offers {counted(len(offered), 'suite')}, with PSK: {', '.join(psk[:6]) or 'none'}"
        answer = confirmed if session.whole else likely  # else the alert may answer a later message
        yield answer((tls.client_hello, f"the server {said}"), (stop.ref, stop.text), offered=said, alert=stop.text)
        return


@RULES.machine("AMT-PSK-008", when=(needs.PSK_STOP,))
def silent_close(case: Case, device: Device) -> Iterator[Answer]:
    for session, stop in reversed(psk_stops(case, device)):
        tls = session.handshake
        if tls is not None and tls.key_exchange and not stop.alerted and stop.by_amt:
            yield likely(
                (tls.key_exchange, f"PSK identity {tls.psk_identity or 'unknown'}"),
                (stop.ref, stop.text),
                identity=tls.psk_identity or "unknown",
            )
            return


@RULES.machine("AMT-PSK-006", when=(needs.PSK_HELLO,), needs=(needs.AMT_VERSION,))
def psk_removed(case: Case, device: Device) -> Iterator[Answer]:
    hello = device.last_hello
    if hello is None:
        return
    version = case.version(device)
    if version_tuple(version)[0] >= PSK_REMOVED:
        yield likely((hello.ref, f"hello of version 2, AMT {version}"), version=version)
