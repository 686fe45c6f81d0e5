"""What the TLS connections of one run share."""

from __future__ import annotations

from collections import OrderedDict

from amtdecode.protocols.tls.reading import MessageReader

MAX_SESSIONS = 4096  # sessions whose master secret is remembered, for those that resume them


class MasterSecrets:
    """Master secrets of the sessions a run opened, by session id and by ticket, the oldest let go first."""

    def __init__(self) -> None:
        self._masters: OrderedDict[bytes, bytes] = OrderedDict()
        self.missed = False
        """A session was resumed that is not known."""
        self._count = 0  # of those that were given to be remembered
        self._found_after = 0  # so many, the last one that was asked for

    def remember(self, name: bytes, master: bytes) -> None:
        """Keep the master secret of a session id or ticket."""
        self._count += 1
        if len(self._masters) >= MAX_SESSIONS:
            self._masters.popitem(last=False)
        self._masters[name] = master

    def get(self, name: bytes) -> bytes | None:
        """Give the master secret of a session id or ticket."""
        found = self._masters.get(name)
        if found is not None:
            self._found_after = self._count
        return found

    def lacks(self, shares: int) -> str:
        """As `Memory.lacks`."""
        if self.missed:
            return "a TLS session that is resumed"
        return f"more than {MAX_SESSIONS} TLS sessions" if self._found_after * shares > MAX_SESSIONS else ""


class TlsMemory:
    """The reader, which remembers what comes again alike, and the master secrets of sessions that may be resumed."""

    def __init__(self) -> None:
        self.reader = MessageReader()
        self.masters = MasterSecrets()
        self.lacks = self.masters.lacks
