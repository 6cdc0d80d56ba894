"""Build the shared library and put it into the wheel under a py3-none-<platform> tag."""

import os
import pathlib
import subprocess
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LibraryHook(BuildHookInterface[Any]):
    """Runs build/packaging/build-lib.sh before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = pathlib.Path(self.root)
        library = root / "python" / "tstrans" / "libtstrans.so"
        if not os.environ.get("TSTRANS_PREBUILT"):
            subprocess.run([str(root / "build" / "packaging" / "build-lib.sh"), str(library)], check=True)
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = "tstrans/libtstrans.so"
        licences = (
            library.parent / "_licenses" / "go-modules.txt"
        )  # written by the build, not kept in version control
        build_data["force_include"][str(licences)] = "tstrans/_licenses/go-modules.txt"
        for extra in sorted((library.parent / "_libs").glob("*.so.*")):
            build_data["force_include"][str(extra)] = f"tstrans/_libs/{extra.name}"
