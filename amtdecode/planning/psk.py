"""The steps of setup with a pre-shared key (one-touch)."""

from __future__ import annotations

from amtdecode.planning import proofs
from amtdecode.planning.common import AFTER, CHECK, CONFIGURE, CONTACT, FOUND, SITE
from amtdecode.planning.step import Phase, Step

KEYS = (
    Step(
        "keys",
        Phase.MACHINES,
        "administrator",
        "Make a key for each machine",
        "`amtdecode setupbin make --amt {amt} --psk N --out setup.bin --csv keys.csv` makes PID, PPS and a new MEBx "
        "password: the triplet of each machine.",
        "a setup.bin with PID and PPS",
        look=proofs.key_file,
        shown_by="hello",
    ),
    Step(
        "import",
        Phase.MACHINES,
        "administrator",
        "Import the keys into the setup server",
        "The table keys.csv; afterwards delete it, or lock it away.",
        "the TLS handshake: the server has the PPS that belongs to the PID",
        shown_by="handshake",
    ),
    Step(
        "stick",
        Phase.MACHINES,
        "administrator",
        "Put setup.bin onto a USB stick",
        "Format the stick FAT, and copy setup.bin into its root as the first file, in one piece.",
        "nothing on the wire",
        shown_by="hello",
        source="Intel AMT and USB Versions",
    ),
    Step(
        "boot",
        Phase.MACHINES,
        "help desk",
        "Start the machine once with the stick",
        "The firmware takes the first record that is not used up, and marks it so. If the "
        "MEBx password is no longer that of the factory, the record is refused (error 2209).",
        "one more consumed record on the stick; on the wire the PID of the hello",
        shown_by="hello",
        source="2007 article on remote configuration; Intel debugging FAQ",
    ),
    Step(
        "unplug-stick",
        Phase.MACHINES,
        "help desk",
        "Pull the stick out, and keep it safe",
        "It holds the keys and the new password of every machine to come, in the clear.",
        "nothing on the wire",
        source="Intel AMT and USB Versions",
    ),
    CHECK,
    Step(
        "plug-in",
        Phase.HELLO,
        "help desk",
        "Connect the machine by cable, and to power",
        "The wired card is on by default, and alone has power while the machine is asleep.",
        "the first packet of the machine",
        shown_by="lease",
    ),
)

STEPS = (
    *SITE,
    *KEYS,
    *FOUND,
    Step(
        "hello",
        Phase.HELLO,
        "machine",
        "The machine says hello",
        "With its UUID and PID, to port {port} of the server. It repeats that until the server sets it up.",
        "hello of version 2 with the PID",
        look=proofs.psk_hello,
        shown_by="handshake",
    ),
    *CONTACT,
    Step(
        "handshake",
        Phase.SETUP,
        "setup server and machine",
        "Both prove that they have the key",
        "TLS with a pre-shared key: the identity is the PID, and the PPS never leaves either side.",
        "TLS handshake with a PSK suite, finished on both sides",
        look=proofs.psk_handshake,
        shown_by="configuration",
    ),
    *CONFIGURE,
    *AFTER,
)
