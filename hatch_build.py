"""Builds the compiled lane where there are a compiler and Python.h. Without them amtdecode is pure Python, and says so.

AMTDECODE_REQUIRE_LANE=1, for wheels of a release, makes that a failure. AMTDECODE_PURE=1 builds none.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = {"amtdecode.engine._lane": "lane", "amtdecode._texts": "lane/texts"}
"""Each module and the folder of its sources."""
FLAGS = {"unix": ["-std=c11", "-fvisibility=hidden", "-g0"], "msvc": ["/std:c11"]}  # without paths: builds are alike


def wanted(name: str) -> bool:
    """Whether a variable of the environment says yes."""
    return os.environ.get(name, "") not in ("", "0")


def compiled(root: Path, target: Path) -> dict[str, Path]:
    """Each module's place in the package and the file, built below `target`. Raises whatever setuptools does."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    class Build(build_ext):
        def build_extension(self, ext: Extension) -> None:
            ext.extra_compile_args = FLAGS.get(self.compiler.compiler_type, [])
            super().build_extension(ext)

    headers = sorted(str(path.relative_to(root)) for path in (root / "lane").rglob("*.h"))
    extensions = [
        Extension(
            module,
            sorted(str(path.relative_to(root)) for path in (root / folder).glob("*.c")),
            depends=headers,
            py_limited_api=True,
        )
        for module, folder in MODULES.items()
    ]
    command = Build(Distribution({"name": "amtdecode", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(target), mkdtemp()
    command.ensure_finalized()
    before = Path.cwd()
    os.chdir(root)  # relative sources keep this machine's paths out of the module
    try:
        command.run()
    finally:
        os.chdir(before)
    files = {module: Path(command.get_ext_fullpath(module)) for module in MODULES}
    return {f"{module.rpartition('.')[0].replace('.', '/')}/{file.name}": file for module, file in files.items()}


def platform() -> str:
    """The tag of the machine this is built on; auditwheel and its like make a wider one of it."""
    from packaging.tags import platform_tags

    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))


class LaneHook(BuildHookInterface):
    """Adds the module to wheels, or to the checkout that an editable installation uses."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if self.target_name != "wheel" or wanted("AMTDECODE_PURE"):
            return
        root = Path(self.root)
        editable = version == "editable"
        try:
            modules = compiled(root, root if editable else Path(mkdtemp()))
        except Exception as error:  # whatever is missing or wrong, the package works without
            if wanted("AMTDECODE_REQUIRE_LANE"):
                raise
            self.app.display_warning(f"amtdecode is installed without its compiled lane, as pure Python: {error}")
            return
        if not editable:
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform()}"
            build_data["force_include"] |= {str(file): place for place, file in modules.items()}
