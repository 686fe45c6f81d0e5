"""setup.bin: the file that carries passwords, keys and settings to machines on a USB key, read by the MEBx at boot.

Layout      little-endian, in chunks of 512 bytes; no checksum anywhere (`spec.py`). A header, then data records of one
            size. A record holds entries: module, variable, length, value. Records may be scrambled: 17 is added to
            each byte behind the record's header, modulo 256.
Consumed    a machine takes the first record that is valid and the file counts it as consumed, unless the header says
            that records are not consumed: then every machine takes the same one.
Versions    1 (AMT 2.x), 2.0 (3.0), 2.1 (4.0), 3 (6.0), 4: which release takes what is in `variables.py`
Sources     Intel AMT Implementation and Reference Guide, "Intel AMT and USB Versions"; MeshCommander and MeshCentral,
            amt-setupbin.js; two files made by real programs (versions 1 to 4 have the same layout there)
Inferred    that version 2.1 has the file type of 2.0 with minor version 1; which AMT releases take version 4; what the
            firmware does with a record whose valid flag is clear
Unknown     the inside of variables 2/15, 2/19 to 2/22: shown, and made, as bytes
"""

from amtdecode.artifacts.setupbin.making import Made, make, read_setting, release_of
from amtdecode.artifacts.setupbin.reading import Entry, Record, SetupBin, is_setupbin, read_setupbin
from amtdecode.artifacts.setupbin.variables import VARIABLES, Variable, variable_named

__all__ = [
    "VARIABLES",
    "Entry",
    "Made",
    "Record",
    "SetupBin",
    "Variable",
    "is_setupbin",
    "make",
    "read_setting",
    "read_setupbin",
    "release_of",
    "variable_named",
]
