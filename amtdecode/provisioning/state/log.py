"""Lines of logs that say something about AMT."""

from __future__ import annotations

import msgspec

from amtdecode.provisioning.state.fact import Fact, Ref


class Recognition(msgspec.Struct, gc=False, frozen=True):
    """What a log line was recognised as: the same for many lines, and held once."""

    anchor: str = ""  # an id in the table of anchors
    kind: str = ""  # failure, success, state, hello
    rule: str = ""
    product: str = ""  # the program that wrote it
    step: str = ""
    code: str = ""
    codes: tuple[str, ...] = ()  # all hexadecimal ones of the line
    call: str = ""  # whose answer is quoted in the line
    fault: str = ""  # of that answer
    amt_version: str = ""


class LogEntry(Fact):
    """A log line about AMT, at the time of the log's own clock. Its text may hold secrets: mask it."""

    ref: Ref
    time: int | None
    recognition: Recognition
    text: str = ""
    address: str = ""

    @property
    def anchor(self) -> str:
        """What it was recognised by."""
        return self.recognition.anchor

    @property
    def kind(self) -> str:
        """Failure, success, state or hello."""
        return self.recognition.kind

    @property
    def rule(self) -> str:
        """The rule that asks for it, if any."""
        return self.recognition.rule

    @property
    def step(self) -> str:
        """The step of setup it is about, in words."""
        return self.recognition.step

    @property
    def code(self) -> str:
        """The code it is known by."""
        return self.recognition.code

    @property
    def codes(self) -> tuple[str, ...]:
        """All hexadecimal codes, in their order."""
        return self.recognition.codes

    @property
    def value(self) -> int:
        """A hexadecimal code of Windows or RCS as a number, else 0."""
        return int(self.code, 16) if self.code.startswith("0x") else 0


class LogFile(Fact):
    """A log that was read."""

    name: str
    ref: Ref  # its first line
    levels: tuple[str, ...] = ()
    entries: int = 0  # lines that say something
    lines: int = 0
    product: str = ""  # the program that wrote it
    verbose: str = ""  # how that is told to write more
    errors: int = 0  # lines of level error that nothing here knows
    first_errors: tuple[tuple[Ref, str], ...] = ()
