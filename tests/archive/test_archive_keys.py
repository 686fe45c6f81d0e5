"""Other keys open captures anew; a changed site file has the story told again."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from archives import PCAPS, update

from amtdecode.diagnosis.site import load as load_site
from amtdecode.secrets import Keys

if TYPE_CHECKING:
    from pathlib import Path

    from amtdecode.archive.run import Archive

OURS = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"  # Intel's documented example pair
OTHERS = "ABCD-1234=0123456789ABCDEFGHJKLMNPQRSTUVWX"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Captures that a PSK, another PSK or a key log opens, and one that nothing opens, each of a sensor of its own."""
    for name in ("psk_clean.pcapng", "tls10_psk.pcap", "wsman_tls.pcap", "hello.pcap"):
        where = tmp_path / "captures" / name.partition(".")[0]
        where.mkdir(parents=True)
        shutil.copy(PCAPS / name, where)
    return tmp_path / "captures"


def sensors(made: Archive) -> list[str]:
    return sorted(each.stretch.sensor for each in made.read)


def opened(target: Path) -> set[str]:
    """Sensors of which TLS was opened."""
    found = set()
    for part in (target / "tls").rglob("*.parquet"):
        if any(pq.ParquetFile(part).read().column("iamt_tls_opened").to_pylist()):
            found.add(part.parent.name.partition("=")[2])
    return found


def test_only_what_other_keys_open_is_read_again(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []

    def again(**given: Any) -> list[str]:
        said.clear()
        return sensors(update(folder, tmp_path / "a", say=said.append, keys=Keys.load(**given) if given else None))

    assert len(again()) == 4
    assert again() == []
    assert again(psk=[OURS]) == ["psk_clean"]
    assert said[0] == "1 stretch read again, since other keys are given"
    assert again(psk=[OURS]) == []
    assert opened(tmp_path / "a") == {"psk_clean"}
    assert again(psk=[OURS, OTHERS]) == ["tls10_psk"]
    assert again(psk=[OURS, OTHERS], keylogs=[str(PCAPS / "wsman_tls.keylog.txt")]) == ["wsman_tls"]
    assert opened(tmp_path / "a") == {"psk_clean", "tls10_psk", "wsman_tls"}
    assert again() == [], "without keys nothing is closed again"
    assert opened(tmp_path / "a") == {"psk_clean", "tls10_psk", "wsman_tls"}


def test_a_key_that_was_mended_is_another_one(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "keys.csv"
    table.write_text("pid,pps\n0000-037M,NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XX\n")
    update(folder, tmp_path / "a", keys=Keys.load(psk_files=[table]))
    assert opened(tmp_path / "a") == set()
    table.write_text("pid,pps\n0000-037M,NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ\n")
    assert sensors(update(folder, tmp_path / "a", keys=Keys.load(psk_files=[table]))) == ["psk_clean"]
    assert opened(tmp_path / "a") == {"psk_clean"}


def test_a_key_log_that_grows_opens_what_it_has_grown_by(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "keys.log"
    shutil.copy(PCAPS / "wsman_tls.keylog.txt", log)
    update(folder, tmp_path / "a", keys=Keys.load(keylogs=[log]))
    with log.open("ab") as file:
        file.write(f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n".encode())
    assert update(folder, tmp_path / "a", keys=Keys.load(keylogs=[log])).read == []
    with log.open("ab") as file:
        file.write((PCAPS / "tls10_psk.keylog.txt").read_bytes())
    assert sensors(update(folder, tmp_path / "a", keys=Keys.load(keylogs=[log]))) == ["tls10_psk"]


def test_what_is_read_with_keys_is_what_one_run_with_them_reads(folder: Path, tmp_path: Path) -> None:
    """But for why others stay closed, which is said only of what was read with keys."""
    for keys in (None, Keys.load(psk=[OTHERS]), Keys.load(psk=[OURS, OTHERS])):
        update(folder, tmp_path / "a", keys=keys)
    update(folder, tmp_path / "whole", keys=Keys.load(psk=[OURS, OTHERS]))

    def summaries(target: Path) -> list[str]:
        parts = (target / "observations").rglob("*.parquet")
        texts = [text for part in parts for text in pq.ParquetFile(part).read().column("summary").to_pylist()]
        return sorted(text for text in texts if not text.startswith("stays closed"))

    assert summaries(tmp_path / "a") == summaries(tmp_path / "whole")


def test_no_key_is_in_the_manifest(folder: Path, tmp_path: Path) -> None:
    update(folder, tmp_path / "a", keys=Keys.load(psk=[OURS]))
    text = (tmp_path / "a" / "manifest.json").read_text()
    assert json.loads(text)["stretches"]
    assert "NKLD" not in text


def test_another_site_file_has_the_story_told_again(folder: Path, tmp_path: Path) -> None:
    update(folder, tmp_path / "a")
    site = tmp_path / "site.toml"
    site.write_text('[scs]\nversion = "3.0"\n')
    made = update(folder, tmp_path / "a", site=load_site(site))
    assert made.read == []
    assert made.report is not None
    assert update(folder, tmp_path / "a", site=load_site(site)).report is None
