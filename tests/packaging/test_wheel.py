import email
import zipfile
from pathlib import Path

from tellback import __version__


def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def metadata(wheel: Path) -> email.message.Message:
    (path,) = [name for name in names(wheel) if name.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(zipfile.ZipFile(wheel).read(path))


def test_it_says_its_licence_and_types(wheel: Path) -> None:
    assert "tellback/py.typed" in names(wheel)
    assert [name for name in names(wheel) if name.endswith(".dist-info/licenses/LICENSE")]
    assert metadata(wheel)["License-Expression"] == "Apache-2.0"


def test_the_bundled_scripts_bring_their_licences(wheel: Path) -> None:
    vendored = [name for name in names(wheel) if "/static/vendor/" in name]
    scripts = [name for name in vendored if name.endswith((".js", ".css"))]
    licences = [name for name in vendored if "licen" in name.lower()]
    assert scripts, "the pages' scripts are put in at build time"
    for project in ("htmx", "uplot"):
        assert [name for name in scripts if project in name.lower()], project
        assert [name for name in licences if project in name.lower()], f"the licence of {project}"


def test_one_source_of_the_version(wheel: Path) -> None:
    assert metadata(wheel)["Version"] == __version__
    assert wheel.name.startswith(f"tellback-{__version__}-")


def test_the_client_depends_on_msgspec_alone(wheel: Path) -> None:
    required = metadata(wheel).get_all("Requires-Dist") or []
    base = [line for line in required if "extra ==" not in line]
    assert [line.split(">")[0] for line in base] == ["msgspec"]
