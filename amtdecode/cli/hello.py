"""`amtdecode hello`: one hello message, from a file or hex."""

from __future__ import annotations

import os
import re

import click

from amtdecode import ports
from amtdecode.capture.source import STANDARD_INPUT
from amtdecode.cli.completing import file_names
from amtdecode.cli.console import write_json, write_line
from amtdecode.errors import ArtifactError, reason

MAX_FILE = 1 << 20  # bytes; a hello has some hundreds
HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:,-]*)+")


@click.command()
@click.argument("message", metavar="FILE|HEX", shell_complete=file_names)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def hello(message: str, form: str) -> int:
    """Decode one hello message: a file with its bytes (or their hex text), or the hex itself."""
    data = _bytes(message)
    from amtdecode.model import TO_SERVER, End, Endpoint
    from amtdecode.protocols.dissector import Context
    from amtdecode.protocols.hello import HelloDissector

    nowhere = Endpoint(bytes(4), 0)
    dissector = HelloDissector(Context("tcp", nowhere, Endpoint(bytes(4), ports.HELLO)))
    events = [
        s.event for s in (*dissector.receive_data(TO_SERVER, data), *dissector.receive_eof(TO_SERVER, End.CAPTURE))
    ]
    if form == "json":
        from amtdecode.render.json_text import json_text

        for event in events:
            told = {"event": type(event).__name__, "summary": event.summary(), "fields": event.fields()}
            write_json([json_text(told)])
        return 0
    from amtdecode.render.safe import safe

    for event in events:
        write_line(safe(event.summary()))
        fields = dict(event.fields())
        algorithms, values, names = (
            fields.pop(f"iamt.hello.hash.{column}", []) for column in ("algorithm", "value", "name")
        )
        for name, value in fields.items():
            write_line(f"    {name}: {safe(str(value))}")
        for algorithm, value, name in zip(algorithms, values, names, strict=True):
            write_line(f"    root hash {algorithm}:{value}  {name or '(not a root known here)'}")
    return 0


def _is_text(data: bytes) -> bool:
    """Whether bytes are text: a hello has zero bytes from its version on."""
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]", data) is None


def _bytes(message: str) -> bytes:
    """The bytes of the message, wherever they are. Raises `ArtifactError`."""
    if os.path.exists(message) or not HEX.fullmatch(message):
        try:
            with open(0 if message == STANDARD_INPUT else message, "rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            raise ArtifactError(f"{message}: {reason(error)}") from None
        if len(data) > MAX_FILE:
            raise ArtifactError(f"{message}: more than {MAX_FILE} bytes, not a hello message")
        from amtdecode.capture.pcap import is_pcap
        from amtdecode.capture.pcapng import is_pcapng
        from amtdecode.secrets.setupbin import is_setupbin

        if is_pcap(data) or is_pcapng(data):
            raise ArtifactError(f"{message}: is a capture; read it with `amtdecode read {message}`")
        if is_setupbin(data):
            raise ArtifactError(f"{message}: is a setup.bin; look at it with `amtdecode setupbin show {message}`")
        text, name = data.decode("latin-1"), message
        message = text if HEX.fullmatch(text.strip()) else ""
        if not message and not data:
            raise ArtifactError("the file is empty")
        if not message and _is_text(data):
            raise ArtifactError(f"{name}: is text and no hello message; wanted are its bytes, or these written in hex")
        if not message:
            return data
    return bytes.fromhex(re.sub(r"[\s:,-]", "", message))
