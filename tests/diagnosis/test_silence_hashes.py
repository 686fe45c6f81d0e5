"""AMT-HELLO-012 to 016 at their edges: the hashes of a hello, the roots of the site, the chain that was shown."""

import pki_lab as pki
import pytest
from by_hand import asked, capture, hello, hits, machine
from cryptography.hazmat.primitives import hashes
from test_silence_certificates import NOW, PEM, file, judged, refused, shown, taken

from amtdecode.protocols.hello.roots import CERTIFICATES

SHA1, SHA256, SHA384 = (pki.root().digest(each) for each in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384()))
ROOTS_ASKED = "hashes of the site's own roots (--site: certificates.roots)"


def listing(packet: int, *values: bytes, names: tuple[str, ...] = (), **more):
    named = [*names, *[""] * len(values)]
    return hello(packet, NOW + packet, hashes=tuple((2, value, name) for value, name in zip(values, named)), **more)  # noqa: B905


def site(*roots: str) -> str:
    return "[certificates]\nroots = [" + ", ".join(f'"{root}"' for root in roots) + "]\n"


def typo(value: bytes, *digits: int) -> bytes:
    """The hash with wrong hex digits at these places, counted from 1."""
    text = list(value.hex())
    for at in digits:
        text[at - 1] = "0" if text[at - 1] != "0" else "1"
    return bytes.fromhex("".join(text))


# -- the list itself ---------------------------------------------------------------------------------------------------


def test_012_no_hash_at_all() -> None:
    assert asked("AMT-HELLO-012", machine(listing(4))) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-012", machine(listing(2, SHA1), listing(4))) == [("confirmed", "", [4])]
    for near in (listing(4, SHA1), listing(4, version=2)):
        assert asked("AMT-HELLO-012", machine(near)) == []
    assert asked("AMT-HELLO-012", machine(listing(2), listing(4, SHA1))) == []


def test_013_more_hashes_than_a_machine_has() -> None:
    values = [bytes([number]) * 32 for number in range(24)]
    assert asked("AMT-HELLO-013", machine(listing(2), listing(4, *values))) == [("confirmed", "info", [4])]
    assert hits("AMT-HELLO-013", machine(listing(4, *values)))[0].values == {"count": 24}
    assert asked("AMT-HELLO-013", machine(listing(4, *values[:23]))) == []


def test_014_hashes_that_no_table_knows() -> None:
    values = [bytes([number]) * 32 for number in range(9)]
    desk_ = machine(listing(2), listing(4, *values[:8], names=("Known",)))
    assert asked("AMT-HELLO-014", desk_) == [("confirmed", "", [4] * 6)]
    (hit,) = hits("AMT-HELLO-014", desk_)
    assert hit.proofs[0] == (4, f"hash {values[1].hex()} is of no root known here")
    assert hit.values["hashes"].split(", ") == [value.hex() for value in values[1:7]]
    assert asked("AMT-HELLO-014", machine(listing(4, values[0], names=("Known",)))) == []
    assert asked("AMT-HELLO-014", machine(hello(2, version=2))) == []


def test_014_a_hash_that_vanished() -> None:
    one, two, three = (bytes([number]) * 32 for number in (1, 2, 3))
    before, after = listing(2, one, two, names=("One", "Two")), listing(4, one, names=("One",))
    assert asked("AMT-HELLO-014", machine(before, after)) == [("confirmed", "medium", [2, 4])]
    (hit,) = hits("AMT-HELLO-014", machine(before, after))
    assert (hit.values["hashes"], hit.values["what"]) == (f"{two.hex()} (Two)", "vanished between two hellos")
    unnamed = hits("AMT-HELLO-014", machine(listing(2, one, three, names=("One",)), after))[0]
    assert unnamed.values["hashes"] == f"{three.hex()} (unknown root)"
    assert asked("AMT-HELLO-014", machine(after, before)) == []  # one was added
    other_order = listing(4, two, one, names=("Two", "One"))
    assert asked("AMT-HELLO-014", machine(before, other_order)) == []
    many = [bytes([number]) * 32 for number in range(8)]
    gone = hits("AMT-HELLO-014", machine(listing(2, *many), listing(4, many[0])))[0]
    assert [each[:2] for each in gone.values["hashes"].split(", ")] == ["01", "02", "03", "04"]
    assert asked("AMT-HELLO-014", machine(hello(1, version=2), before, after)) == [("confirmed", "medium", [2, 4])]


# -- the site's roots --------------------------------------------------------------------------------------------------


def test_015_a_root_of_the_site_that_was_mistyped() -> None:
    def found(*listed: bytes, roots: tuple[str, ...] = (SHA256.hex(),)):
        return asked("AMT-HELLO-015", machine(listing(2), listing(4, *listed)), site=site(*roots))

    assert found(typo(SHA256, 1, 64)) == [("likely", "", [4])]
    assert found(typo(SHA256, 1, 2, 3, 4)) == [("likely", "", [4])]
    assert found(typo(SHA256, 1, 2, 3, 4, 5)) == []
    assert found(SHA256, typo(SHA256, 1)) == []  # the right one is there too
    assert found(typo(SHA256, 1)[:20]) == []
    assert found(SHA1, typo(SHA256, 9), roots=(SHA1.hex(), SHA256.hex())) == [("likely", "", [4])]
    for written in (SHA256.hex().upper(), SHA256.hex(" "), SHA256.hex(":")):
        assert found(typo(SHA256, 3), roots=(written,)) == [("likely", "", [4])]
    (hit,) = hits("AMT-HELLO-015", machine(listing(4, typo(SHA256, 1, 64))), site=site(SHA256.hex()))
    assert hit.values == {"listed": typo(SHA256, 1, 64).hex(), "root": SHA256.hex(), "digits": "1, 64"}
    assert asked("AMT-HELLO-015", machine(listing(4, SHA256))) == [ROOTS_ASKED]
    assert asked("AMT-HELLO-015", machine(), site=site(SHA256.hex())) == []


def test_015_the_root_of_the_chain_that_was_refused() -> None:
    def found(session, *listed: bytes):
        device = machine(listing(2, *listed), session)
        return [each for each in judged("AMT-HELLO-015", device) if each != ROOTS_ASKED]

    wrong = typo(SHA256, 1, 64)
    assert found(refused(10, 48), wrong) == [("likely", "", [13, 2])]
    assert found(shown(10, state=""), wrong) == [("likely", "", [13, 2])]
    assert found(taken(10), wrong) == []
    assert found(refused(10, 48), SHA256) == []
    assert found(refused(10, 48), typo(SHA256, 1, 2, 3, 4, 5)) == []
    device = machine(listing(2, wrong), refused(10, 48))
    hit = next(each for each in hits("AMT-HELLO-015", device) if not isinstance(each, str))
    assert hit.values == {"listed": wrong.hex(), "root": SHA256.hex(), "digits": "1, 64"}
    assert ROOTS_ASKED in judged("AMT-HELLO-015", device)


def test_016_a_root_listed_by_another_algorithm() -> None:
    root = next(each for each in CERTIFICATES if each.sha1 and each.sha256)

    def found(listed: str, named: str):
        return asked("AMT-HELLO-016", machine(listing(2), listing(4, bytes.fromhex(listed))), site=site(named))

    assert found(root.sha1, root.sha256) == [("confirmed", "", [4])]
    assert found(root.sha256, root.sha1.upper()) == [("confirmed", "", [4])]
    assert found(root.sha256, root.sha256) == []
    assert found(SHA256.hex(), root.sha256) == []
    assert found(root.sha256, SHA256.hex()) == []
    (hit,) = hits("AMT-HELLO-016", machine(listing(4, bytes.fromhex(root.sha1))), site=site(root.sha256))
    assert hit.values == {"listed": root.sha1, "root": root.sha256}
    assert asked("AMT-HELLO-016", machine(listing(4, SHA256))) == [ROOTS_ASKED]


@pytest.mark.parametrize(("listed", "named"), [(SHA1, SHA256), (SHA256, SHA1), (SHA384, SHA256), (SHA256, SHA384)])
def test_016_a_root_known_from_a_chain(listed: bytes, named: bytes) -> None:
    device = machine(listing(4, listed))
    chain = file(b"".join(each.pem for each in (pki.leaf(), pki.middle(), pki.root())), PEM + 1)
    story = capture(device, certificate_files=[chain])
    assert asked("AMT-HELLO-016", device, story, site(named.hex())) == [("confirmed", "", [4])]
    assert asked("AMT-HELLO-016", machine(listing(4, listed)), site=site(named.hex())) == []  # nobody knows it
    both = machine(listing(4, listed, named))
    assert asked("AMT-HELLO-016", both, capture(both, certificate_files=[chain]), site(named.hex())) == []
