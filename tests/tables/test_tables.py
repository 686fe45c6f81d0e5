"""Tables against `-T json` of the same captures, value by value; and what reads them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import amtdecode
from amtdecode.capture import open_records
from amtdecode.cli.main import run
from amtdecode.fields import BYTES, GUID, STRING, UINT8, UINT32, Field, Kind
from amtdecode.outputs import Outputs
from amtdecode.protocols.registry import REGISTRY
from amtdecode.render.json_lines import JsonLines
from amtdecode.tables import collecting, writing
from amtdecode.tables.making import fill
from amtdecode.tables.schemas import FAULTS, OBSERVATIONS, column, fields_of, names, schemas
from amtdecode.tables.typed import TypedColumns, from_hex, to_times, to_uuids

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURES = sorted(str(path) for path in PCAPS.glob("*.pcap*"))
GOLDEN = Path(__file__).parent / "schema.json"


def export(*given: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "amtdecode", "export", *given], capture_output=True, check=False)


def lines_of(capture: str) -> list[dict[str, Any]]:
    written: list[bytes] = []
    JsonLines(written.append).all(amtdecode.read(capture))
    return [json.loads(line) for line in written]


def raw_fields_of(capture: str) -> list[str]:
    """The JSON of the fields alone, as the line has it."""
    written: list[bytes] = []
    JsonLines(written.append).all(amtdecode.read(capture))
    return [bytes(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["fields"]).decode() for line in written]


@pytest.fixture(scope="module", params=CAPTURES, ids=[Path(name).name for name in CAPTURES])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("tables") / "made"
    with writing.ParquetFolder(str(folder), Outputs(), names(), version="0") as writer:
        fill(writer, [request.param], open_records([request.param]), names(), keys=None, registry=REGISTRY)
    return request.param, folder


def test_observations_say_what_json_says(exported: tuple[str, Path]) -> None:
    capture, folder = exported
    table = pq.read_table(folder / "observations.parquet")
    rows, lines = table.to_pylist(), lines_of(capture)
    assert len(rows) == len(lines)
    assert table.column("fields").to_pylist() == raw_fields_of(capture)
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        assert row["observation"] == number
        for name in ("packet", "packets", "input", "transport", "protocol", "event", "summary"):
            assert row[name] == line[name], name
        assert row["stream"] == line["flow"]
        for side in ("src", "dst"):
            address = f"[{row[side]}]" if row[side] and ":" in row[side] else row[side]
            shown = None if address is None else f"{address}:{row[f'{side}_port']}"
            assert shown == line[side]
    times = [None if line["time"] is None else line["time"][:26] for line in lines]
    shown_times = [None if time is None else f"{time:%Y-%m-%dT%H:%M:%S.%f}" for time in
                   table.column("time").cast(pa.timestamp("us", "UTC"), safe=False).to_pylist()]  # fmt: skip
    assert shown_times == times


def expected(field: Field, value: Any) -> Any:
    """The value of JSON in its column."""
    if field.secret or value is None:
        return value
    if field.repeated:
        return [expected(msgspec.structs.replace(field, repeated=False), each) for each in value]
    if field.kind is Kind.BYTES:
        return bytes.fromhex(value)
    return uuid.UUID(value) if field.kind is Kind.GUID else value


def test_protocol_tables_say_what_json_says(exported: tuple[str, Path]) -> None:
    capture, folder = exported
    lines = lines_of(capture)
    seen = 0
    for name, fields in fields_of().items():
        rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
        seen += len(rows)
        for row in rows:
            line = lines[row["observation"] - 1]
            assert (row["event"], row["packet"], row["stream"]) == (line["event"], line["packet"], line["flow"])
            assert {*line["fields"]} <= {field.name for field in fields}
            for field in fields:
                assert row[column(field)] == expected(field, line["fields"].get(field.name)), field.name
    assert seen == len(lines), "each observation is in one table of a protocol"


def test_story_tables_say_what_the_report_says(exported: tuple[str, Path]) -> None:
    capture, folder = exported
    report = amtdecode.diagnose(capture)

    def rows(name: str) -> list[dict[str, Any]]:
        return pq.read_table(folder / f"{name}.parquet").to_pylist()

    assert [(row["machine"], row["name"], row["addresses"]) for row in rows("machines")] == [
        (device.id, device.name, device.addresses) for device in report.devices
    ]
    assert [(row["machine"], row["stage"], row["outcome"], row["packets"]) for row in rows("attempts")] == [
        (device.id, attempt.stage, attempt.outcome, attempt.packets)
        for device in report.devices
        for attempt in device.attempts
    ]
    assert [(row["rule"], row["machine"], row["severity"], row["title"]) for row in rows("findings")] == [
        (found.id, found.device_id, found.severity, found.title) for found in report.findings
    ]
    assert [(row["finding"], row["input"], row["packet"], row["text"]) for row in rows("evidence")] == [
        (number, proof.input, proof.packet, proof.text)
        for number, found in enumerate(report.findings, 1)
        for proof in found.evidence
    ]
    streams = {row["stream"] for row in rows("flows")}
    assert {row["stream"] for row in rows("sessions")} <= streams
    outcomes = [each for each in amtdecode.read(capture, connections="all") if each.protocol == "tcp"]
    assert sorted(streams) == sorted(each.flow.number for each in outcomes if type(each.event).__name__ == "Connection")


def test_calls_are_the_calls(tmp_path: Path) -> None:
    export("-q", str(PCAPS / "wsman.pcap"), "--parquet", str(tmp_path / "t"))
    calls = pq.read_table(tmp_path / "t" / "calls.parquet").to_pylist()
    events = [each for each in amtdecode.read(str(PCAPS / "wsman.pcap")) if type(each.event).__name__ == "Call"]
    assert [(call["class"], call["method"], call["http_status"], call["result"]) for call in calls] == [
        (each.event.owner, each.event.method, each.event.http_status, each.event.result_text) for each in events
    ]
    assert len(calls) == 8
    assert ("AMT_RedirectionService", "Get", 400) in {(c["class"], c["method"], c["http_status"]) for c in calls}


def test_the_schema_stays() -> None:
    """New tables and columns may come; these are added by `python tests/tables/test_tables.py`.

    One that goes, or changes its type, wants another `schemas.VERSION`, and a word in CHANGELOG.
    """
    before, now = json.loads(GOLDEN.read_text()), schema_now()
    assert now["version"] == before["version"]
    for name, columns in before["tables"].items():
        assert {column: now["tables"][name].get(column) for column in columns} == columns, name


def schema_now() -> dict[str, Any]:
    return {
        "version": int(schemas()[OBSERVATIONS].metadata[b"amtdecode.schema"]),
        "tables": {name: {each.name: str(each.type) for each in schema} for name, schema in schemas().items()},
    }


def test_no_two_fields_share_a_column() -> None:
    for name, schema in schemas().items():
        assert len(set(schema.names)) == len(schema.names), name


def test_metadata_says_versions(tmp_path: Path) -> None:
    export("-q", str(PCAPS / "hello.pcap"), "--parquet", str(tmp_path))
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(names())
    found = pq.read_schema(tmp_path / "iamt_hello.parquet")
    assert found.metadata[b"amtdecode.schema"] == b"1"
    assert found.metadata[b"amtdecode.version"] == amtdecode.__version__.encode()
    assert found.metadata[b"amtdecode.table"] == b"iamt_hello"
    assert found.field("iamt_hello_uuid").metadata[b"kind"] == b"guid"
    assert found.field("src").type == pa.string()


# -- programs that read them ------------------------------------------------------------------------------------------


def test_duckdb_polars_and_pandas_take_observations_and_reports() -> None:
    duckdb, polars, pandas = map(pytest.importorskip, ("duckdb", "polars", "pandas"))
    capture = str(PCAPS / "office.pcapng")
    hellos = sum(line["event"] == "HelloMessage" for line in lines_of(capture))
    observations = amtdecode.read(capture)
    asked = duckdb.sql("SELECT count(*) FROM observations WHERE event = 'HelloMessage'").fetchall()
    assert asked == [(hellos,)]
    assert hellos == 8
    assert list(observations) == [], "DuckDB has read them"
    frame = polars.DataFrame(amtdecode.read(capture))
    assert frame.filter(polars.col("event") == "HelloMessage").height == hellos
    assert (pandas.DataFrame.from_arrow(amtdecode.read(capture))["event"] == "HelloMessage").sum() == hellos
    report = amtdecode.diagnose(capture)
    rules = [found.id for found in report.findings]
    assert polars.DataFrame(report)["rule"].to_list() == rules
    assert list(pandas.DataFrame.from_arrow(report)["rule"]) == rules
    assert duckdb.sql("SELECT rule FROM report").fetchall() == [(rule,) for rule in rules]
    assert pa.table(report).column("rule").to_pylist() == rules


def test_a_stream_is_read_as_it_is_asked_for() -> None:
    """What follows the rows taken is still there for others."""
    observations = amtdecode.read(str(PCAPS / "office.pcapng"))
    before = collecting.MAX_ROWS
    collecting.MAX_ROWS = 10  # type: ignore[misc]
    try:
        batch = pa.RecordBatchReader.from_stream(observations).read_next_batch()
        assert batch.num_rows == 10
        assert next(observations).packet > 0
    finally:
        collecting.MAX_ROWS = before  # type: ignore[misc]


@pytest.mark.parametrize(
    ("capture", "table", "again", "never"),
    [
        ("wsman.pcap", "http", "http_request_method", "iamt_http_digest_nc"),
        ("office.pcapng", "iamt_hello", "iamt_hello_hash_value.list.element", "iamt_hello_pid"),
    ],
)
def test_texts_that_come_again_have_a_dictionary(
    capture: str, table: str, again: str, never: str, tmp_path: Path
) -> None:
    export("-q", str(PCAPS / capture), "--parquet", str(tmp_path), "--table", table)
    group = pq.ParquetFile(tmp_path / f"{table}.parquet").metadata.row_group(0)
    has = {each.path_in_schema: each.has_dictionary_page for each in map(group.column, range(group.num_columns))}
    assert (has[again], has[never], has["observation"]) == (True, False, False)


def test_arrow_stream_of_one_table() -> None:
    done = export(str(PCAPS / "office.pcapng"), "--arrow", "-", "--table", "iamt_hello")
    assert done.stderr.decode() == "amtdecode: 8 rows: iamt_hello\n"
    table = pa.ipc.open_stream(done.stdout).read_all()
    assert (table.num_rows, table.schema.names[:11]) == (8, list(schemas()["iamt_hello"].names[:11]))
    assert table.schema.metadata[b"amtdecode.table"] == b"iamt_hello"


# -- many rows, little memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 7, 20])
def test_batches_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    observations = list(amtdecode.read(str(PCAPS / "office.pcapng"), connections="all"))

    def made(folder: Path) -> dict[str, Any]:
        tables = [name for name in names() if name in {*fields_of(), OBSERVATIONS, "flows", "calls"}]
        with writing.ParquetFolder(str(folder), Outputs(), tables, version="0") as writer:
            collector = collecting.Collector(writer.take, tables, outcomes=True)
            for at in range(0, len(observations), rows):
                collector.add(observations[at : at + rows])
            collector.flush()
        return {name: pq.read_table(folder / f"{name}.parquet") for name in tables}

    whole = made(tmp_path / "whole")
    monkeypatch.setattr(collecting, "MAX_ROWS", rows)
    monkeypatch.setattr(writing, "GROUP_ROWS", 2 * rows)
    monkeypatch.setattr(writing, "MAX_WAITING", 4096)
    parts = made(tmp_path / "parts")
    assert parts.keys() == whole.keys()
    for name, table in whole.items():
        assert parts[name].equals(table), name
    assert pq.ParquetFile(tmp_path / "parts" / "observations.parquet").num_row_groups > 1


def test_no_more_rows_wait_than_the_cap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(writing, "MAX_WAITING", 10_000)
    table = schemas()["evidence"].empty_table()
    row = pa.table([[1], ["x" * 4000], [1], [None], ["y"]], schema=table.schema)
    with writing.ParquetFolder(str(tmp_path / "t"), Outputs(), ["evidence"], version="0") as writer:
        for _ in range(10):
            writer.take("evidence", row)
    assert pq.ParquetFile(tmp_path / "t" / "evidence.parquet").num_row_groups >= 3
    assert pq.read_table(tmp_path / "t" / "evidence.parquet").num_rows == 10


# -- what does not fit ------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_null_and_its_neighbours_stay() -> None:
    fields = (
        Field("a.number", UINT8, ""),
        Field("a.text", STRING, ""),
        Field("a.list", UINT32, "", repeated=True),
        Field("a.bytes", BYTES, "", repeated=True),
        Field("a.guid", GUID, ""),
        Field("a.secret", BYTES, "", secret=True),
    )
    texts = [
        b'{"a.number":300,"a.text":"one","a.list":[1,2],"a.bytes":["00ff","zz"],"a.secret":"********"}',
        b'{"a.number":7,"a.text":5,"a.list":["x"],"a.guid":"d2ffc23e-9dd1-412d-860a-54b2039b72ff"}',
        b"{}",
    ]
    number, text, some, parts, guid, secret = (each.to_pylist() for each in TypedColumns(fields)(texts))
    assert number == [None, 7, None]
    assert text == ["one", None, None]
    assert some == [[1, 2], None, None]
    assert parts == [[b"\x00\xff", None], None, None]
    assert guid == [None, uuid.UUID("d2ffc23e-9dd1-412d-860a-54b2039b72ff"), None]
    assert secret == ["********", None, None]


def test_hex_of_a_part_of_a_column() -> None:
    digits = pa.array(["zz", "00ff", None, "", "AB"])
    assert from_hex(digits[1:]).to_pylist() == [b"\x00\xff", None, b"", b"\xab"]
    assert from_hex(digits).to_pylist() == [None, b"\x00\xff", None, b"", b"\xab"]
    assert from_hex(pa.array(["00  ", "0"])).to_pylist() == [b"\x00", None]
    assert to_uuids(pa.array(["short", None])).to_pylist() == [None, None]
    assert to_times(pa.array(["1970-01-01T00:00:00.000000001Z", "soon", None])).cast(pa.int64()).to_pylist() == [
        1,
        None,
        None,
    ]


def test_a_time_beyond_arrow_is_null() -> None:
    read = list(amtdecode.read(str(PCAPS / "hello.pcap")))[:2]
    late = msgspec.structs.replace(read[0], time_ns=1 << 63)
    assert pa.table(collecting.reader([late, read[1]])).column("time").cast(pa.int64()).to_pylist() == [
        None,
        read[1].time_ns,
    ]


def test_names_that_are_no_utf8() -> None:
    read = msgspec.structs.replace(
        next(iter(amtdecode.read(str(PCAPS / "hello.pcap")))), input="odd\udcff", elsewhere=(("\udc80", 3),)
    )
    row = pa.table(collecting.reader([read])).to_pylist()[0]
    assert row["input"] == "odd\\udcff"
    assert row["elsewhere"] == [{"input": "\\udc80", "packet": 3}]


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--table", "findings"], "--table goes with --parquet or --arrow"),
        (["--parquet", "DIR", "--arrow", "DIR/x"], "--parquet and --arrow: one of them at a time"),
        (["--parquet", "DIR", "--table", "nothing"], "--table nothing: there is no such table"),
        (["--arrow", "DIR", "--table", "findings", "--table", "flows"], "--arrow takes one table"),
    ],
)
def test_options_that_make_no_sense(given: list[str], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done = export(str(PCAPS / "hello.pcap"), *(each.replace("DIR", str(folder)) for each in given))
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert not folder.exists()


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    capture = tmp_path / "observations.parquet"
    capture.write_bytes((PCAPS / "hello.pcap").read_bytes())
    done = export(str(capture), "--parquet", str(tmp_path))
    assert done.returncode == 2
    assert b"is one of the inputs" in done.stderr
    assert capture.read_bytes() == (PCAPS / "hello.pcap").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["observations.parquet"]


def test_damage_is_in_faults(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((PCAPS / "hello.pcap").read_bytes()[:-20])
    export("-q", str(cut), "--parquet", str(tmp_path / "t"))
    found = pq.read_table(tmp_path / "t" / f"{FAULTS}.parquet").to_pylist()
    assert [(row["event"], row["iamt_layer"]) for row in found if row["iamt_layer"] == "pcap"] == [
        ("Truncated", "pcap")
    ]


def test_without_pyarrow_one_clear_line(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['pyarrow'] = None; import amtdecode.__main__ as m; sys.exit(m.main())"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "export", str(PCAPS / "hello.pcap"), "--parquet", str(tmp_path / "t")],
        capture_output=True,
        check=False,
    )
    assert done.stderr.decode() == "amtdecode: tables need pyarrow: pip install 'amtdecode[arrow]'\n"
    assert done.returncode != 0
    assert not (tmp_path / "t").exists()


def test_reading_without_tables_loads_no_pyarrow() -> None:
    code = (
        "import sys, amtdecode; list(amtdecode.read(sys.argv[1])); amtdecode.diagnose(sys.argv[1]);"
        "assert 'pyarrow' not in sys.modules and 'amtdecode.tables' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(PCAPS / "hello.pcap")], check=True)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(schema_now(), indent=1) + "\n")


@pytest.mark.parametrize("table", [("--table", "observations"), ()])
@pytest.mark.parametrize("text", ["tls", "http || dns || dhcp", "tcp.port == 16993 && frame.len > 100", "!tcp"])
def test_a_filter_chooses_as_that_of_read(text: str, table: tuple[str, ...], tmp_path: Path) -> None:
    """And the story is of all: a part of the packets would blame what only is not shown."""
    seen = 0
    for capture in (PCAPS / "office.pcapng", PCAPS / "wsman_tls.pcap"):
        assert run(["export", str(capture), "--parquet", str(tmp_path / "some"), "-Y", text, *table]) == 0
        wanted = list(amtdecode.read(capture, filter=text))
        read = pq.read_table(tmp_path / "some" / "observations.parquet").to_pylist()
        assert [(row["packet"], row["summary"]) for row in read] == [
            (each.packet, each.event.summary()) for each in wanted
        ]
        seen += len(wanted)
        if not table:
            machines = pq.read_table(tmp_path / "some" / "machines.parquet").column("name").to_pylist()
            assert machines == [each.name for each in amtdecode.diagnose(capture).devices]
            rows = pq.read_table(tmp_path / "some" / "tls.parquet").column("packet").to_pylist()
            assert set(rows) <= {each.packet for each in wanted}
    assert seen, "the filter finds something in one of them"
