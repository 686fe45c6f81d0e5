"""What log lines add to the story of a machine, line by line, and how far the clock of a log is off."""

import pytest
from by_hand import DESK, SCS, at, hello

from amtdecode.artifacts.logs import LogRow
from amtdecode.provisioning.fold import log
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.state import Attempt, Cira, LogEntry, Recognition, Session, ref
from amtdecode.provisioning.state.incidents import (
    Commit,
    FullUnprovision,
    PartialUnprovision,
    RequestRefusedOften,
)

OTHER = "192.0.2.80"
UUID, TWIN = "4c4c4544-0031-4710-8058-b4c04f4a3232", "5c4c4544-0031-4710-8058-b4c04f4a3232"


def row(line: int, text: str = "x", *, seconds: float | None = None, **more) -> LogRow:
    return LogRow(
        "scs.log", line, text, **({"anchor": "a", "time_ns": at(line if seconds is None else seconds)} | more)
    )


def logged(*rows: LogRow, machines: Machines | None = None) -> Machines:
    known = machines or Machines()
    for each in rows:
        log.take_line(known, each)
    return known


def test_a_line_about_a_machine() -> None:
    known = logged(row(7, "y" * 400, kind="failure", rule="R", product="SCS", step="s", code="0x10", ip=DESK,
                       amt_version="9.0"))  # fmt: skip
    (device,) = known.present()
    (entry,) = device.log_entries
    assert (entry.ref, entry.time, len(entry.text), entry.address) == (ref(0, 7), at(7), 300, DESK)
    assert (entry.anchor, entry.kind, entry.rule, entry.step, entry.value) == ("a", "failure", "R", "s", 16)
    assert (device.address, device.amt_version, known.story.seen) == (DESK, "9.0", {"log"})
    assert (known.story.inputs, known.story.line_inputs) == (["scs.log"], {0})
    logged(row(8, ip=DESK, amt_version="9.9"), machines=known)
    assert device.amt_version == "9.0"


def test_whose_line_it_is() -> None:
    known = Machines()
    one = known.machine_with(UUID, DESK)
    host = known.machine_at(OTHER)
    logged(row(3, uuid=UUID, fqdn="desk.example.com"), machines=known)
    assert (len(one.log_entries), one.fqdn) == (1, "desk.example.com")
    swapped = "44454c4c-3100-1047-8058-b4c04f4a3232"
    logged(row(4, uuid=swapped), row(5, ip=DESK), row(6, fqdn="DESK.example.com"), machines=known)
    assert len(one.log_entries) == 4
    logged(row(7, ip=OTHER, uuid=TWIN), machines=known)  # that host has a UUID now
    assert (host.uuid, len(host.log_entries)) == (TWIN, 1)
    assert len(known.devices) == 2
    logged(row(8, uuid="6c4c4544-0031-4710-8058-b4c04f4a3232", fqdn="new.example.com"), machines=known)
    logged(row(9, fqdn="third.example.com"), machines=known)
    named = [(device.uuid[:1], device.fqdn) for device in known.present()][2:]
    assert named == [("6", "new.example.com"), ("", "third.example.com")]


def test_lines_of_no_known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_FLEET_ENTRIES", 2)
    known = logged(row(1), row(2, anchor="", ip=DESK), row(3))
    assert known.devices == []
    assert [entry.ref for entry in known.story.log_entries] == [ref(0, 1), ref(0, 2)]
    placeholder = "03000200-0400-0500-0006-000700080009"
    assert logged(row(1, uuid=placeholder)).devices == []
    known = logged(row(1, uuid=placeholder, ip=DESK))
    assert [(device.uuid, device.address) for device in known.present()] == [("", DESK)]


def test_a_log_that_says_that_setup_succeeded_or_was_taken_back() -> None:
    from amtdecode.artifacts.logs import table

    sets = {each.sets: each.id for each in table().by_id.values() if each.sets}
    known = logged(row(7, "done", anchor=sets["commit"], ip=DESK), row(8, "again", anchor=sets["commit"], ip=DESK))
    (device,) = known.present()
    assert (device.attempts[0].commit, device.attempts[0].started) == (ref(0, 7), at(7))
    assert [(each.ref, each.line) for each in device.incidents_of(Commit)] == [(ref(0, 7), "done")]
    logged(row(9, "Partial unprovision", anchor=sets["unprovision"], ip=DESK), machines=known)
    logged(row(10, "unprovisioned", anchor=sets["unprovision"], ip=DESK), machines=known)
    assert [each.ref for each in device.incidents_of(PartialUnprovision)] == [ref(0, 9)]
    assert [each.ref for each in device.incidents_of(FullUnprovision)] == [ref(0, 10)]


def test_error_137_three_times_within_an_hour() -> None:
    def often(*seconds: float | None) -> list[int]:
        rows = [
            row(line, anchor="scs-137", ip=DESK, time_ns=None if time is None else at(time))
            for line, time in enumerate(seconds, 1)
        ]
        (device,) = logged(*rows).present()
        return [each.ref for each in device.incidents_of(RequestRefusedOften)]

    assert often(0, 1800, 3600) == [3]
    assert often(0, 1800, 3600, 3601) == [3]
    assert often(0, 3000, 3601, 4000) == [4]
    for rare in ((0, 1800), (0, 1800, 3601), (0, 1800, None), (None, 1800, 1900)):
        assert often(*rare) == []


def clocks(*pairs: tuple[float, float]) -> str:
    """The clock of a log, by hellos: (seconds in the capture, seconds in the log)."""
    machines = Machines()
    for number, (captured, written) in enumerate(pairs):
        device = machines.machine_at(f"198.51.100.{number}")
        machines.hello(device, hello(4, captured, source=device.address))
        device.log_entries = (
            LogEntry(ref=9, time=at(written), recognition=Recognition(kind="hello")),
            LogEntry(ref=9, time=at(written + 77), recognition=Recognition(kind="state")),
        )
    machines.story.devices = list(machines.present())
    log.compare_clocks(machines.story)
    return machines.story.clock


def calls_home(captured: float, *written: float, anchor: str = log.GREETING) -> tuple[str, int]:
    """The clock of a log, by one call home."""
    machines = Machines()
    device = machines.machine_at(DESK)
    session = Session(1, DESK, SCS, 4433, 5, at(captured - 1), cira=Cira(version=8, greeted=at(captured)))
    device.attempts = (Attempt(sessions=(session,)),)
    device.log_entries = tuple(
        LogEntry(ref=9, time=at(time), recognition=Recognition(anchor=anchor, kind="state")) for time in written
    )
    machines.story.devices = [device]
    log.compare_clocks(machines.story)
    return machines.story.clock, machines.story.log_offset


def test_how_far_the_clock_of_a_log_is_off_by_calls_home() -> None:
    told = "the log's clock is UTC+01:00 (from 1 matched calls home)"
    assert calls_home(100, 100 + 3600) == (told, -3600 * 10**9)
    assert calls_home(100, 100 + 3600, anchor="mc-cira") == ("", 0)  # a line that names no machine's greeting
    assert calls_home(100, 40, 200) == ("", 0)  # which of the two is meant?
    assert calls_home(100) == ("", 0)


def test_how_far_the_clock_of_a_log_is_off() -> None:
    assert clocks() == ""
    assert (
        clocks((100, 100 + 2 * 3600), (200, 200 + 2 * 3600)) == "the log's clock is UTC+02:00 (from 2 matched hellos)"
    )
    assert clocks((20000, 20000 - 12600), (30000, 30000 - 12600)).startswith("the log's clock is UTC-03:30")
    assert clocks((100, 95), (200, 195)) == "the log's clock is UTC+00:00, and 5 s slow (from 2 matched hellos)"
    assert clocks((100, 7), (200, 107)).startswith("the log's clock is UTC+00:00, and 93 s slow")
    assert clocks((100, 101), (200, 201)) == "the log's clock is UTC+00:00, and 1 s fast (from 2 matched hellos)"
    assert clocks((100, 100.9), (200, 200.9)) == "the log's clock is UTC+00:00 (from 2 matched hellos)"
