"""What Cython compiled is used where it is no older than its source, and never with AMTDECODE_PURE."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import pytest

from amtdecode import source_finder
from amtdecode.source_finder import SourceFinder


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Which file a module is found in, beside which lies one that is compiled and so many seconds younger."""

    def place(name="thing", younger=1.0, pure=False, source=True):
        monkeypatch.setattr(source_finder, "PURE", pure)
        for suffix, time in ((".py", 1_000.0), (".abi3.so", 1_000.0 + younger)):
            if source or suffix != ".py":
                (tmp_path / f"{name}{suffix}").write_text("VALUE = 3\n")
                os.utime(tmp_path / f"{name}{suffix}", (time, time))
        return SourceFinder.find_spec(f"amtdecode.{name}", [str(tmp_path)])

    return place


@pytest.mark.parametrize(
    ("younger", "pure", "suffix"),
    [(1.0, False, ".so"), (0.0, False, ".so"), (-1.0, False, ".py"), (1.0, True, ".py")],
    ids=["compiled", "of the same time", "changed since", "pure"],
)
def test_the_source_is_taken_where_it_is_newer_or_nothing_compiled_is_wanted(found, younger, pure, suffix):
    spec = found(younger=younger, pure=pure)
    assert spec.origin.endswith(f"thing{'.abi3' if suffix == '.so' else ''}{suffix}")


def test_a_module_from_its_source_is_as_any_other(found):
    spec = found(pure=True)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (module.VALUE, module.__file__, module.__name__) == (3, spec.origin, "amtdecode.thing")
    assert module.__cached__.endswith(".pyc")


def test_a_module_in_c_has_no_source(found):
    assert found(name="_lane", pure=True, source=False).origin.endswith("_lane.abi3.so")


def test_other_packages_are_not_its_business(tmp_path):
    (tmp_path / "thing.py").write_text("")
    assert SourceFinder.find_spec("other.thing", [str(tmp_path)]) is None
    assert SourceFinder.find_spec("amtdecode.nothing", [str(tmp_path)]) is None


def test_finders_that_others_have_put_in_front_are_asked_before_it(monkeypatch):
    monkeypatch.setattr(source_finder, "PURE", True)
    other = object()
    monkeypatch.setattr(sys, "meta_path", [other, PathFinder])
    source_finder.install()
    assert sys.meta_path == [other, SourceFinder, PathFinder]


def test_nothing_compiled_is_loaded_where_pure_python_is_asked_for():
    program = (
        "import sys; from amtdecode.cli.main import run; import amtdecode; list(amtdecode.read('pcaps/office.pcapng'));"
        "print([name for name, module in sys.modules.items() if name.startswith('amtdecode')"
        " and not (module.__file__ or '.py').endswith('.py')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "AMTDECODE_PURE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
