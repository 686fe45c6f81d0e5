"""AMT-PSK-* and AMT-REPLAY-* at their edges."""

import msgspec
from by_hand import AMI, DESK, OTHER, UUID, alert, asked, at, attempt, capture, contact, hello, hits, machine, tls

from amtdecode.provisioning.state import Outcome
from amtdecode.provisioning.state.incidents import FullUnprovision

PID = "0000037M"


def psk_hello(packet: int, **more):
    return hello(packet, version=2, **more)


def refused(packet: int, code: int, *, server: bool = True, state: str = "closed", **more):
    """A PSK handshake with an alert in the packet 3 after its SYN, its key exchange before that."""
    said = {"client_hello": packet + 1, "key_exchange": packet + 2, "psk_identity": PID} | more
    return contact(packet, state, handshake=tls(alerts=[alert(packet + 3, code, server=server)], **said))


def closed(packet: int, *, by: str = "server", **more):
    said = {"client_hello": packet + 1, "key_exchange": packet + 2, "psk_identity": PID} | more
    return contact(packet, handshake=tls(**said), who_closed=by, last_ref=packet + 4)


def done(packet: int, **more):
    both = {"client_ccs": packet + 3, "server_ccs": packet + 4, "complete": True}
    return contact(packet, handshake=tls(client_hello=packet + 1, psk_identity=PID, **(both | more)))


def test_001_the_machine_does_not_know_the_identity() -> None:
    desk = machine(psk_hello(2), refused(10, 115))
    assert asked("AMT-PSK-001", desk) == [("confirmed", "", [10, 12, 13])]
    (hit,) = hits("AMT-PSK-001", desk)
    assert (hit.values["said"], hit.values["who"], hit.values["identity"]) == (f"Its hello said PID {PID}.", "AMT", PID)
    assert hit.values["alert"] == "115 unknown_psk_identity"
    latest = machine(psk_hello(2), refused(10, 115), refused(20, 115), refused(30, 51))
    assert asked("AMT-PSK-001", latest) == [("confirmed", "", [20, 22, 23])]
    no_key = machine(psk_hello(2), refused(10, 115, key_exchange=0))
    assert asked("AMT-PSK-001", no_key) == [("confirmed", "", [10, 13])]
    unheard = hits("AMT-PSK-001", machine(refused(10, 115)))
    assert unheard[0].values["said"] == "Its hello is not in this capture."
    for near in (refused(10, 115, server=False), refused(10, 51), closed(10)):
        assert asked("AMT-PSK-001", machine(psk_hello(2), near)) == []


def test_a_later_handshake_makes_up_for_it() -> None:
    assert asked("AMT-PSK-001", machine(psk_hello(2), refused(10, 115), done(20))) == []
    assert asked("AMT-PSK-001", machine(psk_hello(2), done(10), refused(20, 115))) == [("confirmed", "", [20, 22, 23])]
    under_way = contact(20, "open", handshake=tls(client_hello=21, psk_identity=PID))
    assert asked("AMT-PSK-001", machine(psk_hello(2), refused(10, 115), under_way)) == [("confirmed", "", [10, 12, 13])]
    hidden = done(20, complete=False, client_ccs=0, requests=1, answers=1)
    assert asked("AMT-PSK-001", machine(psk_hello(2), refused(10, 115), hidden)) == []


def test_007_versions_whoever_says_it() -> None:
    assert asked("AMT-PSK-007", machine(psk_hello(2), refused(10, 70))) == [("confirmed", "", [10, 12, 13])]
    other = machine(psk_hello(2), refused(10, 70, server=False))
    assert asked("AMT-PSK-007", other) == [("confirmed", "", [10, 12, 13])]
    assert hits("AMT-PSK-007", other)[0].values["who"] == "the server"
    assert asked("AMT-PSK-007", machine(psk_hello(2), refused(10, 71))) == []


def test_002_another_identity_than_the_hello_says() -> None:
    desk = machine(psk_hello(2), psk_hello(4), closed(10, psk_identity="ABCDEF0L"))
    assert asked("AMT-PSK-002", desk) == [("confirmed", "", [4, 12])]
    assert hits("AMT-PSK-002", desk)[0].values == {"identity": "ABCDEF0L", "pid": PID}
    assert asked("AMT-PSK-002", machine(psk_hello(2), closed(10))) == []
    assert asked("AMT-PSK-002", machine(psk_hello(2), closed(10, psk_identity="0000-037M"))) == []
    assert asked("AMT-PSK-002", machine(psk_hello(2, pid="0000-037M"), closed(10))) == []
    mended = machine(psk_hello(2), closed(10, psk_identity="ABCDEF0L"), closed(20))
    assert asked("AMT-PSK-002", mended) == []
    later = machine(psk_hello(2), closed(10, psk_identity="ABCDEF0L"), contact(20, handshake=tls(client_hello=21)))
    assert asked("AMT-PSK-002", later) == [("confirmed", "", [2, 12])]
    earlier_pid = machine(psk_hello(2, pid="ABCDEF0L"), psk_hello(4), closed(10, psk_identity="ABCDEF0L"))
    assert asked("AMT-PSK-002", earlier_pid) == []
    assert asked("AMT-PSK-002", machine(hello(2), closed(10))) == []
    assert asked("AMT-PSK-002", machine(psk_hello(2, pid=""), closed(10))) == []
    lacking = "no hello of the machine, whose PID would be compared with the PSK identity"
    assert asked("AMT-PSK-002", machine(closed(10))) == [lacking]


def test_003_the_keys_differ() -> None:
    for code in (51, 20, 21):
        for server in (True, False):
            desk = machine(psk_hello(2), refused(10, code, server=server))
            assert asked("AMT-PSK-003", desk) == [("confirmed", "", [12, 13])]
    for code in (40, 22, 0, 115):
        assert asked("AMT-PSK-003", machine(psk_hello(2), refused(10, code))) == []
    assert asked("AMT-PSK-003", machine(psk_hello(2), refused(10, 51, key_exchange=0))) == []
    assert asked("AMT-PSK-003", machine(psk_hello(2), closed(10))) == []
    two = machine(psk_hello(2), refused(10, 51), refused(20, 51), refused(30, 40))
    assert asked("AMT-PSK-003", two) == [("confirmed", "", [22, 23])]
    hidden = machine(psk_hello(2), refused(10, -1, client_ccs=12))
    assert asked("AMT-PSK-003", hidden) == [("likely", "", [12, 13])]
    assert hits("AMT-PSK-003", hidden)[0].proofs[0] == (12, f"PSK identity {PID}")
    same = {"identity": f"PID {PID}", "pid": "; the PID is the same"}
    assert hits("AMT-PSK-003", hidden)[0].values == same | {"alert": "an encrypted alert"}
    assert asked("AMT-PSK-003", machine(psk_hello(2), refused(10, -1))) == []
    assert asked("AMT-PSK-003", machine(psk_hello(2), refused(10, 0, client_ccs=12))) == []  # an orderly end
    unknown = hits("AMT-PSK-003", machine(psk_hello(2), refused(10, 51, psk_identity="")))
    unseen = {"identity": "a PID that this capture does not show", "pid": ", or their PIDs do"}
    assert unknown[0].values == unseen | {"alert": "51 decrypt_error"}
    assert unknown[0].verdict == "likely"
    assert unknown[0].proofs[0] == (12, "PSK identity not in this capture")


def test_005_certificates_for_a_psk_machine() -> None:
    chain = {"psk_identity": "", "server_chain": (b"x",), "server_certificate": 13, "suite_name": "TLS_RSA"}
    assert asked("AMT-PSK-005", machine(psk_hello(2), psk_hello(4), closed(10, **chain))) == [
        ("confirmed", "", [4, 13])
    ]
    assert asked("AMT-PSK-005", machine(hello(2), closed(10, **chain))) == []
    assert asked("AMT-PSK-005", machine(psk_hello(2), closed(10, **{**chain, "psk_identity": PID}))) == []
    assert asked("AMT-PSK-005", machine(psk_hello(2), closed(10, **{**chain, "suite_name": "TLS_PSK"}))) == []
    assert asked("AMT-PSK-005", machine(psk_hello(2), closed(10, **{**chain, "server_chain": ()}))) == []
    first = machine(psk_hello(2), closed(6), closed(10, **chain), closed(20, **{**chain, "server_certificate": 23}))
    assert asked("AMT-PSK-005", first) == [("confirmed", "", [2, 13])]


def test_004_no_suite_in_common() -> None:
    offers = {"key_exchange": 0, "psk_identity": "", "offered_suites": (0x002F, 0x008B)}
    for code in (40, 71):
        assert asked("AMT-PSK-004", machine(psk_hello(2), refused(10, code, **offers))) == [("confirmed", "", [11, 13])]
    (hit,) = hits("AMT-PSK-004", machine(psk_hello(2), refused(10, 40, **offers)))
    assert hit.values["offered"] == "offers 2 suites, with PSK: TLS_PSK_WITH_3DES_EDE_CBC_SHA"
    (hit,) = hits("AMT-PSK-004", machine(psk_hello(2), refused(10, 40, **{**offers, "offered_suites": (0x2F,)})))
    assert hit.values["offered"] == "offers 1 suite, with PSK: none"
    many = tuple(range(0x8A, 0x92))
    (hit,) = hits("AMT-PSK-004", machine(psk_hello(2), refused(10, 40, **{**offers, "offered_suites": many})))
    assert hit.values["offered"].count("_PSK_WITH_") == 6
    assert asked("AMT-PSK-004", machine(psk_hello(2), refused(10, 40))) == []  # a key was exchanged
    assert asked("AMT-PSK-004", machine(psk_hello(2), refused(10, 70, **offers))) == []
    two = machine(psk_hello(2), refused(10, 40, **offers), refused(20, 40, **offers), refused(30, 70))
    assert asked("AMT-PSK-004", two) == [("confirmed", "", [21, 23])]


def test_008_the_machine_closes_without_a_word() -> None:
    assert asked("AMT-PSK-008", machine(psk_hello(2), closed(10))) == [("likely", "", [12, 14])]
    (hit,) = hits("AMT-PSK-008", machine(psk_hello(2), closed(10)))
    assert (hit.values, hit.proofs[0]) == ({"identity": PID}, (12, f"PSK identity {PID}"))
    for near in (closed(10, by="client"), closed(10, key_exchange=0), refused(10, 51)):
        assert asked("AMT-PSK-008", machine(psk_hello(2), near)) == []
    assert asked("AMT-PSK-008", machine(psk_hello(2), closed(10), closed(20))) == [("likely", "", [22, 24])]
    assert asked("AMT-PSK-008", machine(psk_hello(2), closed(10), refused(20, 51))) == [("likely", "", [12, 14])]
    nobody = hits("AMT-PSK-008", machine(psk_hello(2), closed(10, psk_identity="")))
    assert nobody[0].values == {"identity": "unknown"}
    lost = closed(10)
    lost.fate = msgspec.structs.replace(lost.fate, server_missing=1)
    assert asked("AMT-PSK-008", machine(psk_hello(2), lost)) == []
    under_way = closed(10)
    under_way.fate = msgspec.structs.replace(under_way.fate, state="open")
    assert asked("AMT-PSK-008", machine(psk_hello(2), under_way)) == []


def test_006_versions_that_have_no_psk() -> None:
    desk = machine(psk_hello(2), psk_hello(4), amt_version="11.0.0")
    assert asked("AMT-PSK-006", desk) == [("likely", "", [4])]
    assert asked("AMT-PSK-006", machine(psk_hello(4), amt_version="10.0.55")) == []
    assert asked("AMT-PSK-006", machine(hello(4), amt_version="11.0.0")) == []
    assert asked("AMT-PSK-006", machine(psk_hello(4)), site='amt_version = "12.0"\n') == [("likely", "", [4])]
    assert asked("AMT-PSK-006", machine(psk_hello(4))) == ["AMT version of the machine (--site: amt_version)"]


# -- replay ------------------------------------------------------------------------------------------------------------


def committed(*facts, confidence: float = 1, commit: int = 8):
    return attempt(*facts, outcome=Outcome.COMMITTED, confidence=confidence, commit=commit)


def test_replay_001_a_hello_after_the_commit() -> None:
    later = attempt(hello(20), hello(22))
    assert asked("AMT-REPLAY-001", machine(committed(hello(4)), later)) == [("confirmed", "", [8, 20])]
    assert asked("AMT-REPLAY-001", machine(committed(hello(4), confidence=0.9), later)) == [("likely", "", [8, 20])]
    assert asked("AMT-REPLAY-001", machine(attempt(hello(4), outcome=Outcome.FAILED), later)) == []
    assert asked("AMT-REPLAY-001", machine(committed(hello(4)), attempt(contact(20)))) == []
    assert asked("AMT-REPLAY-001", machine(later, committed(hello(30)))) == []
    undone = FullUnprovision(ref=9, time=at(9), call="Unprovision")
    assert asked("AMT-REPLAY-001", machine(committed(hello(4)), undone, later)) == []
    assert asked("AMT-REPLAY-001", machine(committed(hello(4)), later, uuid=AMI)) == []
    assert asked("AMT-REPLAY-001", machine(committed(hello(4)), later, uuid="")) == [("confirmed", "", [8, 20])]
    thrice = machine(committed(hello(4)), committed(hello(20), commit=28), attempt(hello(40)))
    assert asked("AMT-REPLAY-001", thrice) == [("confirmed", "", [8, 20])]


def test_replay_001_the_same_bytes_from_elsewhere_are_critical() -> None:
    def found(*before, **more):
        return asked("AMT-REPLAY-001", machine(committed(*before), attempt(hello(20, **more))))

    assert found(hello(4), source=OTHER) == [("confirmed", "critical", [8, 20])]
    assert found(hello(4)) == [("confirmed", "", [8, 20])]
    assert found(hello(4), source=OTHER, retry_count=1) == [("confirmed", "", [8, 20])]
    assert found(hello(4, retry_count=1), hello(5), source=OTHER, retry_count=1) == [("confirmed", "critical", [8, 20])]
    assert found(hello(4, source=OTHER), hello(5), source=OTHER) == [("confirmed", "critical", [8, 20])]
    assert found(hello(4), hello(5, source=OTHER), source=OTHER) == [("confirmed", "", [8, 20])]
    assert found(contact(4), source=OTHER) == [("confirmed", "", [8, 20])]


def test_replay_002_the_same_hello_from_two_hosts() -> None:
    def found(**more):
        said = {"seconds": 64, "source": OTHER, "mac": "b"} | more
        return asked("AMT-REPLAY-002", machine(hello(4), hello(9, **said)))

    assert found() == [("confirmed", "", [4, 9])]
    assert found(seconds=64.1) == []
    assert found(mac="") == [("likely", "medium", [4, 9])]
    assert found(mac="00:00:5e:00:53:30") == []
    assert found(source=DESK) == []
    for near in ({"retry_count": 1}, {"version": 2, "pid": ""}, {"admin_credentials_set": 0}, {"pid": "A"}):
        assert found(**near) == []
    assert found(hashes=((1, b"x", "root"),)) == []


def test_replay_002_names_both_and_each_machine_once() -> None:
    one, two, three = hello(4), hello(9, source=OTHER, mac="b"), hello(12, source="192.0.2.81", mac="c")
    desk = machine(hello(2, retry_count=7), one, two, three)
    assert asked("AMT-REPLAY-002", desk) == [("confirmed", "", [4, 9])]
    (hit,) = hits("AMT-REPLAY-002", desk)
    assert hit.values == {"one": f"{DESK} (00:00:5e:00:53:30)", "other": f"{OTHER} (b)", "gap": "5.0 s"}
    assert hit.about is desk
    (hit,) = hits("AMT-REPLAY-002", machine(hello(4, mac=""), two))
    assert (hit.values["one"], str(hit.severity)) == (DESK, "medium")
    assert asked("AMT-REPLAY-002", machine(one, two, uuid=AMI)) == []
    other = machine(hello(5), hello(6, source=OTHER, mac="b"), uuid=UUID.replace("4c", "5c"), id=2)
    both = asked("AMT-REPLAY-002", desk, capture(desk, other))
    assert both == [("confirmed", "", [4, 9]), ("confirmed", "", [5, 6])]
    back = machine(hello(9), hello(4, source=OTHER, mac="b"))  # the clock went back
    assert asked("AMT-REPLAY-002", back) == [("confirmed", "", [9, 4])]
