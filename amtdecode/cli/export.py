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
from amtdecode.counting import counted
from amtdecode.errors import OutputError, UsageError
from amtdecode.outputs import Outputs

if TYPE_CHECKING:
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
    help="Write the packets that prove the findings, as pcapng.",
)
@click.option("--device", metavar="UUID", help="With --pcap: only this machine's.")
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
    rooms = registry(plugins=plugins)
    outputs = Outputs([*captures, *key_files(**keys)])
    if pcap:
        from amtdecode.cli.proof import write_proof

        held, logs = load_keys(**keys, quiet=quiet), key_logs(keys["keylog"])
        rules = own_rules(plugins=plugins)
        code = write_proof(captures, outputs, pcap, device, held, logs, rooms, rules, count=count, quiet=quiet)
        if not (certs or http or soap):
            return code
    held = load_keys(**keys, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count)
    bodies = [
        Bodies(outputs.folder(where, private=True), soap_only=kind == "soap")
        for kind, where in (("http", http), ("soap", soap))
        if where
    ]
    certificates = Certificates(outputs.folder(certs)) if certs else None

    failed: list[OutputError] = []

    def tap(flow: FlowKey, layer: str, _: Direction, payload: Payload) -> None:
        try:
            for body in bodies:
                body(flow, layer, payload)
        except OutputError as error:  # the engine would take it for a dissector's
            failed.append(error)
            bodies.clear()

    calm_collector()
    engine = Engine(with_secrets_inside(inputs.names, held), tap=tap if bodies else None, registry=rooms)
    for observation in engine.observe(inputs.packets):
        if failed:
            break
        if certificates is not None:
            for der in getattr(observation.event, "certificates", ()):
                certificates(der)
    if failed:
        raise failed[0]
    if not quiet:
        complain("note: exported bytes are as captured; secrets in them are not masked")
        for folder in [body.folder for body in bodies] + ([certificates.folder] if certificates else []):
            complain(f"{counted(folder.count, 'file')} in {folder.path}")
            if folder.renamed:
                complain(f"note: {counted(folder.renamed, 'file')} of these under a further name: theirs was taken")
    return inputs.exit_code


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

    def __call__(self, flow: FlowKey, layer: str, payload: Payload) -> None:
        """What a layer carries."""
        from amtdecode.protocols.http.events import HttpRequest, HttpResponse
        from amtdecode.protocols.http.files import file_name

        head, data = payload.head, payload.data
        if layer != "http" or not isinstance(head, (HttpRequest, HttpResponse)):
            return
        number = self._numbers[flow.number] = self._numbers.get(flow.number, 0) + 1
        if data and (not self._soap_only or _is_soap(data)):
            self.folder.write(file_name(head, flow.number, number, data), data)


def _is_soap(data: bytes) -> bool:
    return b"Envelope" in data[:4096] or b"E\0n\0v\0e\0l\0o\0p\0e" in data[:4096]
