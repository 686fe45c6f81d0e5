"""Compiles the lane, the texts and the busiest Python modules where there are a compiler and Python.h.

Without them amtdecode is pure Python, and says so. AMTDECODE_REQUIRE_LANE=1, for wheels of a release, makes that a
failure. AMTDECODE_PURE=1 builds none.
"""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = {"amtdecode.engine._lane": "lane", "amtdecode._texts": "lane/texts"}
"""Each module and the folder of its sources in C."""
BUSY = tuple(
    f"amtdecode.{folder}.{name}".replace("..", ".")
    for folder, names in {
        "": "model safe times",
        "capture": "pcap",
        "engine": "channels connections lane loop provenance recognition stack",
        "flow": "reassembly",
        "protocols.http": "auth body_framing dissector events framing headers message_reader",
        "protocols.soap": "calls dissector envelope events tables values",
        "protocols.tls": "decryption dissector framing handshake_framing handshake_keys hellos progress reading",
        "protocols.tls.crypto": "prf records schedule transcript",
        "render": "json_lines",
    }.items()
    for name in names.split()
)
"""Modules in Python that Cython compiles as they are: what most packets, messages and lines pass."""
FLAGS = {"unix": ["-fvisibility=hidden", "-g0"], "msvc": []}  # without paths: builds are alike
OF_C = {"unix": ["-std=c11"], "msvc": ["/std:c11"]}
OF_PYTHON = {"unix": ["-O1"], "msvc": []}
"""With -O2 it is no faster, and takes half as long again to build."""
AS_PYTHON = {"language_level": 3, "annotation_typing": False, "infer_types": False}
"""No type of Cython's own: numbers are as long as Python's, and an annotation promises nothing."""


def wanted(name: str) -> bool:
    """Whether a variable of the environment says yes."""
    return os.environ.get(name, "") not in ("", "0")


def from_c() -> list[Any]:
    """The modules that are written in C, with Python's stable interface."""
    from setuptools import Extension

    headers = sorted(map(str, Path("lane").rglob("*.h")))
    return [
        Extension(
            module,
            sorted(map(str, Path(folder).glob("*.c"))),
            depends=headers,
            py_limited_api=True,
        )
        for module, folder in MODULES.items()
    ]


def from_python() -> list[Any]:
    """The modules that Cython makes C of, for this version of Python alone."""
    from Cython.Build import cythonize
    from setuptools import Extension

    extensions = [Extension(module, [module.replace(".", "/") + ".py"]) for module in BUSY]
    cores = os.cpu_count() if os.name == "posix" else None  # it forks
    return list(cythonize(extensions, nthreads=cores, compiler_directives=AS_PYTHON, build_dir=mkdtemp(), quiet=True))


def compiled(root: Path, target: Path, listed: Callable[[], list[Any]]) -> dict[str, Path]:
    """Each module's place in the package and the file, built below `target`. Raises whatever the tools do."""
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    class Build(build_ext):
        def build_extension(self, ext: Any) -> None:
            kind = self.compiler.compiler_type
            own = OF_C if ext.py_limited_api else OF_PYTHON
            ext.extra_compile_args = FLAGS.get(kind, []) + own.get(kind, [])
            super().build_extension(ext)

    before = Path.cwd()
    os.chdir(root)  # relative sources keep this machine's paths out of the module
    try:
        extensions = listed()
        command = Build(Distribution({"name": "amtdecode", "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(target), mkdtemp()
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
    files = {each.name: Path(command.get_ext_fullpath(each.name)) for each in extensions}
    return {f"{module.rpartition('.')[0].replace('.', '/')}/{file.name}": file for module, file in files.items()}


def forget(root: Path) -> None:
    """Remove from a checkout what was compiled of Python before: a module may not be among the busiest any more."""
    for suffix in EXTENSION_SUFFIXES:
        for source in (root / "amtdecode").rglob("*.py"):
            source.with_suffix(suffix).unlink(missing_ok=True)


def version_tag() -> str:
    """The tag of the Python this is built with."""
    from packaging.tags import cpython_tags

    tag = next(iter(cpython_tags()))
    return f"{tag.interpreter}-{tag.abi}"


def platform() -> str:
    """The tag of the machine this is built on; auditwheel and its like make a wider one of it."""
    from packaging.tags import platform_tags

    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))


class CompiledHook(BuildHookInterface):
    """Adds what is compiled to wheels, or to the checkout that an editable installation uses."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if self.target_name != "wheel" or wanted("AMTDECODE_PURE"):
            return
        root = Path(self.root)
        editable = version == "editable"
        target = root if editable else Path(mkdtemp())
        if editable:
            forget(root)
        modules: dict[str, Path] = {}
        tag = ""
        for listed, serves in ((from_c, "cp311-abi3"), (from_python, version_tag())):
            try:
                modules |= compiled(root, target, listed)
            except Exception as error:  # whatever is missing or wrong, the package works without
                if wanted("AMTDECODE_REQUIRE_LANE"):
                    raise
                what = "its compiled lane" if listed is from_c else "compiled Python modules"
                self.app.display_warning(f"amtdecode is installed without {what}: {error}")
                break
            tag = serves
        if modules and not editable:
            build_data["pure_python"] = False
            build_data["tag"] = f"{tag}-{platform()}"
            build_data["force_include"] |= {str(file): place for place, file in modules.items()}
