"""Reads logs of any layout: finds the lines that say something about setup and configuration, and counts the others.

Input   a file, a stream; gzip, bzip2, xz; UTF-8, UTF-16 with or without mark, Windows-1252; CRLF or LF
How     blocks of whole lines are searched for the needles of `table/*.toml` with `bytes.find`; only lines that hold
        one are decoded and taken apart
Limits  MAX_LINE bytes of a line and MAX_TEXT characters of a message are kept, MAX_RECORD bytes of a record of several
        lines; LOOK_BACK lines are searched for the time of a line without one. Nothing else is held
Not     no layout of Intel SCS logs is claimed: none is public
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import IO, TYPE_CHECKING

import msgspec

from amtdecode.artifacts.logs import facts
from amtdecode.artifacts.logs.anchors import RPC_ERROR, UNKNOWN_ERROR, Anchor, Product, product_of, table
from amtdecode.artifacts.logs.body import read_body
from amtdecode.artifacts.logs.files import known_log
from amtdecode.artifacts.logs.layout import DateOrder, Moment, Parts, parts
from amtdecode.artifacts.logs.row import LogRow
from amtdecode.artifacts.logs.sieve import ERROR_NUMBER, MAX_QUOTED, Sieve
from amtdecode.artifacts.logs.source import MAX_LINE, Blocks, encoding_of, open_source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

MAX_TEXT = 4096  # characters of a message
MAX_RECORD = 1 << 14  # bytes a CMTrace record of several lines may have
LOOK_BACK = 20  # lines
FIRST_SAMPLE = 200  # lines at the start of a log that are looked at for times and levels
SAMPLE = 16  # and at the start of each further block
SCS = "Intel SCS"  # whose numbers a bare "Error 137" is, unless the log is another's

DENIED = re.compile(
    r"\b(?:fail(?:s|ed|ure|ing)?|errors?|unable|cannot|can't|could\W?n[o']t|not|never|refused|denied|please|must|should"
    r"|before|unless|without|unsuccessful\w*)\b"
)
"""A line with one of these does not say that something was done."""

PRINTED = bytes(byte for byte in range(256) if byte >= 32 or byte in b"\t\n\r\x0c\x1b")
OPEN, CLOSE = b"<![LOG[", b"]LOG]!>"


class LogReader:
    """Iterates over the rows of one log, once, and counts as it goes. Closes a file it opened itself.

    `interruptible`: Ctrl-C ends the reading as the end of the log does, and `interrupted` tells of it.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        name: str | None = None,
        *,
        everything: bool = False,
        interruptible: bool = False,
    ) -> None:
        stream, found, self._ours = open_source(source)
        self.input = name or found
        self._stream = stream
        self._everything = everything
        self._interruptible = interruptible
        self.interrupted = False
        self._blocks = Blocks(stream, interruptible=interruptible)
        self._sieve = Sieve(self._is_error)
        self._order = DateOrder()
        self._carried: Moment | None = None  # the last time of the blocks before
        self._rows = self._read()
        self.lines = 0
        self.anchored = 0
        self.levels: set[str] = set()
        """Levels seen in the rows and in a sample of the other lines. Without "info" and "debug" no success shows."""
        self._errors = 0
        self._level = ""  # of a line that an anchor was tried for
        self.first_errors: list[tuple[int, str]] = []
        """Number and text of the first of them."""
        self._products: Counter[str] = Counter()
        known = known_log(self.input)
        self._named = known.product if known else ""
        self.first_time: Moment | None = None
        self.last_time: Moment | None = None

    @property
    def unknown(self) -> int:
        """Lines that no anchor is found in."""
        return self.lines - self.anchored

    @property
    def encoding(self) -> str:
        """How the text is encoded, as far as its beginning tells."""
        return self._blocks.encoding

    @property
    def compression(self) -> str:
        """What the file was compressed with, or an empty text."""
        return self._blocks.compression

    @property
    def cut_lines(self) -> int:
        """Lines longer than MAX_LINE, of which only the beginning was read."""
        return self._blocks.cut_lines

    @property
    def fault(self) -> str:
        """Why reading stopped before the end, in words; empty when it did not."""
        return self._blocks.fault

    @property
    def dates_are_ambiguous(self) -> bool:
        """There are dates that could be day first or month first, and none told: month first was assumed."""
        return self._order.day_first is None and self._order.unsure

    @property
    def errors(self) -> int:
        """Lines of level error that no anchor is found in."""
        return self._errors + self._sieve.errors

    @property
    def product(self) -> str:
        """The program that wrote the log, by its name or by most of its telling lines; an empty text if none tells."""
        if self._named:
            return self._named
        return max(self._products, key=self._products.__getitem__) if self._products else ""

    @property
    def writer(self) -> Product | None:
        """What is known of that program."""
        return table().products.get(self.product)

    def __iter__(self) -> Iterator[LogRow]:
        return self

    def __next__(self) -> LogRow:
        return next(self._rows)

    def _read(self) -> Iterator[LogRow]:
        sample = FIRST_SAMPLE
        try:
            for block in self._blocks:
                lines = block.split(b"\n")
                lines.pop()  # what is behind the last newline: nothing
                self._sample(lines[:sample])
                sample = SAMPLE
                yield from self._all(block, lines) if self._everything else self._some(block, lines)
                self._carried = self.last_time = self._time_before(lines, len(lines))
                self.lines += len(lines)
        except KeyboardInterrupt:
            if not self._interruptible:
                raise
            self.interrupted = True
        finally:
            self.interrupted = self.interrupted or self._blocks.interrupted
            if self._ours:
                self._stream.close()

    def _sample(self, lines: list[bytes]) -> None:
        """Learn from the first lines of a block: order of dates, levels, first and last time."""
        unknown = not self._products and not self._named
        for line in lines:
            text = _text(line)
            self._see(parts(text, self._order))
            if unknown and (product := product_of(text[:MAX_TEXT].lower())):
                self._products[product] += 1

    def _is_error(self, raw: bytes) -> bool:
        return parts(_text(raw), self._order).level == "error"

    def _count_error(self, raw: bytes, number: int) -> None:
        self._errors += 1
        if len(self.first_errors) < MAX_QUOTED:
            self.first_errors.append((self.lines + number + 1, parts(_text(raw), self._order).text[:MAX_TEXT]))

    def _see(self, found: Parts) -> None:
        if found.level:
            self.levels.add(found.level)
        if found.moment:
            self.first_time = self.first_time or found.moment

    def _some(self, block: bytes, lines: list[bytes]) -> Iterator[LogRow]:
        starts = [0, *accumulate(len(line) + 1 for line in lines)] if OPEN in block else None
        done = 0  # lines that belong to a row given
        for number, anchors, flagged in self._sieve.telling(block, lines):
            if number < done:  # inside the record of the row before
                continue
            first, last, raw = number, number, lines[number]
            if starts is not None:
                first, last = _record(block, starts, number)
                first = max(first, done)
                if last > first:
                    raw = block[starts[first] : starts[last + 1] - 1]
            self._level = ""
            row = self._row(raw, anchors, lines, first) if anchors else None
            done = first
            if row is None and flagged and (not anchors or self._level == "error" or self._is_error(raw)):
                self._count_error(raw, first)
                done = last + 1
            if row:
                self.anchored += 1
                done = last + 1
                yield row

    def _row(self, raw: bytes, anchors: list[Anchor], lines: list[bytes], number: int) -> LogRow | None:
        line = _text(raw)
        low = line.lower()
        found: Parts | None = None
        for anchor in anchors:
            match = None
            if anchor.pattern is not None:
                match = anchor.pattern.search(low)
                if match is None:
                    continue
            if anchor.unless is not None and anchor.unless.search(low):
                continue
            if anchor.kind == "success" or anchor.sets:
                found = found or parts(line, self._order)
                self._level = found.level
                if found.level == "error" or DENIED.search(found.text.lower()):
                    continue
            if match is None and _is_numbered(anchor) and self.product not in ("", SCS):
                anchor = table().by_id[RPC_ERROR]  # a number that is not of SCS: rpc's, or nobody's
                if self.product != anchor.product:
                    continue
            break
        else:
            return None
        found = found or parts(line, self._order)
        self._see(found)
        if anchor.product:
            self._products[anchor.product] += 1
        moment = found.moment or self._time_before(lines, number)
        inherited = found.moment is None and moment is not None
        product = anchor.product or self.product
        row = _build(self.input, self.lines + number + 1, found, moment, inherited, anchor, match, product)
        quotes = "envelope" in low or "returnvalue" in low or "active management technology" in low
        return _with_body(row, found.text) if quotes else row

    def _time_before(self, lines: list[bytes], number: int) -> Moment | None:
        """The time of a line shortly before; at the start of a block, the last of the block before."""
        if self.first_time is None:  # no line has had one
            return None
        for before in range(number - 1, number - 1 - LOOK_BACK, -1):
            if before < 0:
                return self._carried
            moment = parts(_text(lines[before][:MAX_TEXT]), self._order).moment
            if moment:
                return moment
        return None

    def _all(self, block: bytes, lines: list[bytes]) -> Iterator[LogRow]:
        """Every line as a row; those between anchored ones without an anchor."""
        rows = {row.line: row for row in self._some(block, lines)}
        for number, raw in enumerate(lines, self.lines + 1):
            if number in rows:
                yield rows[number]
            elif raw.strip(b"\r \0"):
                found = parts(_text(raw), self._order)
                self._see(found)
                yield _build(self.input, number, found, found.moment, False, None, None)


def _is_numbered(anchor: Anchor) -> bool:
    """Whether a line was taken for this anchor by its number alone."""
    return anchor.id == UNKNOWN_ERROR or anchor.id.startswith("scs-")


def _with_body(row: LogRow, text: str) -> LogRow:
    """What a message quoted in the line says."""
    body = read_body(text)
    if body is None:
        return row
    version = row.amt_version or body.amt_version
    code = row.code or (str(body.code) if body.code is not None else "")
    return msgspec.structs.replace(row, amt_version=version, call=body.call, fault=body.fault, code=code)


def _record(block: bytes, starts: list[int], number: int) -> tuple[int, int]:
    """The first and the last line of the CMTrace record that a line belongs to; that line alone where none is whole."""
    start, end = starts[number], starts[number + 1] - 1
    begin = block.rfind(OPEN, max(0, start - MAX_RECORD), end)
    if begin < 0 or block.find(CLOSE, begin, start) >= 0:
        return number, number
    first = min(number, bisect_right(starts, begin) - 1)
    close = block.find(CLOSE, starts[first], starts[first] + MAX_RECORD)
    return (first, max(number, bisect_right(starts, close) - 1)) if close >= 0 else (number, number)


def _text(raw: bytes) -> str:
    """A line as text: UTF-8, else Windows-1252. NUL bytes, as crashes leave them, are dropped."""
    raw = raw[:MAX_LINE]
    if 0 in raw:
        raw = raw.replace(b"\0", b"")
    try:
        return raw.rstrip(b"\r").decode()
    except UnicodeDecodeError:
        return raw.rstrip(b"\r").decode("cp1252", "replace")


def _build(
    name: str,
    line: int,
    found: Parts,
    moment: Moment | None,
    inherited: bool,
    anchor: Anchor | None,
    match: re.Match[str] | None,
    product: str = "",
) -> LogRow:
    text = found.text[:MAX_TEXT]
    if not text.isascii():  # half a pair of surrogates, as JSON may hold
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    time_ns, offset = moment or (None, None)
    if anchor is None:
        return LogRow(
            name, line, text, level=found.level, component=found.component, time_ns=time_ns, utc_offset=offset
        )
    codes = facts.codes(text) if "0x" in text or "0X" in text else ()
    code = anchor.code or (match["code"] if match and "code" in match.re.groupindex else "") or ""
    if not code and anchor.id in (UNKNOWN_ERROR, RPC_ERROR) and (number := ERROR_NUMBER.search(text.lower().encode())):
        code = number[1].decode()
    if codes and not code:
        code = codes[0]
    return LogRow(
        name,
        line,
        text,
        anchor.id,
        anchor.kind,
        anchor.rule,
        product,
        anchor.step,
        code,
        codes,
        found.level,
        found.component,
        time_ns,
        offset,
        inherited,
        facts.ipv4(text),
        facts.uuid(text),
        facts.fqdn(text),
        facts.amt_version(text),
    )


def read_log(
    source: str | os.PathLike[str] | IO[bytes], name: str | None = None, *, everything: bool = False
) -> LogReader:
    """The rows of a log, one pass, in bounded memory. ArtifactError where it cannot be opened; nothing else is raised.

    With `everything`, lines without an anchor are rows too (`anchor` is empty).
    """
    return LogReader(source, name, everything=everything)


def looks_like_a_log(head: bytes) -> bool:
    """Tell text with lines from anything binary, by its first bytes (after decompression)."""
    if encoding_of(head).startswith("utf-16"):
        return True
    control = len(head.translate(None, PRINTED))
    return bool(head) and control <= len(head) // 100 and (b"\n" in head or len(head) < MAX_LINE)
