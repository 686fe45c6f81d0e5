"""AMT-REDIR-*, and what redirection adds to logins: refusals, passwords in the clear, consoles that take no input."""

from __future__ import annotations

import struct

import pytest
from by_hand import SCS, asked, hello, hits, machine
from diagnosis_lab import Bench, Lab, desk

from amtdecode.provisioning.state.incidents import ConsoleDeaf, RedirectionRefused
from pcaps import redirection
from pcaps.build import TO_CLIENT, TO_SERVER, Host
from pcaps.make import NETWORK

CONSOLE = NETWORK.scs


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


def session(*steps, times: int = 1, client: Host = CONSOLE, port: int = 16994) -> Lab:
    lab = Lab()
    for _ in range(times):
        lab.talk(client, desk().host, port, [step for part in steps for step in part])
    return lab


OPEN = [(TO_SERVER, redirection.start(b"SOL ")), (TO_CLIENT, redirection.started(11, 8))]


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (bytes((0x11, 2, 0, 0)), "AMT refuses the console (SOL): busy"),
        (bytes((0x11, 3, 0, 0)), "AMT refuses the console (SOL): unsupported"),
        (bytes((0x11, 0xFF, 0, 0)), "AMT refuses the console (SOL): error"),
    ],
)
def test_redir_001_the_session_is_refused(bench: Bench, answer: bytes, title: str) -> None:
    lab = session([(TO_SERVER, redirection.start(b"SOL ")), (TO_CLIENT, answer)])
    found = bench.fires("AMT-REDIR-001", lab, severity="medium", verdict="confirmed")
    assert found["title"] == title
    bench.silent("AMT-REDIR-001", session(redirection.sol()))


def test_redir_001_a_busy_login_is_no_wrong_password(bench: Bench) -> None:
    """As AMT 12 says it, by the published dialogue."""
    busy = [(TO_SERVER, bytes.fromhex("130000000000000000")), (TO_CLIENT, bytes.fromhex("140200000100000000"))]
    lab = session(OPEN, busy, times=4)
    assert "busy" in bench.fires("AMT-REDIR-001", lab)["title"]
    bench.silent("AMT-HTTP-002", lab)


def test_redir_001_sol_and_ider_say_no_inside_the_session(bench: Bench) -> None:
    lab = session(OPEN, redirection.login(), [(TO_CLIENT, struct.pack("<BBxxI15x", 0x21, 2, 1))])
    assert bench.fires("AMT-REDIR-001", lab)["title"].startswith("AMT refuses the console (SOL)")
    opened = [(TO_SERVER, redirection.start(b"IDER")), (TO_CLIENT, redirection.started(9, 1)), *redirection.login()]
    lab = session(opened, [(TO_CLIENT, struct.pack("<BBxxI21xB", 0x41, 3, 0, 0).ljust(30, b"\0"))])
    assert bench.fires("AMT-REDIR-001", lab)["title"] == "AMT refuses the drives (IDE-R, USB-R): unsupported"


def test_redir_002_a_console_in_loopback_mode(bench: Bench) -> None:
    def typed(state: int) -> Lab:
        controls = struct.pack("<BxxxIBB", 0x29, 2, 3, state)
        return session(
            OPEN,
            redirection.login(),
            [(TO_CLIENT, controls), (TO_SERVER, redirection.console(0x28, 2, b"root\r"))],
        )

    found = bench.fires("AMT-REDIR-002", typed(0x06), severity="low")
    assert CONSOLE.ip in found["explanation"]
    bench.silent("AMT-REDIR-002", typed(0x04))
    nobody = session(OPEN, redirection.login(), [(TO_CLIENT, struct.pack("<BxxxIBB", 0x29, 2, 3, 6))])
    bench.silent("AMT-REDIR-002", nobody)  # nobody types


def test_http_002_counts_logins_of_redirection(bench: Bench) -> None:
    found = bench.fires("AMT-HTTP-002", session(redirection.refused(), times=3))
    assert "redirection" in found["explanation"]
    bench.silent("AMT-HTTP-002", session(redirection.refused(), times=2))
    lab = session(redirection.refused(), times=2)
    lab.talk(CONSOLE, desk().host, 16994, redirection.sol())
    lab.talk(CONSOLE, desk().host, 16994, redirection.refused())
    bench.silent("AMT-HTTP-002", lab)  # a success between them


def test_sec_002_and_004_passwords_and_digests_in_the_clear(bench: Bench) -> None:
    clear = bytes.fromhex("13000000010c000000") + b"\5admin\5Xq7!z"
    lab = session(OPEN, [(TO_SERVER, clear), (TO_CLIENT, bytes.fromhex("140000000100000000"))])
    assert "redirection login as admin" in bench.fires("AMT-SEC-002", lab)["evidence"][0]["text"]
    assert "Xq7!z" not in str(bench.report(lab))
    bench.fires("AMT-SEC-004", session(redirection.sol()))
    query = session(OPEN, redirection.login()[:4])
    bench.silent("AMT-SEC-004", query)  # no hash was sent


def test_redirection_is_found_in_no_channel_of_other_hosts(bench: Bench) -> None:
    """On another port it is decoded, and makes no machine: only AMT's ports do."""
    assert bench.report(session(redirection.sol(), port=5000))["devices"] == []


def test_by_hand() -> None:
    one = RedirectionRefused(4, None, session="", status=2, client=SCS, connection=1)
    assert asked("AMT-REDIR-001", machine(one)) == [("confirmed", "", [4])]
    assert hits("AMT-REDIR-001", machine(one))[0].values["what"] == "redirection"
    assert asked("AMT-REDIR-002", machine(ConsoleDeaf(7, None, client=SCS, connection=1))) == [("confirmed", "", [7])]
    assert asked("AMT-REDIR-001", machine(hello(1))) == asked("AMT-REDIR-002", machine(hello(1))) == []
