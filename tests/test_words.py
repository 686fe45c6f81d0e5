"""What users read is in our words: no text of a library's exception is put into a line of ours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from amtdecode.diagnosis.site import load
from amtdecode.errors import ArtifactError

PACKAGE = Path(__file__).resolve().parent.parent / "amtdecode"
OURS = {
    "AmtdecodeError", "UsageError", "DamageError", "_Cut", "_NoValueError", "_OutputError", "PatternError", "Refused",
    "BrokenTrapError",
    "BrokenRulesError", "LackingError", "MissingExtraError",
}  # fmt: skip
"""Exceptions whose texts are written in this package."""
OWN_TEXTS = {
    "protocols/dns/message.py",  # ValueError of the same file
    "protocols/soap/document.py",  # the name of an encoding, in a LookupError of the same file
    "plugins.py",  # what a package of somebody else says, named as its words
    "diagnosis/site.py",  # only the numbers in it: line and column
}


def told(tree: ast.Module):
    """Where the text of a caught exception is used: its name, the types that are caught, and the expression."""
    for handler in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name):
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {kind.attr if isinstance(kind, ast.Attribute) else kind.id for kind in kinds}
        for node in (inner for line in handler.body for inner in ast.walk(line)):
            text = None
            if isinstance(node, ast.FormattedValue):
                text = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr"):
                text = node.args[0]
            bare = isinstance(text, ast.Name) and text.id == handler.name
            inside = text is not None and any(
                isinstance(each, ast.Call) and ast.unparse(each) == f"str({handler.name})" for each in ast.walk(text)
            )
            if bare or inside:
                yield node, names


def test_no_text_of_a_foreign_exception_is_told():
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node, names in told(ast.parse(path.read_text()))
        if not names <= OURS and str(path.relative_to(PACKAGE)) not in OWN_TEXTS
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[scs]\nadresses = []", "scs.adresses: no such key; did you mean addresses?"),
        ("nonsense = 1", "nonsense: no such key"),
        ("scs = 1", "scs: must be a table"),
        ("[scs]\naddresses = 'a'", "scs.addresses: must be a list"),
        ("[scs]\naddresses = ['10.0.0.1', 1]", "scs.addresses, entry 2: must be a text"),
        ("[scs]\nmode = 'x'", "scs.mode: must be enterprise or smb"),
        ("[policy]\ntls = 1", "policy.tls: must be true or false"),
        ("[policy]\nwindow_hours = true", "policy.window_hours: must be a number"),
        ("[policy]\nwindow_hours = nan", "policy.window_hours must be above 0, and no more than 10000"),
        ("[policy]\nslow_contact_seconds = inf", "policy.slow_contact_seconds must be from 0 to 36000000"),
        ("[[machine]]\nvpn = 'yes'", "machine, entry 1.vpn: must be true or false"),
        ("[scs\n", "line 1, column 5: not TOML"),
        ("amt_version = '²'", "amt_version: '²' is not a version such as 3.2.1"),
        ("amt_version = '" + "9" * 5000 + "'", "amt_version: '" + "9" * 5000 + "' is not a version such as 3.2.1"),
        ("a = " + "[" * 20_000, "tables or lists too deep inside each other"),
        ("#" * (1 << 20), "larger than 1 MiB, which no site file is"),
    ],
)
def test_a_site_file_is_refused_in_our_words(tmp_path, text, said):
    path = tmp_path / "site.toml"
    path.write_text(text + "\n")
    with pytest.raises(ArtifactError) as refused:
        load(path)
    assert str(refused.value) == f"{path}: {said}"
