"""Objects out of captures as files: certificates, HTTP and SOAP bodies, the key log of what was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.cli.common import calm_collector
from amtdecode.cli.main import complain
from amtdecode.counting import counted
from amtdecode.errors import OutputError
from amtdecode.render.following import is_soap
from amtdecode.secrets.found import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.cli.common import Inputs
    from amtdecode.filter import Filter
    from amtdecode.model import Direction, FlowKey, Payload
    from amtdecode.outputs import Folder, Outputs
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.protocols.redir.messages import IderCommand
    from amtdecode.secrets import Keys


class Objects:
    """What one reading brings: certificates, bodies, and the secrets that opened TLS."""

    def __init__(
        self,
        outputs: Outputs,
        certs: str | None,
        http: str | None,
        soap: str | None,
        ider: str | None,
        keylog: str | None,
    ) -> None:
        self._outputs = outputs
        self._keylog = keylog
        self._bodies: list[Bodies | Blocks] = [
            Bodies(outputs.folder(where, private=True), soap_only=kind == "soap")
            for kind, where in (("http", http), ("soap", soap))
            if where
        ]
        if ider:
            self._bodies.append(Blocks(outputs.folder(ider, private=True)))
        self._certificates = Certificates(outputs.folder(certs)) if certs else None

    def write(
        self, inputs: Inputs, keys: Keys | None, chosen: Filter | None, rooms: tuple[Protocol, ...], *, quiet: bool
    ) -> int:
        """Read everything, and write; gives the exit code."""
        from amtdecode.api import with_secrets_inside
        from amtdecode.engine import Engine

        keys, found = with_secrets_inside(inputs.names, keys), Found()
        if keys is not None:
            keys.found = found
        written = Written(self._bodies, at_once=chosen is None)
        keeping = chosen is not None and chosen.reads_messages
        running = rooms if chosen is None else chosen.in_full(rooms)
        engine = Engine(keys, tap=written.tap if self._bodies else None, registry=running, pdus=keeping)
        calm_collector()
        if chosen is None:
            observations = engine.observe(inputs.packets)
        else:
            from amtdecode.filter.packets import chosen_pieces

            observations = chosen_pieces(chosen, engine, inputs.packets, written.settle)
        for observation in observations:
            written.check()
            if self._certificates is not None:
                for der in getattr(observation.event, "certificates", ()):
                    self._certificates(der)
        written.check()
        for body in self._bodies:
            for name, data in body.left():
                body.folder.write(name, data)
        if self._keylog is not None:
            self._write_keylog(self._keylog, found, quiet=quiet)
        if not quiet:
            self._tell()
        return inputs.exit_code

    def _write_keylog(self, name: str, found: Found, *, quiet: bool) -> None:
        with self._outputs.file(name, "--write-keylog", private=True) as file:
            file.write(b"".join([line + b"\n" for line in found.lines()]))
        if not quiet:
            where = "" if name == "-" else f" in {name}"
            complain(f"{counted(len(found), 'TLS secret')}{where}: whoever has them reads these connections")
            if found.left_out:
                complain(f"note: {found.left_out} further secrets are left out; choose fewer packets with -c")

    def _tell(self) -> None:
        folders = [body.folder for body in self._bodies]
        if self._certificates is not None:
            folders.append(self._certificates.folder)
        if folders:
            complain("note: exported bytes are as captured; secrets in them are not masked")
        for folder in folders:
            complain(f"{counted(folder.count, 'file')} in {folder.path}")
            if folder.renamed:
                complain(f"note: {counted(folder.renamed, 'file')} of these under a further name: theirs was taken")


class Written:
    """Bodies on their way to files: at once, or when it is known whether their packet passes the filter."""

    def __init__(self, bodies: Sequence[Bodies | Blocks], *, at_once: bool) -> None:
        self._bodies = bodies
        self._at_once = at_once
        self._waiting: list[tuple[Folder, str, bytes]] = []
        self._failed: OutputError | None = None

    def tap(self, flow: FlowKey, layer: str, _: Direction, payload: Payload) -> None:
        """What a layer carries, as the engine shows it."""
        for body in self._bodies:
            for name, data in body.files(flow, layer, payload):
                self._waiting.append((body.folder, name, data))
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

    def files(self, flow: FlowKey, layer: str, payload: Payload) -> Iterator[tuple[str, bytes]]:
        """The name and the bytes of the file for what a layer carries; none where it is no such body."""
        from amtdecode.protocols.http.events import HttpRequest, HttpResponse
        from amtdecode.protocols.http.files import file_name

        head, data = payload.head, payload.data
        if layer != "http" or not isinstance(head, (HttpRequest, HttpResponse)):
            return
        number = self._numbers[flow.number] = self._numbers.get(flow.number, 0) + 1
        if data and (not self._soap_only or is_soap(data)):
            yield file_name(head, flow.number, number, data), data

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Nothing is held back."""
        return iter(())


MAX_READ = 16 << 20
"""Bytes put together of one read of a drive; longer ones are written in parts."""
DRIVE_OF_CD = 0xB0  # ATA drive select, as IDE-R has it
MAX_READS = 256  # reads under way, in as many connections; further ones are written as they come


class Blocks:
    """What each read of a redirected drive (IDE-R, USB-R) brought: one file, named by connection, drive and block."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._reads: dict[int, tuple[IderCommand, list[bytes]]] = {}  # under way, by connection
        self._numbers: dict[int, int] = {}

    def files(self, flow: FlowKey, layer: str, payload: Payload) -> Iterator[tuple[str, bytes]]:
        """The file of a read, with its last data; that of one before that did not come to its end."""
        from amtdecode.protocols.redir.messages import IderToHost

        head = payload.head
        if layer != "iamt.redir" or not isinstance(head, IderToHost):
            return
        command = head.command
        if command is None or not command.is_read:
            return
        known = self._reads.get(flow.number)
        if known is not None and known[0] is not command:
            yield self._file(flow.number, "-incomplete")
            known = None
        if known is None:
            known = self._reads[flow.number] = (command, [])
        known[1].append(payload.data)
        if head.completed:
            yield self._file(flow.number)
        elif sum(map(len, known[1])) >= MAX_READ or len(self._reads) > MAX_READS:
            yield self._file(flow.number, "-part")

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Reads that did not come to their end."""
        for number in list(self._reads):
            yield self._file(number, "-incomplete")

    def _file(self, flow: int, part: str = "") -> tuple[str, bytes]:
        command, data = self._reads.pop(flow)
        number = self._numbers[flow] = self._numbers.get(flow, 0) + 1
        drive = "cd" if command.device == DRIVE_OF_CD else "floppy"
        return f"tcp{flow:04d}-{number:04d}-{drive}-block{command.block:08d}{part}.bin", b"".join(data)
