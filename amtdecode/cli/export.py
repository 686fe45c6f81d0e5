"""`amtdecode export`: certificates, HTTP and SOAP bodies, keys, proving packets, as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from amtdecode.cli.common import (
    Inputs,
    calm_collector,
    input_options,
    key_files,
    key_logs,
    key_options,
    load_keys,
    own_rules,
    plugin_option,
    registry,
)
from amtdecode.cli.filtering import compiled, filter_option
from amtdecode.counting import counted
from amtdecode.errors import OutputError, UsageError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.model import Direction, FlowKey, Payload
    from amtdecode.outputs import Folder


@click.command()
@input_options
@click.option("--certs", type=click.Path(file_okay=False), metavar="DIR", help="Write every certificate once, as PEM.")
@click.option("--http", type=click.Path(file_okay=False), metavar="DIR", help="Write every HTTP body.")
@click.option("--soap", type=click.Path(file_okay=False), metavar="DIR", help="Write every SOAP body.")
@click.option(
    "--pcap",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the packets that prove the findings, or with -Y those that pass, as pcapng.",
)
@click.option("--device", metavar="UUID", help="With --pcap: only this machine's.")
@filter_option
@key_options
@plugin_option
def export(
    captures: tuple[str, ...],
    count: int | None,
    quiet: bool,
    certs: str | None,
    http: str | None,
    soap: str | None,
    pcap: str | None,
    device: str | None,
    display_filter: str | None,
    plugins: bool,
    **keys: Any,
) -> int:
    """Write objects out of captures, bytes as captured: secrets in them are not masked."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.cli.main import complain
    from amtdecode.engine import Engine

    if not (certs or http or soap or pcap):
        raise UsageError("export needs --certs, --http, --soap or --pcap")
    if device and not pcap:
        raise UsageError("--device goes with --pcap")
    if device and display_filter is not None:
        raise UsageError("--device chooses among findings; -Y takes their place")
    rooms = registry(plugins=plugins)
    chosen = compiled(display_filter, rooms)
    outputs = Outputs([*captures, *key_files(**keys)])
    held = load_keys(**keys, quiet=quiet)
    if pcap:
        from amtdecode.cli.proof import write_packets

        logs, rules = key_logs(keys["keylog"]), own_rules(plugins=plugins)
        code = write_packets(
            captures, outputs, pcap, chosen, device, held, logs, rooms, rules, count=count, quiet=quiet
        )
        if not (certs or http or soap):
            return code
    inputs = Inputs(captures, quiet=quiet, count=count)
    bodies = [
        Bodies(outputs.folder(where, private=True), soap_only=kind == "soap")
        for kind, where in (("http", http), ("soap", soap))
        if where
    ]
    certificates = Certificates(outputs.folder(certs)) if certs else None

    written = Written(bodies, at_once=chosen is None)
    keeping = chosen is not None and chosen.reads_messages
    tap = written.tap if bodies else None
    engine = Engine(with_secrets_inside(inputs.names, held), tap=tap, registry=rooms, pdus=keeping)
    calm_collector()
    if chosen is None:
        observations = engine.observe(inputs.packets)
    else:
        from amtdecode.filter.packets import chosen_pieces

        observations = chosen_pieces(chosen, engine, inputs.packets, written.settle)
    for observation in observations:
        written.check()
        if certificates is not None:
            for der in getattr(observation.event, "certificates", ()):
                certificates(der)
    written.check()
    if not quiet:
        complain("note: exported bytes are as captured; secrets in them are not masked")
        for folder in [body.folder for body in bodies] + ([certificates.folder] if certificates else []):
            complain(f"{counted(folder.count, 'file')} in {folder.path}")
            if folder.renamed:
                complain(f"note: {counted(folder.renamed, 'file')} of these under a further name: theirs was taken")
    return inputs.exit_code


class Written:
    """Bodies on their way to files: at once, or when it is known whether their packet passes the filter."""

    def __init__(self, bodies: Sequence[Bodies], *, at_once: bool) -> None:
        self._bodies = bodies
        self._at_once = at_once
        self._waiting: list[tuple[Folder, str, bytes]] = []
        self._failed: OutputError | None = None

    def tap(self, flow: FlowKey, layer: str, _: Direction, payload: Payload) -> None:
        """What a layer carries, as the engine shows it."""
        for body in self._bodies:
            name = body.name(flow, layer, payload)
            if name is not None:
                self._waiting.append((body.folder, name, payload.data))
        if self._at_once:
            self.settle(True)

    def settle(self, passes: bool) -> None:
        """Write what waits, or forget it."""
        if passes and self._failed is None:
            try:
                for folder, name, data in self._waiting:
                    folder.write(name, data)
            except OutputError as error:  # the engine would take it for a dissector's
                self._failed = error
        self._waiting.clear()

    def check(self) -> None:
        """Raise the `OutputError` that writing met."""
        if self._failed is not None:
            raise self._failed


class Certificates:
    """Each certificate once, named by its SHA-1 fingerprint."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._written: set[bytes] = set()

    def __call__(self, certificate: Any) -> None:
        """One certificate of a chain: DER, or what was read of it."""
        import base64
        import hashlib

        der: bytes = certificate if isinstance(certificate, bytes) else certificate.der
        fingerprint = hashlib.sha1(der, usedforsecurity=False).digest()
        if fingerprint in self._written:
            return
        self._written.add(fingerprint)
        text = base64.encodebytes(der).decode().replace("\n", "")
        lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
        pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
        self.folder.write(f"{fingerprint.hex()}.pem", pem.encode())


class Bodies:
    """Each body of an HTTP message, of all or of those that hold SOAP; both kinds give a body the same name."""

    def __init__(self, folder: Folder, *, soap_only: bool) -> None:
        self.folder = folder
        self._soap_only = soap_only
        self._numbers: dict[int, int] = {}

    def name(self, flow: FlowKey, layer: str, payload: Payload) -> str | None:
        """The name of the file for what a layer carries; `None` where it is no such body."""
        from amtdecode.protocols.http.events import HttpRequest, HttpResponse
        from amtdecode.protocols.http.files import file_name

        head, data = payload.head, payload.data
        if layer != "http" or not isinstance(head, (HttpRequest, HttpResponse)):
            return None
        number = self._numbers[flow.number] = self._numbers.get(flow.number, 0) + 1
        if data and (not self._soap_only or _is_soap(data)):
            return file_name(head, flow.number, number, data)
        return None


def _is_soap(data: bytes) -> bool:
    return b"Envelope" in data[:4096] or b"E\0n\0v\0e\0l\0o\0p\0e" in data[:4096]
