"""Makes the synthetic captures of this folder: `python -m pcaps.make [FOLDER]`. The same bytes each time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pcaps import eapol, kerberos, messages, redirection
from pcaps.build import TO_CLIENT, TO_SERVER, Host, Pcapng, datagram, ethernet
from pcaps.scene import Network, Scene, machine

if TYPE_CHECKING:
    from collections.abc import Callable

SYNTHETIC = "synthetic: made by pcaps/make.py, not captured from real machines"
DOMAIN = "example.com"
NETWORK = Network(
    dhcp=Host("00:00:5e:00:53:02", "192.0.2.2"),
    dns=Host("00:00:5e:00:53:03", "192.0.2.3"),
    scs=Host("00:00:5e:00:53:0a", "192.0.2.10"),
)
SECURITY, ADMINISTRATION = "SecurityAdministration", "NetworkAdministration"
SET_UP = (
    (SECURITY, "GetCoreVersion", ""),
    (ADMINISTRATION, "SetHostName", "<HostName>desk-21</HostName>"),
    (ADMINISTRATION, "SetDomainName", f"<DomainName>{DOMAIN}</DomainName>"),
    (SECURITY, "SetAdminAclEntry", "<Username>admin</Username><Password>Example-1</Password>"),
    (SECURITY, "SetMEBxPassword", "<Password>Example-2</Password>"),
    (SECURITY, "CommitChanges", ""),
)


def psk_clean(scene: Scene) -> None:
    """One machine, from its lease to CommitChanges, with Intel's documented PID and PPS."""
    desk = machine(21, DOMAIN)
    scene.lease(NETWORK, desk)
    scene.wait(1)
    scene.resolve(desk.host, NETWORK.dns)
    scene.lookup(NETWORK, desk.host, f"provisionserver.{DOMAIN}", NETWORK.scs.ip)
    scene.resolve(desk.host, NETWORK.scs)
    scene.hello(NETWORK, desk, messages.hello_psk(desk.uuid))
    scene.wait(3)
    scene.set_up_psk(NETWORK, desk, SET_UP)


def office(scene: Scene) -> None:
    """Four machines of one morning, of which one gets through, and a bystander without AMT."""
    nameless, ignored, closed = (machine(number, DOMAIN) for number in (22, 23, 24))
    pid = "4343434" + messages.check_character("4343434")
    name = f"provisionserver.{DOMAIN}"

    psk_clean(scene)

    scene.at(4)
    nameless = nameless._replace(domain="branch.example.com")
    scene.lease(NETWORK, nameless)
    for _ in range(3):
        scene.lookup(NETWORK, nameless.host, f"provisionserver.{nameless.domain}", None, messages.NXDOMAIN)
        scene.wait(20)

    scene.at(8)
    scene.lease(NETWORK, ignored)
    scene.lookup(NETWORK, ignored.host, name, NETWORK.scs.ip)
    for retry in range(5):
        scene.hello(NETWORK, ignored, messages.hello_pki(ignored.uuid, messages.ROOTS_SHA1, retry=retry))
        scene.wait(60)

    scene.at(15)
    scene.lease(NETWORK, closed)
    scene.lookup(NETWORK, closed.host, name, NETWORK.scs.ip)
    for retry in range(2):
        scene.hello(NETWORK, closed, messages.hello_psk(closed.uuid, pid, retry=retry))
        scene.wait(2)
        for _ in range(3):
            scene.refused(NETWORK.scs, closed.host, 16993, f"{closed.name}: contact back refused")
            scene.wait(0.5)
        scene.wait(58)

    scene.at(20)
    bystander = Host("00:00:5e:00:53:40", "192.0.2.64")
    web = Host("00:00:5e:00:53:01", "198.51.100.80")
    scene.lookup(NETWORK, bystander, "www.example.com", web.ip)
    tcp = scene.connection(bystander, web, 80)
    scene.put(tcp.open())
    scene.put(tcp.send(TO_SERVER, b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"))
    scene.put(tcp.send(TO_CLIENT, b"HTTP/1.1 200 OK\r\nContent-Length: 2900\r\n\r\n" + b"office " * 415))
    scene.put(tcp.close())


def presence(scene: Scene) -> None:
    """A console looks for AMT by ping: two machines answer, a server's controller does, two hosts stay silent."""
    desk, waiting, silent = (machine(number, DOMAIN) for number in (31, 32, 33))
    console, controller = NETWORK.scs, Host("00:00:5e:00:53:28", "192.0.2.40")
    ipmi = bytes.fromhex("000011be000000008100000000000000")
    scene.hello(NETWORK, silent, messages.hello_pki(silent.uuid, messages.ROOTS_SHA1))
    for tag in range(3):
        for host in (desk.host, waiting.host, silent.host, controller):
            scene.put([datagram(console, host, 40000, 623, messages.rmcp_ping(tag))])
            if host == desk.host:
                answer = messages.amt_pong(tag)
            elif host == waiting.host:
                answer = messages.amt_pong(tag, version=(11, 8), state=0, port=0)
            elif host == controller:
                answer = messages.rmcp_pong(tag, ipmi)
            else:
                continue
            scene.put([datagram(host, console, 623, 40000, answer)])
        scene.wait(2)
    scene.put([datagram(desk.host, console, 40001, 162, messages.trap(desk.uuid, desk.host.ip, 0x056F04, 0x10))])
    scene.wait(2)
    scene.refused(console, silent.host, 16993, "so that the capture goes on")


def redirect(scene: Scene) -> None:
    """A console opens a machine's console, drive and screen; it is refused twice."""
    desk, console = machine(41, DOMAIN), NETWORK.scs
    for what, steps in (
        ("SOL", redirection.sol()),
        ("IDE-R", redirection.ider()),
        ("KVM", redirection.kvm()),
        ("SOL with another password", redirection.refused()),
        ("a second KVM session", redirection.busy()),
    ):
        tcp = scene.connection(console, desk.host, 16994)
        scene.put(tcp.open(), f"{desk.name}: {what}")
        for direction, data in steps:
            scene.put(tcp.send(direction, data))
        scene.put(tcp.close())
        scene.wait(1)


def negotiate(scene: Scene) -> None:
    """A console logs in by Kerberos, and the machine refuses: the clocks first, then the key."""
    desk, console = machine(51, DOMAIN), NETWORK.scs
    for code in (37, 41):
        tcp = scene.connection(console, desk.host, 16992)
        scene.put(tcp.open(), f"{desk.name}: Negotiate, answered by KRB-ERROR {code}")
        scene.put(tcp.send(TO_SERVER, kerberos.ask(kerberos.first(kerberos.framed(kerberos.REQUEST, 1)))))
        scene.put(tcp.send(TO_CLIENT, kerberos.refuse(kerberos.answer(kerberos.framed(kerberos.error(code), 3)))))
        scene.put(tcp.close())
        scene.wait(1)


def kdc(scene: Scene) -> None:
    """A console asks the KDC for a ticket to a machine whose service principal name is missing, and falls to Digest."""
    desk, console, server = machine(52, DOMAIN), NETWORK.scs, Host("00:00:5e:00:53:04", "192.0.2.4")
    spn = f"HTTP/desk.{DOMAIN}:16992"
    steps = (
        (kerberos.asks(10, "krbtgt/EXAMPLE.COM", "admin"), kerberos.gives(11)),
        (kerberos.asks(12, spn), kerberos.error(7, "")),
    )
    for number, (question, answer) in enumerate(steps):
        scene.put([datagram(console, server, 40000 + number, 88, question)])
        scene.put([datagram(server, console, 88, 40000 + number, answer)])
        scene.wait(0.1)
    tcp = scene.connection(console, server, 88)
    scene.put(tcp.open(), "the same over TCP")
    for question, answer in steps:
        scene.put(tcp.send(TO_SERVER, len(question).to_bytes(4, "big") + question))
        scene.put(tcp.send(TO_CLIENT, len(answer).to_bytes(4, "big") + answer))
    scene.put(tcp.close())
    tcp = scene.connection(console, desk.host, 16992)
    scene.put(tcp.open())
    scene.put(tcp.send(TO_SERVER, b"GET /wsman HTTP/1.1\r\nHost: desk\r\n\r\n"))
    refusal = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"
    scene.put(tcp.send(TO_CLIENT, refusal))
    scene.put(tcp.close())


def port(scene: Scene) -> None:
    """At the switch port of a machine: it refuses the certificate of the authentication server, and gets no lease."""
    desk, switch, end = machine(61, DOMAIN), "00:00:5e:00:53:f0", 2
    scene.hello(NETWORK, desk, messages.hello_pki(desk.uuid, messages.ROOTS_SHA1), "before the port asked for a login")
    scene.wait(600)
    told = eapol.lldp(
        switch,
        "Gi1/0/21",
        eapol.part(4, b"office, second floor"),
        eapol.part(5, b"sw-3.example.com"),
        eapol.part(7, b"\0\x14\0\4"),
        eapol.part(127, bytes.fromhex("0080c201 0014")),
    )
    scene.put([ethernet(switch, eapol.LLDP_GROUP, told, eapol.LLDP_TYPE)])
    for _ in range(2):
        steps = (
            (desk.host.mac, eapol.eapol(1)),
            (switch, eapol.WHO),
            (desk.host.mac, eapol.identity(1, f"host/{desk.name}.{DOMAIN}")),
            (switch, eapol.begins(end)),
            (desk.host.mac, eapol.alert(end, 48)),
            (switch, eapol.eapol(0, eapol.eap(eapol.FAILURE, end))),
        )
        for source, data in steps:
            scene.put([ethernet(source, eapol.GROUP, data, eapol.ETHERTYPE)])
            scene.wait(0.1)
        nobody, everybody = Host(desk.host.mac, "0.0.0.0"), Host("ff:ff:ff:ff:ff:ff", "255.255.255.255")
        scene.put([datagram(nobody, everybody, 68, 67, messages.dhcp(messages.DISCOVER, 61, desk.host.mac))])
        scene.wait(60)


CAPTURES: dict[str, Callable[[Scene], None]] = {
    "psk_clean.pcapng": psk_clean,
    "office.pcapng": office,
    "presence.pcapng": presence,
    "redirection.pcapng": redirect,
    "negotiate.pcapng": negotiate,
    "kdc.pcapng": kdc,
    "port.pcapng": port,
}


def make(name: str, folder: Path) -> Path:
    """Write one capture and say where."""
    scene = Scene(seed=sum(name.encode()))
    CAPTURES[name](scene)
    path = folder / name
    with path.open("wb") as file:
        capture = Pcapng(file, comment=SYNTHETIC)
        capture.interface(name="mirror port")
        for time_ns, data, comment in sorted(scene.packets, key=lambda packet: packet[0]):
            capture.packet(time_ns, data, comment=comment)
    return path


def main() -> None:
    """Make all captures into the folder given, or this one."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name in CAPTURES:
        print(make(name, folder))


if __name__ == "__main__":
    main()
