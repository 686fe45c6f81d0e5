"""What users of tshark type: it works as there, or one line says what does; tshark itself is asked where it can be."""

from __future__ import annotations

import csv
import re
import subprocess
from pathlib import Path

import oracle
import pytest

from amtdecode.cli.main import COMMANDS, group, run
from amtdecode.cli.tshark_options import ANSWERS, misplaced, route, value_of
from amtdecode.render.layout import CSV, Layout

PCAPS = Path(__file__).parents[2] / "pcaps"
DNS, OFFICE, HELLO = (str(PCAPS / name) for name in ("dns.pcap", "office.pcapng", "hello.pcap"))


@pytest.fixture
def call(capfd, monkeypatch):
    """Runs a command line in this process: exit code, standard output, standard error."""
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)

    def command(*arguments):
        code = run(arguments)
        return code, *capfd.readouterr()

    return command


def theirs(tshark, *arguments):
    return oracle.run([tshark, *arguments], text=True, check=False).stdout


# -- options ----------------------------------------------------------------------------------------------------------


def test_every_option_of_tshark_works_or_is_answered(tshark):
    told = oracle.run([tshark, "-h"], text=True, check=True).stdout
    options = set()
    for line in told.splitlines():
        if re.match(r"  -", line):
            options |= set(
                re.findall(r"(?:^  |, )(--?[A-Za-z0-9][\w-]*)", line.split("   ")[0] if "   " in line[3:] else line)
            )
    options = {option if option.startswith("--") else option[:2] for option in options}
    assert len(options) > 70
    ours = set(group.context_settings["help_option_names"]) | {"--version"}
    for name in COMMANDS:
        ours |= {each for parameter in group.get_command(None, name).params for each in parameter.opts}
    assert options - ours - set(ANSWERS) == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-z", "io,stat,0"), "-z io,stat,0: amtdecode flows CAPTURE counts packets"),
        (("-zio,phs",), "-z io,phs: amtdecode stats CAPTURE has the protocol hierarchy"),
        (("-z", "conv,tcp"), "-z conv,tcp: amtdecode flows CAPTURE"),
        (("-q", "-z", "follow,tls,raw,3"), "amtdecode follow CAPTURE --flow 3 --layer tls -T raw"),
        (("-z", "follow,udp,ascii,1"), "amtdecode follow CAPTURE --flow udp:1"),
        (("-z", "follow,tcp,hex"), "amtdecode follow CAPTURE --flow N --layer tcp -T hex"),
        (("-z", "expert"), "amtdecode diagnose CAPTURE"),
        (("-z", "smb,srt"), "amtdecode stats CAPTURE counts"),
        (("-o", "tls.keylog_file:keys.txt"), "-o tls.keylog_file:keys.txt: --keylog keys.txt"),
        (("-o", "tls.psk:00ff"), "--psk '*=hex:00ff'"),
        (("-o", "tcp.reassemble_out_of_order:TRUE"), "not needed"),
        (("-d", "tcp.port==9971,http"), "-d: content decides what a stream is, not its port: not needed"),
        (("-2",), "-2: one pass is enough"),
        (("--export-objects", "http,dir"), "--export-objects: use export: --http DIR"),
        (("--log-level", "debug"), "amtdecode writes no log"),
        (("-T", "psml"), "-T psml: use -T text or -T csv"),
        (("-s", "96"), "-s: is for capturing: amtdecode live -i IFACE"),
    ],
)
def test_an_option_that_is_not_here_names_ours(call, arguments, said):
    for words in ((*arguments, "-r", DNS), (DNS, *arguments)):
        code, out, err = call(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-c", "x", DNS), "invalid value for '-c'"),
        (("read", "--nonsense", DNS), "--nonsense: no such option; see amtdecode read --help"),
        (("read", "--keylogs", "k", DNS), "--keylogs: no such option; did you mean --keylog?"),
        (("stats", "-x", DNS), "-x: not here; an option of "),
        (("read",), "missing argument 'CAPTURE…'; see amtdecode read --help"),
        (("-r",), "option '-r' requires an argument"),
        (("diff", "-r", DNS, DNS), "-r: files stand without an option"),
        (("fields", "-G", "plugins"), "-G plugins: is none of fields, protocols, values, ftypes"),
        (("listen", "-a", "packets:3"), "packets:3: use -c N"),
        (("listen", "-a", "duration:soon"), "duration:soon: is neither SECONDS nor duration:SECONDS"),
        (("listen", "-a", "nan"), "nan: is neither"),
    ],
)
def test_wrong_usage_is_one_line(call, arguments, said):
    code, out, err = call(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_where_a_line_of_options_leads():
    assert route(["-r", "x", "-T", "json"]) == ["read", "-r", "x", "-T", "json"]
    assert route(["-i", "any", "-c", "3"]) == ["live", "-i", "any", "-c", "3"]
    assert route(["-niany"]) == ["live", "-niany"]
    assert route(["-e", "-i", "-r", "x"])[0] == "read"  # the value of an option is none
    assert route(["-D"]) == ["live", "-D"]
    assert route(["-G"]) == ["fields", "-G", "fields"]
    assert route(["-G", "values"]) == ["fields", "-G", "values"]
    assert route(["-nv"]) == ["--version"]
    assert value_of("-z", ["-q", "-zio,stat"]) == "io,stat"
    assert value_of("--log-level", ["--log-level=x"]) == "x"


def test_files_behind_r(call):
    plain = call("read", DNS, "-T", "json")
    assert plain[0] == 0
    for words in (("-r", DNS), (f"-r{DNS}",), ("-nr", DNS), ("--read-file", DNS), ("-nlr", DNS)):
        assert call(*words, "-T", "json") == plain
    assert call("-r", DNS, HELLO, "-T", "json") == call("read", DNS, HELLO, "-T", "json")
    assert call("diagnose", "-r", OFFICE) == call("diagnose", OFFICE)


# -- words that are no files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("diagnos", OFFICE), 2, "diagnos: is neither a file nor a command; did you mean amtdecode diagnose?"),
        (("diagnos", "--site", "x", OFFICE), 2, "did you mean amtdecode diagnose?"),
        (("Flow", DNS), 2, "did you mean amtdecode flows?"),
        ((DNS, "stats"), 2, "stats: is no file; a command stands first: amtdecode stats …"),
        ((DNS, "tcp.port", "==", "9971"), 2, "is no file, and looks like a display filter: -Y 'tcp.port == 9971'"),
        ((DNS, "dns"), 2, "looks like a display filter: -Y 'dns'"),
        (("flows", DNS, "iamt.hello"), 2, "looks like a display filter: -Y 'iamt.hello'"),
        ((DNS, "http.response.code==401"), 2, "looks like a display filter"),
        (("nosuch.pcap",), 3, "nosuch.pcap: no such file or directory"),
        (("frobnicate",), 3, "frobnicate: no such file or directory"),
    ],
)
def test_words_that_are_no_files(call, arguments, code, said):
    done = call(*arguments)
    assert (done[0], done[1], done[2].count("\n")) == (code, "", 1)
    assert said in done[2]


def test_a_file_may_be_called_as_it_likes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("dns", "tcp.port", "reed", "a==b"):
        assert misplaced([name], ["read"])
        (tmp_path / name).touch()
        assert misplaced([name], ["read"]) is None


# -- forms ------------------------------------------------------------------------------------------------------------

NAMES = ("frame.number", "ip.addr", "udp.port", "dns.qry.name", "dns.flags.rcode")


@pytest.mark.parametrize(
    "layout",
    [
        "", "header=y", "header=y quote=d", "quote=s separator=/s", "separator=; aggregator=/s", "occurrence=f",
        "occurrence=l quote=d separator=,", "bom=y header=y", "bom=y", "separator=ab", "header=yes", "header=n",
        "occurrence=last", "aggregator=ab", "separator=/t", "quote=n quote=d", "separator=|",
    ],
)  # fmt: skip
def test_fields_are_laid_out_as_tshark_does(call, tshark, layout):
    words = ["-r", DNS, "-c", "12", "-T", "fields"]  # behind them comes TCP, of which tshark has a line a segment
    words += [word for option in layout.split() for word in ("-E", option)]
    words += [word for name in NAMES for word in ("-e", name)]
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert out == theirs(tshark, "-n", *words)
    assert out.count("\n") >= 12


@pytest.mark.parametrize(
    "option", ["separator=", "quote=x", "nosuch=y", "header", "header=Y", "occurrence=z", "escape=y"]
)
def test_layouts_that_tshark_refuses_are_refused(call, tshark, option):
    words = ["-r", DNS, "-T", "fields", "-e", "frame.number", "-E", option]
    assert theirs(tshark, *words) == ""
    code, out, err = call(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"-E {option}: is none of" in err


def test_csv(call):
    code, out, err = call("-r", DNS, "-T", "csv", "-c", "2")
    assert (code, err) == (0, "")
    assert list(csv.reader(out.splitlines())) == [
        ["No.", "Time", "Source", "Destination", "Protocol", "Info"],
        ["1", "2026-11-24T00:27:00.007702Z", "127.0.0.1:48447", "127.0.0.1:53", "dns", "DNS query A ProvisionServer"],
        ["2", "2026-11-24T00:27:00.008023Z", "127.0.0.1:53", "127.0.0.1:48447", "dns",
         "DNS response A ProvisionServer: REFUSED"],
    ]  # fmt: skip
    chosen = call("-r", DNS, "-T", "csv", "-c", "1", "-e", "ip.addr", "-e", "dns.qry.name", "-E", "separator=;")[1]
    assert chosen == '"ip.addr";"dns.qry.name"\n"127.0.0.1,127.0.0.1";"ProvisionServer"\n'


def test_what_a_spreadsheet_would_run_is_text():
    cells = ["=1+1", "@x", "-1", "-1.5", "-x", "+a", 'a"b', ""]
    assert CSV.line(cells) == """"'=1+1","'@x","-1","-1.5","'-x","'+a","a""b",\n"""
    assert Layout(quote='"').line(["=1+1"]) == '"=1+1"\n'


def test_globs_of_fields(call):
    code, out, err = call(
        "-r", HELLO, "-T", "csv", "-e", "frame.number", "-e", "iamt.hello.hash.*", "-E", "occurrence=f"
    )
    assert (code, err) == (0, "")
    rows = list(csv.reader(out.splitlines()))
    assert rows[0] == ["frame.number", "iamt.hello.hash.algorithm", "iamt.hello.hash.name", "iamt.hello.hash.value"]
    assert rows[1][1:3] == ["2", "Go Daddy Class 2 CA"]
    assert rows[1][3].startswith("c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4")


def test_names_that_are_no_fields(call):
    code, out, err = call(
        "-r", DNS, "-T", "fields", "-e", "hello.uuid", "-e", "dns.qry.nam", "-e", "nosuch.*", "-e", "x"
    )
    assert (code, out) == (2, "")
    assert err == (
        "amtdecode: -e: hello.uuid is no field (did you mean iamt.hello.uuid?); dns.qry.nam is no field (did you mean "
        "dns.qry.name?); nosuch.* matches no field; x is no field; `amtdecode fields` lists them\n"
    )


def test_reports_of_fields(call, tshark):
    ours = {line.split("\t")[2]: line.split("\t") for line in call("-G", "fields")[1].splitlines()}
    assert ours["iamt.hello.uuid"] == [
        "F", "UUID of the machine, SMBIOS order", "iamt.hello.uuid", "FT_GUID", "iamt.hello", "", "0x0", ""
    ]  # fmt: skip
    asked = [
        line.split("\t") for line in theirs(tshark, "-G", "fields").splitlines() if line.startswith("F\tOpcode\tarp.")
    ]
    assert asked == [["F", "Opcode", "arp.opcode", "FT_UINT16", "arp", "BASE_DEC", "0x0", ""]]
    assert ours["arp.opcode"] == ["F", "what the message is", *asked[0][2:]]
    values = [line for line in call("-G", "values")[1].splitlines() if line.startswith("V\tarp.opcode\t")]
    assert values
    assert set(values) <= set(theirs(tshark, "-G", "values").splitlines())
    kinds = call("-G", "ftypes")[1].splitlines()
    assert "FT_IPv4\tIPv4 address" in kinds
    named = {line.split("\t")[0] for line in theirs(tshark, "-G", "ftypes").splitlines()}
    assert {line.split("\t")[0] for line in kinds} <= named
    assert "tls\ttls\ttls" in call("-G", "protocols")[1].splitlines()


# -- packets ----------------------------------------------------------------------------------------------------------


def test_packets_are_copied(call, tshark, tmp_path):
    target = tmp_path / "copy.pcapng"
    code, out, err = call("-r", OFFICE, "-c", "30", "-w", target)
    assert (code, out, err) == (0, "", f"amtdecode: 30 packets in {target}\n")
    asked = [
        "-T",
        "fields",
        *(word for name in ("frame.time_epoch", "frame.len", "data", "tcp.payload") for word in ("-e", name)),
    ]
    assert theirs(tshark, "-r", str(target), *asked) == theirs(tshark, "-r", OFFICE, "-c", "30", *asked)


@pytest.mark.parametrize(
    "chosen", ["dns.flags.response == 1", "udp.port == 53 && frame.number > 10", "arp", "tcp.flags.reset == 1"]
)
def test_packets_that_pass_a_filter_are_copied(call, tshark, tmp_path, chosen):
    ours, other = tmp_path / "ours.pcapng", tmp_path / "theirs.pcapng"
    assert call("-r", OFFICE, "-Y", chosen, "-w", ours, "-q") == (0, "", "")
    subprocess.run([tshark, "-r", OFFICE, "-Y", chosen, "-w", other], capture_output=True, check=True)
    asked = ["-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"]
    assert theirs(tshark, "-r", str(ours), *asked) == theirs(tshark, "-r", str(other), *asked) != ""


def test_what_a_capture_says_is_copied(call, tshark, tmp_path):
    """Comments and names go along; with a filter, the comments of what passes; pcap holds packets alone."""
    target = tmp_path / "copy.pcapng"
    asked = ["-n", "-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
    assert call("-r", OFFICE, "-w", target, "-q") == (0, "", "")
    assert theirs(tshark, "-r", str(target), *asked) == theirs(tshark, "-r", OFFICE, *asked)
    assert call("-r", OFFICE, "-Y", "arp || tcp", "-w", target, "-q") == (0, "", "")
    asked = ["-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment"]
    assert theirs(tshark, "-r", str(target), *asked) == theirs(tshark, "-r", OFFICE, "-Y", "arp || tcp", *asked)
    plain = tmp_path / "copy.pcap"
    assert call("-r", OFFICE, "-w", plain, "-q") == (0, "", "")
    assert plain.read_bytes()[:4].hex() == "4d3cb2a1"
    asked = ["-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "tcp.payload"]
    assert theirs(tshark, "-r", str(plain), *asked) == theirs(tshark, "-r", OFFICE, *asked)


def test_secrets_are_copied_with_the_packets(call, tmp_path):
    secret = str(PCAPS / "psk_clean.pcapng")
    target = tmp_path / "copy.pcapng"
    assert call("-r", secret, "-w", target, "-q") == (0, "", "")
    asked = ("-T", "fields", "-e", "iamt.wsman.action", "-e", "tls.handshake.type", "-e", "http.request.method")
    assert call("-r", target, *asked)[1] == call("-r", secret, *asked)[1] != ""
    assert (target.stat().st_mode & 0o077 == 0) is (b"CLIENT_RANDOM" in Path(secret).read_bytes())


def test_no_capture_is_copied_over_itself(call, tmp_path):
    target = tmp_path / "x.pcap"
    target.write_bytes(Path(DNS).read_bytes())
    code, out, err = call("-r", target, "-w", target)
    assert (code, out) == (2, "")
    assert "is one of the inputs" in err
    assert target.read_bytes() == Path(DNS).read_bytes()
