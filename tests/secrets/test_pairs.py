"""New pairs, and the slips of those who type them."""

from __future__ import annotations

from amtdecode.secrets.pairs import groups_of, likely_slips, new_pairs
from amtdecode.secrets.pid import dashed, pid_is_valid, pps_is_valid


def test_new_pairs_have_right_check_characters_and_are_all_different():
    pairs = [*new_pairs(500)]
    assert all(pid_is_valid(pid) and pps_is_valid(pps) for pid, pps in pairs)
    assert all(len(pid) == 8 and len(pps) == 32 for pid, pps in pairs)
    assert len({pid for pid, _ in pairs}) == len({pps for _, pps in pairs}) == 500


def test_every_character_comes_up():
    letters = {letter for pid, pps in new_pairs(500) for letter in pid + pps}
    assert letters == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def test_dashes():
    assert dashed("0000037M") == "0000-037M"
    assert dashed("NKLDG5DC") == "NKLD-G5DC"
    assert dashed("NKLDG5") == "NKLD-G5"


def test_groups():
    assert [*groups_of("0000037M")] == [(0, "0000037M")]
    assert [*groups_of("NKLDG5DCRR")] == [(1, "NKLD"), (2, "G5DC"), (3, "RR")]


def test_slips():
    assert [slip.words for slip in likely_slips("0000O37M")] == ["character 5: O may be 0"]
    assert [slip.words for slip in likely_slips("GSDC")] == ["character 2: S may be 5"]
    assert [slip.words for slip in likely_slips("NKDL")] == ["characters 3 and 4 may be swapped"]
    assert likely_slips("AAAA") == []
    assert [slip.words for slip in likely_slips("EI1Q")] == []
