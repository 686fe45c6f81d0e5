"""The escape of captured text, `amtdecode.safe`, under the name by which the outputs know it."""

from amtdecode.safe import safe

__all__ = ["safe"]
