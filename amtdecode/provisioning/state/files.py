"""Files beside the captures: certificates and the exported registry key of the setup service."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from amtdecode.artifacts.certificates import Bundle
    from amtdecode.provisioning.state.fact import Ref


class CertificateFile(NamedTuple):
    """A file of certificates or keys."""

    name: str
    ref: Ref
    bundle: Bundle

    def at(self, line: int) -> Ref:
        """The proof of one of its lines."""
        return self.ref + line - 1 if line else self.ref


class RegistryFile(NamedTuple):
    """An exported registry key of the setup service."""

    name: str
    ref: Ref
    log_level: str
    thumbprints: tuple[str, ...]
