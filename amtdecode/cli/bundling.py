"""What goes into a bundle, and what was left out of it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from amtdecode import __version__
from amtdecode.capture import NOTICE, one_by_one, open_records
from amtdecode.capture.packets import NanosecondInterface
from amtdecode.capture.writing import PcapngWriter
from amtdecode.cli.common import copies
from amtdecode.counting import counted
from amtdecode.engine.provenance import NUMBER_MASK
from amtdecode.rewriting import Guard, Pseudonyms, Rewriter
from amtdecode.rewriting.layers import TCP, UDP, layers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.capture import RawPacket, Records
    from amtdecode.diagnosis.inputs import Inputs
    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.rule import Rule
    from amtdecode.diagnosis.site import Site
    from amtdecode.outputs import Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.provisioning import Story
    from amtdecode.secrets import Keys

MAX_PACKETS = 50_000  # of one bundle
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: the same inputs give the same bundle
README = """amtdecode bundle
================

{what}

  report.txt        the diagnosis: what happened to each machine, why, what to do
  report.json       the same for programs (docs/report-schema.json of amtdecode)
  report.html       the same as a page, if it could be made
  packets.pcapng    the conversations that prove it, whole where possible; reads in Wireshark and amtdecode
  log-lines.txt     the lines of logs that prove it
  manifest.json     versions, inputs, what was left out and why

Packet numbers of the report are those of the captures it was made from; `packets` in the manifest gives, for
each packet of packets.pcapng in its order, input and number there.

{more}
"""
PLAIN = "Nothing in it is renamed. Secrets of log lines are masked, those inside packets are not. No key is in it."
RENAMED = """Addresses, MACs, UUIDs, PIDs and names are renamed, each by the same other one everywhere, in packets and
texts. Checksums are made anew. What is encrypted is filler (ee), and what could not be renamed is cut off as by a snap
length; the manifest counts it. Times, lengths, ports, root hashes and random numbers are as they were."""


_MANIFEST = (
    "amtdecode",
    "report_schema",
    "rules",
    "redacted",
    "inputs",
    "packets_told",
    "left_out",
    "findings_packets_show",
    "findings_packets_do_not_show",
    "packets",
)


class Given(NamedTuple):
    """What the bundle is made of."""

    kinds: Inputs
    keys: Keys | None
    site: Site
    rooms: tuple[Protocol, ...]
    rules: Sequence[Rule]


def write_bundle(given: Given, outputs: Outputs, target: str, *, redact: bool) -> str:
    """Write the zip, and give a line about it."""
    from amtdecode.diagnosis import diagnose
    from amtdecode.diagnosis.inputs import gather, other_traffic, with_keys_inside
    from amtdecode.diagnosis.report import evidence_packets

    keys = with_keys_inside(given.kinds, given.keys)
    captures = [str(each) for each in given.kinds.captures]
    story = gather(given.kinds, keys, _records(captures) if captures else None, registry=given.rooms)
    report = diagnose(story, given.site, rules=given.rules)
    report.other_traffic = other_traffic(given.kinds.captures, story)
    chosen = Chosen(captures, evidence_packets(report, None, story))
    members = {} if redact else _plain(report, chosen)
    if redact:
        members = _renamed(report, story, chosen)
    with outputs.file(target, "-w", private=True) as file:
        file.write(_zipped(members))
    number = chosen.written
    kind = "renamed " if redact else ""
    return f"{kind}report and {counted(number, 'packet')} in {target}; look through it before you send it"


def _records(captures: Sequence[str]) -> Iterator[RawPacket | Records]:
    found = copies()
    packets = open_records(captures)
    return iter(packets) if found is None else found.watch(packets)


class Chosen:
    """The conversations of the packets that prove something, read as often as needed."""

    def __init__(self, captures: Sequence[str], wanted: dict[str, set[int]]) -> None:
        self.captures, self._wanted = captures, wanted
        self._keys: set[bytes] = set()
        self.written = 0
        self.left_out = 0
        self.numbers: list[list[object]] = []
        for raw in self._all():
            if self._is_wanted(raw) and (key := _conversation(raw)):
                self._keys.add(key)

    def _all(self) -> Iterator[RawPacket]:
        if self.captures:
            for raw in one_by_one(_records(self.captures)):
                if raw[7].link_type != NOTICE:
                    yield raw

    def all_data(self) -> Iterator[tuple[int, bytes]]:
        """Link type and bytes of every packet, chosen or not."""
        for raw in self._all():
            yield raw[7].link_type, raw[1][raw[2] : raw[2] + raw[3]]

    def _is_wanted(self, raw: RawPacket) -> bool:
        return (raw[0] & NUMBER_MASK) in self._wanted.get(raw[7].input, ())

    def packets(self) -> Iterator[RawPacket]:
        """Those chosen, in their order; of more than `MAX_PACKETS` only those that prove something themselves."""
        self.left_out, count = 0, 0
        for raw in self._all():
            wanted = self._is_wanted(raw)
            if not wanted and (not self._keys or _conversation(raw) not in self._keys):
                continue
            if count >= MAX_PACKETS and not wanted:
                self.left_out += 1
                continue
            count += 1
            yield raw


def _conversation(raw: RawPacket) -> bytes:
    """Both ends of a connection or of datagrams, in either direction alike; nothing for other packets."""
    data = raw[1][raw[2] : raw[2] + raw[3]]
    found = layers_of(raw[7].link_type, data)
    if found is None or found.protocol not in (TCP, UDP) or found.fragment or found.payload < found.transport + 8:
        return b""
    width = 4 if found.ethertype == 0x0800 else 16
    start = found.network + (12 if width == 4 else 8)
    at = found.transport
    ends = (
        data[start : start + width] + data[at : at + 2],
        data[start + width : start + 2 * width] + data[at + 2 : at + 4],
    )
    return bytes([found.protocol]) + b"".join(sorted(ends))


def _plain(report: Report, chosen: Chosen) -> dict[str, bytes]:
    file = io.BytesIO()
    writer = PcapngWriter(file, ["written by amtdecode bundle"], inputs=len(chosen.captures))
    for raw in chosen.packets():
        writer.packet(raw)
        chosen.written += 1
        chosen.numbers.append([raw[7].input, raw[0] & NUMBER_MASK])
    writer.finish()
    return _members(report, file.getvalue(), chosen, Counter(whole=chosen.written), redacted=False)


def _renamed(report: Report, story: Story, chosen: Chosen) -> dict[str, bytes]:
    from amtdecode.cli.bundle_names import Names, names_of

    known = Pseudonyms()
    names = Names(report, known, names_of(story), {hello.pid for device in story.devices for hello in device.hellos})
    rewriter = Rewriter(known, names.text)
    for link_type, data in chosen.all_data():
        rewriter.reserve(link_type, data)
    for raw in chosen.packets():
        rewriter.look(raw[7].link_type, _data(raw))
    rewriter.ready()
    nothing = Guard(Pseudonyms())
    for raw in chosen.packets():  # so that all names are known before any is looked for
        rewriter.rewrite(raw[7].link_type, _data(raw), raw[4], nothing)
    rewriter.told.clear()
    report = names.report()
    guard = names.guard(_own_words())
    file = io.BytesIO()
    writer = PcapngWriter(file, ["written by amtdecode bundle --redact"])
    interfaces: dict[int, NanosecondInterface] = {}
    for raw in chosen.packets():
        old = raw[7]
        done = rewriter.rewrite(old.link_type, _data(raw), raw[4], guard)
        if done is None:
            continue
        interface = interfaces.setdefault(old.link_type, NanosecondInterface("", old.link_type))
        high, low = divmod(old.time_ns(raw[5], raw[6]) or 0, 10**9)
        writer.packet((raw[0], done.data, 0, len(done.data), done.original, high, low, interface))
        chosen.written += 1
        chosen.numbers.append([names.input(old.input), raw[0] & NUMBER_MASK])
    writer.finish()
    members = _members(report, file.getvalue(), chosen, rewriter.told, redacted=True)
    for name, data in members.items():
        if name != "packets.pcapng":
            members[name] = guard.cover(data)
    return members


def _own_words() -> frozenset[str]:
    """Words of what is written around the report, in lower case: a host may be called so, but they do not mean it."""
    from amtdecode.diagnosis.report import Report, schema
    from amtdecode.errors import MissingExtraError
    from amtdecode.render.html import page

    around = README + PLAIN + RENAMED + json.dumps(schema()) + json.dumps([*_MANIFEST])
    with suppress(MissingExtraError):
        around += page(Report(), None)
    return frozenset(re.findall(r"[\w-]+", around.lower()))


def _data(raw: RawPacket) -> bytes:
    return raw[1][raw[2] : raw[2] + raw[3]]


def _members(report: Report, packets: bytes, chosen: Chosen, told: Counter[str], *, redacted: bool) -> dict[str, bytes]:
    from amtdecode.diagnosis.rulebook import rules
    from amtdecode.errors import MissingExtraError
    from amtdecode.render.html import have_jinja, page
    from amtdecode.render.report_json import report_json
    from amtdecode.render.report_text import report_lines

    lines = dict.fromkeys(
        f"{proof.input}:{proof.line}: {proof.text}"
        for finding in report.findings
        for proof in finding.evidence
        if proof.line is not None
    )
    members = {
        "README.txt": README.format(what=_headline(report), more=RENAMED if redacted else PLAIN).encode(),
        "report.txt": ("\n".join(report_lines(report, verbose=True)) + "\n").encode("utf-8", "backslashreplace"),
        "report.json": report_json(report).encode("utf-8", "backslashreplace"),
        "packets.pcapng": packets,
        "log-lines.txt": "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"),
    }
    missing = []
    try:
        have_jinja()
        members["report.html"] = page(report, None).encode("utf-8", "backslashreplace")
    except MissingExtraError as error:
        missing.append(f"report.html: {error}")
    if chosen.left_out:
        missing.append(f"{counted(chosen.left_out, 'packet')} beyond {MAX_PACKETS}")
    shown, hidden = _reproduced(report, packets)
    values = (
        __version__,
        report.schema,
        sorted(rule.id for rule in rules()),
        redacted,
        report.inputs,
        dict(sorted(told.items())),
        missing,
        shown,
        hidden,
        chosen.numbers,
    )
    manifest = dict(zip(_MANIFEST, values, strict=True))
    members["manifest.json"] = (json.dumps(manifest, indent=1, ensure_ascii=True) + "\n").encode()
    return members


def _reproduced(report: Report, packets: bytes) -> tuple[list[str], list[str]]:
    """Which findings a diagnosis of the packets alone gives again, and which it does not."""
    from amtdecode.diagnosis.inputs import diagnose_files

    again = {(each.id, each.device) for each in diagnose_files([packets]).findings} if packets else set()
    said = [(f"{each.id} {each.device or ''}".rstrip(), (each.id, each.device) in again) for each in report.findings]
    return [words for words, shown in said if shown], [words for words, shown in said if not shown]


def _headline(report: Report) -> str:
    machines, findings = counted(len(report.devices), "machine"), counted(len(report.findings), "finding")
    return f"{machines}, {findings}, made by amtdecode {__version__}."


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(members, key=lambda each: (each != "README.txt", each)):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, members[name])
    return file.getvalue()
