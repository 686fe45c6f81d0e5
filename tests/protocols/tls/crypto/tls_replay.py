"""A second, small reader of TLS for the tests: it replays a capture through the crypto package alone.

It knows the happy path only and raises on anything odd, which is what a test wants: key derivation and record
protection are proven on real traffic without the dissector, whose faults cannot hide here nor the other way round.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict

import dpkt

from amtdecode.protocols.tls import crypto
from amtdecode.protocols.tls.registry import suite_parameters

CLIENT, SERVER = 0, 1
FINISHED = (b"client finished", b"server finished")


def segments(path):
    """Yield (stream, direction, bytes) in order of arrival, reassembled; the stream's opener is the client."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        if path.name.removesuffix(".gz").endswith(".pcapng"):
            packets = pcapng_packets(file.read())
        else:
            reader = dpkt.pcap.UniversalReader(file)
            packets = [(reader.datalink(), data) for _, data in reader]
    streams, state, held = {}, {}, defaultdict(dict)
    for link, data in packets:
        segment = tcp_of(link, data)
        if segment is None:
            continue
        source, destination, tcp = segment
        key = frozenset((source, destination))
        if tcp.flags & 2 and not tcp.flags & 16:
            streams[key] = (len(set(streams.values())), source)
        if key not in streams:
            streams[key] = (len(set(streams.values())), source)
        number, client = streams[key]
        side = (number, CLIENT if source == client else SERVER)
        if tcp.flags & 2:
            state[side] = (tcp.seq + 1) & 0xFFFFFFFF
        if tcp.data:
            held[side][tcp.seq] = bytes(tcp.data)
            state.setdefault(side, tcp.seq)
        progress = True
        while progress:
            progress = False
            for seq in list(held[side]):
                behind = (state[side] - seq) & 0xFFFFFFFF
                if behind < 1 << 31:
                    fresh = held[side].pop(seq)[behind:]
                    if fresh:
                        state[side] = (state[side] + len(fresh)) & 0xFFFFFFFF
                        yield (*side, fresh)
                        progress = True


def pcapng_packets(data):
    """Packets of a little-endian pcapng (dpkt refuses blocks it does not know)."""
    at, link, packets = 0, [], []
    while at + 12 <= len(data):
        kind = int.from_bytes(data[at : at + 4], "little")
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + size - 4]
        if kind == 1:
            link.append(int.from_bytes(body[:2], "little"))
        elif kind == 6:
            interface = int.from_bytes(body[:4], "little")
            packets.append((link[interface], body[20 : 20 + int.from_bytes(body[12:16], "little")]))
        at += size
    return packets


def secrets_blocks(path):
    """Key logs in the decryption secrets blocks of a little-endian pcapng."""
    data, at = path.read_bytes(), 0
    while at + 12 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if int.from_bytes(data[at : at + 4], "little") == 10:
            yield data[at + 16 : at + 16 + int.from_bytes(data[at + 12 : at + 16], "little")]
        at += size


def tcp_of(link, data):
    if link == 1:
        packet = dpkt.ethernet.Ethernet(data).data
    elif link == 113:
        packet = dpkt.sll.SLL(data).data
    elif link in {0, 108}:
        packet = dpkt.ip.IP(data[4:])
    else:
        packet = (dpkt.ip6.IP6 if data[0] >> 4 == 6 else dpkt.ip.IP)(data)
    tcp = getattr(packet, "data", None)
    if not isinstance(tcp, dpkt.tcp.TCP):
        return None
    return (packet.src, tcp.sport), (packet.dst, tcp.dport), tcp


def expected(path):
    """Streams of an expectation file: the directions' bytes, and the runs in which directions take turns."""
    streams = {}
    text = path.read_text()
    for number, body in re.findall(r"### stream (\d+)\n(.*?)(?=### stream|\Z)", text, re.DOTALL):
        lines = [line for line in body.splitlines() if re.fullmatch(r"\t?[0-9a-f]+", line)]
        streams[int(number)] = merge([(line.startswith("\t"), bytes.fromhex(line.strip())) for line in lines])
    return streams


def merge(runs):
    """Put neighbouring runs of one direction together."""
    merged = []
    for side, data in runs:
        if merged and merged[-1][0] == side:
            merged[-1] = (side, merged[-1][1] + data)
        elif data:
            merged.append((side, data))
    return merged


class Replay:
    """One connection. `application` collects (direction, bytes), `verified` who sent a Finished that came out right."""

    def __init__(self, keys, sessions=None):
        self.keys = keys
        self.sessions = {} if sessions is None else sessions
        self.inbox = [b"", b""]
        self.messages = [b"", b""]
        self.ciphers = [None, None]
        self.application, self.verified, self.failed, self.updates = [], [], 0, 0
        self.versions, self.suites = set(), set()
        self.version = 0
        self.reset()

    def reset(self):
        self.pending = None
        self.transcript = crypto.Transcript()
        self.hello = self.answer = self.certificate = None
        self.master = self.premaster = None
        self.resumed_master = None
        self.ems = self.etm = False
        self.identity = b""
        self.ticket = b""
        self.early = []

    def feed(self, side, data):
        self.inbox[side] += data
        while len(self.inbox[side]) >= 5:
            inbox = self.inbox[side]
            if inbox[0] & 0x80 and inbox[2] == 1:  # hello framed as SSL 2.0 has it
                size = int.from_bytes(inbox[:2], "big") & 0x7FFF
                if len(inbox) < size + 2:
                    return
                self.inbox[side] = inbox[size + 2 :]
                self.ssl2_hello(inbox[2 : size + 2])
                continue
            kind, version, size = inbox[0], int.from_bytes(inbox[1:3], "big"), int.from_bytes(inbox[3:5], "big")
            if len(inbox) < size + 5:
                return
            fragment = inbox[5 : size + 5]
            self.inbox[side] = inbox[size + 5 :]
            self.record(side, kind, version, fragment)

    def record(self, side, kind, version, fragment):
        if kind == 20:
            if self.answer and not self.tls13:  # TLS 1.3 sends them for show, a client even before the ServerHello
                self.change_cipher_spec(side)
            return
        cipher = self.ciphers[side]
        if kind == 23 and not self.answer:  # early data: which suite it takes is known with the ServerHello
            self.early.append((kind, version, fragment))
            return
        if cipher == "sealed":  # protected, and no key
            self.failed += 1
            return
        if cipher is not None:
            opened = cipher.open(kind, version, fragment)
            if opened is None:
                self.failed += 1
                return
            kind, fragment = opened
        if kind == 23:
            self.application.append((side, fragment))
        elif kind == 22:
            self.messages[side] += fragment
            while len(self.messages[side]) >= 4:
                size = 4 + int.from_bytes(self.messages[side][1:4], "big")
                if len(self.messages[side]) < size:
                    break
                message, self.messages[side] = self.messages[side][:size], self.messages[side][size:]
                self.handshake(side, message)

    @property
    def tls13(self):
        return self.version >= 0x0304

    def ssl2_hello(self, body):
        suites, session, challenge = (int.from_bytes(body[at : at + 2], "big") for at in (3, 5, 7))
        self.hello = {"random": body[9 + suites + session :].rjust(32, b"\0"), "session": b"", "extensions": {}}
        assert len(body) == 9 + suites + session + challenge
        self.transcript.add(body)

    def handshake(self, side, message):
        kind, body = message[0], message[4:]
        if kind == 0:
            return
        if kind == 1:
            if not (self.hello and not self.answer):  # not the second hello after a HelloRetryRequest
                self.reset()
            self.hello = parse_hello(body, client=True)
            self.ticket = self.hello["extensions"].get(35, b"")
        if kind == 20:
            self.finished(side, body)
        if kind == 2:
            self.server_hello(body, message)
            return
        if kind != 4 or not self.tls13:  # a ticket of TLS 1.3 is no part of the handshake
            self.transcript.add(message)
        if kind == 11 and side == SERVER and not self.tls13:
            self.certificate = body[6 : 6 + int.from_bytes(body[3:6], "big")]
        elif kind == 16:
            self.key_exchange(body)
        elif kind == 4 and not self.tls13 and side == SERVER:
            self.new_ticket = body[6:]
            if self.master:
                self.sessions[body[6:]] = self.master
        elif kind == 20 and self.tls13:
            self.after_finished13(side)
        elif kind == 24 and self.tls13:
            self.ciphers[side].update()
            self.updates += 1

    def server_hello(self, body, message):
        answer = parse_hello(body, client=False)
        version = int.from_bytes(answer["extensions"].get(43, body[:2]), "big")
        self.version, self.suite = version, answer["suite"]
        self.versions.add(version)
        self.suites.add(self.suite)
        if self.tls13 and answer["random"].hex().startswith("cf21ad74e59a6111be1d8c021e65b891"):
            self.transcript.retry(version, self.suite)
            self.transcript.add(message)
            return
        self.answer = answer
        self.transcript.add(message)
        self.transcript.settle(version, self.suite)
        self.etm, self.ems = 22 in answer["extensions"], 23 in answer["extensions"]
        if self.tls13:
            self.start13()
            return
        session = answer["session"]
        if session and session == self.hello["session"]:
            self.resumed_master = self.sessions.get(self.ticket) or self.sessions.get(session)

    def start13(self):
        random, keys = self.hello["random"], self.keys
        self.traffic = [keys.secret(f"{name}_HANDSHAKE_TRAFFIC_SECRET", random) for name in ("CLIENT", "SERVER")]
        self.schedule_master = None
        if 41 in self.answer["extensions"] and 51 not in self.answer["extensions"]:  # psk_ke
            digest = self.transcript.digest(crypto.suite_hash(self.suite))
            psk = keys.psks(psk_identity(self.hello))[0]
            secrets = crypto.handshake_secrets(self.suite, digest, psk)
            self.traffic = [secrets.client, secrets.server]
            self.schedule_master = secrets.master
        for side in (CLIENT, SERVER):
            secret = self.traffic[side]
            self.ciphers[side] = crypto.Tls13Cipher(self.suite, secret, self.version) if secret else "sealed"
        early = keys.secret("CLIENT_EARLY_TRAFFIC_SECRET", random)
        if 42 in self.hello["extensions"] and early:
            self.ciphers[CLIENT] = EarlyThen(crypto.Tls13Cipher(self.suite, early, self.version), self.ciphers[CLIENT])
        for record in self.early:
            self.record(CLIENT, *record)

    def after_finished13(self, side):
        if side == SERVER:
            digest = self.transcript.digest(crypto.suite_hash(self.suite))
            random = self.hello["random"]
            self.next = [self.keys.secret(f"{name}_TRAFFIC_SECRET_0", random) for name in ("CLIENT", "SERVER")]
            if self.schedule_master:
                self.next = list(crypto.application_secrets(self.suite, self.schedule_master, digest))
        secret = self.next[side]
        self.ciphers[side] = crypto.Tls13Cipher(self.suite, secret, self.version) if secret else "sealed"

    def key_exchange(self, body):
        parameters = suite_parameters(self.suite)
        exchange = parameters.key_exchange
        psk = None
        if exchange in {"PSK", "RSA_PSK"}:
            size = int.from_bytes(body[:2], "big")
            self.identity, body = body[2 : 2 + size], body[2 + size :]
            psk = next(iter(self.keys.psks(self.identity)), None)
        encrypted = body if self.version <= 0x0300 else body[2:]
        if exchange == "PSK" and psk:
            self.premaster = crypto.psk_premaster(psk)
        elif exchange in {"RSA", "RSA_PSK"}:
            premaster = self.keys.rsa_premaster(encrypted)
            for key in () if premaster else self.keys.rsa_keys(self.certificate):
                premaster = key.decrypt_pms(encrypted)
            if exchange == "RSA_PSK":
                premaster = crypto.psk_premaster(psk, premaster) if psk and premaster else None
            self.premaster = premaster
        self.session_hash = self.transcript.session_hash(self.version, self.suite)

    def change_cipher_spec(self, side):
        if self.pending is None:
            client_random, server_random = self.hello["random"], self.answer["random"]
            master = self.keys.secret("CLIENT_RANDOM", client_random) or self.resumed_master
            if master is None and self.premaster is not None:
                if self.ems:
                    master = crypto.extended_master_secret(self.version, self.suite, self.premaster, self.session_hash)
                else:
                    master = crypto.master_secret(
                        self.version, self.suite, self.premaster, client_random, server_random
                    )
            self.master = master
            self.pending = "sealed", "sealed"
            if master:
                self.pending = crypto.open_ciphers(
                    self.version, self.suite, master, client_random, server_random, encrypt_then_mac=self.etm
                )
                if self.answer["session"]:
                    self.sessions[self.answer["session"]] = master
                if getattr(self, "new_ticket", None):
                    self.sessions[self.new_ticket] = master
        self.ciphers[side] = self.pending[side]

    def finished(self, side, body):
        secret = self.traffic[side] if self.tls13 else self.master
        right = crypto.finished_verify_data(self.version, self.suite, secret, FINISHED[side], self.transcript)
        assert body == right, f"Finished of {('client', 'server')[side]}"
        self.verified.append(side)


class EarlyThen:
    """Early data until it no longer opens, then the handshake."""

    def __init__(self, early, then):
        self.early, self.then = early, then

    def open(self, *record):
        opened = self.early.open(*record) if self.early else None
        if opened is None:
            self.early = None  # refused by the server, or over
            return self.then.open(*record)
        if opened[0] == 22:  # EndOfEarlyData
            self.early = None
        return opened


def parse_hello(body, *, client):
    if body[0] == 0x7F:  # ServerHello of TLS 1.3 drafts up to 21: no session id, no compression method
        body = body[:34] + b"\0" + body[34:36] + b"\0" + body[36:]
    at = 35 + body[34]
    hello = {"random": body[2:34], "session": body[35:at]}
    if client:
        at += 2 + int.from_bytes(body[at : at + 2], "big")
        at += 1 + body[at]
    else:
        hello["suite"] = int.from_bytes(body[at : at + 2], "big")
        at += 3
    extensions = hello["extensions"] = {}
    at += 2
    while at + 4 <= len(body):
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        extensions[kind] = body[at + 4 : at + 4 + size]
        at += 4 + size
    return hello


def psk_identity(hello):
    offered = hello["extensions"][41]
    return offered[4 : 4 + int.from_bytes(offered[2:4], "big")]


def replay(path, keys):
    """Replay all streams of a capture; stream number to `Replay`."""
    replays, sessions = {}, {}
    for number, side, data in segments(path):
        if number not in replays:
            replays[number] = Replay(keys, sessions)
        replays[number].feed(side, data)
    return replays
