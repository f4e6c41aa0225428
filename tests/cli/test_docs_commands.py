"""Every ``plivo-sim …`` command line of the docs is run, with its placeholders filled in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.cli.starting import settings_of
from plivo_sim.scenarios.loader import shipped_text
from plivo_sim.settings import Settings
from tests.machines.files import IN_REVIEW, YEARLY
from tests.support import AUTH_ID, TOKEN

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(EXAMPLES.rglob("*.*")))
BY_OTHERS = ("cli.md", "learn.md", "walk.md")
"""The first is made by the command line itself, the others are typed by their own tests."""
GATE = "coverage --of statuses --of transitions --fail-under 50"
CHECKED = (
    "replay webhook-forged webhook-unsigned name-mismatch --against URL --token test-token",
    "trigger accepted --signature wrong --to URL",
)
"""They need a webhook that checks signatures."""
NAMED = ("fault add", "learn", "seed", "run", "undo", GATE, *CHECKED)
"""Commands that the docs only speak of, without what they need: shown their help."""
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
COMMAND = re.compile(r"(?:\.venv/bin/)?plivo-sim ([a-z-].*)")


def code_in(page: Path) -> Iterator[str]:
    """What a page shows as code, a line at a time; of an example, every line."""
    text = page.read_text("utf-8", "replace").replace("\\\n", " ")
    if page.suffix != ".md":
        yield from (re.sub(r"^\W*(run: )?", "", line) for line in text.splitlines())
        return
    for block in FENCE.findall(text):
        yield from block.splitlines()
    for span in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        yield " ".join(span.split())


def commands_in(page: Path) -> Iterator[str]:
    for line in code_in(page):
        for part in line.split(" && "):
            if found := COMMAND.fullmatch(re.sub(r"\s+[#>].*", "", part).strip()):
                yield found[1]


FOUND = sorted(
    {
        (page.name, command)
        for page in PAGES
        if page.name not in BY_OTHERS
        for command in commands_in(page)
    }
)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSimulator]:
    """A simulator that the commands find, with one application and its callback, in a folder with a
    scenario and a machine."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in-review.yaml").write_text(IN_REVIEW)
    (tmp_path / "yearly.yaml").write_text(YEARLY)
    (tmp_path / "by_hand.yaml").write_text(shipped_text("name-mismatch"))
    (tmp_path / "people.csv").write_text("name,country\nFirst Ltd,IN\nSecond Ltd,IN\n")
    with LiveSimulator(Settings(port=0, paused=True)) as live:
        monkeypatch.setenv("PLIVO_SIM_URL", live.url)
        for words in (
            ("try", "--auth-id", AUTH_ID),
            ("scenario", "new", "my-scenario"),
            ("snapshot", "save", "before"),
        ):
            assert CliRunner().invoke(main, words).exit_code == 0
        yield live


def filled_in(command: str, live: LiveSimulator) -> list[str]:
    """The words of a command line, each placeholder with a value that is one."""
    (account,) = live.sim.accounts()
    application = next(iter(account.store.applications.page({}, offset=0, limit=1).records))
    sent = next(iter(account.store.deliveries.every())).attempts[-1]
    headers = dict(sent.headers)
    fill = {
        "ID": application.id, "URL": sent.url, "NAME|FILE": "name-mismatch", "COMMAND": "true",
        "http://127.0.0.1:8700": live.url, "npm": "true",
    }  # fmt: skip
    after = {
        "--base-url": live.url, "--auth-id": AUTH_ID, "--auth-token": TOKEN,
        "--nonce": headers["X-Plivo-Signature-V3-Nonce"],
        "--v3": headers["X-Plivo-Signature-V3"], "--body": sent.body,
    }  # fmt: skip
    words = [fill.get(word, word) for word in shlex.split(command)]
    return [
        after.get(before, word) if word == "…" else word
        for before, word in zip(["", *words], words, strict=False)
    ]


@pytest.mark.live
@pytest.mark.parametrize(("page", "command"), FOUND)
def test_a_command_line_works(live: LiveSimulator, tmp_path: Path, page: str, command: str) -> None:
    """Typed where a simulator runs."""
    words = filled_in(command, live)
    if words[:2] == ["account", "move"]:
        words = [*words[:2], "--help"]  # it needs two servers; see test_moving
    elif command in NAMED:
        words.append("--help")
    if words[0] == "serve":
        starts(words[1:], tmp_path)
    elif words[0] == "run" and command not in NAMED:
        (tmp_path / "test_a.py").write_text("def test_a(): pass\n")  # should it be pytest
        done = subprocess.run([sys.executable, "-m", "plivo_sim.cli", *words], timeout=60)
        assert done.returncode == 0
    else:
        if words[:2] in (["apps", "reject"], ["apps", "correct"], ["scenario", "new"]):
            again(words, live)
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert done.output


def again(words: list[str], live: LiveSimulator) -> None:
    """Make what the command can be done to: an application in review, a name that is free."""
    if words[0] == "scenario":
        Path("my-scenario.yaml").unlink()
        return
    made = CliRunner().invoke(main, ["seed", "1", "--country", "IN", "--account", AUTH_ID])
    assert made.exit_code == 0, made.output
    (account,) = live.sim.accounts()
    page = account.store.applications.page({"status": ("submitted",)}, offset=0, limit=1)
    words[2] = page.records[0].id
    if words[1] == "correct":
        assert CliRunner().invoke(main, ["apps", "reject", words[2], "why"]).exit_code == 0


def starts(options: list[str], tmp_path: Path) -> None:
    """A simulator with these options starts, on a free port."""
    above = click.Context(main, **main.context_settings)
    serve = main.get_command(above, "serve")
    given = serve.make_context("serve", options, parent=above).params
    given.pop("ready_file")
    folder = {"tls_dir": tmp_path / "tls"} if given.get("tls") else {}
    with LiveSimulator(settings_of({**given, **folder, "port": "0"})) as live:
        assert live.url


def test_commands_are_found() -> None:
    """In running text, in blocks and in examples."""
    assert ("scenarios.md", 'apps reject ID "why"') in FOUND
    assert ("scenarios.md", "scenario use --none") in FOUND
    assert ("github-actions.yaml", "run --paused -- npm test") in FOUND


# --- other languages -------------------------------------------------------------------------

SYNTAX = {"point.go": ["gofmt", "-e"], "point.php": ["php", "-l"], "point.rb": ["ruby", "-c"]}


@pytest.mark.parametrize("example", SYNTAX)
def test_an_example_is_in_its_language(example: str) -> None:
    """Where the language is installed; the SDKs themselves need not be."""
    tool = SYNTAX[example]
    if shutil.which(tool[0]) is None:
        pytest.skip(f"needs {tool[0]}")
    done = subprocess.run([*tool, str(EXAMPLES / example)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


JAVA = {
    "PlivoClient": "class PlivoClient { protected static String BASE_URL; }",
    "Plivo": """class Plivo { static void init(String id, String token) {
        System.out.println(PlivoClient.BASE_URL); } }""",
}
"""As much of the SDK as the example touches."""


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs javac")
def test_the_java_example_takes_the_url_from_the_environment(tmp_path: Path) -> None:
    """Compiled and run, beside two classes that stand in for the SDK's."""
    for name, text in JAVA.items():
        (tmp_path / f"{name}.java").write_text(f"package com.plivo.api;\n{text}\n")
    shutil.copy(EXAMPLES / "Point.java", tmp_path)
    sources = [str(path) for path in tmp_path.glob("*.java")]
    subprocess.run(["javac", "-d", str(tmp_path), *sources], check=True, timeout=120)
    done = subprocess.run(
        ["java", "-cp", str(tmp_path), "com.plivo.api.Point"],
        env=os.environ | {"PLIVO_SIM_URL": "http://127.0.0.1:9"},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout == "http://127.0.0.1:9/v1/\n"


@pytest.mark.parametrize("example", [*SYNTAX, "Point.java", "Point.cs", "node.cjs"])
def test_every_example_takes_the_url_from_the_environment(example: str) -> None:
    """So that it runs under ``plivo-sim run`` as it stands."""
    assert "PLIVO_SIM_URL" in (EXAMPLES / example).read_text()
