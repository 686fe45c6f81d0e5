"""Time, level, component and text of single lines, by value: each layout at the edges of what it takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from amtdecode.artifacts.logs import layout
from amtdecode.artifacts.logs.layout import DateOrder, Moment, Parts, find_time, parts


def ns(*when: int, micro: int = 0) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000 + micro * 1000


def read(line: str) -> Parts:
    return parts(line, DateOrder())


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2026-01-02 03:04:05", Moment(ns(2026, 1, 2, 3, 4, 5), None)),
        ("2026-12-31T23:59:59Z", Moment(ns(2026, 12, 31, 23, 59, 59), 0)),
        ("2026-12-31T23:59:60Z", Moment(ns(2027, 1, 1, 0, 0, 0), 0)),  # a leap second
        ("2026/6/7 8:59", Moment(ns(2026, 6, 7, 8, 59), None)),
        ("2026.06.07, 08:09:10", Moment(ns(2026, 6, 7, 8, 9, 10), None)),
        ("2026-06-07 08:09:10.5", Moment(ns(2026, 6, 7, 8, 9, 10, micro=500_000), None)),
        ("2026-06-07 08:09:10,123456789", Moment(ns(2026, 6, 7, 8, 9, 10) + 123_456_789, None)),
        ("2026-06-07T08:09:10+02:00", Moment(ns(2026, 6, 7, 6, 9, 10), 120)),
        ("2026-06-07T08:09:10 +0530", Moment(ns(2026, 6, 7, 2, 39, 10), 330)),
        ("2026-06-07T08:09:10-0800", Moment(ns(2026, 6, 7, 16, 9, 10), -480)),
        ("2026-06-07T08:09:10+23:59", Moment(ns(2026, 6, 6, 8, 10, 10), 1439)),
        ("2026-06-07T08:09:10+24:00", Moment(ns(2026, 6, 7, 8, 9, 10), None)),  # no offset there is
        ("1970-01-01 00:00:00", Moment(0, None)),
        ("2199-01-01 00:00:00", Moment(ns(2199, 1, 1), None)),
        ("12/31/2026 11:59:59 PM", Moment(ns(2026, 12, 31, 23, 59, 59), None)),
        ("12/31/2026 12:00:00 AM", Moment(ns(2026, 12, 31, 0, 0, 0), None)),
        ("12/31/2026 12:30:00 p.m.", Moment(ns(2026, 12, 31, 12, 30, 0), None)),
        ("31.12.26 1:02", Moment(ns(2026, 12, 31, 1, 2), None)),
        ("13-12-2026 00:00:00", Moment(ns(2026, 12, 13), None)),
        ("02.03.2026 00:00:00", Moment(ns(2026, 3, 2), None)),  # with dots the day is first
        ("Dec 31 23:59:59 2026", Moment(ns(2026, 12, 31, 23, 59, 59), None)),
        ("Jan  1 00:00:00 2026", Moment(ns(2026, 1, 1), None)),
    ],
)
def test_what_a_time_means(stamp, moment):
    assert find_time(stamp, DateOrder()) == (moment, 0, len(stamp))


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-06-07 24:00:00", "2026-06-07 23:60:00", "2026-06-07 23:59:61", "2026-13-01 00:00:00",
        "2026-02-30 00:00:00",
        "1969-12-31 23:59:59", "2200-01-01 00:00:00", "13/13/2026 00:00:00", "Abc 31 23:59:59 2026",
        "Feb 30 00:00:00 2026",
    ],
)  # fmt: skip
def test_times_that_cannot_be(stamp):
    assert find_time(stamp, DateOrder())[0] is None


@pytest.mark.parametrize(
    ("dates", "day_first", "ambiguous"),
    [
        (["12/12/2026"], None, False),
        (["11/12/2026"], None, True),
        (["12/13/2026"], False, False),
        (["13/12/2026"], True, False),
        (["13/13/2026"], None, False),
        (["11/12/2026", "13/12/2026"], True, False),
        (["13/12/2026", "11/12/2026"], True, False),
        (["11.12.2026"], None, False),
    ],
)
def test_which_of_two_numbers_is_the_month(dates, day_first, ambiguous):
    order = DateOrder()
    for date in dates:
        find_time(f"{date} 00:00:00", order)
    assert (order.day_first, order.unsure and order.day_first is None) == (day_first, ambiguous)


def test_dates_read_before_the_order_was_known_are_read_anew():
    order = DateOrder()
    assert find_time("11/12/2026 00:00:00", order)[0].ns == ns(2026, 11, 12)
    assert find_time("13/12/2026 00:00:00", order)[0].ns == ns(2026, 12, 13)
    assert find_time("11/12/2026 00:00:00", order)[0].ns == ns(2026, 12, 11)


def test_the_dates_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(layout, "MAX_DATES", 10)
    order = DateOrder()
    kept = []
    for number in range(100):
        order.days("12", "/", "12", str(1970 + number))
        kept.append(len(order._days))
    assert max(kept) == 11
    order.days("12", "/", "12", "1970")
    before = len(order._days)
    order.days("12", "/", "12", "1970")
    assert len(order._days) == before


def test_where_a_time_stands():
    order = DateOrder()
    assert find_time("x" * 20 + " 2026-06-07 08:09:10 y", order)[1:] == (21, 40)
    assert order.usual == (layout.YEAR_FIRST, 21)
    assert find_time("x" * 52 + " 2026-06-07 08:09:10", DateOrder())[1:] == (53, 72)
    assert find_time("x" * 57 + " 2026-06-07 08:09:10", DateOrder()) == (None, 0, 0)
    assert find_time("none", order) == (None, 0, 0)


@pytest.mark.parametrize(
    ("line", "moment", "level", "text"),
    [
        ("2026-06-07 08:09:10 ERROR it failed", True, "error", "ERROR it failed"),
        ("ERROR 2026-06-07 08:09:10 it failed", True, "error", "it failed"),
        ("[warn] 2026-06-07 08:09:10 it failed", True, "warning", "it failed"),
        ("LM_DEBUG: 2026-06-07 08:09:10 it failed", True, "debug", "it failed"),
        ("2026-06-07 08:09:10\tE\tit failed", True, "error", "it failed"),
        ("2026-06-07 08:09:10 [V] it failed", True, "debug", "it failed"),
        ("2026-06-07 08:09:10 W it failed", True, "warning", "it failed"),
        ("2026-06-07 08:09:10,I,it failed", True, "info", "it failed"),
        ("2026-06-07 08:09:10 (main) notice: it failed", True, "info", "(main) notice: it failed"),
        ("2026-06-07 08:09:10 main an error came", True, "", "main an error came"),
        ("host pc1 2026-06-07 08:09:10 it failed", True, "", "host pc1 2026-06-07 08:09:10 it failed"),
        ("x" * 31 + " 2026-06-07 08:09:10 it", True, "", "x" * 31 + " 2026-06-07 08:09:10 it"),
        ("x" * 32 + " 2026-06-07 08:09:10 it", False, "", "x" * 32 + " 2026-06-07 08:09:10 it"),
        ("x" * 32 + ", 2026-06-07 08:09:10 ,it", True, "", "x" * 32 + ", 2026-06-07 08:09:10 ,it"),
        ("x" * 32 + ", 2026-06-07 08:09:10 it", False, "", "x" * 32 + ", 2026-06-07 08:09:10 it"),
        ("x" * 600 + ",2026-06-07 08:09:10", False, "", "x" * 600 + ",2026-06-07 08:09:10"),
        ("ERROR it failed", False, "error", "ERROR it failed"),
        ("it failed <error> today", False, "error", "it failed <error> today"),
        ("it failed, error: today", False, "error", "it failed, error: today"),
        ("W it failed", False, "", "W it failed"),
        ("x" * 40 + " [error] y", False, "", "x" * 40 + " [error] y"),
        ("x" * 33 + ",error]", False, "error", "x" * 33 + ",error"),
    ],
)
def test_plain_lines(line, moment, level, text):
    found = read(line)
    assert (found.moment.ns if found.moment else None, found.level, found.text, found.component) == (
        ns(2026, 6, 7, 8, 9, 10) if moment else None,
        level,
        text,
        "",
    )


def cmtrace(text="it failed", time="15:10:04.029-480", date="07-08-2016", kind="3", end="]LOG]!>"):
    return f'<![LOG[{text}{end}<time="{time}" date="{date}" component="AMT" context="" type="{kind}" thread="2724">'


def test_cmtrace_dates_are_month_first_and_their_bias_counts_west():
    moment = Moment(ns(2016, 7, 8, 7, 10, 4, micro=29_000), 480)
    order = DateOrder()
    order.day_first = True  # of plain lines in the same file
    assert parts(cmtrace(), order) == Parts("it failed", moment, "error", "AMT")
    assert read(cmtrace(kind="2")).level == "warning"
    assert read(cmtrace(kind="1")).level == "info"
    assert read(cmtrace(kind="4")).level == ""
    assert read(cmtrace(time="15:10:04.029+300")).moment == Moment(ns(2016, 7, 8, 20, 10, 4, micro=29_000), -300)
    assert read(cmtrace(time="15:10:04.029+-60")).moment == Moment(ns(2016, 7, 8, 14, 10, 4, micro=29_000), 60)
    for zone in ("+05:30", "+0530"):
        east = read(cmtrace(time=f"15:10:04.029{zone}")).moment
        assert east == Moment(ns(2016, 7, 8, 9, 40, 4, micro=29_000), 330)
    assert read(cmtrace(time="15:10:04.029+999")).moment == Moment(ns(2016, 7, 9, 7, 49, 4, micro=29_000), -999)
    assert read(cmtrace(time="15:10:04.029")).moment == Moment(ns(2016, 7, 8, 15, 10, 4, micro=29_000), None)
    assert read("lead " + cmtrace()).text == "it failed"
    assert read(cmtrace(end="")).level == ""
    assert read(cmtrace(time="", date="")).moment is None


def test_the_older_lines_of_configmgr():
    line = "it failed  $$<SMS_AMT><07-08-2016 15:10:04.029+300><thread=2724 (0xAA4)>"
    assert read(line) == Parts("it failed", Moment(ns(2016, 7, 8, 20, 10, 4, micro=29_000), -300), "", "SMS_AMT")
    assert read("it failed $$<SMS_AMT> and no more").text == "it failed $$<SMS_AMT> and no more"


def test_rows_copied_out_of_a_viewer():
    moment = Moment(ns(2016, 7, 8, 15, 10, 4), None)
    row = "Error: it failed\t SMS_AMT \t7/8/2016 3:10:04 PM\t2724 (0x0AA4)"
    assert read(row) == Parts("Error: it failed", moment, "error", "SMS_AMT")
    assert read(row.removeprefix("Error: ")) == Parts("it failed", moment, "", "SMS_AMT")
    assert read("it failed\t7/8/2016 3:10:04 PM").component == ""
    assert read("it failed\t \t7/8/2016 3:10:04 PM\t2724").component == ""
    assert read("it failed\tSMS_AMT\tat 7/8/2016 3:10:04 PM\t2724").component == ""
    assert read("it failed\tSMS_AMT\t2724").moment is None


def test_rows_of_meshcentral():
    assert read("10:13:31 AM | mps | CIRA tunnel ") == Parts("CIRA tunnel", None, "", "mps")
    assert read("1:13:31 - MPSCMD: it failed") == Parts("it failed", None, "", "mpscmd")
    assert read('"10:13:31","amt","it failed"') == Parts("it failed", None, "", "amt")
    assert read("10:13:31 | cpu | it failed").component == ""


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"msg": "it failed", "level": "warn", "time": "2026-06-07T08:09:10Z", "component": "amt"},
         Parts("it failed", Moment(ns(2026, 6, 7, 8, 9, 10), 0), "warning", "amt")),
        ({"message": "it failed", "level": 50, "time": 1_780_819_750, "name": "amt"},
         Parts("it failed", Moment(ns(2026, 6, 7, 8, 9, 10), 0), "error", "amt")),
        ({"msg": "it failed", "ts": 1_780_819_750_500},
         Parts("it failed", Moment(ns(2026, 6, 7, 8, 9, 10, micro=500_000), 0))),
        ({"msg": "it failed", "ts": 0}, Parts("it failed")),
        ({"msg": "it failed", "ts": -1}, Parts("it failed")),
        ({"msg": "it failed", "ts": 1}, Parts("it failed", Moment(1_000_000_000, 0))),
        ({"msg": "it failed", "ts": 7e12}, Parts("it failed")),
        ({"msg": "it failed", "ts": 7e9}, Parts("it failed", Moment(7_000_000 * 1_000_000_000, 0))),
        ({"msg": "it failed", "level": [1], "severity": "Fatal", "name": 5}, Parts("it failed", None, "error")),
        ({"msg": {"Status": "bad", "at": 5, "more": [1]}, "level": "x"}, Parts("Status: bad; at: 5")),
        ({"log": "it failed\n"}, Parts("it failed")),
        ({"msg": '{"Status":"bad"}', "level": "info"}, Parts("Status: bad", None, "info")),
        ({"msg": '{"Status":[]}', "level": "info"}, Parts('{"Status":[]}', None, "info")),
        ({"msg": '{"Status":', "level": "info"}, Parts('{"Status":', None, "info")),
        ({"log": 'level=error msg="it failed"', "level": "info", "time": 1},
         Parts("it failed", Moment(1_000_000_000, 0), "error")),
        ({"log": '{"msg":"it failed","component":"b"}', "level": "info", "component": "a"},
         Parts("it failed", None, "info", "b")),
        ({"log": "ERRO[0011] it failed", "component": "a"}, Parts("it failed", None, "error", "a")),
    ],
)  # fmt: skip
def test_rows_in_json(row, found):
    assert read(json.dumps(row)) == found
    if found.level or found.moment:  # else it may be an object that a message ends in
        assert read("rps-1 | " + json.dumps(row)) == found


def test_rows_in_rows_are_opened_a_few_times():
    text = "ERRO[0011] it failed"
    for _ in range(layout.MAX_NESTED):
        text = json.dumps({"log": text})
    assert read(text) == Parts("it failed", None, "error")
    assert read(json.dumps({"log": text})) == Parts("ERRO[0011] it failed")


def test_an_object_at_the_end_of_a_message_is_its_text():
    for line in ('answer {"Status":"bad"}', '{"Status":', '{"a"}', '{"Status":"bad"} and more'):
        assert read(line) == Parts(line)
    assert read('{"Status":"bad"}') == Parts('{"Status":"bad"}')
    assert read("[" * 20 + '{"a":1}').level == ""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('time="2026-06-07T08:09:10Z" level=error msg="it \\"failed\\"\\n\\x41\\u00e9"',
         Parts('it "failed"\nAé', Moment(ns(2026, 6, 7, 8, 9, 10), 0), "error")),
        ("ts=2026-06-07T08:09:10Z level=Warning",
         Parts("ts=2026-06-07T08:09:10Z level=Warning",
               Moment(ns(2026, 6, 7, 8, 9, 10), 0), "warning")),
        ("level=info msg=one level=error", Parts("one", None, "info")),
        ("the level=error", Parts("the level=error")),
        ('level=info msg="{\\"msg\\":\\"it failed\\"}"', Parts("it failed", None, "info")),
        ("ERRO[0011] it failed", Parts("it failed", None, "error")),
        ("\x1b[31mFATA\x1b[0m[0011] it failed", Parts("it failed", None, "error")),
        ("#033[36mINFO#033[0m[0011] it failed", Parts("it failed", None, "info")),
        ("^[[33mWARN^[[0m[0011] it failed", Parts("it failed", None, "warning")),
        ("ERRO[00] it failed", Parts("ERRO[00] it failed")),
    ],
)  # fmt: skip
def test_rows_of_logrus(line, found):
    assert read(line) == found
