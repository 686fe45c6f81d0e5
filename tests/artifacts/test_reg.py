"""Exported registry keys. All files here are synthetic, in the layout Microsoft documents."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.reg import (
    KEY,
    MAX_VALUE,
    log_off_text,
    log_on_text,
    looks_like_reg,
    read_reg,
    reg_bytes,
)
from amtdecode.errors import ArtifactError

HEADER = "Windows Registry Editor Version 5.00\r\n\r\n"


def read(text: str, encoding: str = "utf-16"):
    return read_reg(io.BytesIO(text.encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("level", ["V", "W", "E"])
def test_the_level_is_read_in_every_encoding(encoding, level):
    found = read(log_on_text(level), encoding)
    assert found.log_level == level
    assert found.log_key_seen
    assert found.faults == ()


def test_the_old_header_lower_case_and_the_32_bit_key():
    text = 'REGEDIT4\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Intel\\amtconfserver\\LOG]\r\n"loglevel"="v"\r\n'
    assert read(text, "cp1252").log_level == "V"


def test_an_absent_value_and_a_deleted_one_are_off():
    absent = read(HEADER + f"[{KEY}]\r\n")
    assert (absent.log_level, absent.log_key_seen) == (None, True)
    off = read(log_off_text())
    assert (off.log_level, off.log_key_seen) == (None, True)
    assert off.keys[KEY.lower()] == {"loglevel": None}
    other = read(HEADER + '[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other]\r\n"LogLevel"="V"\r\n')
    assert (other.log_level, other.log_key_seen, other.other_keys) == (None, False, 1)


def test_the_texts_say_what_regedit_needs():
    assert log_on_text().splitlines()[0] == "Windows Registry Editor Version 5.00"
    assert f"[{KEY}]" in log_on_text()
    assert '"LogLevel"="V"' in log_on_text()
    assert '"LogLevel"=-' in log_off_text()
    assert "Restart the AMTconfig service" in log_on_text()
    assert "Restart the AMTconfig service" in log_off_text()
    assert reg_bytes(log_on_text())[:4] == b"\xff\xfeW\0"
    assert read_reg(io.BytesIO(reg_bytes(log_on_text("W")))).log_level == "W"
    with pytest.raises(ValueError, match="none of V, W, E"):
        log_on_text("X")


def test_all_kinds_of_values():
    text = (
        HEADER + "; a comment\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer]\r\n"
        '@="default"\r\n"Path"="C:\\\\Program Files\\\\x \\"y\\""\r\n"Port"=dword:000026f3\r\n'
        '"Blob"=hex:01,02,\\\r\n  03,04\r\n"Text"=hex(2):41,00,42,00,00,00\r\n'
        '"Thumb"="AD 7E 1C 28 B0 64 EF 8F 60 03 40 20 14 C3 D0 E3 37 0E B5 8A"\r\n'
        "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer\\Old]\r\n"
        '"ignored"="x"\r\n'
    )
    found = read(text)
    assert found.keys == {
        "hkey_local_machine\\software\\intel\\amtconfserver": {
            "": "default",
            "path": 'C:\\Program Files\\x "y"',
            "port": 9971,
            "blob": b"\1\2\3\4",
            "text": "AB",
            "thumb": "AD 7E 1C 28 B0 64 EF 8F 60 03 40 20 14 C3 D0 E3 37 0E B5 8A",
        }
    }
    assert found.deleted == ("hkey_local_machine\\software\\intel\\amtconfserver\\old",)
    assert found.thumbprints == ("ad7e1c28b064ef8f6003402014c3d0e3370eb58a",)
    assert found.faults == ()


def test_odd_values_are_told_and_passed_over():
    found = read(HEADER + f'[{KEY}]\r\nnonsense\r\n"A"=dword:zz\r\n"B"=what\r\n"C"=hex:0g\r\n"LogLevel"="E"\r\n')
    assert found.log_level == "E"
    assert [fault.partition(":")[0] for fault in found.faults] == ["not a value", "value a", "value b", "value c"]


def test_a_value_without_end_is_cut():
    text = HEADER + f'[{KEY}]\r\n"Blob"=hex:' + "00,\\\r\n" * (MAX_VALUE // 2) + '00\r\n"LogLevel"="V"\r\n'
    found = read(text, "utf-8")
    assert found.log_level == "V"
    assert found.faults == (f"value blob is longer than MAX_VALUE = {MAX_VALUE}: cut",)


def test_other_files_are_refused(tmp_path):
    for data in (b"", b"hello\n", bytes(range(256))):
        with pytest.raises(ArtifactError, match=r"not a \.reg file"):
            read_reg(io.BytesIO(data))
    with pytest.raises(ArtifactError, match=r"none\.reg"):
        read_reg(tmp_path / "none.reg")
    path = tmp_path / "log.reg"
    path.write_bytes(reg_bytes(log_on_text()))
    assert read_reg(path).log_level == "V"


def test_a_reg_file_is_known_by_its_first_line():
    assert looks_like_reg(reg_bytes(log_on_text()))
    assert looks_like_reg(b"REGEDIT4\r\n")
    assert not looks_like_reg(b"Error 102\r\n")


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header_are_read(data):
    found = read_reg(io.BytesIO(HEADER.encode() + f"[{KEY}]\r\n".encode() + data))
    assert found.log_level is None or found.log_level
    with contextlib.suppress(ArtifactError):  # what has no header
        read_reg(io.BytesIO(data))
