"""Stream numbers of each packet of varied shared captures are those of tshark; those that differ are listed by class.

docs/limits.md tells the same classes in words.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import oracle

from amtdecode import packets
from amtdecode.capture import open_capture
from amtdecode.capture.health import Health
from amtdecode.engine import Engine

TCPDUMP, ZEEK = "captures/third-party/tcpdump/", "captures/third-party/zeek/"
WIRESHARK, HOSTILE = "captures/third-party/wireshark/captures/", "cases/hostile/"

SAME = [
    "captures/loopback/ipmi/rmcp_ipmi_623.pcap",
    "captures/third-party/pcapng-test-generator/output_be/advanced/test100.pcapng",
    "captures/third-party/pcapng-test-generator/output_be/advanced/test101.pcapng",
    "captures/third-party/pcapng-test-generator/output_be/basic/test006.pcapng",
    TCPDUMP + "HSRP_coup.pcap",
    TCPDUMP + "RADIUS-RFC4675.pcap",
    TCPDUMP + "babel.pcap",
    TCPDUMP + "babel_update_oobr.pcap",
    TCPDUMP + "bgp-4byte-asn.pcap",
    TCPDUMP + "dcb_ets.pcap",
    TCPDUMP + "dcb_qcn.pcap",
    TCPDUMP + "dhcp-rfc4388.pcap",
    TCPDUMP + "eapon1.pcap",
    TCPDUMP + "hncp_dhcpv4data-oobr.pcap",
    TCPDUMP + "icmp-cksum-oobr-1.pcap",
    TCPDUMP + "icmp-cksum-oobr-2.pcap",
    TCPDUMP + "icmp-cksum-oobr-4.pcapng",
    TCPDUMP + "icmp-rfc5837.pcap",
    TCPDUMP + "icmp_inft_name_length_zero.pcap",
    TCPDUMP + "ipv6-routing-header.pcap",
    TCPDUMP + "kday2.pcap",
    TCPDUMP + "kday3.pcap",
    TCPDUMP + "kday4.pcap",
    TCPDUMP + "l2tp-avp-overflow.pcap",
    TCPDUMP + "ldp-common-session.pcap",
    TCPDUMP + "ldp-infinite-loop.pcap",
    TCPDUMP + "lspping-fec-ldp.pcap",
    TCPDUMP + "lspping-fec-rsvp.pcap",
    TCPDUMP + "mpls-over-udp.pcap",
    TCPDUMP + "mpls-traceroute.pcap",
    TCPDUMP + "ntp.pcap",
    TCPDUMP + "resp_1_benchmark.pcap",
    TCPDUMP + "resp_3_malicious.pcap",
    TCPDUMP + "rpki-rtr-oobr.pcap",
    TCPDUMP + "sflow_multiple_counter_30_pdus.pcap",
    TCPDUMP + "wb-oobr.pcap",
    WIRESHARK + "dns+icmp.pcapng.gz",
    WIRESHARK + "tls-fragmented-handshakes.pcap.gz",
    WIRESHARK + "tls12-chacha20poly1305.pcap",
    ZEEK + "dns-edns-ecs.pcap",
    ZEEK + "dns/mdns.pcap",
    ZEEK + "http/bro.org-filtered.pcap",
    ZEEK + "http/http-body-match.pcap",
    ZEEK + "ipv6-http-atomic-frag.pcap",
    ZEEK + "pppoe.pcap",
    ZEEK + "raw_packets.pcap",
    ZEEK + "tcp/timeout-with-pings.pcap",
    ZEEK + "ticks-dns-1hr.pcap",
    ZEEK + "tls/dtls13-cid.pcap",
    ZEEK + "tls/google-cert-repeat.pcap",
    ZEEK + "tls/ocsp-revoked.pcap",
    ZEEK + "wikipedia-filtered-plus-udp.pcap",
    ZEEK + "dns-inverse-query.pcap",  # FDDI
    ZEEK + "nflog-http.pcap",
    ZEEK + "vntag_vlan_sandwich_clean.pcap",
    TCPDUMP + "LINKTYPE_PKTAP.pcap",
    TCPDUMP + "LINKTYPE_USER2_PKTAP.pcap",
    TCPDUMP + "erspan-type-ii-2.pcap",
    TCPDUMP + "geneve.pcap",
    TCPDUMP + "geneve-gcp.pcap",
    TCPDUMP + "gso-ipv4-geneve-ipv6.pcap",
    TCPDUMP + "gso-ipv4-vxlan-ipv4.pcap",
    TCPDUMP + "gso-ipv6-geneve-ipv6.pcap",
    TCPDUMP + "gso-ipv6-vxlan-ipv4.pcap",
    TCPDUMP + "pptp.pcap",
    TCPDUMP + "vxlan_port_8472.pcap",
    TCPDUMP + "wccp_redirect_gre.pcap",
    WIRESHARK + "ipoipoip.pcap",
    "cases/field/23-vxlan/c.pcap",
    "cases/field/24-erspan/e1.pcap",
    "cases/field/24-erspan/e2.pcap",
    "cases/field/21-tso-len20/c.pcap",
    "cases/field/25-one-direction/from_server.pcap",
    HOSTILE + "icmp-quote.pcap",
    HOSTILE + "rst-retry.pcap",
    HOSTILE + "secrets.pcap",
    HOSTILE + "split-handshake-5whs.pcap",
    "cases/scenes/05-pid-mistyped/c.pcap",
    "cases/scenes/11-invalid-name/c.pcap",
    "cases/scenes/41-old-address/c.pcap",
    "cases/scenes/83-clean-port-probe/c.pcap",
]

TUNNELLED = {
    # what tshark finds in how many packets; in most of them no TCP or UDP is inside
    "erspan-type-i-1": {"erspan": 2},
    "erspan-type-i-2": {"erspan": 2},
    "erspan-type-i-3": {"erspan": 1},
    "erspan-type-i-4": {"erspan": 88, "gre": 8},
    "erspan-type-ii-1": {"erspan": 1},
    "erspan-type-ii-2": {"erspan": 16},
    "erspan-type-ii-3": {"erspan": 108},
    "erspan-type-iii-ft-0": {"erspan": 9},
    "erspan-type-iii-ft-7": {"erspan": 58},
    "erspan-type-iii-pb-1": {"erspan": 1},
    "geneve": {"geneve": 39},
    "geneve-gcp": {"geneve": 1},
    "gre-heapoverflow-1": {},
    "gre-heapoverflow-2": {"gre": 1},
    "ios_nhrp": {"gre": 1},
    "isis-infinite-loop": {"gre": 5},
    "nhrp-trace": {"gre": 4},
    "nhrp.pcapng": {"gre": 25},
    "NHRP_registration": {"gre": 4},
    "NHRP-responder-address": {"gre": 2},
    "pptp": {"gre": 1},
    "various_gre": {"gre": 30},
    "wccp_redirect_gre": {"gre": 1},
    **{
        f"gso-ipv{outer}-{name}-ipv{inner}": {name: 1}
        for name, outer, inner in product(("geneve", "vxlan"), (4, 6), (4, 6))
    },
    **{f"bigtcp-ipv4-{name}-ipv{inner}": {} for name in ("geneve", "vxlan") for inner in (4, 6)},
}
NAMED = {"erspan": "ERSPAN", "geneve": "Geneve", "gre": "GRE", "vxlan": "VXLAN"}

DIFFERENT = {
    "link layer not read": [
        ZEEK + "radiotap.pcap",
        ZEEK + "wlanmon.pcap",
        TCPDUMP + "ipoib.pcap",
        TCPDUMP + "bgp-aigp.pcap",  # Juniper
        TCPDUMP + "arcnet-rfc1051-arp-icmp-http.pcap",
    ],
    "Ether type not read": [
        TCPDUMP + "macsec-short-valid.pcap",
        TCPDUMP + "nsh.pcap",
        TCPDUMP + "nsh-over-vxlan-gpe.pcap",
    ],
    "packets quoted by another protocol": [TCPDUMP + "sflow_expanded.pcap", TCPDUMP + "of13_ericsson.pcapng"],
    "jumbogram, in which tshark stops": [TCPDUMP + "bigtcp-ipv6.pcap", TCPDUMP + "bigtcp-ipv6-vxlan-ipv4.pcap"],
    "malformed IPv6 option, in which tshark stops": [ZEEK + "ipv6-mobility-dst-opts.pcap"],
    "pcapng blocks that are no packets, which tshark numbers": [
        "captures/third-party/pcapng-test-generator/output_le/advanced/test102.pcapng",
        "captures/third-party/pcapng-test-generator/output_be/basic/test018.pcapng",
    ],
}


def told_by_sharkd(sharkd, path):
    """Of each packet: its streams of TCP and of UDP, and its protocols."""
    rows = sharkd.columns(path, ("tcp.stream", "udp.stream", "frame.protocols"))
    return [(*(numbers(cell) for cell in row[:2]), row[2]) for row in rows]


def numbers(cell):
    return [int(number) for number in cell.split(",") if number]


def streams(path):
    return [(list(packet.values("tcp.stream")), list(packet.values("udp.stream"))) for packet in packets(str(path))]


def all_told(names, shared, sharkd):
    return {name: told_by_sharkd(sharkd, shared / name) for name in names}


def compared(told, shared):
    """Of each capture: the streams of its packets here, and there."""
    return {name: (streams(shared / name), [row[:2] for row in rows]) for name, rows in told.items()}


def test_each_packet_has_the_stream_numbers_of_tshark(shared, sharkd):
    found = compared(all_told(SAME, shared, sharkd), shared)
    assert all(any(tcp or udp for tcp, udp in expected) for _, expected in found.values())
    for name, (ours, expected) in found.items():
        assert ours == expected, name


def test_a_stream_that_tshark_numbers_anew_in_a_second_pass(shared, tshark):
    """So sharkd does, which has two."""
    path = shared / TCPDUMP / "icmp-cksum-oobr-3.pcapng"
    command = [tshark, "-n", "-r", path, "-T", "fields", "-e", "udp.stream"]
    assert oracle.run(command, text=True, check=True).stdout == "0\n"
    assert streams(path) == [([], [0])]


def tunnels_of_tshark(rows):
    """In how many packets it finds each kind; GRE that carries ERSPAN is not counted."""
    kinds = [set(row[2].split(":")) & NAMED.keys() for row in rows]
    return Counter(kind for each in kinds for kind in (each - {"gre"} if "erspan" in each else each))


def tunnels(path):
    """In how many packets we do, unwrapped or named as not read."""
    engine = Engine(connections="all")
    (health,) = [one.event for one in engine.observe(open_capture(str(path))) if isinstance(one.event, Health)]
    told = [one.partition(": ") for one in (*health.unwrapped, *health.unread)]
    return {name: int(count.split()[0].replace(",", "")) for name, _, count in told}


def test_tunnels_of_every_capture_that_has_some(shared, sharkd):
    """Streams and their numbers, and which packets are in tunnels."""
    names = {TCPDUMP + (name if "." in name else f"{name}.pcap"): kinds for name, kinds in TUNNELLED.items()}
    told = all_told(names, shared, sharkd)
    for name, (ours, expected) in compared(told, shared).items():
        assert ours == expected, name
    for name, kinds in names.items():
        assert tunnels_of_tshark(told[name]) == kinds, name
        assert tunnels(shared / name) == {NAMED[kind]: count for kind, count in kinds.items()}, name


def test_captures_that_differ_are_listed_and_do_differ(shared, sharkd):
    names = [name for names in DIFFERENT.values() for name in names]
    found = compared(all_told(names, shared, sharkd), shared)
    assert [name for name, (ours, expected) in found.items() if ours == expected] == []
