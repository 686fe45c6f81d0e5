"""A laboratory: scenes of packets, logs and files, diagnosed through the command line."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import uuid
from pathlib import Path  # noqa: TC003 - pytest reads annotations
from typing import Any

import msgspec

from amtdecode.capture import open_records
from amtdecode.diagnosis import diagnose
from amtdecode.engine import Engine
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.journal import Keeper, tell
from pcaps import messages, tls
from pcaps.build import ARP as ARP_TYPE
from pcaps.build import BROADCAST, SYN, TO_CLIENT, TO_SERVER, Host, Pcap, arp, datagram, ethernet, frame, icmp, packed
from pcaps.make import DOMAIN, NETWORK, SET_UP
from pcaps.scene import Machine, Network, Scene, machine

ICMP = 1
SCS = NETWORK.scs
NAME = f"provisionserver.{DOMAIN}"
CLIENT_HELLO_ONLY, SERVER_FLIGHT, CLIENT_FLIGHT = 1, 2, 3


class Lab(Scene):
    """A scene with the exceptions an ordinary run does not have."""

    def __init__(self, seed: int = 7, network: Network = NETWORK) -> None:
        super().__init__(seed)
        self.network = network

    def dhcp(
        self,
        desk: Machine,
        *,
        options: list[tuple[int, bytes]] | None = None,
        answer: int | None = messages.ACKNOWLEDGE,
        asked: list[tuple[int, bytes]] | None = None,
        times: int = 1,
    ) -> None:
        """REQUESTs of a machine, and perhaps an answer."""
        nobody, everybody = Host(desk.host.mac, "0.0.0.0"), Host(BROADCAST, "255.255.255.255")
        for number in range(times):
            said = messages.dhcp(messages.REQUEST, number, desk.host.mac, options=asked or [(50, packed(desk.host.ip))])
            self.put([datagram(nobody, everybody, 68, 67, said)])
            self.wait(2 if times > 1 else 0.1)
        if answer is not None:
            told = lease_options() if options is None else options
            yours = desk.host.ip if answer == messages.ACKNOWLEDGE else "0.0.0.0"
            body = messages.dhcp(answer, 0, desk.host.mac, yours=yours, options=told)
            self.put([datagram(NETWORK.dhcp, everybody, 67, 68, body)])

    def dns(
        self,
        host: Host,
        name: str,
        answers: list[tuple[str, int, bytes]] | None,
        *,
        code: int = 0,
        kind: int = messages.A,
    ) -> None:
        """A question, and its answer unless `answers` is None."""
        number, port = self.rng.getrandbits(16), 40000 + self.rng.getrandbits(10)
        server = self.network.dns
        self.put([datagram(host, server, port, 53, messages.dns_query(number, name, kind))])
        if answers is not None:
            said = messages.dns_response(number, name, kind, code=code, answers=answers)
            self.put([datagram(server, host, 53, port, said)])

    def found(self, desk: Machine, address: str = SCS.ip) -> None:
        """ProvisionServer is looked up and found."""
        name, kind = f"provisionserver.{desk.domain}", messages.AAAA if ":" in address else messages.A
        self.dns(desk.host, name, [(name, kind, packed(address))], kind=kind)

    def syns(self, client: Host, server: Host, port: int, times: int = 3) -> None:
        """A SYN repeated, never answered."""
        tcp = self.connection(client, server, port)
        seq = tcp.seq[0]
        for _ in range(times):
            self.put([tcp.segment(TO_SERVER, flags=SYN, seq=seq)])
            self.wait(3)

    def who_has(self, host: Host, address: str, times: int = 3) -> None:
        """ARP requests nobody answers."""
        for _ in range(times):
            self.put([ethernet(host.mac, BROADCAST, arp(1, host.mac, host.ip, "00:00:00:00:00:00", address), ARP_TYPE)])
            self.wait(1)

    def unreachable(self, client: Host, server: Host, port: int, router: str = "192.0.2.1") -> None:
        """A SYN, and a router's word that the host cannot be reached."""
        tcp = self.connection(client, server, port)
        syn = tcp.segment(TO_SERVER, flags=SYN)
        self.put([syn])
        self.put([frame(Host("00:00:5e:00:53:01", router), client, ICMP, icmp(3, 1, bytes(4), syn[14 : 14 + 28]))])

    def greet(
        self,
        desk: Machine,
        data: bytes | None = None,
        *,
        server: Host = SCS,
        port: int = 9971,
        vlans: tuple[int, ...] = (),
    ) -> None:
        """One hello."""
        from pcaps.build import Connection

        tcp = self.connection(desk.host, server, port)
        if vlans:
            self._port += 1
            tcp = Connection(desk.host, server, self._port, port, vlans=vlans)
        self.put(tcp.open())
        self.put(tcp.send(TO_SERVER, messages.hello_psk(desk.uuid) if data is None else data))
        self.put(tcp.close())

    def talk(
        self,
        client: Host,
        server: Host,
        port: int,
        steps: list[tuple[int, bytes]],
        end: str = "close",
        by: int = TO_SERVER,
    ) -> None:
        """A connection: what is said by whom, and how it ends ("close", "reset", "open")."""
        tcp = self.connection(client, server, port)
        self.put(tcp.open())
        for direction, data in steps:
            self.put(tcp.send(direction, data))
            self.wait(0.02)
        if end == "close":
            self.put(tcp.close(by))
        elif end == "reset":
            self.put(tcp.reset(by))

    def psk(
        self,
        desk: Machine,
        *,
        stop: int = CLIENT_FLIGHT,
        alert: tuple[int, int] | None = None,
        by: int = TO_CLIENT,
        pid: str = "0000037M",
        end: str = "close",
        encrypted: bool = False,
        server: Host = SCS,
    ) -> None:
        """A PSK handshake that stops after a flight, with an alert or without."""
        secure = tls.PskConnection(self.rng, pid.encode(), messages.PSK, hint=None)
        flights = [
            (TO_SERVER, secure.client_hello()),
            (TO_CLIENT, secure.server_flight()),
            (TO_SERVER, secure.client_flight()),
        ]
        steps = flights[:stop]
        if alert is not None and encrypted:
            steps.append(
                (by, struct.pack(">BHHB", 20, 0x0301, 1, 1) + struct.pack(">BHH", 21, 0x0301, 32) + bytes(range(32)))
            )
        elif alert is not None:
            steps.append((by, secure.alert(*alert)))
        self.talk(server, desk.host, 16993, steps, end, by)

    def http(
        self, desk: Machine, exchanges: list[tuple[bytes, bytes]], *, port: int = 16992, client: Host = SCS,
        end: str = "close",
        by: int = TO_SERVER,
    ) -> None:  # fmt: skip
        """Clear HTTP to a machine."""
        self.talk(
            client,
            desk.host,
            port,
            [step for ask, say in exchanges for step in ((TO_SERVER, ask), (TO_CLIENT, say))],
            end,
            by,
        )

    def write(self, path: Path) -> Path:
        """The scene as a capture file."""
        with path.open("wb") as file:
            capture = Pcap(file)
            for time_ns, data, _ in sorted(self.packets, key=lambda packet: packet[0]):
                capture.packet(time_ns, data)
        return path


def lease_options(
    domain: bytes | None = DOMAIN.encode(), dns: str | None = NETWORK.dns.ip, *more: tuple[int, bytes]
) -> list[tuple[int, bytes]]:
    """Options of a lease, option 15 as given."""
    options = [(1, packed("255.255.255.0")), (54, packed(NETWORK.dhcp.ip)), (51, struct.pack(">I", 3600))]
    if dns:
        options.append((6, packed(dns)))
    if domain is not None:
        options.append((15, domain))
    return [*options, *more]


def desk(number: int = 30, domain: str = DOMAIN) -> Machine:
    """A machine."""
    return machine(number, domain)


def moved(computer: Machine, ip: str, mac: str = "") -> Machine:
    """The same machine at another address."""
    return computer._replace(host=Host(mac or computer.host.mac, ip))


def named(computer: Machine, text: str) -> Machine:
    """The same host with another UUID."""
    return computer._replace(uuid=uuid.UUID(text))


def command(*arguments: str) -> tuple[int, str, str]:
    """Run a command line in this process: exit code, standard output, standard error."""
    from amtdecode.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(arguments))
    return code, out.getvalue(), err.getvalue()


def journal_tells_the_same(capture: str) -> None:
    """What a journal keeps of a capture is all that its story needs: archives and several processes rest on it."""
    tracker, keeper = Tracker(), Keeper("", (capture,))
    tracker.input(capture)
    for observation in Engine(None, connections="all").observe(open_records([capture])):
        tracker.feed(observation)
        keeper.feed(observation)
    expected, kept = (
        msgspec.json.encode(diagnose(story), enc_hook=str) for story in (tracker.finish(), tell(keeper.journal()))
    )
    assert kept == expected


class Bench:
    """Diagnoses scenes and files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def file(self, name: str, content: str | bytes) -> str:
        """A file to hand in."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def report(
        self, scene: Scene | None = None, *files: str, site: str = "", options: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """The JSON report of a scene and files."""
        self.count += 1
        arguments = [*files]
        if scene is not None:
            assert isinstance(scene, Lab)
            path = str(scene.write(self.folder / f"scene-{self.count}.pcap"))
            journal_tells_the_same(path)
            arguments.insert(0, path)
        if site:
            arguments += ["--site", self.file(f"site-{self.count}.toml", site)]
        code, out, err = command("diagnose", "-T", "json", *options, *arguments)
        assert code in (0, 4), err
        return json.loads(out)  # type: ignore[no-any-return]

    def found(self, rule: str, scene: Scene | None = None, *files: str, site: str = "") -> list[dict[str, Any]]:
        """The findings of one rule."""
        report = self.report(scene, *files, site=site)
        return [finding for finding in report["findings"] if finding["id"] == rule]

    def fires(
        self, rule: str, scene: Scene | None = None, *files: str, site: str = "", severity: str = "", verdict: str = ""
    ) -> dict[str, Any]:
        """The one finding of a rule that must fire."""
        report = self.report(scene, *files, site=site)
        found = [finding for finding in report["findings"] if finding["id"] == rule]
        assert found, (
            f"{rule} did not fire; {[f['id'] for f in report['findings']]}, "
            f"{[n for n in report['not_judged'] if n['id'] == rule]}"
        )
        finding = found[0]
        assert "unknown" not in finding["title"] or rule in (
            "AMT-HELLO-006",
            "AMT-RCFG-032",
            "AMT-RCFG-031",
            "AMT-RCFG-034",
            "AMT-PSK-001",
            "AMT-CIRA-001",
        ), finding
        assert "{" not in finding["explanation"] + finding["fix"] + finding["title"]
        assert finding["evidence"], finding
        if severity:
            assert finding["severity"] == severity, finding
        if verdict:
            assert finding["verdict"] == verdict, finding
        return finding

    def silent(self, rule: str, scene: Scene | None = None, *files: str, site: str = "") -> None:
        """A rule that must not fire."""
        assert not self.found(rule, scene, *files, site=site)


__all__ = ["SET_UP", "Bench", "Lab", "command", "desk", "lease_options", "moved", "named"]
