"""`amtdecode cert check`: judge a setup chain from files or a capture, as AMT would."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from amtdecode.cli.completing import file_names
from amtdecode.cli.console import write_json, write_line
from amtdecode.cli.paging import page, pager_option
from amtdecode.errors import ArtifactError, UsageError, reason
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates import Check, PrivateKey
    from amtdecode.diagnosis.knowledge import Placement
    from amtdecode.protocols.hello import HelloMessage
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.render.certificates import Judged

MAX_FILE = 16 << 20
"""Bytes read of a file of certificates; captures are read as streams."""
_CAPTURE_MAGIC = (
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\xa1\xb2\xcd\x34",
    b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18",
)  # fmt: skip
"""First bytes of pcap, pcapng and of what they come compressed in."""


class Facts(NamedTuple):
    """What the options say."""

    at: datetime | None
    suffix: str | None
    mebx_suffix: str | None
    version: str | None
    hello: HelloMessage | None
    password: bytes | None


class Chain(NamedTuple):
    """Certificates to judge as one chain."""

    source: str
    certificates: tuple[CertificateInfo, ...]
    keys: tuple[PrivateKey, ...] = ()
    more: tuple[Check, ...] = ()  # checks of the files themselves
    at: datetime | None = None  # capture time
    hello: HelloMessage | None = None
    unread: tuple[str, ...] = ()  # why certificates of the files cannot be read


@click.group()
def cert() -> None:
    """Judge a setup certificate chain."""


@cert.command()
@click.argument("files", nargs=-1, metavar="FILE…", shell_complete=file_names)
@click.option("--hello", metavar="FILE|HEX", help="Hello of the machine, for its root hashes: bytes, hex or a capture.")
@click.option("--suffix", metavar="DOMAIN", help="DHCP option 15 as the machine gets it.")
@click.option("--mebx-suffix", metavar="DOMAIN", help="PKI DNS suffix set in MEBx; goes before option 15.")
@click.option("--amt-version", metavar="VERSION", help="AMT version of the machine, as 2.6 or 16.1.25.")
@click.option("--at", metavar="TIME", help="Judge dates at this time (ISO 8601); else the capture time, else now.")
@click.option("--password", metavar="TEXT", help="Opens a PFX file or an encrypted key.")
@click.option("--placement", is_flag=True, help="Print where each certificate and key belongs.")
@click.option("--write-pem", metavar="FILE", help="Write the chain in the right order, without keys.")
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option("-V", "everything", is_flag=True, help="Explain what passed too, with sources.")
@click.option(
    "--fail-on", type=click.Choice(["fail", "warn", "unknown"]), help="Exit with 1 on this outcome or a worse one."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output.")
@pager_option
def check(
    files: tuple[str, ...],
    hello: str | None,
    suffix: str | None,
    mebx_suffix: str | None,
    amt_version: str | None,
    at: str | None,
    password: str | None,
    placement: bool,
    write_pem: str | None,
    form: str,
    everything: bool,
    fail_on: str | None,
    color: str,
) -> int:
    """Check files of certificates (PEM, DER, PKCS#7, PFX) or the chains of a capture.

    Several files are parts of one chain. A capture brings its own time and hellos.
    """
    if not files and not placement:
        raise UsageError("name a file, or ask for --placement")
    if amt_version and not amt_version[:1].isdigit():
        raise UsageError(f"--amt-version {amt_version}: not a version such as 16.1.25")
    facts = Facts(
        _time(at),
        suffix,
        mebx_suffix,
        amt_version,
        _hello(hello) if hello else None,
        None if password is None else password.encode(),
    )
    chains, failed = _chains(files, facts)
    judged = [_judge(each, facts) for each in chains]
    if write_pem:
        _write(write_pem, [*files, *([hello] if hello else [])], judged)
    _show(judged, placement=placement, form=form, everything=everything, color=color)
    return _exit_code(judged, fail_on, failed=failed)


def _exit_code(judged: Sequence[Judged], fail_on: str | None, *, failed: bool) -> int:
    from amtdecode.cli.main import EXIT_INPUT

    if failed:
        return EXIT_INPUT
    if fail_on is None:
        return 0
    graver = {"fail": ("fail",), "warn": ("fail", "warn"), "unknown": ("fail", "warn", "unknown")}[fail_on]
    return int(any(each.outcome in graver for one in judged for each in one.checks))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text}: not a time such as 2026-11-24 or 2026-11-24T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _chains(files: Sequence[str], facts: Facts) -> tuple[list[Chain], bool]:
    """Return the chains of all inputs, and whether an input could not be read at all."""
    from amtdecode.artifacts.certificates import lint, order_chain, read_bundle
    from amtdecode.cli.main import complain
    from amtdecode.errors import AmtdecodeError

    chains: list[Chain] = []
    bundles = []
    unread: list[str] = []
    failed = False
    for name in files:
        try:
            data = _contents(name)
            if data.startswith(_CAPTURE_MAGIC):
                if name == "-":
                    raise ArtifactError("a capture on standard input: give its name instead")
                chains += _captured(name)
                continue
            bundle = read_bundle(data, name, facts.password)
            if not any(item.certificate or item.private_key or item.kind != "certificate" for item in bundle.items):
                unread.append(f"{name}: {bundle.faults[0].text if bundle.faults else 'it holds no certificate'}")
                raise ArtifactError(f"{name}: {bundle.faults[0].text if bundle.faults else 'holds no certificate'}")
            unread += [f"{name}: {text}" for text in bundle.unread]
            bundles.append(bundle)
        except AmtdecodeError as error:
            complain(str(error))
            failed = True
    certificates = tuple(each for bundle in bundles for each in bundle.certificates)
    if bundles and certificates:
        if len(bundles) > 1 or bundles[0].format in ("PFX", "PKCS#7"):  # parts and sets have no order of their own
            found = order_chain(certificates)
            certificates = (*found.certificates, *found.strays)
        keys = tuple(each for bundle in bundles for each in bundle.private_keys)
        lints = tuple(lint(each, whole=len(bundles) == 1) for each in bundles if each.format == "PEM")
        chains.insert(
            0, Chain(", ".join(each.name for each in bundles), certificates, keys, lints, unread=tuple(unread))
        )
    elif bundles:
        complain(f"{', '.join(each.name for each in bundles)}: no certificate among keys and lists")
        failed = True
    return chains, failed


def _contents(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_FILE)
        with open(name, "rb") as file:
            return file.read(MAX_FILE)
    except OSError as error:
        raise ArtifactError(f"{name}: {reason(error)}") from None


def _captured(name: str) -> list[Chain]:
    """Chains that clients show in a capture: to AMT that is the setup chain. Each is judged once per machine."""
    from amtdecode.api import read
    from amtdecode.artifacts.certificates import order_chain
    from amtdecode.protocols.hello import HelloMessage
    from amtdecode.protocols.tls.messages import Certificate

    hellos: dict[bytes, HelloMessage] = {}
    found: dict[tuple[bytes, tuple[bytes, ...]], Chain] = {}
    for observation in read(name):
        event, flow = observation.event, observation.flow
        if flow is None:
            continue
        if isinstance(event, HelloMessage) and event.hashes:
            hellos[flow.client.packed] = event
        elif isinstance(event, Certificate) and event.sender == "client" and event.chain:
            key = (flow.server.packed, event.chain)
            if key not in found and order_chain(event.certificates).certificates:
                nanoseconds = observation.time_ns
                at = None if nanoseconds is None else datetime.fromtimestamp(nanoseconds / 1e9, UTC)
                place = f"{name}, packet {observation.packet}, {flow.client} to {flow.server}"
                found[key] = Chain(place, event.certificates, at=at, hello=hellos.get(flow.server.packed))
    if not found:
        raise ArtifactError(f"{name}: no client shows a certificate in this capture")
    return list(found.values())


def _hello(text: str) -> HelloMessage:
    """Return the hello that --hello names: a file of its bytes, of hex, or a capture; or the hex itself."""
    from amtdecode.api import read
    from amtdecode.cli.main import complain
    from amtdecode.protocols.hello import HelloMessage, read_hello
    from amtdecode.protocols.hello.fields import PKI

    data = _contents(text) if os.path.exists(text) or text == "-" else text.encode()
    if data.startswith(_CAPTURE_MAGIC):
        events = (each.event for each in read(text))
        message = next((each for each in events if isinstance(each, HelloMessage) and each.hashes), None)
        if message is None:
            raise ArtifactError(f"--hello {text}: no hello with root hashes in this capture")
        return message
    if data[:1] not in (b"\0", b"\1"):  # a hello begins with 0 or 1 as a 16-bit number
        digits = "".join(data.decode("latin-1").replace("0x", "").replace(":", " ").split())
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            raise ArtifactError(f"--hello {text[:80]}: neither a file nor hex") from None
    found = read_hello(data)[0]
    if found is None:
        raise ArtifactError(f"--hello {text[:80]}: not a whole hello message")
    if found.version != PKI:
        complain(f"note: this hello asks for setup with a pre-shared key and lists no hashes (version {found.version})")
    return found


def _judge(chain: Chain, facts: Facts) -> Judged:
    from amtdecode.artifacts.certificates import check_chain, order_chain
    from amtdecode.render.certificates import Judged

    at = facts.at or chain.at or datetime.now(UTC)
    hello = facts.hello or chain.hello
    checks = check_chain(
        chain.certificates,
        hashes=None if hello is None or not (hello.hashes or _pki(hello)) else hello.hashes,
        dhcp_suffix=facts.suffix,
        mebx_suffix=facts.mebx_suffix,
        amt_version=facts.version,
        at_time=at,
        private_keys=chain.keys,
        unread=chain.unread,
    )
    return Judged(
        chain.source,
        chain.certificates,
        order_chain(chain.certificates).certificates,
        (*checks, *chain.more),
        at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        facts.version or "",
        facts.mebx_suffix or facts.suffix or "",
        hello.uuid if hello else "",
    )


def _pki(hello: HelloMessage) -> bool:
    """Whether the hello would list hashes; one for PSK says nothing of them."""
    from amtdecode.protocols.hello.fields import PKI

    return hello.version == PKI


def _write(name: str, inputs: Sequence[str], judged: Sequence[Judged]) -> None:
    from amtdecode.artifacts.certificates import write_pem

    if len(judged) != 1:
        raise UsageError(f"--write-pem writes one chain; there are {len(judged)}")
    with Outputs(inputs).file(name, "--write-pem") as file:
        file.write(write_pem(judged[0].ordered).encode("ascii"))


def _show(judged: Sequence[Judged], *, placement: bool, form: str, everything: bool, color: str) -> None:
    from amtdecode.cli.common import use_color
    from amtdecode.render.certificates import document, placement_text, text

    page()
    table: tuple[Placement, ...] = ()
    if placement:
        from amtdecode.diagnosis.knowledge import placements

        table = placements()
    if form == "json":
        from amtdecode.render.json_text import json_text

        write_json([json_text(document(judged, table))])
        return
    colored = use_color(color)
    lines = _separated([list(text(each, everything=everything, color=colored)) for each in judged])
    for line in (*lines, *([""] if judged and table else []), *(placement_text(table) if table else ())):
        write_line(line)


def _separated(groups: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, group in enumerate(groups):
        if number:
            yield ""
        yield from group
