"""A wheel that is installed outside the checkout is complete: packages, data files, commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
BUILD_SOURCE = BUILD.replace("wheel", "sdist")
NOT_OURS = (".git", ".venv", ".*_cache", ".hypothesis", "*.egg-info", "node_modules", "__pycache__")
SUITE = """\
import plivo_sim

def test_where_it_is(): assert plivo_sim.__file__.startswith({venv!r})

def test_in_process(plivo_sim): assert plivo_sim.applications() == []

def test_served(plivo_server, plivo_inbox): assert plivo_server.url

def test_scenario(plivo_sim): plivo_sim.use_scenario("instant-accept")
"""


def test_every_package_is_named() -> None:
    """In ``pyproject.toml``; a checkout finds those that are not, too."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "plivo_sim").rglob("__init__.py")
    }
    assert set(named["packages"]) == found | {"plivo_sim.scenarios.shipped"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, with the setuptools that is installed."""
    pytest.importorskip("setuptools", minversion="77")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("plivo_sim", "scenarios"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-c", BUILD, built, cwd=source)
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a new environment that has the wheel, and borrows the dependencies."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place, with_pip=True)
    run(place / "bin/pip", "install", "--no-deps", "--no-index", wheel, cwd=place)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return place / "bin"


@pytest.fixture(scope="module")
def url(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulator that was started from the wheel."""
    folder = tmp_path_factory.mktemp("served")
    ready = folder / "url"
    words = [installed / "plivo-sim", "serve", "--port", "0", "--ready-file", ready]
    process = subprocess.Popen(words, cwd=folder)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield ready.read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S * 3
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_file_is_in_the_wheel(wheel: Path) -> None:
    """Modules, samples, templates, the catalogue, the scenarios."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    package = [path.relative_to(ROOT) for path in (ROOT / "plivo_sim").rglob("*")]
    shipped = [
        Path("plivo_sim/scenarios/shipped") / path.name for path in (ROOT / "scenarios").iterdir()
    ]
    expected = {
        path.as_posix()
        for path in (*package, *shipped)
        if path.suffix not in ("", ".pyc") or path.name == "py.typed"
    }
    assert expected - names == set()
    assert names - expected == set()


def test_every_file_is_in_the_source_distribution(tmp_path: Path) -> None:
    """With it the wheel can be built, and the tests be run."""
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_OURS, "build", "dist"))
    ours = {each.relative_to(source).as_posix() for each in source.rglob("*") if each.is_file()}
    run(sys.executable, "-c", BUILD_SOURCE, tmp_path, cwd=source)
    (found,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(found) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert ours - names == set()


def test_the_console_has_its_pages_and_styles(url: str) -> None:
    page = urllib3.request("GET", f"{url}/console/", timeout=PATIENCE_S)
    assert page.status == 200
    styles = re.findall(r'href="([^"]+\.css[^"]*)"', page.data.decode())
    assert styles
    assert {urllib3.request("GET", url + each, timeout=60).status for each in styles} == {200}


def test_the_documents_are_there(url: str) -> None:
    document = urllib3.request("GET", f"{url}/_sim/openapi/control.json", timeout=PATIENCE_S)
    assert document.status == 200


def test_the_commands(url: str, installed: Path, tmp_path: Path) -> None:
    """Scenarios that ship, and one complete application with the sample files."""
    plivo_sim = installed / "plivo-sim"
    assert "instant-accept" in run(plivo_sim, "scenario", "list", "--url", url, cwd=tmp_path)
    assert "# Timeline" in run(plivo_sim, "try", "--url", url, cwd=tmp_path)
    run(plivo_sim, "scenario", "new", "mine", cwd=tmp_path)
    run(installed / "python", "-m", "plivo_sim.cli", "scenario", "check", "mine.yaml", cwd=tmp_path)


def test_the_pytest_plugin(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE.format(venv=str(installed.parent)))
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    assert "4 passed" in run(installed / "python", *words, cwd=tmp_path)
