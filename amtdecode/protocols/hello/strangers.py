"""What comes to a sink for hello messages and is none: scanners, browsers, agents that have the wrong port."""

from __future__ import annotations

import re

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.masking import masked
from amtdecode.model import TO_SERVER, Endpoint
from amtdecode.protocols.dissector import MORE, YES, Context
from amtdecode.protocols.hello import recognise
from amtdecode.protocols.hello.answers import name_answer

SHOWN = 32  # bytes quoted of what came
_HTTP_REQUEST = re.compile(rb"[A-Z]{3,16} [!-~]+ HTTP/[0-9]\.[0-9]\r?\n")
_CONTEXT = Context("tcp", Endpoint(bytes(4), 0), Endpoint(bytes(4), ports.HELLO))


def no_hello(first: bytes, size: int) -> str:
    """What a connection brought in place of a hello, in words; "" where it brought one.

    `first`: the first bytes of it, at least 64 where there are as many; `size`: how many there were.
    """
    if not size:
        return "opened a connection and sent nothing"
    verdict = recognise(first, TO_SERVER, _CONTEXT)
    if verdict is YES:
        return ""
    if verdict is MORE:
        return f"sent the first {counted(size, 'byte')} of a hello, and no more"
    kind = "HTTP" if _HTTP_REQUEST.match(first) else name_answer(first)
    shown = first[:SHOWN]
    line = shown.partition(b"\r\n")[0].decode("latin-1")
    covered = masked(line)
    said = f'"{covered}"' if covered != line or (line.isascii() and line.isprintable()) else shown.hex(" ")
    return f"sent no hello but {counted(size, 'byte')}{f' of {kind}' if kind else ''}: {said}"
