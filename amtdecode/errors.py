"""The exceptions that reach users: only for what a user can mend.

Whatever is wrong inside a capture is an event (`amtdecode.model`), never an exception.
"""


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
