"""Files beside the captures: certificates, setup.bin, and the exported registry key of the setup service."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.counting import counted

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


class SetupBinFile(NamedTuple):
    """A setup.bin. `pids`: of its records, in their order."""

    name: str
    version: str
    first_release: str
    records: int
    unused: int
    pids: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the file is, in a line."""
        release = f" for {self.first_release} and later" if self.first_release else ""
        pids = f", {counted(len(self.pids), 'PID')}" if self.pids else ", no PID"
        return (
            f"a setup.bin, version {self.version}{release}: {counted(self.records, 'record')}, "
            f"{self.unused} of them not yet consumed{pids}"
        )
