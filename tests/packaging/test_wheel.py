"""The wheel: everything that is read at run time is inside, and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "reelway"
DATA_ENDINGS = {".toml", ".sql", ".html", ".css", ".js", ".mako", ".typed", ".svg", ".ttf", ".json"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the sources, with the locked build packages."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "build", "--wheel", "--quiet", "--build-constraints", "requirements/build.txt"]
    built = subprocess.run([*command, "--out-dir", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [file] = folder.glob("*.whl")
    return file


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _source_files() -> set[str]:
    kept = (path for path in SOURCES.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(SOURCES.parent)) for path in kept}


def test_the_wheel_has_every_source_file(wheel: Path) -> None:
    """Cards, SQL, migrations and pages are read at run time: one that is missing breaks only installed copies."""
    names = _names(wheel)

    assert _source_files() - names == set()
    assert {name for name in names if ".dist-info/" not in name} - _source_files() == set()


def test_data_files_are_of_known_kinds() -> None:
    """Whoever adds another kind looks at this test, and so at the wheel."""
    endings = {Path(name).suffix for name in _source_files()} - {".py"}

    assert endings <= DATA_ENDINGS
    assert {".toml", ".sql"} <= endings


def test_the_wheel_carries_licence_and_command(wheel: Path) -> None:
    """The licence, the notice about GPL parts of a dependency, and `reelway`."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()

    assert "reelway = reelway.cli.main:main" in entry_points
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nVersion: {version}\n" in metadata


def test_the_version_is_one(wheel: Path) -> None:
    """In the code as in the package."""
    import reelway

    assert f"-{reelway.__version__}-" in wheel.name


def test_the_wheel_runs_without_its_sources(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, it reads its own data files: cards, SQL and migrations."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import reelway, pathlib; from reelway.catalog.load import load_catalog; from reelway.store.admin import check, upgrade;"
        f"assert reelway.__file__.startswith({str(tmp_path)!r}), reelway.__file__;"
        f"database = pathlib.Path({str(tmp_path / 'new.db')!r}); upgrade(database);"
        "print(len(load_catalog().names), check(database).is_sound)"
    )

    command, environment = [sys.executable, "-c", code], {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    names, sound = ran.stdout.split()
    assert int(names) >= 33
    assert sound == "True"
