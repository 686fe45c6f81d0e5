"""End-to-end scenes by chance: a method, a fault or none, and a capture that shows all of it or less.

`python tests/diagnosis/scenes.py [COUNT [FIRST_SEED]]` prints how they are read, fault by fault.
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pki_lab
from diagnosis_lab import Lab, desk
from scene_faults import FAULTS, OPTION_15, PKI, PSK, STEPS, Play, setup
from test_health_of_the_capture import Frames, frames_of, from_host, written

import amtdecode
import amtdecode.diagnosis.run
from amtdecode.provisioning.state import Stage
from pcaps import messages, tls
from pcaps.build import TO_CLIENT, TO_SERVER, VLAN, Host, datagram
from pcaps.make import NETWORK
from pcaps.scene import Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode import Finding, Report
    from pcaps.scene import Machine

NONE = "none"
FAILED = "AMT-OK-004"  # that the attempt failed is true of every fault
VERSIONS = {PSK: ("2.1.3", "3.0.5", "5.2.10", "9.1.34"), PKI: ("3.2.1", "4.2.20", "6.2.10")}
IPV6 = Network(
    dhcp=NETWORK.dhcp,
    dns=Host(NETWORK.dns.mac, "2001:db8::3"),
    scs=Host(NETWORK.scs.mac, "2001:db8::a"),
)
WHOLE = "whole"
SPOILT = ("cut", "one way", "late start", "early end", "loss", "duplicates")
RIGHT, UNJUDGED, OTHER, WRONG = "right first", "cannot be judged", "less said", "wrong"
SURE = 0.9
STAGES = list(Stage)
DONE = Stage.COMMIT
REACHED = dict(
    zip(STEPS, (Stage.LEASE, Stage.NAME, Stage.HELLO, Stage.CONTACT_BACK, Stage.HANDSHAKE, Stage.COMMIT), strict=True)
)


class Drawn(NamedTuple):
    """What a seed chose."""

    seed: int
    method: str
    version: str
    fault: str
    keys: bool
    health: tuple[str, ...]
    ipv6: bool
    vlan: bool
    noise: tuple[str, ...]


def draw(seed: int) -> Drawn:
    """The choices of a seed; every third scene has no fault, two of five are seen badly."""
    rng = random.Random(seed)
    method = rng.choice((PSK, PKI))
    ipv6 = rng.random() < 0.15
    names = [name for name, each in FAULTS.items() if method in each.methods and not (ipv6 and each.v4)]
    fault = NONE if rng.random() < 0.3 else rng.choice(names)
    health = tuple(rng.sample(SPOILT, rng.choice((1, 1, 2)))) if rng.random() < 0.4 else ()
    noise = tuple(name for name in NOISE if rng.random() < 0.3)
    return Drawn(
        seed, method, rng.choice(VERSIONS[method]), fault, rng.random() < 0.5, health, ipv6, rng.random() < 0.2, noise
    )


# -- playing ----------------------------------------------------------------------------------------------------------


def machine_of(drawn: Drawn) -> Machine:
    here = desk()
    return here._replace(host=Host(here.host.mac, "2001:db8::30")) if drawn.ipv6 else here


def play(drawn: Drawn) -> Frames:
    """The packets of a scene, as its capture shows them."""
    lab = Lab(drawn.seed, IPV6 if drawn.ipv6 else NETWORK)
    rng = random.Random(~drawn.seed)
    run = Play(lab, machine_of(drawn), drawn.method, drawn.version, rng.choice((tls.TLS10, tls.TLS12)))
    begun = lab.now
    if drawn.fault == NONE:
        for step in STEPS:
            run.sound(step)
    else:
        _failing(run, drawn.fault)
    lab.wait(300)
    lab.who_has(NETWORK.scs, "192.0.2.99", 1)
    ended = lab.now
    for name in drawn.noise:
        lab.now = begun + round((ended - begun) * rng.random() * 0.8)
        NOISE[name](lab)
    frames = frames_of(lab)
    for name in drawn.health:
        frames = spoil(name, frames, rng, run)
    if drawn.vlan:
        tag = struct.pack(">HH", VLAN, 7)
        frames = [(time, data[:12] + tag + data[12:], size + 4) for time, data, size in frames]
    return frames


def _failing(run: Play, name: str) -> None:
    fault = FAULTS[name]
    run.option_15 = OPTION_15.get(name, run.option_15)
    run.listed = "root unknown" not in name
    run.pid = "0000-037N" if "mistyped" in name else run.pid
    at = STEPS.index(fault.at)
    for step in STEPS[: min(at, 2)]:
        run.sound(step)
    for _ in range(run.rng.randint(*fault.times)):
        if at > 2:
            run.hello()
        fault.play(run)
        run.lab.wait(60)
    if at > 2 and fault.times != (1, 1):
        run.hello()  # a machine that was not set up goes on


def spoil(kind: str, frames: Frames, rng: random.Random, run: Play) -> Frames:
    """A capture that shows less, or more, than there was."""
    if kind == "cut":
        size = rng.choice((60, 68, 96, 128, 262, 600))
        return [(time, data[:size], original) for time, data, original in frames]
    if kind == "one way":
        wanted = from_host(rng.choice((run.machine.host.ip, run.net.scs.ip)))
        return [frame for frame in frames if wanted(frame[1])]
    if kind == "late start":
        return frames[rng.randrange(len(frames)) :] if frames else frames
    if kind == "early end":
        return frames[: rng.randrange(1, len(frames))] if len(frames) > 1 else frames
    if kind == "loss":
        share = rng.choice((0.02, 0.1, 0.3))
        return [frame for frame in frames if rng.random() > share]
    delay = rng.choice((10_000, 900_000, 5_000_000))
    return sorted([*frames, *((time + delay, data, size) for time, data, size in frames if rng.random() < 0.8)])


def _web(lab: Lab) -> None:
    client, server = Host("00:00:5e:00:53:40", "192.0.2.64"), Host("00:00:5e:00:53:01", "198.51.100.80")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2900\r\n\r\n" + b"office " * 415
    lab.talk(client, server, 80, [(TO_SERVER, b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), (TO_CLIENT, answer)])


def _scan(lab: Lab) -> None:
    scanner = Host("02:00:00:00:00:09", "198.51.100.9")
    for number in range(200, 210):
        for port in (22, 443, 16992, 16993):
            lab.syns(scanner, desk(number).host, port, times=1)
            lab.now -= 2_900_000_000


def _other_machine(lab: Lab) -> None:
    run = Play(lab, desk(60), PSK, "3.0.5", tls.TLS10)
    run.pid = "4343434" + messages.check_character("4343434")
    run.hello()
    run.calls(setup(run.version))


def _voice(lab: Lab) -> None:
    for number in range(20):
        ends = Host("02:00:00:00:00:0a", "192.0.2.70"), Host("02:00:00:00:00:0b", "192.0.2.71")
        lab.put([datagram(*ends, 4000, 4002, struct.pack(">BBHII", 0x80, 0, number, number * 160, 7) + bytes(160))])
        lab.wait(0.02)


def _names(lab: Lab) -> None:
    bystander = Host("00:00:5e:00:53:41", "192.0.2.65")
    lab.lookup(NETWORK, bystander, "www.example.com", None, messages.NXDOMAIN)


NOISE: dict[str, Callable[[Lab], None]] = {
    "web": _web,
    "port scan": _scan,
    "another machine": _other_machine,
    "voice": _voice,
    "names": _names,
}


# -- judging ----------------------------------------------------------------------------------------------------------


@cache
def _keys() -> amtdecode.Keys:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "amt.key"
        path.write_bytes(pki_lab.machine_certificate().key_pem)
        return amtdecode.Keys.load(psk=[f"*={messages.PPS}"], rsa_keys=[str(path)])


def diagnosed(drawn: Drawn) -> Report:
    return amtdecode.diagnose(written(play(drawn)), keys=_keys() if drawn.keys else None)


def judge(drawn: Drawn, report: Report) -> tuple[str, str]:
    """How a scene was read, and what is wrong with it if anything is."""
    above = [finding for finding in report.findings if finding.severity != "info"]
    if broken := _broken(drawn, report, above):
        return WRONG, broken
    if drawn.fault == NONE:
        confirmed = [finding for finding in above if finding.verdict == "confirmed"]
        if above and (not drawn.health or confirmed):
            return WRONG, f"not clean: {told(confirmed or above)}"
        return (OTHER if above else RIGHT), ""
    fault = FAULTS[drawn.fault]
    true = (*fault.first, *fault.also, FAILED)
    if drawn.health:
        lies = [each for each in above if each.verdict == "confirmed" and not each.id.startswith(true)]
        if lies:
            return WRONG, f"confirmed: {told(lies)}"
    if above and above[0].id.startswith(fault.first):
        return RIGHT, ""
    named = any(entry.id.startswith(fault.first) for entry in report.not_judged)
    if not above:
        unseen = drawn.health or (fault.hidden and not drawn.keys)
        return (UNJUDGED, "") if unseen or named else (WRONG, "silent")
    if fault.hidden and not drawn.keys and above[0].id.startswith(fault.also):
        return OTHER, ""  # what closed TLS shows of it
    if drawn.health or (fault.hidden and not drawn.keys and all(each.verdict != "confirmed" for each in above)):
        return OTHER, ""
    return WRONG, f"first is {told(above)}"


def _broken(drawn: Drawn, report: Report, above: list[Finding]) -> str:
    """What no scene may break, whatever is seen of it."""
    fault = FAULTS.get(drawn.fault)
    reached = Stage.COMMIT if fault is None else REACHED[(drawn.health and fault.looks) or fault.at]
    blamed = {finding.device_id for finding in above}
    for device in report.devices:
        for attempt in device.attempts:
            mine = desk(60).host.ip not in device.addresses
            if attempt.stage == Stage.MANAGEMENT and drawn.health and STAGES.index(reached) >= STAGES.index(DONE):
                continue  # calls without the hello ahead of them
            if mine and STAGES.index(attempt.stage) > STAGES.index(reached):
                return f"stage {attempt.stage} was not reached"
        if device.attempts and device.attempts[-1].outcome == "failed" and device.id not in blamed:
            return "a failure without a finding"
        done = bool(device.attempts) and device.attempts[-1].outcome == "committed"
        sure = not drawn.health or device.attempts[-1].confidence > SURE if done else False
        if sure and mine and drawn.fault not in (NONE, "the answer to the commit is lost"):
            return f"{device.attempts[-1].confidence:.0%} set up"
    return ""


def told(findings: list[Finding]) -> str:
    return "; ".join(f"{each.severity} {each.id} ({each.verdict}) {each.title} [{each.device}]" for each in findings)


def main() -> None:
    """The table of figures: each fault, seen whole and seen badly."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    amtdecode.diagnosis.run.RAISE_FAULTS = True
    table: Counter[tuple[str, bool, str]] = Counter()
    for seed in range(start, start + count):
        drawn = draw(seed)
        verdict, why = judge(drawn, diagnosed(drawn))
        table[drawn.fault, bool(drawn.health), verdict] += 1
        if why:
            print(f"{why}\n    {drawn}", file=sys.stderr)
    kinds = (RIGHT, UNJUDGED, OTHER, WRONG)
    print(f"| fault | whole: {' | '.join(kinds)} | spoilt: {' | '.join(kinds)} |")
    print("|---" * (1 + 2 * len(kinds)) + "|")
    for name in (NONE, *FAULTS):
        cells = [str(table[name, spoilt, kind]) for spoilt in (False, True) for kind in kinds]
        print(f"| {name} | {' | '.join(cells)} |")
    sums = [
        sum(n for (_, s, k), n in table.items() if (s, k) == (spoilt, kind))
        for spoilt in (False, True)
        for kind in kinds
    ]
    print(f"| all | {' | '.join(map(str, sums))} |")


if __name__ == "__main__":
    main()
