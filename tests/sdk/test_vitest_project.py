"""The documentation's TypeScript project: its types, its tests, and its tests fifty times."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.nodejs import FOLDER, MODULES, node

DOCS = Path(__file__).parents[2] / "docs"
PROJECT = DOCS / "examples" / "vitest-project"
SHARED = ("compliance", "scenario", "faults", "webhook")
"""The test files that run in parallel on one server."""
STARTS = int(os.environ.get("TESTS_NODE_STARTS", "1"))
"""How often all files are started anew; ``.ci/run`` says five, so that each test runs fifty
times."""
REPEATS = 10 if STARTS > 1 else 2


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of it, with its packages installed and the page's own test."""
    ignored = shutil.ignore_patterns("node_modules", "control.d.ts")
    copy = shutil.copytree(PROJECT, tmp_path / "project", ignore=ignored)
    (copy / "node_modules").symlink_to(MODULES)
    config, test = re.findall(r"```ts\n(.*?)```", (DOCS / "testing.md").read_text(), re.S)
    assert config == (copy / "vitest.config.ts").read_text()
    (copy / "page.test.ts").write_text(test)
    return copy


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the project, with this plivo-sim."""
    node()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | {"PATH": path, "NODE_OPTIONS": "", "NO_COLOR": "1", "CI": "1"}
    environ |= {"NO_UPDATE_NOTIFIER": "1"}
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=150, env=environ
    )


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def test_it_takes_the_packages_that_are_tested() -> None:
    """The same versions, which the page names."""
    told, kept = (json.loads((each / "package.json").read_text()) for each in (PROJECT, FOLDER))
    wanted = told["dependencies"] | told["devDependencies"]
    assert wanted.items() <= kept["dependencies"].items()
    page = (DOCS / "testing.md").read_text()
    assert "(examples/vitest-project/" in page
    assert f"vitest {wanted['vitest']}" in page


@pytest.mark.live
@pytest.mark.node
def test_its_types_are_those_of_the_control_document(project: Path) -> None:
    """They are made with its own script, and TypeScript finds nothing; but a wrong word it does."""
    made = run(project, "npm", "run", "types")
    assert made.returncode == 0, made.stdout + made.stderr
    checked = run(project, "npm", "run", "check")
    assert checked.returncode == 0, checked.stdout
    change(project / "scenario.test.ts", "decide: 'rejected', reason", "decide: 'rejekted', reason")
    checked = run(project, "npm", "run", "check")
    assert "scenario.test.ts" in checked.stdout
    assert '"rejekted"' in checked.stdout


@pytest.mark.live
@pytest.mark.node
def test_all_its_tests_pass(project: Path) -> None:
    """With its own script, which starts the simulator."""
    done = run(project, "npm", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed (6)" in done.stdout


PAGES = """import { expect, test } from 'vitest';
import { file } from './compliance.ts';
import { account } from './plivo-sim.ts';

test('the last of 101', { timeout: 60_000 }, async () => {
  const sim = await account();
  const ids: string[] = [];
  for (let n = 0; n < 101; n++) ids.push(await file(sim.client, `Acme ${n}`, sim.inbox));
  for (const id of ids) await sim.decide(id, id === ids[100] ? 'rejected' : 'accepted', 'x');
  expect((await sim.callback('rejected')).application).toBe(ids[100]);
  expect((await sim.applications()).map((each) => each.id)).toEqual(ids);
});
"""


@pytest.mark.live
@pytest.mark.node
def test_what_is_on_a_further_page_is_found(project: Path) -> None:
    """The 101st callback, and the 101st application."""
    (project / "pages.test.ts").write_text(PAGES)
    done = run(project, "npx", "vitest", "run", "pages.test.ts")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.live
@pytest.mark.node
def test_again_and_again_without_a_flake(project: Path) -> None:
    """Four files at the same time on one server."""
    files = [f"{name}.test.ts" for name in SHARED]
    repeat = [node(), str(FOLDER / "repeat.mjs"), str(STARTS), str(REPEATS)]
    done = run(project, *repeat, *files)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = sum((project / file).read_text().count("\ntest(") for file in files)
    told = {"files": 4, "passed": tests * STARTS * REPEATS, "failed": []}
    assert json.loads(done.stdout.splitlines()[-1]) == told


@pytest.mark.live
@pytest.mark.node
def test_a_failing_test_shows_what_happened(project: Path) -> None:
    """The application's timeline, the callbacks, the requests."""
    change(project / "webhook.test.ts", "status: 'accepted' }]", "status: 'rejected' }]")
    done = run(project, "npx", "vitest", "run", "webhook.test.ts")
    assert done.returncode == 1
    assert "Acme, Boston office" in done.stderr
    assert "accepted by hand" in done.stderr
    assert "callback delivered to" in done.stderr
    assert "/PhoneNumber/Compliance/ 201" in done.stderr
