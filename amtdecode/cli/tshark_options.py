"""What users of tshark type by habit: where a command line leads, and what to use for an option that is not here.

Loaded only when a command line cannot be read as it stands, or begins with an option. Options are those of
`tshark -h`, version 4.0.17.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIVE = "is for capturing: amtdecode live -i IFACE"
DUMPCAP = "capture with dumpcap, and read what it writes: dumpcap -i IFACE -w - | amtdecode -"
ALL_READ = "every protocol is recognised by its content; nothing needs to be switched on or off"
LOGGING = "amtdecode writes no log of its own; notes stand on standard error, and -q silences them"

ANSWERS: dict[str, str] = {
    # option: what takes its place; "" for those that a function below answers
    "-o": "",
    "-z": "",
    "-d": "content decides what a stream is, not its port: not needed",
    "-2": "one pass is enough: what a later packet settles is said at that packet",
    "-M": "memory is bounded whatever the size of the capture: not needed",
    "-R": "use -Y, which judges with all that was decoded from a packet",
    "-H": "names come from the capture itself: -N n",
    "-K": "Kerberos is not decrypted; keys for TLS: --psk, --psk-file, --rsa-key, --keylog",
    "-C": "there are no profiles: options say all, and diagnose --site FILE holds the facts of a site",
    "-F": "-w FILE.pcap writes pcap, any other name pcapng",
    "-P": "-w writes packets, and without it the list is printed: run both",
    "-S": "for programs: -T json or -T ek, one object a line",
    "-Q": "use -q: no notes, no progress",
    "-u": "times are seconds; for clock times use -t a or -t ad",
    "-g": "files are written with the permissions of your umask, proofs for you alone",
    "-W": "names that the capture holds are kept where packets are copied",
    "-X": "there are no scripts inside; `amtdecode wireshark --lua FILE` writes a plugin for Wireshark",
    "-U": "use export: --http, --soap and --certs write what the packets carry",
    "-j": "use -T json, and choose members with jq; or -T fields with -e",
    "-J": "use -T json, and choose members with jq; or -T fields with -e",
    "-p": f"interfaces are always opened in promiscuous mode; otherwise {DUMPCAP}",
    "-I": DUMPCAP,
    "-B": DUMPCAP,
    "-y": DUMPCAP,
    "-L": f"link types are recognised; to see them: dumpcap -L. {DUMPCAP[0].upper()}{DUMPCAP[1:]}",
    "-r": "files stand without an option",
    "-i": LIVE,
    "-f": f"{LIVE} -f FILTER",
    "-s": f"{LIVE} -s BYTES; packets that a capture cut are read as far as they go",
    "-a": f"{LIVE} -a duration:SECONDS",
    "-b": f"{LIVE} -w FILE -b filesize:KB -b files:N, whose files amtdecode reads as one timeline: amtdecode FILE…",
    "-D": "is for capturing: amtdecode live -D",
    "-G": "amtdecode fields -G fields",
    "-v": "amtdecode --version",
    "--time-stamp-type": DUMPCAP,
    "--list-time-stamp-types": DUMPCAP,
    "--no-promiscuous-mode": DUMPCAP,
    "--monitor-mode": DUMPCAP,
    "--buffer-size": DUMPCAP,
    "--linktype": DUMPCAP,
    "--list-data-link-types": DUMPCAP,
    "--list-interfaces": "is for capturing: amtdecode live -D",
    "--interface": LIVE,
    "--snapshot-length": f"{LIVE} -s BYTES",
    "--autostop": f"{LIVE} -a duration:SECONDS",
    "--ring-buffer": f"{LIVE} -w FILE -b filesize:KB -b files:N",
    "--read-filter": "use -Y, which judges with all that was decoded from a packet",
    "--display-filter": "use -Y",
    "--enable-protocol": ALL_READ,
    "--disable-protocol": ALL_READ,
    "--enable-heuristic": ALL_READ,
    "--disable-heuristic": ALL_READ,
    "--capture-comment": "what amtdecode writes says itself where it comes from",
    "--print": "-w writes packets, and without it the list is printed: run both",
    "--hexdump": "use -x; --field NAME marks the bytes of one field",
    "--export-objects": "use export: --http DIR writes every body, --soap DIR those of calls, --certs DIR certificates",
    "--export-tls-session-keys": "amtdecode export --write-keylog FILE",
    "--no-duplicate-keys": "-T json never repeats a key: a repeated field is an array",
    "--elastic-mapping-filter": "-T ek needs no mapping; `amtdecode fields -T json` has the kind of each field",
    "--temp-dir": "nothing is put into temporary files",
    "--log-level": LOGGING,
    "--log-fatal": LOGGING,
    "--log-domains": LOGGING,
    "--log-debug": LOGGING,
    "--log-noisy": LOGGING,
    "--log-file": LOGGING,
}

STATISTICS = (
    # what `-z` begins with, and what takes its place; the first that fits
    ("io,phs", "amtdecode stats CAPTURE has the protocol hierarchy"),
    (
        "io,stat",
        "amtdecode flows CAPTURE counts packets and bytes of each conversation, amtdecode stats CAPTURE the rest",
    ),
    ("conv", "amtdecode flows CAPTURE"),
    ("endpoints", "amtdecode flows CAPTURE lists the endpoints of each conversation"),
    ("hosts", "amtdecode diagnose CAPTURE names each machine; -N n shows the capture's names"),
    ("expert", "amtdecode diagnose CAPTURE says what is wrong, and what to do"),
    ("credentials", "amtdecode export --http DIR writes what was said; secrets are masked unless --show-secrets"),
    ("flow", "amtdecode flows CAPTURE, or amtdecode diff GOOD BAD for two dialogues side by side"),
    ("http", "amtdecode stats CAPTURE counts calls by class and result"),
    ("dns", "amtdecode stats CAPTURE, or amtdecode diagnose CAPTURE for names that failed"),
    ("dhcp", "amtdecode stats CAPTURE, or amtdecode diagnose CAPTURE for leases that failed"),
    ("proto,colinfo", "use -T fields with -e FIELD"),
    (
        "",
        "amtdecode stats CAPTURE counts protocols, connections, calls and TLS; amtdecode flows CAPTURE lists flows",
    ),
)

PREFERENCES = (
    # what `-o` begins with
    ("tls.keylog_file", "--keylog {value}"),
    ("ssl.keylog_file", "--keylog {value}"),
    ("tls.psk", "--psk '*=hex:{value}'"),
    ("tls.keys_list", "--rsa-key FILE[:PASSWORD]"),
    ("uat:rsa_keys", "--rsa-key FILE[:PASSWORD]"),
    ("rsa_keys", "--rsa-key FILE[:PASSWORD]"),
    ("uat:tls", "--rsa-key FILE[:PASSWORD]"),
    ("tls.desegment", "messages are always put together: not needed"),
    ("tcp.", "TCP is always put together, also out of order: not needed"),
    ("http.", "bodies are always put together, out of their chunks and compression: not needed"),
    ("ip.", "fragments are always put together: not needed"),
    ("nameres.", "-N n shows names from the capture"),
    ("gui.column", "use -T fields with -e FIELD"),
    ("", "there are no preferences; `amtdecode COMMAND --help` lists what can be chosen"),
)

WITH_VALUE = frozenset("abcdefijorstwyzBCEFGHJKMNORSTUWXY")
"""tshark's short options that take a value."""

FILTER = re.compile(r"==|!=|<=|>=|&&|\|\||[<>]|^!|\b(?:eq|ne|gt|lt|ge|le|contains|matches)\b")
"""What only display filters have."""
PROTOCOLS = frozenset(
    {
        "arp",
        "dhcp",
        "dhcpv6",
        "dns",
        "eapol",
        "eth",
        "http",
        "icmp",
        "icmpv6",
        "ip",
        "ipv6",
        "kerberos",
        "lldp",
        "rmcp",
        "snmp",
        "tcp",
        "tls",
        "udp",
        "vnc",
    }
)
NAME = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")


def answer(option: str, arguments: Sequence[str]) -> str | None:
    """One line on an option of tshark that a command does not have; `None` for what is none of tshark's."""
    if option not in ANSWERS:
        return None
    value = value_of(option, arguments)
    said = f"{option} {value}".rstrip() if option in "-o -z -G" else option
    if option == "-z":
        return f"{said}: {_followed(value) or _first(STATISTICS, value)}"
    if option == "-o":
        name, _, setting = value.partition(":")
        return f"{said}: {_first(PREFERENCES, value).format(value=setting or name)}"
    return f"{said}: {ANSWERS[option]}"


def value_of(option: str, arguments: Sequence[str]) -> str:
    """What stands behind an option, as its own word or in the same; "" where nothing does."""
    for at, word in enumerate(arguments):
        if word == option:
            return arguments[at + 1] if at + 1 < len(arguments) else ""
        if word.startswith(f"{option}=" if option.startswith("--") else option):
            return word.removeprefix(option).removeprefix("=")
    return ""


def _first(table: Sequence[tuple[str, str]], value: str) -> str:
    return next(text for begin, text in table if value.startswith(begin))


def _followed(value: str) -> str:
    """`follow,tls,raw,3` as our command."""
    parts = value.split(",")
    if parts[0] != "follow":
        return ""
    kind, form, number = [*parts[1:4], "", "", ""][:3]
    flow = f"--flow {'udp:' if kind in ('udp', 'dtls') else ''}{number if number.isdigit() else 'N'}"
    layer = {"tcp": " --layer tcp", "tls": " --layer tls", "ssl": " --layer tls", "http": " --layer http"}.get(kind, "")
    shown = {"hex": " -T hex", "raw": " -T raw"}.get(form, "")
    return f"amtdecode follow CAPTURE {flow}{layer}{shown}"


def route(arguments: Sequence[str]) -> list[str]:
    """A command line that begins with an option, as tshark's do, with the command it means in front."""
    found = _options(arguments)
    if "-v" in found:
        return ["--version"]
    if "-G" in found or "-G" in arguments:
        return ["fields", *(arguments if arguments[-1] != "-G" else [*arguments, "fields"])]
    if found & {"-i", "--interface", "-D", "--list-interfaces"} and not found & {"-r", "--read-file"}:
        return ["live", *("-i" if word == "--interface" else word for word in arguments)]
    return ["read", *arguments]


def _options(arguments: Sequence[str]) -> set[str]:
    """The options among the words, without their values."""
    found: set[str] = set()
    skip = False
    for word in arguments:
        if skip:
            skip = False
        elif word.startswith("--"):
            found.add(word.partition("=")[0])
        elif word.startswith("-") and word != "-":
            for at, letter in enumerate(word[1:], 1):
                found.add(f"-{letter}")
                if letter in WITH_VALUE:
                    skip = at == len(word) - 1
                    break
    return found


def misplaced(names: Sequence[str], commands: Sequence[str]) -> str | None:
    """One line on words that stand where files do and are none: a filter, a command; `None` where all may be files."""
    missing = [name for name in names if name != "-" and not os.path.lexists(name)]
    for name in missing:
        if _is_filter(name):
            return f"{name}: is no file, and looks like a display filter: -Y '{' '.join(missing)}'"
        if name in commands:
            return f"{name}: is no file; a command stands first: amtdecode {name} …"
        if (near := nearest_command(name, commands)) is not None:
            return f"{name}: is neither a file nor a command; did you mean amtdecode {near}?"
    return None


def nearest_command(word: str, commands: Sequence[str]) -> str | None:
    """The command that a word may be meant for; `None` for a word that may well be a file's name."""
    if not word.isalpha():
        return None
    return next(iter(get_close_matches(word.lower(), commands, 1, 0.7)), None)


def _is_filter(text: str) -> bool:
    if FILTER.search(text):
        return True
    if text in PROTOCOLS:
        return True
    if "." not in text or not NAME.fullmatch(text):
        return False
    from amtdecode.protocols.catalogue import catalogue

    return any(field.name == text or field.name.startswith(f"{text}.") for field in catalogue())


def elsewhere(option: str, having: Callable[[str], Sequence[str]]) -> str | None:
    """One line on an option that other commands have; `having` lists them."""
    commands = having(option)
    if not commands:
        return None
    return f"{option}: not here; an option of {', '.join(commands)}"
