"""Wireshark's dissection as a server, which reads one capture after another without a start of its own for each."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Self

import oracle
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Sharkd:
    """Asks `sharkd`, which comes with tshark; one line of JSON each way. An answer that is an error fails the test."""

    def __init__(self, **preferences: str):
        program = shutil.which("sharkd")
        if program is None:
            pytest.skip("sharkd is not installed")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._given = [program, *(f"{name}:{value}" for name, value in preferences.items())]
        self._process = subprocess.Popen([program, "-"], text=True, **pipes)
        for name, value in preferences.items():
            self._ask("setconf", name=name.replace("__", "."), value=value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _ask(self, method: str, **params: str) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, (call, answer)
        return answer["result"]

    def columns(self, path: Path, names: Sequence[str]) -> list[list[str]]:
        """What each packet of a capture has in these columns, as `tshark -2 -T fields` prints it."""
        asked = {f"column{number}": f"{name}:0" for number, name in enumerate(names)}

        def ask() -> list[list[str]]:
            self._ask("load", file=str(path))
            return [packet["c"] for packet in self._ask("frames", **asked)]

        return oracle.kept([*self._given, "columns", str(path), *names], ask, list[list[str]])

    def followed(self, path: Path, count: int) -> list[tuple[bytes, bytes]]:
        """What both sides say of each of so many TCP streams of a capture."""

        def ask() -> list[tuple[bytes, bytes]]:
            self._ask("load", file=str(path))
            return [self._follow(number) for number in range(count)]

        return oracle.kept([*self._given, "follow", str(path), str(count)], ask, list[tuple[bytes, bytes]])

    def _follow(self, number: int) -> tuple[bytes, bytes]:
        sides = (bytearray(), bytearray())
        for piece in self._ask("follow", follow="TCP", filter=f"tcp.stream=={number}").get("payloads", ()):
            sides["s" in piece].extend(base64.b64decode(piece["d"]))
        return bytes(sides[0]), bytes(sides[1])
