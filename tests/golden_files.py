"""What amtdecode says of each capture in `pcaps/`, kept to the byte, so that a change of output is seen and wanted.

`python tests/golden_files.py` writes the files anew; look at the difference before you commit it, and name it in the
message.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "golden"
CAPTURES = sorted(path.name for path in (ROOT / "pcaps").glob("*.pcap*"))
FORMS = {"read": "jsonl", "diagnose": "json"}


def said(command: str, capture: str) -> bytes:
    """The output of a command in JSON, with the capture's key log where it has one."""
    keylog = ROOT / "pcaps" / f"{capture.partition('.')[0]}.keylog.txt"
    keys = ["--keylog", f"pcaps/{keylog.name}"] if keylog.exists() else []
    done = subprocess.run(
        [sys.executable, "-m", "amtdecode", command, "-q", "-T", "json", *keys, f"pcaps/{capture}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "SSLKEYLOGFILE"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1, 4), done.stderr.decode()  # 4: nothing about AMT in it
    return done.stdout


def golden(command: str, capture: str) -> Path:
    """The file that keeps it."""
    return FOLDER / f"{capture}.{command}.{FORMS[command]}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in CAPTURES:
        for form in FORMS:
            golden(form, each).write_bytes(said(form, each))
