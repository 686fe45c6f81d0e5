"""Files of certificates in every form they come in, whole and broken; the order of a chain; the file written again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.certificates import bundle as module
from amtdecode.artifacts.certificates import check_chain, is_bundle, lint, order_chain, read_bundle, write_pem

END = "-----END CERTIFICATE-----"
TEXT = "subject=CN = something\n"


def names(bundle):
    return [(each.common_names or ("",))[0] for each in bundle.certificates]


CHAIN = ["provisionserver.example.com", "Example Issuing CA", "Example Root"]


@pytest.fixture(scope="session")
def pem(leaf, middle, root) -> str:
    return leaf.pem + middle.pem + root.pem


def test_pem_in_order_is_read_in_order_without_faults(pem):
    bundle = read_bundle(pem.encode(), "chain.pem")
    assert (bundle.name, bundle.format, names(bundle), bundle.faults) == ("chain.pem", "PEM", CHAIN, ())
    assert [item.line for item in bundle.items] == [
        number for number, line in enumerate(pem.splitlines(), 1) if "BEGIN" in line
    ]
    assert lint(bundle).outcome == "pass"


@pytest.mark.parametrize(
    ("change", "outcome", "words"),
    [
        (lambda text: text, "pass", "in order"),
        (lambda text: TEXT + text, "pass", "in order"),
        (lambda text: text.replace("\n", "\r\n"), "warn", "CR LF"),
        (lambda text: text.replace("\n", "\r"), "fail", "CR alone"),
        (lambda text: text.replace("\n", "\r\n", 5), "warn", "5 with CR LF"),
        (lambda text: "\ufeff" + text, "fail", "byte order mark"),
        (lambda text: text.rstrip("\n"), "warn", "last line has no end"),
        (lambda text: "From: the authority\n" + text, "warn", "outside the certificates"),
        (lambda text: text.replace(f"{END}\n-----BEGIN", f"{END}-----BEGIN", 1), "fail", "does not end"),
        (lambda text: text.replace(END, "-----END X509 CRL-----", 1), "fail", "is ended by END"),
        (lambda text: text + text[: text.index(END) + len(END) + 1], "fail", "there twice"),
    ],
)  # fmt: skip
def test_lint_of_a_broken_file_says_what_is_wrong_and_still_reads_it(pem, change, outcome, words):
    bundle = read_bundle(change(pem).encode())
    check = lint(bundle)
    assert check.outcome == outcome
    assert words in " ".join((check.explanation, *check.details))
    assert len(bundle.certificates) >= 2


def test_utf16_file_of_a_windows_editor_is_read(pem):
    bundle = read_bundle(pem.replace("\n", "\r\n").encode("utf-16"))
    assert names(bundle) == CHAIN
    assert lint(bundle).outcome == "fail"
    assert "UTF-16" in lint(bundle).explanation


def test_file_cut_inside_a_certificate_keeps_those_before(pem):
    cut = pem[: pem.rindex("-----END") - 200]
    bundle = read_bundle(cut.encode())
    assert names(bundle)[:2] == CHAIN[:2]
    assert any("does not end" in fault.text for fault in bundle.faults)
    assert lint(bundle).outcome == "fail"


def test_damaged_base64_is_a_fault_and_the_others_are_read(pem):
    lines = pem.splitlines()
    lines[3] = "!" * 20 + lines[3][20:]
    bundle = read_bundle("\n".join(lines).encode() + b"\n")
    assert names(bundle)[-2:] == CHAIN[1:]
    assert any("base64" in fault.text and fault.line == 1 for fault in bundle.faults)


def test_wrong_order_gap_stray_and_root_missing_are_lint(pem, leaf, middle, root, openssl):
    other = openssl.issue("/CN=Another Root", "basicConstraints=critical,CA:TRUE", owner="other")
    for text, words in (
        (root.pem + middle.pem + leaf.pem, "the order is wrong"),
        (leaf.pem + root.pem, "the issuer of provisionserver.example.com is missing"),
        (leaf.pem + middle.pem, "the issuer of Example Issuing CA is missing"),
        (pem + other.pem, "Another Root does not belong to the chain"),
    ):
        check = lint(read_bundle(text.encode()))
        assert check.outcome == "fail"
        assert any(words in line for line in check.details), check.details
    assert lint(read_bundle(root.pem.encode()), whole=False).outcome == "pass"


def test_keys_in_a_pem_file(pem, leaf, middle, openssl):
    traditional = openssl.run("rsa", "-in", leaf.key, "-traditional").decode()
    sealed = openssl.run("rsa", "-in", leaf.key, "-traditional", "-aes128", "-passout", "pass:secret").decode()
    assert "DEK-Info" in sealed
    own = read_bundle((pem + traditional).encode())
    assert [(key.encrypted, key.shared, bool(key.public)) for key in own.private_keys] == [(False, True, True)]
    assert lint(own).outcome == "pass"
    closed = read_bundle((pem + sealed).encode())
    assert closed.private_keys[0].fault == "encrypted, and no password given"
    assert lint(closed).outcome == "warn"
    assert read_bundle((pem + sealed).encode(), password=b"secret").private_keys[0].public == own.private_keys[0].public
    assert read_bundle((pem + sealed).encode(), password=b"x").private_keys[0].fault == "the password does not open it"
    other = read_bundle((pem + middle.key.read_text()).encode())
    assert lint(other).outcome == "fail"
    assert any("does not belong to the leaf" in line for line in lint(other).details)


def test_private_key_is_never_shown(leaf):
    text = leaf.key.read_text()
    inside = "".join(text.splitlines()[2:6])
    shown = repr(read_bundle(text.encode()))
    assert inside[:40] not in shown
    assert "private key" in shown


def test_revocation_list_and_request_between_certificates_are_strays_not_errors(pem):
    crl = "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n"
    bundle = read_bundle((pem + crl).encode())
    assert [item.kind for item in bundle.items] == ["certificate"] * 3 + ["revocation list"]
    assert lint(bundle).outcome == "warn"


def test_trusted_certificate_of_openssl_has_no_trailing_bytes(leaf, openssl):
    text = openssl.run("x509", "-in", leaf.path, "-trustout", "-addtrust", "serverAuth", "-setalias", "x").decode()
    assert "TRUSTED" in text
    bundle = read_bundle(text.encode())
    assert bundle.certificates == (leaf.info,)


def test_der_and_several_der_after_another(leaf, middle, root):
    parts = [each.info.der for each in (leaf, middle, root)]
    assert read_bundle(parts[0]).format == "DER"
    assert names(read_bundle(b"".join(parts))) == CHAIN
    longer = read_bundle(b"".join(parts) + b"\x00\x01")
    assert names(longer) == CHAIN
    assert longer.certificates[2].oddities == ("2 bytes behind the certificate",)
    assert read_bundle(parts[0][:300]).certificates[0].common_names == ("provisionserver.example.com",)


def test_der_key_matches(leaf, openssl):
    der = openssl.run("rsa", "-in", leaf.key, "-outform", "DER", "-traditional")
    bundle = read_bundle(der)
    assert [item.kind for item in bundle.items] == ["private key"]
    assert bundle.private_keys[0].public == read_bundle(leaf.key.read_bytes()).private_keys[0].public
    sealed = openssl.run("pkcs8", "-topk8", "-in", leaf.key, "-outform", "DER", "-passout", "pass:secret")
    assert read_bundle(sealed).private_keys[0].encrypted
    assert read_bundle(sealed, password=b"secret").private_keys[0].public == bundle.private_keys[0].public


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_pkcs7(pem, openssl, tmp_path, form):
    (tmp_path / "chain.pem").write_text(pem)
    data = openssl.run("crl2pkcs7", "-nocrl", "-certfile", tmp_path / "chain.pem", "-outform", form)
    bundle = read_bundle(data)
    assert sorted(names(bundle)) == sorted(CHAIN)
    assert bundle.faults == ()


@pytest.mark.parametrize("options", [[], ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]])
def test_pfx_with_its_password(openssl, leaf, middle, root, tmp_path, options):
    (tmp_path / "more.pem").write_text(middle.pem + root.pem)
    data = openssl.run(
        *("pkcs12", "-export", "-in", leaf.path, "-inkey", leaf.key, "-certfile", tmp_path / "more.pem"),
        *("-passout", "pass:secret", *options),
    )
    bundle = read_bundle(data, password=b"secret")
    assert (bundle.format, sorted(names(bundle))) == ("PFX", sorted(CHAIN))
    assert [each.common_names[0] for each in order_chain(bundle.certificates).certificates] == CHAIN
    checks = {check.id: check.outcome for check in check_chain(bundle.certificates, private_keys=bundle.private_keys)}
    assert checks["AMT-RCFG-036"] == "pass"
    for password in (b"wrong", None):
        closed = read_bundle(data, password=password)
        assert closed.items == ()
        assert "PFX cannot be opened" in closed.faults[0].text


def test_chain_of_a_tls_certificate_message(leaf, middle, root):
    body = b"".join(len(each.info.der).to_bytes(3, "big") + each.info.der for each in (leaf, middle, root))
    message = len(body).to_bytes(3, "big") + body
    assert names(read_bundle(message)) == CHAIN
    assert names(read_bundle(b"\x0b" + len(message).to_bytes(3, "big") + message)) == CHAIN
    assert is_bundle(message[:256]) is False  # the head alone does not prove a chain of this length


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "neither PEM nor DER"), (b"hello\n", "neither PEM nor DER"), (b"\x30\x82", "not a certificate"),
     (b"\x30\x03\x02\x01\x05", "not a certificate"),
     (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "not a certificate")],
)  # fmt: skip
def test_what_is_no_certificate_says_so(data, words):
    bundle = read_bundle(data)
    assert bundle.certificates == ()
    assert any(words in fault.text for fault in bundle.faults)


def test_bare_base64_is_read_and_told(leaf):
    text = "\n".join(leaf.pem.splitlines()[1:-1])
    bundle = read_bundle(text.encode())
    assert bundle.certificates == (leaf.info,)
    assert bundle.faults[0].text == "base64 without BEGIN and END lines"


@pytest.mark.parametrize("cut", range(1, 12))
def test_bare_base64_of_a_length_that_cannot_be_is_read_as_far_as_it_goes(leaf, cut):
    digits = "".join(leaf.pem.splitlines()[1:-1]).rstrip("=")
    bundle = read_bundle(digits[:-cut].encode())
    assert bundle.faults[0].text == "base64 without BEGIN and END lines"
    damaged = "the base64 text is cut or damaged" in [fault.text for fault in bundle.faults]
    assert damaged == (len(digits[:-cut]) % 4 == 1)
    assert any("bytes" in fault.text or "not a certificate" in fault.text for fault in bundle.faults[1:]) or (
        bundle.certificates[0].faults
    )
    assert read_bundle(b"MI" + b"I" * 11).certificates == ()


def test_caps_are_reached_and_told(pem, monkeypatch):
    monkeypatch.setattr(module, "MAX_ITEMS", 2)
    bundle = read_bundle(pem.encode())
    assert names(bundle) == CHAIN[:2]
    assert "only the first 2 entries" in bundle.faults[-1].text
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    assert "only the first 1000 are read" in " ".join(fault.text for fault in read_bundle(pem.encode()).faults)


def test_many_faults_are_counted_not_kept(pem, monkeypatch):
    monkeypatch.setattr(module, "MAX_FAULTS", 3)
    bundle = read_bundle(("-----END X-----\n" * 50 + pem + "junk\n" * 50).encode())
    assert names(bundle) == CHAIN
    assert len(bundle.faults) == 4
    assert bundle.faults[-1].text == "48 further faults"
    monkeypatch.undo()
    assert read_bundle((pem + "junk\n" * 50).encode()).faults == (
        module.Fault(len(pem.splitlines()) + 1, "text outside the certificates, in 50 lines", serious=False),
    )


def test_lines_longer_than_usual_are_told(pem):
    first = pem.splitlines()
    joined = "\n".join([first[0], first[1] + first[2], *first[3:]]) + "\n"
    bundle = read_bundle(joined.encode())
    assert names(bundle) == CHAIN
    assert [(fault.line, fault.serious) for fault in bundle.faults] == [(2, False)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_gives_the_same_chain(chain, order):
    found = order_chain([chain[each] for each in order])
    assert found.certificates == chain
    assert found.complete
    assert (found.strays, found.copies) == ((), ())


def test_strays_and_copies_are_kept_apart(chain, openssl):
    stray = openssl.issue("/CN=Another Root", "basicConstraints=critical,CA:TRUE", owner="other").info
    found = order_chain((stray, *chain, chain[0]))
    assert (found.certificates, found.strays, found.copies) == (chain, (stray,), (chain[0],))


def test_names_that_differ_in_string_type_still_join(openssl, chain):
    """The issuer in UTF-8, the subject in a PrintableString: the same name (RFC 5280 section 7.1)."""
    written = chain[1].der.replace(b"\x0c\x0cExample Root", b"\x13\x0cExample Root")
    assert written != chain[1].der
    changed = read_bundle(written).certificates[0]
    assert order_chain((chain[0], changed, chain[2])).complete


def test_file_written_again_is_what_openssl_writes_and_verifies(pem, chain, openssl, tmp_path):
    text = write_pem(order_chain([chain[2], chain[0], chain[1]]).certificates)
    assert text == "".join(openssl.run("x509", input=write_pem([each]).encode()).decode() for each in chain)
    assert text == pem
    (tmp_path / "leaf.pem").write_text(write_pem(chain[:1]))
    (tmp_path / "middle.pem").write_text(write_pem(chain[1:2]))
    (tmp_path / "root.pem").write_text(write_pem(chain[2:]))
    openssl.run(
        *("verify", "-no_check_time", "-CAfile", tmp_path / "root.pem"),
        *("-untrusted", tmp_path / "middle.pem", tmp_path / "leaf.pem"),
    )


def test_head_of_a_file_tells_whether_it_is_one(pem, leaf):
    assert is_bundle(pem.encode()[:256])
    assert is_bundle(leaf.info.der[:256])
    assert not is_bundle(b"\xd4\xc3\xb2\xa1" + bytes(20))
    assert not is_bundle(b"2008-01-01 12:00:00 Error 102")
    assert not is_bundle(b"")


@given(data=st.data())
def test_no_bytes_raise(data, pem, chain):
    source = data.draw(st.sampled_from([pem.encode(), chain[0].der, b"".join(each.der for each in chain)]))
    at = data.draw(st.integers(0, len(source) - 1))
    size = data.draw(st.integers(0, 20))
    mutated = source[:at] + data.draw(st.binary(max_size=20)) + source[at + size :]
    bundle = read_bundle(mutated)
    lint(bundle)
    for check in check_chain(bundle.certificates, hashes=[(1, "00" * 20)], dhcp_suffix="example.com"):
        assert check.outcome in ("pass", "warn", "unknown", "fail")


@given(st.binary(max_size=200))
def test_no_chance_bytes_raise(data):
    read_bundle(data)
    is_bundle(data)
