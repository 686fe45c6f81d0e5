"""Tables of the documentation that are made from the modules, so that they cannot grow old.

`make(name)` gives the text of a made section; `docs_pages.py` puts it on the page.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent / "amtdecode"
NAME = re.compile(r"_?MAX_[A-Z_]+|[A-Z_]+_LIMIT")

TAKEN_FOR_LOST = "`LimitReached`, once a direction: bytes still missing are taken for lost"
REACHED = {
    # module:constant, what happens where no event (`LimitReached`) tells it
    "diagnosis.rules.preflight_certificate:MAX_SIDES": "further ones are not shown",
    "diagnosis.rules.preflight_network:MAX_SHOWN": "further ones are counted",
    "diagnosis.setup_chain:MAX_JUDGED": "the chain is not checked against further ones",
    "planning.ticking:MAX_PROOFS": "further ones are not shown",
    "planning.ticking:MAX_MACHINES": "further machines have no ticks",
    "render.plan_text:MAX_WHOLE": "of more, text counts the machines at each step, unless -V",
    "preflight.judging:MAX_EVIDENCE": "further ones are not shown",
    "preflight.probing:MAX_HOSTS": "refused, with the request to name fewer",
    "preflight.probing:MAX_ANSWER": "cut by the system; what is cut is not read",
    "artifacts.certificates.remembered:MAX_KEPT": "all are found out again",
    "artifacts.certificates.bundle:MAX_BYTES": "not read further, which is a fault told",
    "artifacts.certificates.bundle:MAX_ITEMS": "further ones are not read, which is a fault told",
    "artifacts.certificates.bundle:MAX_FAULTS": "further ones are counted",
    "artifacts.certificates.bundle:MAX_KEY_TEXT": "the key is not read, which is a fault told",
    "artifacts.certificates.bundle:MAX_LINE": "longer lines are a fault told",
    "artifacts.certificates.chain:MAX_STEPS": "the best way found so far is taken",
    "artifacts.logs.clock:MAX_PAIRS": "further pairs are left out of the estimate",
    "artifacts.logs.clock:MAX_OFFSET": "not a match",
    "artifacts.logs.body:MAX_DEPTH": "the call is not looked for further",
    "artifacts.logs.layout:MAX_DATES": "parsed again",
    "artifacts.logs.layout:MAX_NESTED": "the inner row is text",
    "artifacts.logs.sieve:MAX_QUOTED": "further ones are only counted",
    "artifacts.logs.facts:MAX_ADDRESSES": "read again",
    "artifacts.logs.reader:MAX_TEXT": "the message is cut",
    "artifacts.logs.reader:MAX_RECORD": "only the line of the anchor is taken",
    "artifacts.logs.sieve:MAX_KNOWN": "all are found out again",
    "artifacts.logs.source:MAX_ENDLESS": "reading stops, and says so",
    "artifacts.logs.source:MAX_LINE": "the line is cut, and counted as cut",
    "explaining.lookup:MAX_FOUND": "further ones are left out",
    "artifacts.setupbin.making:MAX_RECORDS": "more are refused",
    "artifacts.setupbin.making:MAX_USER_HASHES": "more are refused: the firmware takes no more",
    "artifacts.setupbin.reading:MAX_RECORDS": "further ones are not read, which is told",
    "artifacts.setupbin.reading:MAX_MODULES": "further ones are not told",
    "artifacts.setupbin.reading:MAX_REMARKS": "further ones are not told",
    "artifacts.reg:MAX_VALUE": "the value is not read, which is a fault told",
    "artifacts.reg:MAX_VALUES": "further ones are counted",
    "capture.listen:MAX_CONNECTIONS": "the longest idle connection is closed",
    "capture.listen:MAX_BYTES": "the connection is closed",
    "capture.packets:MAX_TIME_NS": "the time is `null`",
    "capture.pcap:MAX_PACKET": "reading ends there, with `Malformed`",
    "capture.pcap:MAX_LARGE_PACKET": "reading ends there, with `Malformed`",
    "capture.pcapng:MAX_BLOCK": "reading ends there, with `Malformed`",
    "capture.pcapng:MAX_NAME": "the name is cut",
    "capture.writing:MAX_DESCRIBED": "interfaces of one kind are written as one, whatever file they are of",
    "capture.writing:MAX_OPTION": "the comment is cut",
    "cli.annotating:MAX_COMMENTS": "further findings are counted in the last comment",
    "cli.annotating:MAX_NAMED": "further addresses are written without a name",
    "cli.annotating:MAX_NAMES": "further names are left out",
    "cli.annotating:MAX_SECTION_COMMENTS": "further comments on sections and interfaces are left out",
    "cli.cert:MAX_FILE": "not read further",
    "cli.naming_fields:MAX_MEANT": "further names are not suggested",
    "render.following:MAX_INDENT": "what lies deeper stands below the last level",
    "tui.app:MAX_HISTORY": "the oldest is forgotten",
    "tui.filing:MAX_ROWS": "listing ends there, which is said",
    "tui.filing:MAX_INTERFACES": "listing ends there, which is said",
    "tui.filter_line:MAX_OFFERED": "further ones are counted",
    "tui.follow:MAX_FOLLOWED": "the rest is not shown, which is said",
    "tui.looking:MAX_CONVERSATIONS": "the oldest begins anew when it is looked at again",
    "tui.looking:MAX_KEPT": "decoded again when it is looked at again",
    "tui.rows:MAX_INFO": "the line is cut",
    "tui.store:MAX_BLOCKS": "read again",
    "cli.capture_names:MAX_NAMES": "further addresses stay as they are",
    "cli.recent_packets:MAX_DUMPED": "`-V` and `-x` show nothing of older packets",
    "cli.hello:MAX_FILE": "refused",
    "frame.analysis:MAX_UNACKED": "further segments of the direction are not remembered: no round-trip time for them",
    "frame.analysis:MAX_BLOCKS": "further ones of a segment are passed over",
    "frame.conversations:MAX_FOLLOWED": "the oldest is forgotten; later packets of it are numbered anew",
    "frame.dissect:MAX_QUOTED": "quotes inside are not read",
    "cli.follow:MAX_NAMED": "further ones are counted",
    "net.copies:MAX_REMEMBERED": "a copy of an older packet is not recognised",
    "filter.gate:MAX_REMEMBERED": "what is stated later of an older packet is judged without what was stated before",
    "filter.lexer:MAX_ADDRESS": "no longer one is an address",
    "filter.lexer:MAX_FILTER": "the filter is refused",
    "filter.packets:MAX_HELD": "the oldest is judged by what is known of it",
    "filter.packets:MAX_HELD_BYTES": "the oldest is judged by what is known of it",
    "filter.packets:MAX_WAITING": "they are given out",
    "filter.parser:MAX_DEPTH": "the filter is refused",
    "filter.parser:MAX_STEPS": "the filter is refused",
    "filter.patterns:MAX_PATTERN": "the filter is refused",
    "filter.patterns:MAX_SEARCHED": "the rest of the value is not searched",
    "filter.recent:MAX_KEPT": "later observations of older packets are judged without packet fields, which a note says",
    "filter.recent:MAX_WHOLE": "a later observation of an older one is judged by its last fragment",
    "frame.observed:MAX_KEPT": "the packet columns of older observations stay empty, which a note says",
    "diagnosis.causes:MAX_TITLES": "the cause is listed once, without what differs",
    "diagnosis.certificates:MAX_CHAINS": "all are read again when they are asked for",
    "diagnosis.chain_answers:MAX_DETAILS": "further details are not printed",
    "diagnosis.rules.hashes:MAX_EXPECTED_HASHES": "more make rule AMT-HELLO-014 speak; all are decoded",
    "diagnosis.inputs:MAX_FILE": "not read further",
    "diagnosis.site:MAX_FILE": "the file is refused",
    "diagnosis.log_rules:MAX_LINES": "further lines are not quoted",
    "diagnosis.rules.network:MAX_SUFFIX": "a longer suffix is a finding",
    "diagnosis.run:MAX_EVIDENCE": "further proofs are left out of the report",
    "diagnosis.phrases:MAX_QUOTED": "the quotation is cut",
    "dialogue.recording:MAX_STEPS": "further ones are counted, and not compared",
    "archive.scanning:MAX_EARLIER": "a file that goes on from another one is read as a capture of its own",
    "archive.reading:MAX_NAME": "the name is cut and ends in its digest",
    "archive.reading:MAX_DAYS": "rows of further days are in `day=none`",
    "tables.buffers:MAX_TIME": "the time is null",
    "tables.collecting:MAX_ROWS": "the rows so far become columns, and reading goes on",
    "tables.collecting:MAX_ROW_BYTES": "the rows so far become columns, and reading goes on",
    "tables.writing:MAX_WAITING": "the largest row group that waits is written as it is",
    "statistics.collecting:MAX_FLOWS": "what lies inside TLS in the oldest ones counts as below TCP",
    "statistics.counting:MAX_COUNTED": "further ones are counted together, and said",
    "render.dialogue_text:MAX_VALUE": "the value is cut",
    "engine.recognition:MAX_RESYNC_TRIES": "the rest of the connection is passed over",
    "jobs.limits:MAX_JOBS": "more are refused",
    "jobs.limits:MAX_AHEAD": "it waits until the others have come as far",
    "engine.connections:MAX_PROOF": "further packets are not named as proof",
    "engine.connections:MAX_BAD_SUMS": "wrong checksums may be told more than once",
    "flow.reassembly:MAX_OUT_OF_ORDER_BYTES": TAKEN_FOR_LOST,
    "flow.reassembly:MAX_OUT_OF_ORDER_SEGMENTS": TAKEN_FOR_LOST,
    "flow.reassembly:MAX_OUT_OF_ORDER_TOTAL": TAKEN_FOR_LOST,
    "engine.kept:MAX_KEPT": "the oldest bytes are let go: such an observation has no tree",
    "engine.datagrams:MAX_UDP_TRIES": "the rest of the conversation is passed over",
    "engine.hindsight:MAX_HELD": "the oldest is let go: it is not told of any more",
    "engine.hindsight:MAX_CALLS": "all are forgotten, and looked at again",
    "protocols.servers:MAX_SERVER_NAMES": "further names are not learned: DNS about them is passed over",
    "engine.health:MAX_HOLES": "further ones count as silence",
    "engine.health:MAX_DAMAGE": "further ones are not told in the report",
    "engine.health:MAX_COUNTED_INTERFACES": "what others dropped is not counted",
    "engine.loop:MAX_COUNTED": "further kinds are not told",
    "engine.provenance:MAX_CHUNKS": "events name the newer packets only",
    "engine.channels:MAX_PREFIX": "the stream stays unrecognised",
    "engine.channels:MAX_DEPTH": "what lies deeper is not read",
    "engine.channels:MAX_CHANNELS": "`LimitReached`: further channels of the connection are not read until some close",
    "flow.table:MAX_CLOSED_FLOWS": "a packet that comes still later begins a new flow",
    "flow.table:MAX_IGNORED_FLOWS": "a later packet of the oldest begins a new flow",
    "flow.table:MAX_QUOTED_FLOWS": "the oldest number is not used again",
    "flow.tcp:MAX_JUMP": "the segment is passed over, with a `Note`",
    "net.fragments:MAX_DATAGRAM": "the fragment is dropped, with `Malformed`",
    "net.ip:MAX_EXTENSIONS": "the packet is dropped, with `Malformed`",
    "net.tunnels:MAX_TUNNELS": "the packet is counted, not read",
    "net.link:MAX_TAGS": "the frame is passed over",
    "masking.names:MAX_NAME": "judged by these alone",
    "masking.names:MAX_GRADES": "judged again",
    "masking.names:MAX_GRADED": "judged each time",
    "masking.text:MAX_TEXT": "what is behind them is masked as a whole where there may be a secret in it",
    "masking.text:MAX_KEPT": "looked through again",
    "masking.text:MAX_KEPT_SIZE": "looked through each time",
    "masking.words:MAX_SENTENCE": "masked as a whole",
    "masking.words:MAX_BRACKETS": "masked to the end of the text",
    "model:MAX_ADDRESSES": "made again",
    "protocols.apf.channels:MAX_FORGOTTEN": "the oldest is forgotten: data for it is told again",
    "protocols.apf.reading:MAX_STRING": "`Malformed`: out of step",
    "protocols.apf.reading:MAX_DATAGRAM": "`Malformed`: out of step",
    "protocols.apf.reading:MAX_JSON": "`Malformed`: out of step",
    "protocols.apf.reading:MAX_DATA": "`Malformed`: out of step",
    "protocols.dhcp.common:MAX_LABEL": "not taken for a name",
    "protocols.hello.messages:MAX_MESSAGE": "longer is `Malformed` or another protocol",
    "protocols.hello:MAX_UNKNOWN_VERSION": "not taken for a hello",
    "protocols.hello.messages:MAX_HASH_LIST": "decoded each time",
    "protocols.hello.messages:MAX_HASH_LISTS": "all are decoded again when they come again",
    "protocols.http.auth:CHALLENGES_LIMIT": "further offers are passed over",
    "protocols.http.auth:PARAMETERS_LIMIT": "further parameters are passed over",
    "protocols.http.body:CODINGS_LIMIT": "the body stays coded, which an event says",
    "protocols.http.dissector:EARLY_LIMIT": "shown without their requests",
    "protocols.http.dissector:LOOP_TARGETS_LIMIT": "the oldest count is forgotten",
    "protocols.http.spec:MAX_NODES": "further ones are left out of the tree",
    "protocols.http.body_framing:AHEAD_LIMIT": "taken for the body",
    "protocols.http.body_framing:WHOLE_LIMIT": "parts are joined",
    "protocols.http.message_reader:PIECES_LIMIT": "pieces are joined",
    "protocols.http.body_framing:CHUNK_LINE_LIMIT": "`Malformed`; the next message is looked for",
    "protocols.http.lines:LINE_LIMIT": "not taken for HTTP",
    "protocols.soap.elements:MAX_NAMES": "all are found out again",
    "protocols.soap.elements:MAX_NAME_SIZE": "longer ones are found out each time",
    "protocols.soap.dissector:MAX_CONTEXTS": "the oldest enumeration is forgotten: later pulls do not name it",
    "protocols.soap.dissector:MAX_CONTEXT_SIZE": "the pulls of that enumeration do not name it",
    "protocols.soap.dissector:MAX_EARLY": "shown without their requests",
    "protocols.soap.envelope:MAX_URI_SIZE": "the header names no service",
    "protocols.soap.tables:MAX_DIGITS": "the number has no name",
    "protocols.soap.tables:MAX_JUDGED": "the path is judged again",
    "protocols.pet.fields:MAX_TRAP": "what lies behind is not read",
    "protocols.redir.framing:MAX_LOGIN": "`Unrecognised`; the rest of the direction is not read",
    "protocols.vnc.dissector:MAX_CUT": "the rest is passed over",
    "protocols.vnc.dissector:MAX_PROOF": "earlier packets of the update are not among its proofs",
    "cli.objects:MAX_READ": "written in parts",
    "cli.objects:MAX_READS": "written in parts",
    "protocols.gssapi:MAX_DEPTH": "the token is not read",
    "protocols.gssapi:MAX_PARTS": "further ones are not read",
    "protocols.kerberos:MAX_MESSAGE": "the rest of this direction is not read",
    "protocols.lldp.message:MAX_PARTS": "further ones are not shown",
    "protocols.rmcp.messages:MAX_PAYLOADS": "further ones are not shown",
    "protocols.declaration:MAX_NODES": "further ones are left out of the tree",
    "protocols.tls:_MAX_LENGTH": "not taken for TLS",
    "protocols.tls.certificates.info:MAX_NAMES": "further entries are not shown",
    "protocols.tls.crypto.resume:MAX_LOST_RECORDS": "the record stays closed",
    "protocols.tls.crypto.resume:MAX_MISSES": "the rest of the direction stays closed, which an event says",
    "protocols.tls.record_header:MAX_RECORD": "`Malformed`; the next record is looked for",
    "protocols.tls.certificates.lenient:_MAX_ELEMENTS": "further elements are not looked at",
    "protocols.tls.certificates.tree:MAX_ELEMENTS": "further elements are left out of the tree",
    "protocols.tls.progress:MAX_MESSAGES": "further messages are not listed in the summary; each still is an event",
    "protocols.tls.reading:MAX_MESSAGES": "read again",
    "protocols.tls.reading:MAX_MESSAGE": "read each time",
    "protocols.tls.reading:MAX_BLOCKS": "read again",
    "protocols.tls.reading:MAX_BLOCK": "read each time",
    "protocols.tls.reading:MAX_CERTIFICATES": "read again",
    "protocols.tls.reading:MAX_CERTIFICATE": "read each time",
    "protocols.tls.session:MAX_CANDIDATES": "further keys are not tried",
    "protocols.tls.memory:MAX_SESSIONS": "resumptions of the oldest session stay closed",
    "provisioning.keeping:MAX_HELLOS": "one from the middle is dropped; all are counted",
    "provisioning.keeping:MAX_SESSIONS": "one of later management is dropped, else the second oldest; all are counted",
    "provisioning.keeping:MAX_ATTEMPTS": "the second oldest is dropped",
    "provisioning.keeping:MAX_INCIDENTS": "further ones are counted",
    "provisioning.keeping:MAX_LOOKUPS": "the second oldest is dropped",
    "cli.bundle:MAX_FILES": "the command says so, and asks for names",
    "cli.bundling:MAX_PACKETS": "of more only those that prove something themselves; the others are counted",
    "rewriting.pseudonyms:MAX_ORIGINALS": "the command says so, and asks for fewer packets",
    "rewriting.datagrams:MAX_LABELS": "the message is cut",
    "rewriting.streams:MAX_DIRECTION": "what comes later is cut",
    "rewriting.streams:MAX_ALL": "what comes later is cut",
    "rewriting.tls:MAX_RECORD": "the rest of the direction is cut",
    "provisioning.fold.calls:MAX_DOMAINS": "further ones are left out",
    "provisioning.fold.calls:MAX_REALMS": "further ones are left out",
    "provisioning.fold.apf:MAX_PORTS": "further ones are left out",
    "provisioning.fold.apf:MAX_REFUSED": "further ones are left out",
    "provisioning.fold.apf:MAX_NAME": "the name is cut",
    "provisioning.fold.tls:MAX_ALERTS": "further ones are left out",
    "provisioning.keeping:MAX_ALIKE_ENTRIES": "the second oldest is dropped",
    "provisioning.keeping:MAX_LOG_ENTRIES": "one from the middle is dropped",
    "provisioning.fold.tls:MAX_SUITES": "further suites are not judged",
    "provisioning.fold.tls:MAX_CHAIN": "further certificates are not judged",
    "provisioning.fold.tls:MAX_CHAIN_BYTES": "only the leaf is judged",
    "provisioning.fold.tls:MAX_IDENTITY": "the identity is cut",
    "provisioning.fold.log:MAX_ENTRY_TEXT": "the text is cut",
    "provisioning.fold.dns:MAX_OTHER_ANSWERS": "the oldest is dropped, or a further one not kept",
    "provisioning.state.tables:MAX_HOSTS": "the oldest host is forgotten",
    "provisioning.fold.dhcp:MAX_KEPT_LEASES": "the oldest lease is forgotten",
    "provisioning.state.tables:MAX_DEVICES": "further machines are not judged; the report names the limit",
    "provisioning.state.tables:MAX_LEASES": "the oldest is forgotten",
    "provisioning.state.tables:MAX_NAMES": "the oldest is forgotten",
    "provisioning.state.tables:MAX_ADDRESSES": "the oldest is forgotten",
    "provisioning.state.tables:MAX_NEIGHBOURS": "the oldest is forgotten",
    "provisioning.state.tables:MAX_FLOWS": "the oldest is forgotten",
    "provisioning.state.tables:MAX_SHARED": "the oldest is kept once for each further machine",
    "provisioning.state.tables:MAX_FLEET_ENTRIES": "further ones are left out",
    "provisioning.state.tables:MAX_DEVICE_ADDRESSES": "the second oldest is forgotten",
    "provisioning.fold.http:MAX_TEXT": "the text is cut",
    "render.json_lines:MAX_REMEMBERED": "written again",
    "render.json_lines:MAX_WRITTEN": "written each time",
    "provisioning.journal.clocks:MAX_REMEMBERED": "the oldest is forgotten: its copy of another sensor counts again",
    "provisioning.journal.clocks:MAX_PAIRS": "further ones are left out of the estimate",
    "provisioning.journal.connections:MAX_HELD": "the oldest counts as it stood at the end of its reading",
    "provisioning.journal.kept:MAX_TEXT": "the text is cut",
    "provisioning.journal.kept:MAX_VALUES": "further ones are left out",
    "provisioning.journal.journal:MAX_READINGS": "the file is refused",
    "provisioning.journal.keeping:MAX_COUNTED": "those of the oldest are counted anew",
    "provisioning.journal.keeping:MAX_ENTRIES": "further ones are left out; the report names the limit",
    "provisioning.journal.keeping:MAX_FLOW_ENTRIES": "further ones are left out; the report names the limit",
    "provisioning.journal.keeping:MAX_REPEATS": "of further ones each is kept that doubles their number",
    "provisioning.journal.reading:MAX_BLOCK": "the file is refused",
    "provisioning.fold.remarks:MAX_COMMENTS": "the oldest are forgotten",
    "provisioning.fold.remarks:MAX_COMMENT": "the rest is left out",
    "provisioning.fold.remarks:MAX_KEPT_NAMES": "the oldest are forgotten",
    "cli.ladders:MAX_LADDERS": "further ones are counted in a note; `--device` draws one",
    "dialogue.telling:MAX_RUNGS": "what is between is counted in the drawing",
    "dialogue.telling:MAX_TEXT": "the rest is left out",
    "render.ladder_svg:MAX_LABEL": "the rest is left out",
    "diagnosis.told_chains:MAX_CHAINS": "further ones are not on the page",
    "render.html.evidence:MAX_BYTES": "further messages are counted on the page",
    "render.html.evidence:MAX_DUMPED": "further bytes are counted on the page",
    "render.html.evidence:MAX_VALUE": "the rest is left out",
    "render.html.page:MAX_CALLS": "further ones are not on the page",
    "render.html.page:MAX_LISTED": "further ones are counted on the page",
    "render.html.page:MAX_ROWS": "machines beyond have no dialogue on the page, which it says",
    "render.report_fleet:MAX_CAUSES": "the others have their line with the count, and are counted",
    "render.report_fleet:MAX_MACHINES": "only their causes are shown",
    "render.report_fleet:MAX_NAMED": "the others are counted",
    "render.report_text:MAX_ALIKE": "further ones are counted; `-V` shows them",
    "render.report_text:MAX_PORTS": "of more, their number is told",
    "statistics.kinds:MAX_KINDS": "the others are one line",
    "statistics.kinds:MAX_LOOKED_AT": "further packets are not looked at, which is said",
    "safe:MAX_KEPT": "looked up again",
    "secrets.files:MAX_KEY_FILE_SIZE": "the file is refused",
    "secrets.found:MAX_FOUND": "further ones are counted, which a note says",
    "secrets.keylog:MAX_SECRETS": "the older half of them is forgotten",
    "secrets.keylog:MAX_LABELS": "lines with further labels count as bad lines",
    "secrets.keylog:MAX_LINE": "the line counts as a bad line",
    "secrets.keylog:MAX_SPECIAL_FILE": "not read further",
    "outputs:MAX_NAMES": "the object is not written, with an error that says so",
    "outputs:MAX_FILES": "further objects are not written, with an error that says so",
    "secrets.packed:MAX_SIZE": "the line counts as a bad line",
    "secrets.rounds:_MAX_DEPTH": "what lies deeper is not looked at; no such file has half as many",
    "secrets.rounds:MAX_ROUNDS": "the file is not opened, which is told",
    "secrets.psk:MAX_NOTES": "further notes are not told",
    "secrets.psk:MAX_KEYS": "further keys are not tried",
    "protocols.tls.connection_state:MAX_TURNS": "the latest turn stands in place of the last one kept",
    "render.report_text:MAX_REST": "further ones are counted; `-V` shows them",
}
MEANING = {
    # module:constant, of what, where the module leaves it to the name
    "artifacts.logs.clock:MAX_OFFSET": "nanoseconds between the clocks of log and capture: zones span 26 hours",
    "flow.table:MAX_CLOSED_FLOWS": "ended connections remembered for late packets",
    "flow.table:MAX_UDP_FLOWS": "UDP conversations remembered",
    "artifacts.reg:MAX_VALUES": "keys and values of one file",
    "diagnosis.chain_answers:MAX_DETAILS": "details of one certificate check in a finding",
    "protocols.soap.document:MAX_ELEMENTS": "elements of one body",
    "protocols.soap.document:MAX_DEPTH": "elements inside each other",
    "protocols.soap.document:MAX_ALL_ATTRIBUTES": "attributes of one body",
    "provisioning.fold.tls:MAX_CHAIN_BYTES": "bytes of one chain that are kept",
    "provisioning.fold.tls:MAX_IDENTITY": "bytes of a PSK identity that are kept",
    "provisioning.state.tables:MAX_DEVICES": "machines",
    "provisioning.state.tables:MAX_DEVICE_ADDRESSES": "addresses of one machine",
    "provisioning.fold.http:MAX_TEXT": "characters of an answer's text that are kept",
    "secrets.keylog:MAX_LABELS": "kinds of secrets in a key log",
    "secrets.psk:MAX_NOTES": "remarks about a table of keys",
}
EVENT = "`LimitReached`: "


class Limit(NamedTuple):
    module: str  # without "amtdecode."
    name: str
    value: int
    meaning: str
    reached: str


def limits() -> list[Limit]:
    """Every named cap of the package: integers at the top of a module, named MAX_… or …_LIMIT."""
    sources = {_module(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    told: dict[str, str] = {}
    for text in sources.values():
        told |= _consequences(text)
    found = []
    for module, text in sources.items():
        lines = text.splitlines()
        body = ast.parse(text).body
        for statement, following in zip(body, [*body[1:], None], strict=True):
            name = _assigned(statement)
            if not name or not NAME.fullmatch(name):
                continue
            value = getattr(importlib.import_module(f"amtdecode.{module}".rstrip(".")), name)
            if isinstance(value, int):
                key = f"{module}:{name}"
                meaning = MEANING.get(key) or _meaning(lines[statement.lineno - 1], following)
                event = f"{EVENT}{told[name]}" if name in told and key not in REACHED else ""
                found.append(Limit(module, name, value, meaning, event or REACHED.get(key, "")))
    return found


def _module(path: Path) -> str:
    return ".".join(part for part in path.relative_to(PACKAGE).with_suffix("").parts if part != "__init__")


def _assigned(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""


def _meaning(line: str, following: ast.stmt | None) -> str:
    """The comment behind a constant, or the docstring below it."""
    comment = line.partition("#")[2].strip()
    if not comment and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        comment = " ".join(str(following.value.value).split()).rstrip(".")
    return comment


def _consequences(text: str) -> dict[str, str]:
    """What events say of limits: calls that name a limit and end with a sentence."""
    found = {}
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        words = [_words(argument) for argument in call.args]
        names = [word for word in words if NAME.fullmatch(word)]
        sentences = [word for word in words if " " in word]
        if names and sentences:
            found[names[0]] = sentences[-1]
    if "_limit(" in text and '"the body is not read further"' in text:  # the SOAP reader says it of all its limits
        found |= dict.fromkeys(
            ("MAX_BODY_SIZE", "MAX_ELEMENTS", "MAX_DEPTH", "MAX_PATH_SIZE", "MAX_ATTRIBUTES", "MAX_ATTRIBUTE_SIZE"),
            "the body is not read further",
        )
        found["MAX_ALL_ATTRIBUTES"] = "the body is not read further"
    if '"bytes still missing are taken for lost"' in text:
        found |= dict.fromkeys(
            ("MAX_OUT_OF_ORDER_BYTES", "MAX_OUT_OF_ORDER_SEGMENTS", "MAX_OUT_OF_ORDER_TOTAL"),
            "bytes still missing are taken for lost",
        )
    if '"MAX_HANDSHAKE"' in text:
        found["MAX_HANDSHAKE"] = "the message is passed over"
    return found


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _number(value: int, meaning: str) -> str:
    if "byte" in meaning.lower() and value >= 1024:
        for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
            if value >= size and not value % size:
                return f"{value // size} {unit}"
    return f"{value:,}"


def limits_table() -> str:
    rows = ["| constant | value | of what | when it is reached |", "|---|--:|---|---|"]
    for limit in limits():
        cells = f"`{limit.module}.{limit.name}`", _number(limit.value, limit.meaning), limit.meaning, limit.reached
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def differences_table() -> str:
    """The captures in which reassembly differs from tshark's, and why."""
    excused = _excused()

    rows = ["| capture | what differs |", "|---|---|"]
    rows += [f"| `{name}` | {why} |" for name, why in excused.items()]
    return "\n".join(rows) + "\n"


def _excused() -> dict[str, str]:
    """What the test that compares reassembly excuses."""
    path = PACKAGE.parent / "tests" / "engine" / "test_against_tshark.py"
    spec = importlib.util.spec_from_file_location("excused", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    excused: dict[str, str] = module.EXCUSED
    return excused


def tunnels_list() -> str:
    """Tunnels that are unwrapped, and those that are only counted."""
    from amtdecode.net.tunnels import IP_TUNNELS, UDP_TUNNELS

    only_counted = (50, 115)
    by_ip = [f"{name} (IP protocol {number})" for number, name in sorted(IP_TUNNELS.items())]
    counted = [text for number, text in zip(sorted(IP_TUNNELS), by_ip, strict=True) if number in only_counted]
    by_udp = [f"{name} (UDP port {port})" for port, (name, _) in sorted(UDP_TUNNELS.items())]
    unwrapped = ", ".join((*[text for text in by_ip if text not in counted], "ERSPAN I to III (in GRE)", *by_udp))
    return f"{unwrapped}. Only counted: {', '.join(counted)}.\n"


def hello_layout() -> str:
    """The layout of the hello message, from its declaration."""
    from amtdecode.protocols.hello import spec

    rows = ["| offset | size | field | declared as |", "|--:|--:|---|---|"]
    offset = 0
    for field in spec.Hello.subcons:
        size = _size(field)
        if size is None or not field.name or field.name == "kind":
            break
        rows.append(f"| {offset} | {size} | `{field.name}` | {_declared(size)} |")
        offset += size
    for name, body in (("version 2", spec.Psk), ("version 3", spec.Pki)):
        for field in body.subcons:
            size = _size(field)
            shown = "1 + n" if size is None else size
            what = "a count (u8), then the entries" if size is None else _declared(size)
            rows.append(f"| {offset} | {shown} | {name}: `{field.name}` | {what} |")
    rows.append("| in each entry | 1 | `algorithm` | u8 |")
    rows.append("| | 1 + n | `value` | a length (u8), then the bytes |")
    assert [field.name for field in spec.RootHash.subcons] == ["algorithm", "value"]
    return "\n".join(rows) + "\n"


def apf_layout() -> str:
    """The messages of APF, from their declaration."""
    from amtdecode.protocols.apf import fields, spec

    rows = ["| type | name | parts |", "|--:|---|---|"]
    for kind, body in spec.BODIES.items():
        rows.append(f"| {kind} | `{fields.TYPES[kind]}` | {_parts(body) or '–'} |")
    return "\n".join(rows) + "\n"


def _parts(body: object) -> str:
    """The parts of a message, each with its size: 4 + n for a string."""
    from construct import IfThenElse, Select

    from amtdecode.protocols.declaration import Begins

    said = []
    for part in getattr(body, "subcons", ()):
        match part.subcon:
            case IfThenElse():
                said.append(f"behind method password: {_parts(part.subcon.thensubcon)}")
            case Select():
                said.append(f"perhaps {part.name} {_size(part.subcon.subcons[0])}")
            case Begins():
                said += [f"behind `{name.decode()}`: {_parts(case)}" for name, case in part.subcon.cases.items()]
            case _:
                said.append(f"{part.name} {_size(part.subcon) or '4 + n'}")
    return ", ".join(said)


def _size(field: object) -> int | None:
    from construct import SizeofError

    try:
        return int(field.sizeof())
    except SizeofError:
        return None


def _declared(size: int) -> str:
    return {2: "u16, little-endian", 4: "u32, little-endian"}.get(size, f"{size} bytes")


def fields_table(pattern: str) -> str:
    from fnmatch import fnmatch

    from amtdecode.protocols.catalogue import catalogue

    return _table(field for field in catalogue() if fnmatch(field.name, pattern))


def _table(fields) -> str:
    from amtdecode.cli.fields import value_names

    rows = ["| field | kind | meaning |", "|---|---|---|"]
    for field in fields:
        kind = f"{field.kind.words}, repeated" if field.repeated else field.kind.words
        rows.append(f"| `{field.name}` | {kind} | {field.meaning}{value_names(field)} |")
    return "\n".join(rows) + "\n"


def packet_fields() -> str:
    from amtdecode.frame import FIELDS

    return _table(FIELDS)


def common_fields() -> str:
    from amtdecode.model import COMMON_FIELDS

    return _table(COMMON_FIELDS)


def tshark_options() -> str:
    from amtdecode.cli.tshark_options import ANSWERS

    rows = [f"| `{option}` | {text} |" for option, text in ANSWERS.items() if text]
    return "\n".join(["| option | answer |", "|---|---|", *rows]) + "\n"


MAKERS = {
    "tshark-options": tshark_options,
    "limits": limits_table,
    "differences": differences_table,
    "tunnels": tunnels_list,
    "hello-layout": hello_layout,
    "apf-layout": apf_layout,
    "apf-fields": lambda: fields_table("iamt.apf.*"),
    "hello-fields": lambda: fields_table("iamt.hello.*"),
    "common-fields": common_fields,
    "packet-fields": packet_fields,
}


def make(name: str) -> str:
    """The text of a made section."""
    return MAKERS[name]()
