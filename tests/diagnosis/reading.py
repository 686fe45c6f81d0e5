"""Scenes for the expert's reading in docs/diagnose.md: `python tests/diagnosis/reading.py NAME` writes a capture."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from diagnosis_lab import SCS, Lab, desk
from test_psk_and_rcfg import presented, sound

from pcaps import messages
from pcaps.build import SYN, TO_SERVER

HERE = desk()


def wrong_pps() -> Lab:
    """Setup with a pre-shared key: the machine answers the proof of the key with alert 51."""
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    lab.psk(HERE, alert=(2, 51))
    return lab


def root_not_listed() -> Lab:
    """Remote configuration: the root of the chain is none of those in the hello; alert 48."""
    return presented(sound(), listed=(), code=48)


def wrong_domain() -> Lab:
    """Remote configuration: option 15 is another domain than that of the certificate; the machine closes in silence."""
    return presented(sound(), domain=b"branch.example.org")


def no_reason() -> Lab:
    """Remote configuration: every check passes, and the machine closes in silence."""
    return presented(sound())


def window() -> Lab:
    """Hellos of remote configuration for 5.9 hours that nobody answers, then four hours without one."""
    lab = Lab()
    for retry in range(7):
        lab.greet(HERE, messages.hello_pki(HERE.uuid, messages.ROOTS_SHA256, retry=retry))
        lab.wait(59 * 60)
    lab.wait(3 * 3600)
    lab.who_has(SCS, "192.0.2.99", 1)
    return lab


def one_direction() -> Lab:
    """The packets of the server alone, as a mirror port with one direction gives them."""
    lab = Lab()
    lab.greet(HERE)
    lab.wait(3)
    tcp = lab.connection(SCS, HERE.host, 16993)
    lab.put([tcp.segment(TO_SERVER, flags=SYN)])
    lab.wait(1)
    whole = Lab()
    whole.psk(HERE)
    address = bytes(map(int, SCS.ip.split(".")))
    start = lab.now - whole.packets[0][0]
    lab.packets += [(time + start, *rest) for time, *rest in whole.packets if rest[0][26:30] == address]
    return lab


SCENES = {
    scene.__name__.replace("_", "-"): scene
    for scene in (wrong_pps, root_not_listed, wrong_domain, no_reason, window, one_direction)
}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        scene = SCENES[sys.argv[1]]()
        sys.stdout.buffer.write(scene.write(Path(folder) / "scene.pcap").read_bytes())
