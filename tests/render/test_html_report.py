"""The page: whole, alone, with a policy that fits it, and captured text that stays text. No browser is needed here."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import amtdecode
from amtdecode.cli.main import group
from amtdecode.diagnosis.report import AttemptReport, DeviceReport, Evidence, Finding, Report
from amtdecode.diagnosis.severity import Severity, Verdict
from amtdecode.dialogue import Ladder, Rung
from amtdecode.errors import MissingExtraError, UsageError
from amtdecode.provisioning.state import Outcome, Stage
from amtdecode.render.html import Retold, page
from amtdecode.render.html import evidence as showing
from amtdecode.render.ladders import mark

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
OFFICE = str(PCAPS / "office.pcapng")
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "a\x1b[31mb\x00\x07\u202e",
    "</noscript></style></details><h1>forged</h1>",
    "{{ 7 * 7 }}{% raw %}",
]
CALLED = ["word", "x" * 40]


class Page(HTMLParser):
    """Elements with the names of their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def of_words(words: str) -> str:
    """The page of a machine of which every captured text is this."""
    report = Report(inputs=[words])
    report.devices = [
        DeviceReport(
            id=1,
            fqdn=words,
            addresses=[words],
            amt_version=words,
            comment=words,
            attempts=[AttemptReport(stage=Stage.HELLO, outcome=Outcome.INCOMPLETE, confidence=0.6)],
        )
    ]
    report.findings = [
        Finding(
            id="LAB-1",
            title=words,
            severity=Severity.HIGH,
            verdict=Verdict.CONFIRMED,
            device=words,
            device_id=1,
            layer="client",
            explanation=words,
            fix=words,
            evidence=[Evidence(words, words, packet=1)],
            source=words,
        )
    ]
    rung = Rung(
        sender="machine",
        receiver="server",
        text=words,
        protocol="dns",
        input=words,
        packet=1,
        time_ns=0,
        fields={words: words, "list": [words] * 100},
        data=words.encode()[:16].ljust(16, b"x"),
    )
    return page(report, Retold(mark([Ladder(device_id=1, machine=words, rungs=[rung])], report)))


def written(tmp_path: Path, *words: str) -> str:
    target = tmp_path / "report.html"
    done = CliRunner().invoke(group, ["diagnose", "-q", "--html", str(target), *words])
    assert done.exit_code == 0, done.output
    return target.read_text("utf-8")


@pytest.mark.parametrize("words", HOSTILE)
def test_captured_text_changes_nothing(words: str) -> None:
    found, plain = Page(of_words(words)), Page(of_words("word"))
    assert found.elements == plain.elements
    assert not any(name.startswith("on") for _, name, _ in found.attributes)
    assert {value.partition(":")[0] for _, name, value in found.attributes if name == "href" and ":" in value} == set()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", found.text)


def test_the_policy_fits_what_is_in_the_file_and_allows_nothing_else(tmp_path: Path) -> None:
    text = written(tmp_path, OFFICE)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        hashes = {base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inside}
        assert set(re.findall(rf"{tag}-src 'sha256-([^']*)'", policy)) == hashes
        assert len(hashes) == 1
    found = Page(text)
    assert not any(name == "style" for _, name, _ in found.attributes)
    assert all(value.startswith("#") for _, name, value in found.attributes if name in ("href", "src"))
    assert "url(" not in text
    assert "@import" not in text


def test_all_of_it_is_on_the_page(tmp_path: Path) -> None:
    text = written(tmp_path, OFFICE)
    found = Page(text)
    report = amtdecode.diagnose(OFFICE)
    assert "4 machines in 1 input: 2 stopped, 1 failed, 1 set up (probably)" in found.text
    for device in report.devices:
        assert f'id="m{device.id}"' in text
        assert device.comment in found.text
    for finding in report.findings:
        assert finding.title in found.text
        assert finding.explanation in found.text
    for cause in report.causes:
        assert cause.fix in found.text
    assert "Failed here: The machine refuses the connection back on port 16993" in found.text
    assert "20.0 s later" in found.text
    ids = [value for _, name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = {value[1:] for _, name, value in found.attributes if name == "href"}
    assert links <= set(ids)


def test_evidence_has_its_fields_and_bytes_once(tmp_path: Path) -> None:
    text = written(tmp_path, OFFICE)
    assert 'href="#p0-23"' in text
    message = text.partition('<details id="p0-23"')[2].partition("</details>")[0]
    assert "provisionserver.branch.example.com" in message
    assert "0000  " in message  # the bytes
    hashes = re.search(r"<dt>iamt.hello.hash.*", text)  # five hellos list the same roots
    assert hashes
    shared = re.findall(r'<dt id="(s\d+)">s\d+<dd>(.*)', text)
    assert len({value for _, value in shared}) == len(shared) > 0
    assert all(text.count(value) == 1 for _, value in shared)


def test_certificates_stand_as_a_chain_with_what_fits(tmp_path: Path) -> None:
    text = written(tmp_path, str(PCAPS / "tls10_mutual.pcap"))
    chains = text.partition('id="h-certificates"')[2].partition("</section>")[0]
    assert "<b>leaf:</b>" in chains
    assert "<b>root:</b>" in chains
    assert "What fits and what does not" in chains
    assert {"✓ fits", "? cannot be judged"} <= set(re.findall(r'<td class="check \w+">([^<]*)', chains))


def test_calls_are_counted_with_their_answers(tmp_path: Path) -> None:
    text = written(tmp_path, str(PCAPS / "wsman.pcap"))
    calls = text.partition('id="h-calls"')[2].partition("</section>")[0]
    assert "Get AMT_RedirectionService</th><td>fault Sender: unsupported" in calls


def test_the_library_makes_the_same_page(tmp_path: Path) -> None:
    assert amtdecode.diagnose(OFFICE).to_html() == written(tmp_path, OFFICE)


def test_what_cannot_be_read_again_has_a_page_without_dialogues() -> None:
    report = amtdecode.diagnose(amtdecode.read(OFFICE, connections="all"))
    text = report.to_html()
    assert "could not be read a second time" in text
    assert "5 hello messages, and the server never comes back" in text
    again = msgspec.json.decode(msgspec.json.encode(amtdecode.diagnose(OFFICE)), type=Report)
    assert "5 hello messages" in again.to_html()


def test_the_page_of_a_log_does_not_speak_of_captures(tmp_path: Path) -> None:
    log = tmp_path / "scs_server.log"
    log.write_text("2007-11-05 09:01:00 ERROR Error 913 - No rows found in get UuidMap for host desk-5.example.com\n")
    text = amtdecode.diagnose(log).to_html()
    assert "There is no capture among the inputs" in text
    assert "a second time" not in text
    assert "AMT-LOG-913" in text


def test_redaction_leaves_nothing_private(tmp_path: Path) -> None:
    text = written(tmp_path, "--redact", OFFICE)
    assert "uuid-1" in text
    for private in ("a3700017", "192.0.2.", "example.com", "00:00:5e", "desk-2", "office"):
        assert private not in text


def test_secrets_are_not_on_it_nor_are_bytes_that_hold_some(tmp_path: Path) -> None:
    capture, data = tmp_path / "secrets.pcap", Path(__file__).resolve().parents[1] / "data"
    capture.write_bytes(gzip.decompress((data / "secrets.pcap.gz").read_bytes()))
    text = written(tmp_path, str(capture))
    assert "********" in text
    assert text.count('class="message"') > 3
    marks = {mark for form in (text, hexed(text)) for mark in re.findall(r"Zq\d\d\dXy", form)}
    assert marks <= {"Zq142Xy", "Zq154Xy", "Zq162Xy", "Zq166Xy"}  # tests/test_canaries.py says why


def hexed(text: str) -> str:
    """What the dumps of a page hold."""
    rows = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?){1,16})", text, re.MULTILINE)
    return bytes.fromhex("".join(rows)).decode("latin-1")


def test_a_fleet_fits(tmp_path: Path) -> None:
    from benchmarks.makers.fleet import fleet
    from pcaps.build import Pcap

    path = tmp_path / "fleet.pcap"
    with path.open("wb") as file:
        capture = Pcap(file)
        for time_ns, frame in fleet(100):
            capture.packet(time_ns, frame)
    text = written(tmp_path, str(path))
    assert text.count('class="machine"') == 100
    assert text.count("<noscript><div") == 100  # each has its dialogue
    assert len(text.encode()) < 500_000  # 1,000 machines: 5 MB


def test_evidence_beyond_its_room_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "MAX_BYTES", 100)
    text = written(tmp_path, OFFICE)
    assert text.count('class="message"') == 1
    assert re.search(r"\d+ more messages prove findings; there is no room", text)


def test_inputs_are_never_written_over(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcap"
    copy.write_bytes((PCAPS / "dns.pcap").read_bytes())
    done = CliRunner().invoke(group, ["diagnose", "--html", str(copy), str(copy)])
    assert isinstance(done.exception, UsageError)
    assert copy.read_bytes() == (PCAPS / "dns.pcap").read_bytes()


def test_without_jinja_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"amtdecode\[report\]"):
        page(Report())
    done = CliRunner().invoke(group, ["diagnose", "--html", str(tmp_path / "x.html"), OFFICE])
    assert isinstance(done.exception, MissingExtraError)
