"""What the library and the forms of `diagnose` tell of an archive is what they tell of its captures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
from archives import PCAPS, update

import amtdecode
from amtdecode.cli.main import run
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from amtdecode.diagnosis import Report


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of one capture: so it tells what the capture tells."""
    folder = tmp_path / "captures"
    folder.mkdir()
    (folder / "psk.pcapng").write_bytes((PCAPS / "psk_clean.pcapng").read_bytes())
    update(folder, tmp_path / "a")
    return tmp_path / "a"


def told(report: Report) -> tuple[object, ...]:
    return report.devices, [(each.id, each.evidence) for each in report.findings], report.not_judged


def test_diagnose_of_the_library(archive: Path, tmp_path: Path) -> None:
    whole = amtdecode.diagnose(str(tmp_path / "captures" / "psk.pcapng"))
    for given in (str(archive), archive, [archive], (str(archive),)):
        assert told(amtdecode.diagnose(given)) == told(whole)
    site = {"site": tmp_path / "site.toml"}
    site["site"].write_text('[scs]\nversion = "3.0"\n')
    assert told(amtdecode.diagnose(archive, **site)) == told(amtdecode.diagnose(whole.inputs[0], **site))
    page = amtdecode.diagnose(archive).to_html()
    assert all(found.id in page for found in whole.findings)


def test_archives_go_with_logs_and_not_with_captures(archive: Path, tmp_path: Path) -> None:
    log = tmp_path / "facts.pem"
    log.write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    assert amtdecode.diagnose([archive, log]).devices
    with pytest.raises(UsageError, match="captures beside an archive"):
        amtdecode.diagnose([archive, PCAPS / "hello.pcap"])


def test_since_of_the_library(archive: Path) -> None:
    assert len(amtdecode.diagnose(archive, since="2000-01-01").devices) == 1
    assert amtdecode.diagnose(archive, since=datetime(2030, 1, 1, tzinfo=UTC)).devices == []
    with pytest.raises(UsageError, match="since takes a datetime"):
        amtdecode.diagnose(archive, since="yesterday")
    with pytest.raises(UsageError, match="since goes with an archive"):
        amtdecode.diagnose(PCAPS / "hello.pcap", since="2026-01-01")


def test_a_folder_that_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(amtdecode.CaptureError, match="is a directory"):
        amtdecode.diagnose(tmp_path)


def test_tables_of_a_report(archive: Path) -> None:
    report = amtdecode.diagnose(archive)
    tables = report.tables()
    assert set(tables) == {"machines", "attempts", "findings", "evidence"}
    findings, evidence = tables["findings"], tables["evidence"]
    asked = "SELECT count(*), count(DISTINCT f.finding) FROM findings f JOIN evidence USING (finding)"
    proofs = sum(len(each.evidence) for each in report.findings)
    proven = sum(bool(each.evidence) for each in report.findings)
    assert duckdb.sql(asked).fetchall() == [(proofs, proven)]
    assert (findings.num_rows, evidence.num_rows) == (len(report.findings), proofs)


def test_audit_and_page(archive: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", "--audit", "-T", "json", str(tmp_path / "captures" / "psk.pcapng")]) == 0
    whole = json.loads(capfd.readouterr().out)
    assert run(["diagnose", "--audit", "-T", "json", str(archive)]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["machines"][0]["channels"]
    assert found == whole
    assert run(["diagnose", "--html", str(tmp_path / "page.html"), str(archive)]) == 0
    page = (tmp_path / "page.html").read_text()
    report = amtdecode.diagnose(archive)
    assert all(found.id in page for found in report.findings)
    assert report.devices[0].name in page


def test_a_ladder_says_why_not(archive: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", "--ladder", str(archive)]) == 2
    assert "an archive keeps what they came to: name its captures instead" in capfd.readouterr().err
