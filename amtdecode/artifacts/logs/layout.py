"""Time, level and component of a line, whatever its layout; what is not recognised is left alone.

Recognised: CMTrace records, the older ConfigMgr lines ending in `$$<component><time><thread=…>`, and rows copied out of
a viewer (message, component, time, thread between tabs); logrus as logfmt (`time="…" level=… msg="…"`), as JSON and as
it writes to a terminal (`ERRO[0011] …`); JSON objects, nested or behind the name of a container; rows of MeshCentral's
trace (`10:13:31 AM | mps | …`); and any line with a date and a time near its beginning: year first, or day and month
with a four- or two-digit year, with or without AM and PM, fractions and an offset from UTC. Colours are left out.

Not recognised: syslog's dates, which have no year. Of Intel SCS no public sample shows a layout, so none is claimed.
"""

from __future__ import annotations

import json
import re
from calendar import month_abbr
from datetime import date
from typing import Any, NamedTuple

MAX_DATES = 1000  # remembered
SECOND = 1_000_000_000  # ns
DAY = 24 * 60  # minutes
YEARS = range(1970, 2200)  # others are no time of a log
EPOCH = date(1970, 1, 1).toordinal()
HEAD = 72  # characters in which the time of a plain line must end
FIRST = 32  # and begin: later ones belong to the message, unless they are a column of their own
COLUMNS = 512  # characters in which such a column must be
DELIMITERS = frozenset('\t,;|"') | {""}
LEVEL_NEAR = 40  # characters behind the time (or the start) in which its level may stand

LEVELS = {
    "fatal": "error", "critical": "error", "error": "error", "err": "error", "e": "error",
    "warning": "warning", "warn": "warning", "w": "warning",
    "information": "info", "informational": "info", "info": "info", "notice": "info", "i": "info",
    "debug": "debug", "verbose": "debug", "trace": "debug", "v": "debug", "d": "debug",
    "panic": "error", "fata": "error", "pani": "error", "erro": "error", "debu": "debug", "trac": "debug",
    "silly": "debug", "http": "debug",
    "10": "debug", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "error",
}  # fmt: skip
"""Words of logrus, winston, Windows and syslog; the numbers are pino's and bunyan's."""
CMTRACE_LEVELS = {"1": "info", "2": "warning", "3": "error"}

_CLOCK = r"(\d{1,2}):(\d\d)(?::(\d\d))?(?:[.,](\d{1,9}))?"
YEAR_FIRST = re.compile(rf"\b(\d{{4}})([-/.])(\d\d?)\2(\d\d?)[T ,]+{_CLOCK}(?:\s?(Z\b|[+-]\d\d:?\d\d\b))?")
YEAR_LAST = re.compile(
    rf"\b(\d\d?)([-/.])(\d\d?)\2(\d{{4}}|\d\d),?[T ]\s*{_CLOCK}(?:\s?([AaPp])\.?[Mm]\b\.?)?"
    r"([+-]\d\d:?\d\d\b|[+-]-?\d{1,3}\b)?"
)
CTIME = re.compile(rf"\b([A-Z][a-z]{{2}}) +(\d\d?) {_CLOCK} (\d{{4}})\b")
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
CONFIGMGR = re.compile(r"([^<>]*)><([^<>]*)><")  # behind $$<
LOGFMT = re.compile(r'\b(time|ts|level|msg)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*))')
TERMINAL = re.compile(r"(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d{4,}\] ?(.*)", re.DOTALL)
GO_ESCAPE = re.compile(r"\\(?:([rnt])|x([0-9a-f]{2})|u([0-9a-f]{4})|(.))", re.DOTALL)
BLANKS = {"r": "\r", "n": "\n", "t": "\t"}
COLOUR = re.compile(r"(?:\x1b|#033|\^\[)\[[0-9;]{0,12}m")
TRACE_ROW = re.compile(
    r'"?(\d{1,2}:\d\d:\d\d(?: [AP]M)?)"?(?: \| | - |,)"?(amt|mps\w*|apf|agent|swarm\w*|web\w*)"?(?: \| |: |,)'
    r'"?(.*?)"?$',
    re.IGNORECASE | re.DOTALL,
)
LEVEL_WORD = re.compile(
    r"\b(?:LM_)?(fatal|critical|error|err|warning|warn|information|informational|info|notice|debug|verbose|trace)\b",
    re.IGNORECASE,
)
LEVEL_MARKS = frozenset('[]|:<>()-"')  # a level is the first word, or has one of these beside it
LEVEL_LETTER = re.compile(r"[\s|;,\[(]+([VIWED])[\s|;,\])]")
MONTHS = {name: number for number, name in enumerate(month_abbr)}


class Moment(NamedTuple):
    """A time as the line has it; `ns` counts from 1970, in UTC where the offset is known, else on the wall clock."""

    ns: int
    offset: int | None  # minutes east of UTC


class Parts(NamedTuple):
    """What a line consists of."""

    text: str
    moment: Moment | None = None
    level: str = ""
    component: str = ""


class DateOrder:
    """Whether 07/08/2016 is the 7th of August or the 8th of July: learnt from dates that can only be one of them."""

    def __init__(self) -> None:
        self.day_first: bool | None = None
        self.unsure = False
        """A date was read that could be either."""
        self.usual: tuple[re.Pattern[str], int] = (YEAR_FIRST, 0)
        """The layout of the time of the last line that had one, and its column."""
        self._days: dict[tuple[str, str, str, str], int | None] = {}  # of the last dates: a log has few

    def days(self, first: str, separator: str, second: str, year: str) -> int | None:
        """Days since 1970 of a date whose year comes last; `None` for an impossible one."""
        key = (first, separator, second, year)
        if key not in self._days:
            known = self.day_first
            month, day = self.resolve(int(first), int(second), separator)
            if known != self.day_first or len(self._days) > MAX_DATES:
                self._days.clear()  # what was assumed before is now known
            self._days[key] = _days(int(year) + (2000 if len(year) == 2 else 0), month, day)
        return self._days[key]

    def learn(self, first: int, second: int) -> None:
        """Look at one date."""
        if first > 12 >= second:
            self.day_first = True
        elif second > 12 >= first:
            self.day_first = False

    def resolve(self, first: int, second: int, separator: str) -> tuple[int, int]:
        """Month and day; month first where nothing tells, as US English Windows writes it."""
        self.learn(first, second)
        if separator == "." or self.day_first:
            return second, first
        self.unsure = self.unsure or first != second
        return first, second


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970; `None` for an impossible date."""
    try:
        return date(year, month, day).toordinal() - EPOCH if year in YEARS else None
    except ValueError:
        return None


def _moment(days: int | None, clock: list[str | None], half: str | None, offset: int | None) -> Moment | None:
    hours, minutes, seconds = int(clock[0] or 0), int(clock[1] or 0), int(clock[2] or 0)
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    if days is None or hours > 23 or minutes > 59 or seconds > 60:
        return None
    total = ((days * 24 + hours) * 60 + minutes - (offset or 0)) * 60 + seconds
    return Moment(total * SECOND + (int(clock[3].ljust(9, "0")) if clock[3] else 0), offset)


def _zone(text: str | None) -> int | None:
    """Minutes east of UTC, of Z, +0200 or +02:00; `None` for anything else."""
    if text == "Z":
        return 0
    if not text or len(text) < 5:
        return None
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return None if minutes >= DAY else -minutes if text[0] == "-" else minutes


def _bias(text: str | None) -> int | None:
    """Minutes east of UTC out of ConfigMgr's bias, which counts west: -480 is eight hours east [inferred].

    +05:30 and +0530 are no bias, which has three digits at most; they count east as everywhere.
    """
    if not text or len(text.lstrip("+-")) > 3:
        return _zone(text)
    return -int(text.replace("+-", "-"))


def _read_time(match: re.Match[str], order: DateOrder, bias: bool) -> Moment | None:
    if match.re is YEAR_LAST:
        first, separator, second, year, *clock, half, zone = match.groups()
        days = order.days(first, separator, second, year)
        return _moment(days, clock, half, _bias(zone) if bias else _zone(zone))
    if match.re is YEAR_FIRST:
        year, _, month, day, *clock, zone = match.groups()
        return _moment(_days(int(year), int(month), int(day)), clock, None, _zone(zone))
    name, day, *clock, year = match.groups()
    return _moment(_days(int(year), MONTHS.get(name, 0), int(day)), clock, None, None)


def find_time(line: str, order: DateOrder, bias: bool = False) -> tuple[Moment | None, int, int]:
    """The first time near the beginning of a line, and where it begins and ends; (`None`, 0, 0) without one.

    With `bias`, a number of minutes behind the time is ConfigMgr's.
    """
    pattern, column = order.usual  # a line is mostly laid out as the one before
    match = pattern.match(line, column, HEAD)
    for pattern in () if match else (YEAR_FIRST, YEAR_LAST, CTIME):
        match = pattern.search(line, 0, HEAD)
        if match:
            order.usual = pattern, match.start()
            break
    if match is None:
        return None, 0, 0
    return _read_time(match, order, bias), match.start(), match.end()


def column_time(line: str, order: DateOrder) -> Moment | None:
    """A time that is a column of its own further on, as event logs are exported."""
    for pattern in (YEAR_FIRST, YEAR_LAST):
        for match in pattern.finditer(line, 0, COLUMNS):
            start, end = match.span()
            if line[:start].rstrip(" ")[-1:] in DELIMITERS and line[end:].lstrip(" ")[:1] in DELIMITERS:
                return _read_time(match, order, False)
    return None


def _cmtrace(line: str) -> Parts | None:
    begin = line.find("<![LOG[") + 7
    close = line.find("]LOG]!>", begin)
    if close < 0:
        return None
    values = dict(ATTRIBUTE.findall(line, close))
    month_first = DateOrder()
    moment = find_time(f"{values.get('date', '')} {values.get('time', '')}", month_first, bias=True)[0]
    return Parts(line[begin:close], moment, CMTRACE_LEVELS.get(values.get("type", ""), ""), values.get("component", ""))


JSON_TEXT = ("msg", "message", "log", "Message", "@m", "MESSAGE")
JSON_LEVEL = ("level", "severity", "lvl", "Level", "@l", "log.level", "levelname")
JSON_TIME = ("time", "ts", "timestamp", "@timestamp", "@t", "Timestamp", "asctime")
MAX_NESTED = 3  # rows inside rows


def _json(line: str, order: DateOrder, depth: int) -> Parts | None:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    text: Any = next((row[key] for key in JSON_TEXT if isinstance(row.get(key), str | dict)), line)
    stamp = next((row[key] for key in JSON_TIME if key in row), None)
    moment = None
    if isinstance(stamp, str):
        moment = find_time(stamp, order)[0]
    elif isinstance(stamp, int | float) and 0 < stamp < 7e12:
        moment = Moment(int(stamp * (SECOND if stamp < 7e9 else SECOND // 1000)), 0)  # or in milliseconds
    level = next((row[key] for key in JSON_LEVEL if isinstance(row.get(key), str | int)), "")
    component = row.get("component", row.get("name", ""))
    found = Parts(
        _flat(text) if isinstance(text, dict) else text.rstrip(),
        moment,
        LEVELS.get(COLOUR.sub("", str(level)).lower(), ""),
        component if isinstance(component, str) else "",
    )
    return found if text is line else _nested(found, order, depth)


def _flat(row: dict[str, Any]) -> str:
    """A message that is an object, as one line: `Status: …; Network: …`."""
    return "; ".join(f"{key}: {value}" for key, value in row.items() if isinstance(value, str | int | float))


def _nested(outer: Parts, order: DateOrder, depth: int) -> Parts:
    """A message that is a row of its own, as containers and servers write them: what it says goes before."""
    text = outer.text
    if depth >= MAX_NESTED or not (text.startswith("{") or "level=" in text or TERMINAL.match(text)):
        return outer
    if text.startswith("{"):
        try:
            row: Any = json.loads(text)
        except (ValueError, RecursionError):
            return outer
        if isinstance(row, dict) and not any(key in row for key in (*JSON_TEXT, *JSON_LEVEL)):
            return outer._replace(text=_flat(row) or text)
    inner = parts(text, order, depth + 1)
    return Parts(
        inner.text, inner.moment or outer.moment, inner.level or outer.level, inner.component or outer.component
    )


def _logfmt(line: str, order: DateOrder, depth: int) -> Parts | None:
    """A row of logrus; `None` for a line that only mentions a level."""
    found: dict[str, str] = {}
    for key, quoted, bare in LOGFMT.findall(line):
        found.setdefault(key, _unescaped(quoted) if quoted else bare)
    if "level" not in found or not ("msg" in found or "time" in found or "ts" in found):
        return None
    moment = find_time(found.get("time") or found.get("ts") or "", order)[0]
    row = Parts(found.get("msg", line).strip(), moment, LEVELS.get(found["level"].lower(), ""))
    return _nested(row, order, depth) if "msg" in found else row


def _unescaped(text: str) -> str:
    """A string as Go quotes it."""
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        blank, byte, unit, other = match.groups()
        return BLANKS[blank] if blank else chr(int(byte or unit, 16)) if byte or unit else other

    return GO_ESCAPE.sub(plain, text)


def _copied(line: str, order: DateOrder) -> Parts | None:
    """A row copied out of the viewer of ConfigMgr's logs: message, component, time and thread between tabs."""
    columns = line.split("\t")
    if len(columns) < 3 or not columns[1].strip():
        return None
    moment, start, _ = find_time(columns[2], order)
    if moment is None or start:
        return None
    text = columns[0].strip()
    word = LEVEL_WORD.match(text)
    return Parts(text, moment, LEVELS[word[1].lower()] if word else "", columns[1].strip())


def parts(line: str, order: DateOrder, depth: int = 0) -> Parts:
    """Take a line (or a record) apart. Never fails: what is not recognised is text."""
    if "[" in line and ("\x1b[" in line or "#033[" in line or "^[[" in line):
        line = COLOUR.sub("", line)
    if (at := line.find('{"', 0, HEAD)) >= 0 and line.rstrip()[-1:] == "}":
        found = _json(line[at:], order, depth)
        if found and (not at or found.level or found.moment):  # not an object that a message ends in
            return found
    if "<![LOG[" in line and (found := _cmtrace(line)):
        return found
    if "$$<" in line and (match := CONFIGMGR.match(line, line.index("$$<") + 3)):
        text = line[: line.index("$$<")].rstrip()
        return Parts(text, find_time(match[2], DateOrder(), bias=True)[0], "", match[1])
    if "level=" in line and (found := _logfmt(line, order, depth)):
        return found
    if "[0" in line[:8] and (match := TERMINAL.match(line)):
        return _nested(Parts(match[2].strip(), None, LEVELS[match[1].lower()]), order, depth)
    if "\t" in line and (found := _copied(line, order)):
        return found
    if ":" in line[1:4] and (match := TRACE_ROW.match(line)):
        return Parts(match[3].strip(), None, "", match[2].lower())
    moment, start, end = find_time(line, order)
    if start > FIRST or moment is None:
        moment, start, end = column_time(line, order), 0, 0
    ahead = line[:start].strip(" \t[]<>()|:,-")
    before = LEVEL_WORD.fullmatch(ahead) if ahead else None
    if found_level := LEVEL_LETTER.match(line, end) if end else None:
        return Parts(line[found_level.end() :].strip(" \t|;,"), moment, LEVELS[found_level[1].lower()])
    level = before or _level_word(line, end)
    text = line if ahead and not before else line[end:]  # a time inside a sentence leaves the sentence whole
    return Parts(text.strip(" \t|;,]"), moment, LEVELS[level[1].lower()] if level else "")


def _level_word(line: str, start: int) -> re.Match[str] | None:
    """A level near the start of a message: its first word, or one that stands between marks."""
    match = LEVEL_WORD.search(line, start, start + LEVEL_NEAR)
    if match is None:
        return None
    ahead, behind = line[start : match.start()].rstrip(), line[match.end() :].lstrip()
    if not ahead.strip(' \t"[]<>()|;:,-') or ahead[-1:] in LEVEL_MARKS or behind[:1] in LEVEL_MARKS:
        return match
    return None
