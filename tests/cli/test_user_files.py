"""Whatever a user names as a file: a sentence, never a wait without end, a trace, or endless
reading."""

from __future__ import annotations

import ast
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from plivo_sim.catalogue import user_files
from plivo_sim.catalogue.user_files import bytes_in, text_in
from plivo_sim.cli.doctor import state_directory
from plivo_sim.cli.ready_file import ReadyFile
from plivo_sim.domain.limits import Limit
from plivo_sim.web.certificates import make_tls
from plivo_sim.web.tls import TlsUnavailable
from tests.cli.conftest import Shell

PACKAGE = Path(__file__).parent.parent.parent / "plivo_sim"

SERVE = ["serve", "--port", "0"]
LEARN = ["learn", "--auth-id", "x", "--auth-token", "x", "--base-url", "http://127.0.0.1:1"]
RECORD = ["record", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"]
COMMANDS: dict[str, list[str]] = {
    "application": ["evaluate", "FILE"],
    "callback": ["webhooks", "verify-signature", "--v3", "x", "--body", "@FILE", "http://x/"],
    "catalogue": ["catalogue", "list", "--catalogue", "FILE"],
    "catalogue check": ["catalogue", "check", "FILE"],
    "csv": ["seed", "--csv", "FILE"],
    "learn": [*LEARN, "--out", "OUT", "--ca", "FILE"],
    "machine check": ["machine", "check", "FILE"],
    "machine use": ["machine", "use", "FILE"],
    "policy": ["webhooks", "policy", "FILE"],
    "record": [*RECORD, "--out", "OUT", "--ca", "FILE"],
    "replay": ["replay", "FILE"],
    "scenario check": ["scenario", "check", "FILE"],
    "scenario use": ["scenario", "use", "FILE"],
    "serve with a catalogue": [*SERVE, "--catalogue", "FILE"],
    "serve with a machine": [*SERVE, "--machine", "FILE"],
    "snapshot": ["snapshot", "load", "--file", "FILE"],
    "tape": ["tape", "show", "FILE"],
}
"""Every command that reads a file; FILE is what it is given."""


def fifo(path: Path) -> str:
    os.mkfifo(path)
    return "in 0.01 s"


def folder(path: Path) -> str:
    path.mkdir()
    return "irectory"


def loop(path: Path) -> str:
    path.symlink_to(path)
    return "given.yaml"


def endless(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return "given.yaml"


def no_text(path: Path) -> str:
    path.write_bytes(b"\xff\xfe\x00")
    return "given.yaml"


@pytest.mark.parametrize(
    ("command", "make"),
    [
        (command, make)
        for command in COMMANDS
        for make in (fifo, folder, loop, endless, no_text)
        if make is not folder or not ("catalogue" in command or command == "replay")  # may be one
    ],
)
def test_what_cannot_be_read_is_told(
    shell: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    make: Callable[[Path], str],
) -> None:
    """Its name and why, in sentences."""
    monkeypatch.setattr(user_files, "PATIENCE_S", 0.01)
    path = tmp_path / "given.yaml"
    why = make(path)
    given = {"FILE": str(path), "@FILE": f"@{path}", "OUT": str(tmp_path / "out")}
    done = shell.run(*(given.get(word, word) for word in COMMANDS[command]), code=2)
    told = done.stdout + done.stderr
    assert "given.yaml" in told
    assert why in told


def link(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("mine")
    target.chmod(0o644)
    path.symlink_to(target)


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


@pytest.mark.parametrize("make", [os.mkfifo, link, dangling])
def test_a_tape_is_a_plain_file(
    shell: Shell, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """It neither waits for a reader, nor writes to what a link leads to."""
    path = tmp_path / "given.yaml"
    make(path)
    done = shell.run(*RECORD, "--out", str(path), "--force", code=None)
    assert done.exit_code in (1, 2)
    assert f"{path}: is no plain file" in done.stderr
    if make is link:
        target = tmp_path / "target"
        assert (target.read_text(), target.stat().st_mode & 0o777) == ("mine", 0o644)
    assert not (tmp_path / "nothing").exists()


def test_a_tape_empties_no_file_that_has_another_name(shell: Shell, tmp_path: Path) -> None:
    path, same = tmp_path / "tape", tmp_path / "same"
    same.write_text("earlier", "utf-8")
    path.hardlink_to(same)
    elsewhere = ["--listen", "192.0.2.1:1", "--listen-anywhere"]  # which cannot be had
    told = shell.run(*RECORD, *elsewhere, "--out", path, "--force", code=None).stderr
    assert "has another name too" in told
    assert same.read_text("utf-8") == "earlier"


def test_force_replaces_a_file(shell: Shell, tmp_path: Path) -> None:
    """With another one, and nothing of it stays."""
    path = tmp_path / "given.yaml"
    path.write_text("#" * 100_000)
    shell.run("scenario", "new", str(path), "--force")
    assert 0 < path.stat().st_size < 100_000


def test_what_stands_for_a_file_of_ours_is_not_waited_for(tmp_path: Path) -> None:
    """A certificate, a lock, the file that said where a server was."""
    (tmp_path / "tls").mkdir()
    for name in ("tls/ca.pem", "tls/ca-key.pem", "lock", "ready"):
        os.mkfifo(tmp_path / name)
    for folder in (tmp_path / "tls", tmp_path):
        with pytest.raises(TlsUnavailable, match="a FIFO"):
            make_tls(folder)
    assert [each.state for each in state_directory(tmp_path)] == ["ok"]
    ready = ReadyFile(tmp_path / "url")
    ready.write("http://127.0.0.1:2")
    (tmp_path / "ready").rename(tmp_path / "url")
    ready.remove()
    assert (tmp_path / "url").is_fifo()


def test_a_pipe_that_somebody_writes_into_is_a_file(tmp_path: Path) -> None:
    """However late that is, and in how many pieces."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            pipe.write(b"one")
            pipe.write(b", two")

    writer = threading.Thread(target=write)
    writer.start()
    assert bytes_in(path, 100) == b"one, two"
    writer.join()


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    """And one byte, or character, which shows that there is more."""
    path = tmp_path / "text"
    path.write_bytes("äöü".encode() * 1000 + b"\xff")
    assert len(bytes_in(path, 10)) == 11
    assert text_in(path, Limit("x", 10, "characters", "")) == "äöüäöüäöüäö"


READERS = {
    "account/descriptors.py": "os.devnull",
    "account/store/directory.py": "regular files of the state only",
    "account/store/disk.py": "regular files of the state only",
    "account/store/syncing.py": "a folder, which is forced to the disk",
    "catalogue/__init__.py": "what ships",
    "catalogue/output_files.py": "is written",
    "catalogue/user_files.py": "what this test is about",
    "cli/catalogue.py": "what ships",
    "cli/scenarios.py": "what ships",
    "console/reports.py": "what ships",
    "cli/ready_file.py": "is written",
    "cli/run.py": "the terminal",
    "client/applications.py": "what ships",
    "client/replay.py": "what ships",
    "fidelity.py": "what ships",
    "machines/__init__.py": "what ships",
    "openapi/__init__.py": "what ships",
    "recording/tapes.py": "is written",
    "recording/words.py": "what ships",
    "scenarios/loader.py": "what ships",
    "testing/inbox.py": "a URL, with a test client",
}
"""The modules that open files, and which."""


def test_nothing_else_reads_files() -> None:
    """That a user names."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _reads(node.func):
                found.add(str(path.relative_to(PACKAGE)))
    assert found == READERS.keys()


def _reads(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id == "open"
    return isinstance(called, ast.Attribute) and called.attr in ("open", "read_text", "read_bytes")
