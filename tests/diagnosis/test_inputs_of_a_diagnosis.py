"""What each input is taken for, and what is kept of it: logs, certificates, registry files, keys among them."""

import gzip
import io
import ssl
import struct
from pathlib import Path

import pytest
from diagnosis_lab import Bench

import amtdecode
from amtdecode.capture.inputs import inputs_of
from amtdecode.capture.source import OpenFile
from amtdecode.diagnosis import inputs as module
from amtdecode.diagnosis.inputs import gather, has_amt_evidence, sort_inputs
from amtdecode.errors import ArtifactError, CaptureError
from amtdecode.provisioning.state import LogFile, Story
from amtdecode.secrets import Keys

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
LOG = b"2008-05-14 12:00:00 ERROR: Error 102 - Intel AMT device is already provisioned, 192.0.2.10\n" * 3
PEM = ssl.DER_cert_to_PEM_cert(b"\x30\x03\x02\x01\x01").encode()
REG = (
    b'REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer\\Log]\r\n"LogLevel"="V"\r\n'
    b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\INTEL\\AMTConfServer\\CertChain]\r\n"
)
SETUP_BIN = bytes.fromhex("aaa93452e129a9448d4d081c07b96353") + bytes(600)
HELLO = (PCAPS / "hello.pcap").read_bytes()


class Broken(io.BytesIO):
    """A file whose medium fails behind so many bytes."""

    def __init__(self, data: bytes, whole: int = 0) -> None:
        super().__init__(data)
        self.whole = whole

    def read1(self, size=-1, /):
        if self.tell() >= self.whole:
            raise OSError(5, "Input/output error")
        return super().read1(min(size, self.whole - self.tell()))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (HELLO, "captures"),
        (gzip.compress(HELLO), "captures"),
        (HELLO[:24], "captures"),
        (LOG, "logs"),
        (gzip.compress(LOG), "logs"),
        (PEM, "certificates"),
        (REG, "registries"),
        (SETUP_BIN, "setup_bins"),
    ],
)
def test_the_content_decides_what_a_file_is(bench: Bench, data, kind):
    name = bench.file("noname", data)
    for given in (name, *inputs_of(data), *inputs_of(io.BytesIO(data))):
        found = sort_inputs([given])
        assert getattr(found, kind) == [given]
        assert sum(map(len, found)) == 1


def test_what_is_read_once_only_is_a_capture(bench: Bench):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    pipe = OpenFile(Pipe(LOG), "<pipe>")
    assert sort_inputs(["-", pipe]).captures == ["-", pipe]
    packets = inputs_of([(0.0, b"x")])
    assert sort_inputs(packets).captures == packets
    observations = inputs_of(amtdecode.read(PCAPS / "hello.pcap"))
    assert sort_inputs(observations).observations == observations


def test_what_cannot_be_read_is_listed_with_the_reason(bench: Bench):
    folder, gone = str(bench.folder), str(bench.folder / "gone")
    broken = OpenFile(Broken(b"x"), "<broken>")
    found = sort_inputs([folder, gone, broken, "a\0b", str(PCAPS / "hello.pcap")])
    assert [name for name, _ in found.failed] == [folder, gone, "<broken>", "a\0b"]
    why = [text for _, text in found.failed]
    assert why[0] == f"{folder}: is a directory"
    assert why[1].startswith(f"{gone}: ")
    assert "no such file" in why[1].lower()
    assert why[2].startswith("<broken>: ")
    assert found.captures == [str(PCAPS / "hello.pcap")]
    with pytest.raises(CaptureError, match="is a directory"):
        amtdecode.diagnose([folder, gone])


def test_what_is_kept_of_a_log(bench: Bench):
    text = LOG + b"2008-05-14 12:00:01 INFO: AMT all is well\n2008-05-14 12:00:02 ERROR: AMT " + b"x" * 5000 + b"\n"
    first, second = bench.file("amt.log", LOG), bench.file("amt.log.1", text)
    story = gather(sort_inputs([first, *inputs_of(LOG), second]))
    assert [(log.name, log.lines, log.entries) for log in story.logs] == [
        (second, 5, 3),
        (first, 3, 3),
        ("<bytes>", 3, 3),
    ]
    assert story.inputs == [second, first, "<bytes>"]
    log = story.logs[0]
    assert (log.ref, log.levels, log.errors) == (1, ("error", "info"), 1)
    assert [line for line, _ in log.first_errors] == [5]
    assert len(log.first_errors[0][1]) <= 500
    assert story.logs[1].ref >> 32 == 1 or story.logs[1].ref != log.ref
    assert story.inputs == [second, first, "<bytes>"]


def test_logs_that_fail_while_they_are_read_leave_the_others(bench: Bench):
    """What was read of a log before it broke off is kept, and that it did is told."""
    packed = bench.file("a.gz", gzip.compress(LOG))
    cut = bench.file("b.gz", gzip.compress(LOG * 100)[:-8])
    gone = bench.file("c.log", LOG)
    inputs = sort_inputs([packed, cut, gone, OpenFile(Broken(LOG * 100, 4096), "<broken>")])
    (bench.folder / "c.log").unlink()
    story = gather(inputs)
    assert [(log.name, log.entries) for log in story.logs] == [
        (packed, 3),
        (cut, 300),
        ("<broken>", 4096 // len(LOG) * 3),
    ]
    assert [name for name, _ in inputs.failed] == [cut, gone, "<broken>"]
    assert inputs.failed[0][1] == f"{cut}: cannot be read further: the gzip data ends before its end mark"
    assert inputs.failed[1][1].startswith(f"{gone}: ")
    assert inputs.failed[2][1].startswith("<broken>: cannot be read further: ")


def test_certificates_and_their_first_line(bench: Bench):
    name = bench.file("chain.pem", b"\n\nsubject=CN = x\n" + PEM)
    story = gather(sort_inputs([name, *inputs_of(PEM)]))
    assert [(file.name, file.ref & 0xFFFF) for file in story.certificate_files] == [(name, 4), ("<bytes>", 1)]
    assert "certificate" in story.seen
    assert "certificate" not in gather(sort_inputs([str(PCAPS / "hello.pcap")])).seen
    with pytest.raises(ArtifactError, match="<broken>: "):
        gather(sort_inputs([OpenFile(Broken(PEM + b"\n" * 9000, 4096), "<broken>")]))


def test_no_more_is_read_of_a_certificate_file_than_the_cap(bench: Bench, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE", len(PEM) + 10)
    data = PEM + b"\n" * 10 + PEM
    name = bench.file("two.pem", data)
    for given in (name, *inputs_of(data), OpenFile(io.BytesIO(data), "<file>")):
        (file,) = gather(sort_inputs([given])).certificate_files
        assert len(file.bundle.items) == 1
    monkeypatch.setattr(module, "MAX_FILE", 1 << 20)
    (file,) = gather(sort_inputs([name])).certificate_files
    assert len(file.bundle.items) == 2


def test_registry_files(bench: Bench):
    name = bench.file("x.reg", REG)
    story = gather(sort_inputs([name, *inputs_of(REG.replace(b'"V"', b'""'))]))
    assert [(file.name, file.log_level) for file in story.registry_files] == [(name, "V"), ("<bytes>", "")]
    assert story.registry_files[0].ref != story.registry_files[1].ref


def test_every_input_has_its_place_also_where_nothing_came_of_it(bench: Bench):
    setup = bench.file("setup.bin", SETUP_BIN)
    capture = str(PCAPS / "hello.pcap")
    assert gather(sort_inputs([setup, capture])).inputs == [capture, setup]
    assert gather(sort_inputs([])).inputs == []


def test_packets_that_the_caller_opened_and_a_count(bench: Bench):
    inputs = sort_inputs([str(PCAPS / "hello.pcap")])
    whole = gather(inputs)
    assert len(whole.devices) > 0
    assert len(gather(inputs, count=3).devices) == 0
    assert len(gather(inputs, packets=[]).devices) == 0
    assert len(gather(inputs, count=None).devices) == len(whole.devices)


def test_keys_inside_the_inputs_are_used_and_the_callers_stay_as_they_are(bench: Bench):
    inputs = sort_inputs([str(PCAPS / "office.pcapng")])
    assert module.with_keys_inside(sort_inputs([str(PCAPS / "hello.pcap")]), None) is None
    given = Keys.load(psk=["abc=hex:00"])
    copy = module.with_keys_inside(inputs, given)
    assert copy is not given
    assert copy.psks(b"abc") == [b"\0"]
    assert repr(given) == repr(Keys.load(psk=["abc=hex:00"]))


def test_setup_bins_are_keys(bench: Bench):
    def entry(room, variable, value):
        return struct.pack("<HHHH", room, variable, len(value), 0) + value + bytes(-len(value) % 4)

    head = bytes.fromhex("a7f7f6c689c4f64793ede2e5020da51d")
    head += struct.pack("<HHIBBHIIHHHHH", 1, 46, 0, 3, 0, 0, 1, 0, 1, 0, 1, 2, 0)
    body = (entry(2, 1, b"0000037M") + entry(2, 2, b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ")).ljust(488, b"\0")
    data = head.ljust(512, b"\0") + struct.pack("<IIIIHHI", 1, 1, 0, 0, 1, 24, 1) + body
    name = bench.file("setup.bin", data)
    for given in (name, *inputs_of(data)):
        for keys in (None, Keys.load(psk=["abc=hex:00"])):
            found = module.with_keys_inside(sort_inputs([given]), keys)
            assert found.psks(b"0000037M") == [b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"]
            assert found.psks(b"abc") == ([b"\0"] if keys else [])


def test_a_site_may_be_a_file_or_the_facts_themselves(bench: Bench):
    site = bench.file("site.toml", b'amt_version = "2.1"\n')
    capture = PCAPS / "hello.pcap"
    by_name = amtdecode.diagnose(capture, site=site)
    assert amtdecode.diagnose(capture, site=Path(site)) == by_name
    with pytest.raises(amtdecode.UsageError, match=r"site takes a Site or the name of a TOML file, not .* int"):
        amtdecode.diagnose(capture, site=5)
    with pytest.raises(amtdecode.UsageError, match=r"site takes a Site or the name of a TOML file, not .* int"):
        amtdecode.ladders(capture, site=5)


def log_file(product: str, errors: int) -> LogFile:
    return LogFile("x", 1, (), 0, 0, product, "", errors, ())


def test_what_is_evidence_of_amt(bench: Bench):
    assert not has_amt_evidence(Story())
    for product, errors, evidence in (("rps", 1, True), ("rps", 0, False), ("", 1, False)):
        story = Story()
        story.logs.append(log_file(product, errors))
        assert has_amt_evidence(story) is evidence
    assert has_amt_evidence(gather(sort_inputs([bench.file("a.pem", PEM)])))
    assert has_amt_evidence(gather(sort_inputs([bench.file("a.reg", REG)])))
    assert has_amt_evidence(gather(sort_inputs([bench.file("a.log", LOG)])))
    assert has_amt_evidence(gather(sort_inputs([str(PCAPS / "hello.pcap")])))


def test_the_outcome_of_every_connection_is_observed():
    found = list(module.observe([str(PCAPS / "wsman.pcap")], None))
    assert found == list(amtdecode.read(PCAPS / "wsman.pcap", connections="all"))
    assert "Connection" in {type(one.event).__name__ for one in found}
