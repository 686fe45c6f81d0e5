"""Coverage-guided fuzzing of every reader of a file that an administrator may give.

python tests/fuzz/files.py                  all readers, about a minute in all (what .ci/run does)
python tests/fuzz/files.py --seconds 3600   the same for an hour
python tests/fuzz/files.py certificates     one reader alone, until stopped; libFuzzer's options may follow

It needs atheris (the extra `fuzz`). A reader may raise `AmtdecodeError` and nothing else, in our own words. The
corpus beside this file is small and not written to: what is found anew stays in a folder of its own, `--found DIR`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
MEMORY_MIB = 1024
SLOWEST = 20  # seconds for one input of at most MAX_INPUT bytes, on a busy machine and with coverage counted
MAX_INPUT = 1 << 14

sys.path[:0] = [str(HERE.parent.parent), str(HERE)]
with atheris.instrument_imports(include=["amtdecode", "asn1crypto"]):
    from words import check_words

    import amtdecode
    import amtdecode.diagnosis.run
    import amtdecode.engine.stack
    from amtdecode.artifacts.certificates import check_chain, lint, order_chain, read_bundle, write_pem
    from amtdecode.artifacts.logs import LogReader, explain
    from amtdecode.artifacts.reg import read_reg
    from amtdecode.artifacts.setupbin import read_setupbin
    from amtdecode.cli.main import run
    from amtdecode.diagnosis.site import load
    from amtdecode.errors import AmtdecodeError, ArtifactError
    from amtdecode.masking import masked
    from amtdecode.render.certificates import Judged, document, text
    from amtdecode.render.setupbin_text import setupbin_lines
    from amtdecode.secrets.keylog import KeyLog, KeyLogFile
    from amtdecode.secrets.keys import Keys

amtdecode.engine.stack.RAISE_FAULTS = amtdecode.diagnosis.run.RAISE_FAULTS = True
AT = datetime(2026, 1, 1, tzinfo=UTC)
SCRATCH = Path(tempfile.mkdtemp(prefix="amtdecode-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


def written(data: bytes) -> str:
    """The name of a file with these bytes."""
    path = SCRATCH / "input"
    path.write_bytes(data)
    return str(path)


def certificates(data: bytes) -> None:
    """`cert check`, with and without a password, through every check and both forms of output."""
    for password in (None, b"secret"):
        bundle = read_bundle(data, "input", password)
        found = bundle.certificates
        told = [fault.text for fault in bundle.faults] + [*bundle.unread]
        told += [key.fault for key in bundle.private_keys]
        if found or bundle.unread:
            keys = bundle.private_keys
            checks = check_chain(
                found, hashes=[], dhcp_suffix="a.example", amt_version="16.1", at_time=AT, private_keys=keys,
                unread=bundle.unread,
            )  # fmt: skip
            ordered = order_chain(found).certificates
            judged = Judged("input", found, ordered, (*checks, lint(bundle)), "", "16.1", "a.example")
            told += text(judged, everything=True, color=False)
            document([judged], ())
            write_pem(ordered)
        own = data.decode("latin-1") + "".join(each.subject + each.issuer for each in found)
        for line in told:
            check_words(line, own)


def rsa_keys(data: bytes) -> None:
    """`--rsa-key`, with and without a password."""
    name = written(data)
    for option in (name, name + ":secret"):
        for key in Keys.load(rsa_keys=[option]).rsa_keys(None):
            key.decrypt_pms(data[:256])


def key_logs(data: bytes) -> None:
    """`--keylog`: whole, and growing."""
    half = len(data) // 2
    name = written(data[:half])
    log = KeyLog()
    file = KeyLogFile(name, log)
    with open(name, "ab") as more:
        more.write(data[half:])
    file.refresh()
    for line in data.split(b"\n")[:8]:
        words = line.split()
        if len(words) == 3:
            with suppress(ValueError):
                log.lookup(words[0].decode("latin-1"), bytes.fromhex(words[1].decode("latin-1")))
    list(Keys.load(keylogs=[name]).notes)


def psk_tables(data: bytes) -> None:
    """`--psk-file`: tables and setup.bin."""
    keys = Keys.load(psk_files=[data])
    keys.psks(b"0000-037M")
    for note in keys.notes:
        check_words(note, data.decode("latin-1"))


def setup_bins(data: bytes) -> None:
    """The same, always a setup.bin, and what `setupbin show` makes of it."""
    whole = bytes.fromhex("a7f7f6c689c4f64793ede2e5020da51d") + data[16:]
    psk_tables(whole)
    with suppress(ArtifactError):
        found = read_setupbin(whole)
        list(setupbin_lines(found))


def registries(data: bytes) -> None:
    """Exported .reg files."""
    found = read_reg(io.BytesIO(data))
    _ = found.log_level, found.thumbprints, found.log_key_seen
    for fault in found.faults:
        check_words(fault, data.decode("latin-1") + data.decode("utf-16-le", "replace"))


def logs(data: bytes) -> None:
    """`log`: plain, compressed, in any encoding."""
    reader = LogReader(io.BytesIO(data), "input")
    for row in reader:
        explain(row)
        masked(row.text)
    check_words(reader.fault)


def sites(data: bytes) -> None:
    """`diagnose --site`, the report of a small capture included."""
    site = load(written(data))
    amtdecode.diagnose(HELLO, site=site)


def hellos(data: bytes) -> None:
    """`hello FILE`, and `cert check --hello FILE`."""
    name = written(data)
    command("hello", name)
    command("hello", "-T", "json", name)
    command("cert", "check", "--hello", name, str(CORPUS / "certificates" / "chain.pem"))


def anything(data: bytes) -> None:
    """`diagnose` of a file of which nobody says what it is; `read` of the same."""
    amtdecode.diagnose(io.BytesIO(data)).to_dict()
    for each in amtdecode.read(data, pdus=True):
        each.to_dict()


def command(*words: str) -> None:
    """A command line: its exit code is one of ours, and what it prints is in our words."""
    out, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = run(words)
    assert code in (0, 1, 2, 3, 4), code
    check_words(errors.getvalue())


HELLO = str(HERE.parent.parent / "pcaps" / "hello.pcap")
READERS = {
    each.__name__: each
    for each in (certificates, rsa_keys, key_logs, psk_tables, setup_bins, registries, logs, sites, hellos, anything)
}


def guarded(name: str, data: bytes) -> None:
    """One input to one reader: an error of ours is an answer, if it is in our words."""
    try:
        READERS[name](data)
    except AmtdecodeError as error:
        check_words(str(error), data.decode("latin-1") + data.decode("utf-16-le", "replace"))


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz one reader; does not return."""
    limits = [f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={SLOWEST}", f"-max_len={MAX_INPUT}"]
    atheris.Setup([sys.argv[0], *limits, *options], lambda data: guarded(name, data))
    atheris.Fuzz()


def fuzz_all(seconds: int, found: Path) -> int:
    """Fuzz all readers one after the other; returns how many failed."""
    failed = []
    for name in READERS:
        folder = found / name
        folder.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={max(1, seconds // len(READERS))}", "-verbosity=0", "-print_final_stats=1"]
        words = [sys.executable, __file__, name, *options, f"-artifact_prefix={found}/{name}-", folder]
        done = subprocess.run([*words, CORPUS / name], check=False, capture_output=True, text=True)
        runs = next((line.split()[-1] for line in done.stderr.splitlines() if "executed_units" in line), "?")
        print(f"{name}: {runs} inputs, {'fault' if done.returncode else 'no fault'}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout[-3000:], done.stderr[-6000:], sep="\n", flush=True)
    if failed:
        print(f"faults in: {', '.join(failed)}; the inputs are in {found}")
    return len(failed)


def main() -> int:
    words = sys.argv[1:]
    try:
        if words and words[0] in READERS:
            fuzz(words[0], words[1:])
        options = dict(zip(words[::2], words[1::2], strict=False))
        if unknown := set(options) - {"--seconds", "--found"}:
            print(f"{', '.join(unknown)}: not known; readers are {', '.join(READERS)}", file=sys.stderr)
            return 2
        found = Path(options.get("--found", "") or tempfile.mkdtemp(prefix="amtdecode-found-"))
        return 1 if fuzz_all(int(options.get("--seconds", 50)), found) else 0
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
