"""Whatever stands where a command writes a file: it is written whole or not at all."""

from __future__ import annotations

import ast
import os
import stat
import threading
from pathlib import Path

import pytest

from plivo_sim.catalogue import output_files
from plivo_sim.catalogue.output_files import write_whole
from tests.cli.conftest import Shell

PACKAGE = Path(__file__).parent.parent.parent / "plivo_sim"
COMMANDS = {
    "export": ["export"],
    "snapshot": ["snapshot", "save", "--file"],
    "scenario": ["scenario", "new", "--force"],
}
ELSEWHERE = {
    "account/store/disk.py": "what is in the state directory: guarded",
    "catalogue/__main__.py": "the package's own file, when it is built",
    "catalogue/output_files.py": "",
    "cli/replay.py": "a look beforehand whether the report can be written",
    "cli/ready_file.py": "the ready file, where it is a stream",
    "recording/tapes.py": "a tape is written line by line while calls are recorded",
    "testing/inbox.py": "a URL, with a test client",
}
"""Which modules open files for writing, and why not by ``write_whole``."""
WRITES = {"write_text", "write_bytes", "touch", "write_to_path", "mkstemp", "NamedTemporaryFile"}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_earlier_file_is_not_written_into(
    shell: Shell, application: str, tmp_path: Path, command: list[str]
) -> None:
    """A disk that is full takes nothing of it."""
    path, same = tmp_path / "out.yaml", tmp_path / "same"
    path.write_text("earlier", "utf-8")
    same.hardlink_to(path)
    shell.told(*command, path)
    assert same.read_text("utf-8") == "earlier"
    assert path.read_text("utf-8") != "earlier"
    assert sorted(tmp_path.iterdir()) == [path, same]


@pytest.mark.parametrize("command", ["export", "snapshot"])
def test_what_holds_uploads_is_for_its_owner(
    shell: Shell, application: str, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "out.json"
    shell.told(*COMMANDS[command], path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"earlier")
    with pytest.raises(TypeError):
        write_whole(path, "no bytes")  # type: ignore[arg-type]  # as a disk that takes none
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fifo_that_nobody_reads_is_told_of(
    shell: Shell, application: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_files, "PATIENCE_S", 0.0)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert f"{path}: nobody reads it" in shell.error("export", path, code=2)


def test_a_fifo_that_is_read_is_written_into(tmp_path: Path) -> None:
    """More than it holds at once."""
    path, read = tmp_path / "fifo", bytearray()
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.extend(path.read_bytes()))
    reader.start()
    write_whole(path, b"x" * 200_000)
    reader.join()
    assert read == b"x" * 200_000


def test_a_link_stays(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_one_function_writes_files() -> None:
    """Who opens one for writing elsewhere says why."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and writes(node)
    }
    assert found == set(ELSEWHERE)


def writes(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name == "os.open":
        return "O_WRONLY" in ast.unparse(call)
    if name.rpartition(".")[2] != "open":
        return name.rpartition(".")[2] in WRITES
    modes = call.args[1:2] if name == "open" else call.args[:1]
    return any(not isinstance(each, ast.Constant) or str(each.value)[0] != "r" for each in modes)
