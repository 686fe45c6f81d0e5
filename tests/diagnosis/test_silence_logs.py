"""AMT-LOG-* at their edges, with lines as they are recognised."""

import pytest
from by_hand import DESK, asked, at, attempt, capture, hello, hits, machine

from amtdecode.artifacts.logs import table
from amtdecode.diagnosis.knowledge import return_advice, rpc_errors, status_advice
from amtdecode.provisioning.state import LogEntry, LogFile, Outcome, Recognition, RegistryFile, ref
from amtdecode.provisioning.state.incidents import (
    Commit,
    KerberosLogin,
    RequestRefusedOften,
)

NO_LOG = "no log of the setup server"


def line(number: int, rule: str = "", text: str = "text", *, seconds: float | None = 0, address: str = "", **more):
    """A line, recognised as that of a rule or by an anchor."""
    said = {"kind": "failure", "rule": rule} | more
    return LogEntry(
        ref=number, time=at(seconds), recognition=Recognition(**said), text=f"{text} {number}", address=address
    )


def desk(*entries: LogEntry, **more):
    facts = more.pop("facts", ())
    return machine(*facts, log_entries=list(entries), **more)


def judged(rule: str, *entries: LogEntry, site: str = "", **more):
    """Asked of the lines of a machine."""
    device = desk(*entries, **more)
    return asked(rule, device, capture(device, seen="log"), site)


def of_nobody(rule: str, *entries: LogEntry):
    """Asked of lines that name no machine."""
    return asked(rule, machine(), capture(seen="log", log_entries=list(entries)))


# -- rows of SCS -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", ["AMT-LOG-407", "AMT-LOG-913", "AMT-LOG-TCP", "AMT-LOG-103", "AMT-LOG-000", "AMT-LOG-102"]
)
def test_lines_of_a_rule_are_told_together(rule: str) -> None:
    lines = [line(number, rule) for number in range(1, 11)]
    assert judged(rule, *lines) == [("confirmed", "", [*range(1, 9)])]  # the first eight prove it
    assert judged(rule, line(1, "AMT-LOG-X"), lines[4]) == [("confirmed", "", [5])]
    assert judged(rule, line(1, "AMT-LOG-X")) == []
    assert of_nobody(rule, line(1, "AMT-LOG-X"), lines[4]) == [("confirmed", "", [5])]
    assert asked(rule, machine(), capture(seen="")) == [NO_LOG]
    assert hits(rule, desk(*lines), capture(seen="log"))[0].values["count"] == 10


def test_codes_and_addresses_are_named() -> None:
    lines = line(1, "AMT-LOG-407", code="7"), line(2, "AMT-LOG-407"), line(3, "AMT-LOG-407", code="9", address=DESK)
    values = hits("AMT-LOG-407", desk(*lines, lines[0]), capture(seen="log"))[0].values
    assert values == {"count": 4, "codes": "7, 9", "address": "the machine"}
    assert hits("AMT-LOG-407", desk(*lines), capture(seen="log"))[0].values["address"] == DESK
    assert hits("AMT-LOG-000", desk(line(1, "AMT-LOG-000")), capture(seen="log"))[0].values["codes"] == "a number"
    named = hits("AMT-LOG-000", desk(line(1, "AMT-LOG-000", code="777")), capture(seen="log"))[0].values
    assert named["codes"] == "777"


def test_102_is_grave_where_a_hello_was_replayed() -> None:
    commit = Commit(ref=5, time=at(5), call="C")
    replayed = (attempt(hello(2), outcome=Outcome.COMMITTED, commit=5), attempt(hello(9)), commit)
    assert judged("AMT-LOG-102", line(1, "AMT-LOG-102"), facts=replayed) == [("confirmed", "critical", [1])]
    once = (attempt(hello(2), outcome=Outcome.COMMITTED, commit=5), commit)
    assert judged("AMT-LOG-102", line(1, "AMT-LOG-102"), facts=once) == [("confirmed", "", [1])]


def test_137_is_grave_three_times_within_an_hour() -> None:
    def found(*seconds: float | None, **more):
        return judged("AMT-LOG-137", *(line(n, "AMT-LOG-137", seconds=s) for n, s in enumerate(seconds, 1)), **more)[0][
            1
        ]

    assert found(0, 1800, 3600) == "high"
    assert found(3600, 0, 1800) == "high"  # in whatever order
    assert found(0, 4000, 5000, 7000) == "high"
    for rare in ((0, 1800), (0, 1800, 3601), (0, None, 1800), (0,)):
        assert found(*rare) == ""
    often = (RequestRefusedOften(ref=9, time=None),)
    assert found(0, facts=often) == "high"  # lines that were let go
    assert of_nobody("AMT-LOG-137", line(1, "AMT-LOG-137")) == [("confirmed", "", [1])]


def test_139_and_602_matter_where_kerberos_is_used() -> None:
    used = (KerberosLogin(4, None, scheme="negotiate", connection=1),)
    for rule, unknown, yes, no in (("AMT-LOG-139", "medium", "high", "low"), ("AMT-LOG-602", "info", "high", "info")):
        entry = line(1, rule)
        assert judged(rule, entry) == [("confirmed", unknown, [1])]
        assert judged(rule, entry, facts=used) == [("confirmed", yes, [1])]
        assert judged(rule, entry, site="[policy]\nkerberos = true\n") == [("confirmed", yes, [1])]
        assert judged(rule, entry, site="[policy]\nkerberos = false\n") == [("confirmed", no, [1])]
        assert judged(rule, entry, facts=used, site="[policy]\nkerberos = false\n") == [("confirmed", no, [1])]
        assert of_nobody(rule, entry) == [("confirmed", unknown, [1])]


def test_sch_tells_each_code_once() -> None:
    known, other = "0x8009030e", "0x80091234"
    lines = [line(n, "AMT-LOG-SCH", code=code) for n, code in enumerate((known, other, known, "7"), 1)]
    found = hits("AMT-LOG-SCH", desk(*lines), capture(seen="log"))
    assert [[number for number, _ in hit.proofs] for hit in found] == [[1, 3], [2]]  # "7" is no code of Windows
    code = table().codes[known]
    assert found[0].values == {"codes": f"0x8009030E {code.name}", "meaning": code.meaning, "advice": code.fix}
    assert (found[1].values["codes"], found[1].values["meaning"]) == ("0x80091234", "The code is in no table here.")
    (alone,) = hits("AMT-LOG-SCH", desk(lines[3]), capture(seen="log"))
    assert (alone.values["codes"], alone.proofs) == ("without a number", [(4, "text 4")])


def test_acu_tells_the_last_cause_of_each_line() -> None:
    cause, other, outcome = "0xc0003e93", "0x80090308", "0xc00007d5"
    codes = table().codes

    def said(*chain: str, text: str = "x") -> tuple[str, str]:
        (hit,) = hits("AMT-LOG-ACU", desk(line(1, "AMT-LOG-ACU", text, codes=chain)), capture(seen="log"))
        return hit.values["said"], hit.values["advice"]

    named = f"{other} {codes[other].name}, {cause} {codes[cause].name}, {outcome} {codes[outcome].name}"
    assert said(other, cause, outcome) == (f"The line names {named}. {codes[cause].meaning}", codes[cause].fix)
    lines_around = "Look for the reason in the lines around it, and in the log of RCS."
    assert said(outcome) == (f"The line names {outcome} {codes[outcome].name}.", lines_around)
    assert said() == ("The line names no code.", lines_around)
    text = "It is so. (0xc0003e93). It is raining. (0xC0001234)."
    told, advice = said(cause, "0xc0001234", text=text)
    assert told.endswith(f' {codes[cause].meaning} 0xc0001234 is in no table here; its sentence is ". It is raining.".')
    assert advice == codes[cause].fix
    assert said("0xc0001234") == (
        "The line names 0xc0001234. 0xc0001234 is in no table here.", "Mend what the sentence before 0xc0001234 names.",
    )  # fmt: skip
    many = [line(number, "AMT-LOG-ACU") for number in range(1, 11)]
    assert judged("AMT-LOG-ACU", *many) == [("confirmed", "", [number]) for number in range(1, 9)]


def test_ccb_compares_the_address_of_the_log_with_that_of_the_hello() -> None:
    entry = line(1, "AMT-LOG-CCB", address="192.0.2.99")
    moved = desk(line(3, "AMT-LOG-CCB"), entry, facts=(hello(20),))
    (hit,) = hits("AMT-LOG-CCB", moved, capture(seen="log", clock="the log's clock is UTC+01:00"))
    assert [number for number, _ in hit.proofs] == [3, 1, 20, 3]
    assert hit.proofs[2][1] == f"its latest hello comes from {DESK}, the log names 192.0.2.99"
    assert hit.proofs[3][1] == "the log's clock is UTC+01:00"
    assert hit.values == {"address": "192.0.2.99", "count": 2}
    assert judged("AMT-LOG-CCB", line(1, "AMT-LOG-CCB", address=DESK), facts=(hello(20),)) == [("confirmed", "", [1])]
    assert judged("AMT-LOG-CCB", line(1, "AMT-LOG-CCB"), facts=(hello(20),)) == [("confirmed", "", [1])]
    assert of_nobody("AMT-LOG-CCB", entry) == [("confirmed", "", [1])]


# -- levels ------------------------------------------------------------------------------------------------------------


def files(rule: str, *logs: LogFile, levels: tuple[str, ...] = (), **more):
    registry = [RegistryFile("a.reg", number, level, ()) for number, level in enumerate(levels, 1)]
    return asked(rule, machine(), capture(logs=list(logs), registry_files=registry, **more))


def test_verb_how_much_the_log_tells() -> None:
    def found(*logs: LogFile, levels: tuple[str, ...] = ()):
        return files("AMT-LOG-VERB", *logs, levels=levels)

    for level in ("W", "E"):
        assert found(levels=("V", level, "E")) == [("confirmed", "", [2])]
    assert found(levels=("V", "I")) == [NO_LOG]
    assert found() == [NO_LOG]
    quiet = LogFile("a.log", 7, ("error", "warning"), entries=1)
    loud = LogFile("b.log", 8, ("error", "info"), entries=1)
    assert found(loud, quiet, quiet) == [("likely", "", [7])]
    assert found(LogFile("a.log", 7, ("error",), product="rpc")) == [("likely", "", [7])]
    for near in (loud, LogFile("c.log", 9, ("debug",), entries=1), LogFile("d.log", 9, entries=1),
                 LogFile("web.log", 9, ("error",))):  # fmt: skip
        assert found(near) == []
    assert found(quiet, levels=("E",)) == [("confirmed", "", [1])]
    story = capture(logs=[LogFile("a.log", 7, ("error",), entries=1, verbose="Turn it up.")])
    (hit,) = hits("AMT-LOG-VERB", machine(), story)
    assert (hit.values["advice"], hit.proofs) == ("Turn it up.", [(7, "levels in a.log: error")])


def test_lefton_and_errfile() -> None:
    assert files("AMT-LOG-LEFTON", levels=("E", "V")) == [("confirmed", "", [2])]
    assert files("AMT-LOG-LEFTON", levels=("E",)) == []
    assert files("AMT-LOG-LEFTON") == ["the registry key of the setup service (an exported .reg file)"]
    for name in ("scs_server.log", "C:\\Logs\\SCS_Server.log", "/tmp/scs_server.log.1"):
        assert files("AMT-LOG-ERRFILE", LogFile(name, 7)) == [("confirmed", "", [7])]
    for name in ("scs_win_server.log", "scs_server.log/other.log"):
        assert files("AMT-LOG-ERRFILE", LogFile(name, 7)) == []


def test_err_lines_of_level_error_that_nothing_knows() -> None:
    unknown = LogFile("a.log", 1, entries=2, errors=3, first_errors=((5, "no"), (6, "nein")))

    def found(log: LogFile, *entries: LogEntry, devices: tuple = ()):
        story = capture(*devices, logs=[log], log_entries=list(entries))
        story.inputs = ["a.log", "b.log"]
        return asked("AMT-LOG-ERR", machine(id=9), story)

    assert found(unknown) == [("confirmed", "medium", [5, 6])]
    assert found(unknown, line(2)) == [("confirmed", "low", [5, 6])]  # what failed is explained
    assert found(unknown, line(2, kind="success")) == [("confirmed", "low", [5, 6])]
    assert found(unknown, line(2, kind="state")) == [("confirmed", "medium", [5, 6])]
    assert found(unknown, line(ref(1, 2))) == [("confirmed", "medium", [5, 6])]  # of another log
    assert found(unknown, devices=(desk(line(2)),)) == [("confirmed", "low", [5, 6])]
    assert found(LogFile("a.log", 1, errors=3, first_errors=((5, "no"),))) == []  # of no program of AMT
    assert found(LogFile("a.log", 1, entries=2)) == []
    assert found(LogFile("a.log", 1, product="rpc", errors=1, first_errors=((5, "x"),))) == [
        ("confirmed", "medium", [5])
    ]
    (hit,) = hits("AMT-LOG-ERR", machine(), capture(logs=[unknown]))
    assert hit.values == {"lines": "3 lines", "product": "the log", "first": '"no"', "advice": ""}


# -- today's tools -----------------------------------------------------------------------------------------------------


def anchored(number: int, anchor: str, **more) -> LogEntry:
    known = table().by_id[anchor]
    return line(number, known.rule, anchor=anchor, step=known.step, **({"kind": known.kind} | more))


def test_step_each_kind_of_failed_line_once() -> None:
    root, link, lms = "rpc-root", "rpc-link", "rpc-lms"
    assert judged("AMT-LOG-STEP", anchored(1, root), anchored(2, link), anchored(3, root)) == [
        ("confirmed", "high", [1, 3]), ("confirmed", "high", [2]),
    ]  # fmt: skip
    assert judged("AMT-LOG-STEP", anchored(1, "rpc-local-busy")) == [("confirmed", "medium", [1])]
    assert judged("AMT-LOG-STEP", anchored(1, lms)) == [("confirmed", "medium", [1])]
    assert judged("AMT-LOG-STEP", anchored(1, lms), anchored(2, root)) == [("confirmed", "high", [2])]  # the cause
    assert judged("AMT-LOG-STEP", anchored(1, lms), anchored(2, "rpc-error", text="x")) == [
        ("confirmed", "medium", [1])
    ]
    assert judged("AMT-LOG-STEP", anchored(1, "ema-setup-failed"))[0][0] == "likely"
    for near in (anchored(1, root, kind="state"), line(1, "AMT-LOG-407"), line(1, anchor="unheard of")):
        assert judged("AMT-LOG-STEP", near) == []


def test_step_names_the_program_and_the_version() -> None:
    def values(entry: LogEntry, device=None, *more: LogEntry, **story) -> dict:
        told = capture(seen="log", **story) if device else capture(seen="log", log_entries=[entry, *more], **story)
        told.inputs = ["a.log"]
        return hits("AMT-LOG-STEP", device or machine(), told)[0].values

    known = table().by_id["rpc-root"]
    plain = anchored(1, "rpc-root", product="rpc")
    said = values(plain)
    assert (said["product"], said["step"], said["meaning"]) == ("rpc", "setup certificate", known.meaning)
    assert (said["advice"], known.meaning.startswith(said["said"])) == (known.fix, True)
    nameless = anchored(1, "rpc-root")
    assert values(nameless)["product"] == "the log"
    assert (
        values(nameless, logs=[LogFile("b.log", 1, product="x"), LogFile("a.log", 1, product="rps")])["product"]
        == "rps"
    )
    version = line(2, kind="state", amt_version="16.1")
    assert values(plain, None, version)["meaning"] == f"{known.meaning} The machine has AMT 16.1."
    assert values(plain, desk(plain, version))["meaning"] == known.meaning  # its report says so


def test_rpc_by_its_name_its_details_or_its_number() -> None:
    def number(text: str, code: str = "") -> tuple:
        found = hits("AMT-LOG-RPC", desk(anchored(1, "rpc-error", code=code, text=text)), capture(seen="log"))
        return found[0].values["number"], found[0].values["name"]

    rows = {row.code: row for row in rpc_errors()}
    wired = rows[137]
    assert number("x", "137") == (137, wired.name)
    assert number(f"Error: {wired.name}") == (137, wired.name)
    with_details = rows[128]
    assert number(f"Error 128: {with_details.name} Details: {with_details.details}", "128") == (128, with_details.name)
    assert number(f"{with_details.name} Details: {with_details.details.upper()}") == (128, with_details.name)
    assert number("x", "9999") == ("9999", "")
    assert number("x") == ("without a number", "")
    for row in (row for row in rpc_errors() if row.code == 138):  # two names share it
        assert number(row.name, "138") == (138, row.name)


def test_rpc_what_only_tells_the_outcome_gives_way_to_a_cause() -> None:
    plain = next(row for row in rpc_errors() if row.details == "-")
    detailed = next(row for row in rpc_errors() if row.code == 128)
    outcome = anchored(1, "rpc-error", code=str(plain.code), text=plain.name)
    cause = anchored(2, "rpc-error", code="128", text=f"{detailed.name} {detailed.details}")
    assert judged("AMT-LOG-RPC", outcome) == [("confirmed", str(plain.severity), [1])]
    assert judged("AMT-LOG-RPC", outcome, cause) == [("confirmed", str(detailed.severity), [2])]
    assert judged("AMT-LOG-RPC", outcome, anchored(3, "rpc-root")) == []
    assert judged("AMT-LOG-RPC", anchored(1, "rpc-error", code="9999"), cause) == [
        ("confirmed", str(detailed.severity), [2])
    ]
    assert judged("AMT-LOG-RPC", anchored(1, "rpc-error", code="9999")) == [("confirmed", "medium", [1])]
    assert judged("AMT-LOG-RPC", cause, cause) == [("confirmed", str(detailed.severity), [2, 2])]


def test_wsm_answers_quoted_in_a_log() -> None:
    (name, value), own = next(iter(return_advice().items()))

    def said(call: str, code: str, fault: str = "", **more):
        device = desk(line(1, "AMT-LOG-WSM", call=call, code=code, fault=fault, **more))
        (hit,) = hits("AMT-LOG-WSM", device, capture(seen="log"))
        return str(hit.severity), hit.values

    severity, values = said(name, str(value))
    assert (severity, values["meaning"], values["advice"]) == (str(own.severity), own.explanation, own.fix)
    severity, values = said("", "", "wsman:AccessDenied")
    assert (severity, values["call"], values["status"]) == ("high", "A call", "fault wsman:AccessDenied")
    assert said("A.B", "x")[1]["status"] == "fault"
    known = status_advice()[1]
    for code in ("1", "32769"):  # CIM adds its codes to 32768
        severity, values = said("AMT_X.B", code)
        assert (severity, values["status"]) == (str(known.severity), "PT_STATUS 0x1 INTERNAL_ERROR")
        assert (values["meaning"], values["advice"]) == (known.explanation, known.fix)
    severity, values = said("AMT_X.B", "39999")
    assert (severity, values["meaning"]) == ("high", "not in Intel's tables")
    assert said(name, str(value), amt_version="16.1")[1]["version"] == " The machine has AMT 16.1."
    assert said(name, str(value))[1]["version"] == ""
    twice = [line(n, "AMT-LOG-WSM", call=call, code="7") for n, call in enumerate(("A.B", "A.C", "A.B"), 1)]
    assert [each[2] for each in judged("AMT-LOG-WSM", *twice)] == [[1, 3], [2]]
