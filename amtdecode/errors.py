"""The exceptions that reach users: only for what a user can mend.

Whatever is wrong inside a capture is an event (`amtdecode.model`), never an exception.
"""

from __future__ import annotations


class AmtdecodeError(Exception):
    """Base of all errors raised on purpose; its text is one line, fit to print."""


class CaptureError(AmtdecodeError):
    """An input cannot be read at all: missing, forbidden, a directory, or not a capture."""


class KeyFileError(AmtdecodeError):
    """A file of keys (PSK table, RSA key, key log, password) cannot be read or makes no sense."""


class ArtifactError(AmtdecodeError):
    """A file an administrator has (certificate, log, setup.bin, .reg, site facts) cannot be read at all."""


class OutputError(AmtdecodeError):
    """A file cannot be written."""


class MissingExtraError(AmtdecodeError):
    """An optional dependency is needed; the text names the extra that brings it."""


class UsageError(AmtdecodeError):
    """An argument makes no sense together with the others."""


class FilterError(UsageError):
    """A display filter makes no sense; its text is one line. `shown()` also has the filter, with a caret."""

    def __init__(self, reason: str, text: str, column: int = 0, length: int = 0, hint: str = "") -> None:
        self.reason = reason
        """What is wrong, in Wireshark's words where Wireshark refuses it too."""
        self.filter = text
        self.column = column
        """Where the fault begins in the filter, from 1; 0 where it has no place, as at the end."""
        self.length = length
        self.hint = hint
        """What may be meant."""
        where = f" (column {column})" if column else ""
        super().__init__(f"filter: {reason}{where}{f'; {hint}' if hint else ''}")

    def __reduce__(self) -> tuple[type[FilterError], tuple[str, str, int, int, str]]:
        return type(self), (self.reason, self.filter, self.column, self.length, self.hint)

    def shown(self) -> str:
        """The reason, the filter, and a caret under the fault, as tshark prints them; then the hint."""
        lines = [self.reason]
        if self.column:
            lines += [f"    {self.filter}", f"    {' ' * (self.column - 1)}^{'~' * (self.length - 1)}"]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class WorkerError(AmtdecodeError):
    """A process that decodes a share of a capture could not be begun, failed, or was ended from outside."""


class PluginError(AmtdecodeError):
    """What an installed package offers (a room, a rule) cannot be used; the text names the package."""


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be opened, read or written: in the words of the operating system, without its number for them.

    What Python raises on its own account is said in ours: `ValueError` for a name that can be none, as one with a null
    character; an `OSError` without a number for what cannot be done with an open file.
    """
    if not isinstance(error, OSError):
        return "not a file name"
    return error.strerror.lower() if error.strerror else "cannot be read or written"
