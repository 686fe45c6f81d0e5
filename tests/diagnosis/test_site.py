"""The site file: what each mistake in it is called, the edges of its numbers, and which entry is whose."""

from pathlib import Path

import pytest

from amtdecode.diagnosis.site import MAX_FILE, NOBODY, Machine, Site, load, within
from amtdecode.errors import ArtifactError


@pytest.fixture
def site(tmp_path: Path):
    def read(text: str | bytes) -> Site:
        path = tmp_path / "site.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(path)

    return read


@pytest.fixture
def wrong(site, tmp_path: Path):
    def read(text: str | bytes) -> str:
        with pytest.raises(ArtifactError) as caught:
            site(text)
        return str(caught.value).removeprefix(f"{tmp_path / 'site.toml'}: ")

    return read


def test_everything_a_site_file_may_say(site):
    found = site(
        'amt_version = "11.8.50"\n'
        '[scs]\nversion = "5"\naddresses = ["192.0.2.1", "192.0.2.128/25", "fd00::/8"]\nmode = "smb"\n'
        "[policy]\ntls = true\notp = false\nwindow_hours = 10000\nslow_contact_seconds = 0\n"
        '[network]\nsuffixes = ["example.com"]\nwireless = ["10.1.2.3/8"]\n'
        '[certificates]\nroots = ["AB:cd 01"]\n'
        '[[machine]]\nuuid = "x"\npower = "asleep"\nuns = true\n[[machine]]\nfqdn = "pc1"\nupgrade_to = "3.2.1"\n'
    )
    assert (found.amt_version, found.scs.version, found.scs.mode) == ("11.8.50", "5", "smb")
    assert found.scs.addresses == ("192.0.2.1", "192.0.2.128/25", "fd00::/8")
    assert (found.policy.tls, found.policy.mutual_tls, found.policy.otp) == (True, None, False)
    assert (found.policy.window_hours, found.policy.slow_contact_seconds) == (10_000.0, 0.0)
    assert (found.network.suffixes, found.network.wireless, found.network.vpn) == (
        ("example.com",),
        ("10.1.2.3/8",),
        (),
    )
    assert found.certificates.roots == ("AB:cd 01",)
    assert found.machine == (Machine(uuid="x", power="asleep", uns=True), Machine(fqdn="pc1", upgrade_to="3.2.1"))
    assert site("") == Site()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("scs = 1", "scs: must be a table"),
        ("machine = 1", "machine: must be a list"),
        ("machine = [1]", "machine, entry 1: must be a table"),
        ("[[machine]]\n[[machine]]\nuuid = 5", "machine, entry 2.uuid: must be a text"),
        ('[scs]\naddresses = "192.0.2.1"', "scs.addresses: must be a list"),
        ('[scs]\naddresses = ["192.0.2.1", 5]', "scs.addresses, entry 2: must be a text"),
        ('[scs]\nmode = "big"', "scs.mode: must be enterprise or smb"),
        ("[scs]\nmode = 5", "scs.mode: must be enterprise or smb"),
        ('[policy]\ntls = "yes"', "policy.tls: must be true or false"),
        ("[policy]\ntls = 1", "policy.tls: must be true or false"),
        ("[policy]\nwindow_hours = true", "policy.window_hours: must be a number"),
        ('[policy]\nwindow_hours = "6"', "policy.window_hours: must be a number"),
        ("[policy]\nwindow_hours = 6\ntls = 5", "policy.tls: must be true or false"),
        ("amt_version = 11.8", "amt_version: must be a text"),
        ("polici = 1", "polici: no such key; did you mean policy?"),
        ("[policy]\nwindow_hour = 1", "policy.window_hour: no such key; did you mean window_hours?"),
        ('[scs]\nversion = "5"\nxxxxxx = 1', "scs.xxxxxx: no such key"),
        ("xxxxxx = 1\npolicy = 1", "xxxxxx: no such key"),
        ('[scs]\naddresses = ["192.0.2.1", "x"]', "scs.addresses: 'x' is neither an address nor a network"),
        ('[network]\nwireless = ["x"]', "network.wireless: 'x' is neither an address nor a network"),
        ('[network]\nvpn = ["10.0.0.0/33"]', "network.vpn: '10.0.0.0/33' is neither an address nor a network"),
        ('[certificates]\nroots = ["ab", "xy"]', "certificates.roots: 'xy' is not a hash in hex"),
        ('amt_version = "new"', "amt_version: 'new' is not a version such as 3.2.1"),
        ('amt_version = "3."', "amt_version: '3.' is not a version such as 3.2.1"),
        ('[scs]\nversion = "v5"', "scs.version: 'v5' is not a version such as 3.2.1"),
        ('[[machine]]\namt_version = "x"', "machine.amt_version: 'x' is not a version such as 3.2.1"),
        ('[[machine]]\nupgrade_to = "x"', "machine.upgrade_to: 'x' is not a version such as 3.2.1"),
        ("[policy]\nwindow_hours = 0", "policy.window_hours must be above 0, and no more than 10000"),
        ("[policy]\nwindow_hours = 10000.5", "policy.window_hours must be above 0, and no more than 10000"),
        ("[policy]\nwindow_hours = nan", "policy.window_hours must be above 0, and no more than 10000"),
        ("[policy]\nslow_contact_seconds = -1", "policy.slow_contact_seconds must be from 0 to 36000000"),
        ("[policy]\nslow_contact_seconds = 36000001", "policy.slow_contact_seconds must be from 0 to 36000000"),
        ("[scs]\nport = 0", "scs.port must be from 1 to 65535"),
        ("[scs]\nport = 65536", "scs.port must be from 1 to 65535"),
        ('[scs]\nport = "9971"', "scs.port: must be a whole number"),
        ("[scs]\nport = true", "scs.port: must be a whole number"),
        ('[scs]\nfqdn = "scs"', "scs.fqdn: 'scs' has no domain"),
        ('[scs]\nfqdn = "a b.example"', "scs.fqdn: 'a b.example' is not a name of letters, digits, dashes and dots"),
        ('[dhcp]\ndomains = ["x; rm"]', "dhcp.domains: 'x; rm' is not a name of letters, digits, dashes and dots"),
        ('[dhcp]\ndns = ["dns"]', "dhcp.dns: 'dns' is not an address"),
        ('[dns]\nprovisionserver = ["192.0.2.0/24"]', "dns.provisionserver: '192.0.2.0/24' is not an address"),
        ('[certificates]\ncountry = "Germany"', "certificates.country: two letters are wanted, as DE or US"),
        ('[certificates]\norganization = "a\\nb"',
         "certificates.organization: up to 64 letters, digits, blanks and .,&'()- are taken"),
        ('[policy]\nmethod = "rcfg"', "policy.method: must be psk or pki"),
        ("[hosts]\nagnet = true", "hosts.agnet: no such key; did you mean agent?"),
        ("[scs]\nversion = ", "not TOML"),
        ("[scs]\nversion = ?", "line 2, column 11: not TOML"),
        ("[scs]\n[scs]", "line 2, column 5: not TOML"),
        ("x = " + "9" * 5000, "not TOML"),
        ("x = " + "[" * 5000, "tables or lists too deep inside each other"),
        (b"\xff", "not UTF-8 text"),
        (b"#" * (MAX_FILE + 1), "larger than 1 MiB, which no site file is"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(wrong, text, what):
    assert wrong(text) == what


def test_the_limits_themselves_are_allowed(site):
    assert site("[policy]\nslow_contact_seconds = 36000000").policy.slow_contact_seconds == 36_000_000
    assert site("[policy]\nwindow_hours = 0.1").policy.window_hours == 0.1
    assert site("#" * MAX_FILE) == Site()


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ArtifactError, match=r"missing\.toml: .*(?i:no such file)"):
        load(tmp_path / "missing.toml")
    with pytest.raises(ArtifactError):
        load("a\0b")


def test_whose_entry_it_is():
    by_uuid, by_address, by_name = Machine(uuid="AB"), Machine(address="192.0.2.9"), Machine(fqdn="PC1.example.com")
    site = Site(machine=(by_uuid, by_address, by_name, Machine(uuid="ab", address="192.0.2.7")))
    assert site.of("ab", [], "") is by_uuid
    assert site.of("cd", ["192.0.2.1", "192.0.2.9"], "") is by_address
    assert site.of("", [], "pc1.EXAMPLE.com") is by_name
    assert site.of("ab", ["192.0.2.9"], "pc1.example.com") is by_uuid
    assert site.of("", ["192.0.2.7"], "") == Machine(uuid="ab", address="192.0.2.7")
    for nobody in (("", [], ""), ("cd", ["192.0.2.1"], "pc2")):
        assert site.of(*nobody) is NOBODY
    assert Site().of("ab", ["192.0.2.9"], "pc1") is NOBODY


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("192.0.2.9", ("192.0.2.9",), True),
        ("192.0.2.9", ("192.0.2.1/24",), True),
        ("192.0.3.9", ("192.0.2.0/24", "192.0.3.0/24"), True),
        ("192.0.3.9", ("192.0.2.0/24",), False),
        ("fd00::1", ("192.0.2.0/24", "fd00::/8"), True),
        ("192.0.2.9", (), False),
        ("pc1", ("0.0.0.0/0",), False),
        ("", ("0.0.0.0/0",), False),
    ],
)
def test_addresses_within_networks(address, networks, inside):
    assert within(address, networks) is inside
