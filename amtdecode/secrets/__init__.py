"""Key material: what a dissector may ask for, and where it comes from.

keys = Keys.load(psk=["0000037M=NKLD-G5DC-…"], rsa_keys=["amt.key"], keylogs=["keys.log"])
read(capture, keys=keys)

keys.py    the questions a dissector asks       pid.py       check characters of PID and PPS (pure)
psk.py     pre-shared keys by identity          setupbin.py  PID and PPS out of a setup.bin
rsa.py     private RSA keys                     keylog.py    NSS key logs, growing ones too
files.py   reading key files, one clear line for each fault
found.py   what the keys came to, as a key log
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.late import late
from amtdecode.secrets.pid import check_character, pid_is_valid, pps_is_valid

if TYPE_CHECKING:
    from amtdecode.secrets.keys import Keys

__all__ = ["Keys", "check_character", "pid_is_valid", "pps_is_valid"]

__getattr__ = late(__name__, keys="Keys")  # most runs have none
