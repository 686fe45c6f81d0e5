"""One line of a log that says something about setup and configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec


class LogRow(msgspec.Struct, frozen=True):
    """One line (or one record of several lines). Text is the file's own: escape it before showing it."""

    input: str
    line: int  # from 1, of its first line
    text: str  # the message, without time, level and component where those were recognised; cut at MAX_TEXT characters
    anchor: str = ""  # id in table/*.toml; empty for a line kept only because all were asked for
    kind: str = ""  # "failure", "success", "state", "hello"
    rule: str = ""  # id in the rule catalogue, where there is one
    product: str = ""  # the program that wrote it, as far as that shows
    step: str = ""  # the step it is about
    code: str = ""  # "102", "0x8009030e", …
    codes: tuple[str, ...] = ()  # all hexadecimal codes of the line in their order, lower case
    level: str = ""  # "error", "warning", "info", "debug"
    component: str = ""
    time_ns: int | None = None
    """Nanoseconds since 1970 UTC; where `utc_offset` is `None`, of the wall clock of the server, its zone unknown."""
    utc_offset: int | None = None  # minutes east of UTC
    time_inherited: bool = False  # the line has no time of its own: that of a line shortly before it
    ip: str | None = None
    uuid: str | None = None  # lower case, with dashes
    fqdn: str | None = None
    amt_version: str = ""  # that it states, or a message quoted in it
    call: str = ""  # of a WS-Man or EOI answer quoted in it; `code` is what it returned
    fault: str = ""  # of such an answer

    @property
    def time(self) -> str | None:
        """ISO 8601: with an offset where the log has one, else the bare wall clock."""
        if self.time_ns is None:
            return None
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.time_ns // 1000)
        if self.utc_offset is None:
            return moment.replace(tzinfo=None).isoformat()
        return moment.astimezone(timezone(timedelta(minutes=self.utc_offset))).isoformat()
