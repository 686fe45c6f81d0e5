"""Check characters of PID and PPS: Intel's documented pair, and what breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.secrets import check_character, pid_is_valid, pps_is_valid
from amtdecode.secrets.pid import wrong_pps_groups

PID, PPS = "0000-037M", "NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"


def test_intels_documented_pair():
    assert pid_is_valid(PID)
    assert pid_is_valid("0000037M")
    assert pps_is_valid(PPS)
    assert pps_is_valid(PPS.replace("-", ""))
    assert check_character("0000037") == "M"
    assert [check_character(group[:3]) for group in PPS.split("-")] == list("DCQZLLDJ")


def test_the_check_character_is_the_sum_modulo_36():
    assert check_character("000") == "0"  # 3 * 48 = 144 = 4 * 36
    assert check_character("001") == "1"
    assert check_character("009") == "9"
    assert check_character("00A") == "H"  # 161 - 144 = 17


@pytest.mark.parametrize(
    "text", ["", "0000037", "0000037N", "0000037M0", "0000-037m", "000003é7", "0000 037M", "00000 37M", PPS]
)
def test_what_is_no_pid(text):
    assert not pid_is_valid(text)


def test_the_groups_that_are_wrong_are_named():
    assert wrong_pps_groups("NKLX-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XA") == [1, 8]
    assert not pps_is_valid("NKLX-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XA")
    assert not pps_is_valid(PPS[:-5])


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=7, max_size=7), st.integers(0, 6))
def test_one_changed_character_is_noticed(text, at):
    pid = text + check_character(text)
    assert pid_is_valid(pid)
    other = chr(ord(text[at]) + 1)
    assert not pid_is_valid(pid[:at] + other + pid[at + 1 :])
