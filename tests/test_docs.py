"""The documentation's Python blocks run, and its examples are what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
from plivo_sim.variables import KNOWN
from plivo_sim.web.tls import NAMES
from tests.sdk.nodejs import MODULES, node
from tests.sdk.test_node_project import COMMAND as NODE_COMMAND
from tests.support import free_ports

DOCS = Path(__file__).parent.parent / "docs"
PACKAGE = DOCS.parent / "plivo_sim"
PAGES = ("sdks.md", "atoms.md")
URL = "http://127.0.0.1:8700"


@pytest.fixture(scope="module")
def server() -> LiveSimulator:
    with LiveSimulator(Settings(port=0)) as live:
        yield live


def python_blocks() -> list[tuple[str, int, str]]:
    return [
        (page, number, text)
        for page in PAGES
        for number, text in enumerate(
            re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)
        )
    ]


def test_the_blocks_on_testing_are_tests(tmp_path: Path) -> None:
    """Run by pytest, with the plugin and nothing else."""
    found = re.findall(r"^```python\n(.*?)^```", (DOCS / "testing.md").read_text(), re.M | re.S)
    for number, text in enumerate(found):
        (tmp_path / f"test_{number}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"{len(found)} passed" in done.stdout


@pytest.mark.live
@pytest.mark.parametrize(("page", "number", "text"), python_blocks())
def test_python_blocks_run(server: LiveSimulator, page: str, number: int, text: str) -> None:
    """Against a real server, in a process of their own."""
    here = text.replace(URL, server.url).replace("127.0.0.1:8700", server.url[7:])
    done = subprocess.run(
        [sys.executable, "-c", here], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.live
@pytest.mark.node
def test_the_node_example_runs(server: LiveSimulator) -> None:
    """With the SDK that the Node tests installed."""
    env = os.environ | {"NODE_PATH": str(MODULES), "PLIVO_SIM_URL": server.url}
    done = subprocess.run(
        [node(), str(DOCS / "examples" / "node.cjs")],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "Registration Certificate, GST certificate", done.stderr


def test_links_of_the_docs_lead_somewhere() -> None:
    """Every relative link names a file."""
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_client_without_an_sdk_has_a_row() -> None:
    """It names the test that makes its calls."""
    told = (DOCS / "sdks.md").read_text()
    tests = {path.name for path in (DOCS.parent / "tests" / "clients").glob("test_*.py")}
    assert set(re.findall(r"^\| \[.*?\]\(\.\./tests/clients/(\w+\.py)\)", told, re.M)) == tests


def compose() -> Any:
    """The example's services."""
    return yaml.safe_load((DOCS / "examples" / "compose.yaml").read_text())["services"]


def test_the_compose_example_runs_the_image_as_it_is() -> None:
    """Its command and its user: whoever else wrote to the volumes would keep it out of them. What
    is set are settings, and the alias is the name in the certificate."""
    service = compose()["plivo-sim"]
    assert service["build"] == "../.."
    assert {"command", "user"}.isdisjoint(service)
    assert set(service["environment"]) <= set(KNOWN)
    assert set(service["networks"]["default"]["aliases"]) <= set(NAMES)
    (allowed,) = service["sysctls"]
    assert allowed.endswith(f"_start={service['environment']['PLIVO_SIM_PORT']}")


def test_the_compose_example_s_application_waits_for_what_it_trusts() -> None:
    """Both have the volume in which the image makes the authority."""
    simulator, app = compose()["plivo-sim"], compose()["app"]
    image = (DOCS.parent / "Dockerfile").read_text()
    (folder,) = re.findall(r"PLIVO_SIM_TLS_DIR=(\S+)", image)
    (volumes,) = re.findall(r"^VOLUME (.*)", image, re.M)
    assert [each.partition(":")[2] for each in simulator["volumes"]] == volumes.split()
    assert app["environment"]["NODE_EXTRA_CA_CERTS"] == f"{folder}/ca.pem"
    assert f"plivo-sim-tls:{folder}" in simulator["volumes"]
    assert f"plivo-sim-tls:{folder}:ro" in app["volumes"]
    assert app["depends_on"]["plivo-sim"] == {"condition": "service_healthy"}


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> LiveSimulator:
    """As compose starts it, on a free port."""
    folder = tmp_path_factory.mktemp("tls")
    with LiveSimulator(Settings(port=0, tls=True, tls_dir=folder)) as live:
        yield live


@pytest.mark.live
def test_the_compose_example_s_health_check_tells_life_from_death(secure: LiveSimulator) -> None:
    """Its very command, with the port and the folder of here."""
    service = compose()["plivo-sim"]
    _, program, *words = service["healthcheck"]["test"]
    assert program == "plivo-sim"

    def asked(port: str) -> int:
        env = os.environ | service["environment"] | {"PLIVO_SIM_PORT": port}
        env["PLIVO_SIM_TLS_DIR"] = str(Path(str(secure.authority)).parent)
        command = [sys.executable, "-m", "plivo_sim.cli", *words]
        return subprocess.run(command, env=env, capture_output=True, timeout=60).returncode

    assert (asked(secure.url.rpartition(":")[2]), asked("1")) == (0, 3)


@pytest.mark.live
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_block_on_containers_runs(secure: LiveSimulator) -> None:
    """The one there is, against https://api.plivo.com."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / "containers.md").read_text(), re.M | re.S)
    ((language, text),) = blocks
    assert language == "sh"
    script = text.replace("tls/ca.pem", str(secure.authority))
    script = script.replace("127.0.0.1:8443", secure.url.removeprefix("https://"))
    done = subprocess.run(
        ["sh", "-euc", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert json.loads(done.stdout)["compliances"] == [], done.stderr


def test_the_actions_example_runs_commands_there_are() -> None:
    """The simulator is installed from where it is checked out, and runs the project's tests as
    the example project says."""
    told = yaml.safe_load((DOCS / "examples" / "github-actions.yaml").read_text())
    steps = told["jobs"]["compliance"]["steps"]
    (path,) = [step["with"]["path"] for step in steps if "path" in step.get("with", ())]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands == [f"pip install ./{path}", "npm install", NODE_COMMAND]
    assert NODE_COMMAND in (DOCS / "examples" / "node-project" / "compliance.test.js").read_text()


@pytest.mark.live
def test_the_composite_action_starts_a_simulator(tmp_path: Path) -> None:
    """Its step is run, with this environment's program in place of one that it installs."""
    told = yaml.safe_load((DOCS / "examples" / "action" / "action.yml").read_text())
    (step,) = [each for each in told["runs"]["steps"] if "run" in each]
    inputs = {name: each["default"] for name, each in told["inputs"].items()}
    wanted = {text[11:-3] for text in step["env"].values() if text.startswith("${{ inputs.")}
    assert wanted == set(inputs)
    program = tmp_path / "plivo-sim" / "bin" / "plivo-sim"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m plivo_sim.cli "$@"\n')
    program.chmod(0o755)
    port = str(*free_ports(1))
    installs = [line for line in step["run"].splitlines() if "-m venv" in line or "/pip" in line]
    assert len(installs) == 2
    script = "\n".join(line for line in step["run"].splitlines() if line not in installs)
    env = os.environ | {
        "RUNNER_TEMP": str(tmp_path), "PORT": port, "OPTIONS": inputs["options"],
        **{f"GITHUB_{name}": str(tmp_path / name) for name in ("PATH", "ENV", "OUTPUT")},
    }  # fmt: skip
    with open(tmp_path / "told", "w+") as output:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{script}\necho $! > $RUNNER_TEMP/pid"],
            env=env, stdout=output, stderr=output, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
    try:
        assert done.returncode == 0, (tmp_path / "told").read_text()
        assert (tmp_path / "ENV").read_text() == f"PLIVO_SIM_URL=http://127.0.0.1:{port}\n"
        assert (tmp_path / "OUTPUT").read_text() == f"url=http://127.0.0.1:{port}\n"
        assert (tmp_path / "PATH").read_text() == f"{program.parent}\n"
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def test_the_gitlab_example_reports_what_it_writes() -> None:
    """Its commands are typed by tests/cli/test_docs_commands.py."""
    job = yaml.safe_load((DOCS / "examples" / "gitlab-ci.yml").read_text())["compliance"]
    (replayed,) = [each for each in job["script"] if "--junit" in each]
    assert replayed.split("--junit ")[1] == job["artifacts"]["reports"]["junit"]


BROUGHT = {
    "node:22": {"node", "npm", "git", "apt-get", "export"},
    "python:3.12": {"python3", "pip", "git", "apt-get", "export"},
    "ubuntu-latest": {"git", "apt-get", "export"},
    "actions/setup-python": {"python3", "pip"},
    "actions/setup-node": {"node", "npm"},
}
"""What an image, or a step, brings along that the examples call."""
INSTALLING = {
    "apt-get install -qy python3-venv": {"python3"},
    "python3 -m venv /opt/plivo-sim": {"/opt/plivo-sim/bin/pip"},
    "pip install ./plivo-sim": {"plivo-sim"},
    'export PATH="/opt/plivo-sim/bin:$PATH"': {"plivo-sim"},
    "npm install": {"npm test"},
}


def jobs() -> list[tuple[str, set[str], list[str]]]:
    """Of the examples: its name, what is there before its commands, and these."""
    gitlab = yaml.safe_load((DOCS / "examples" / "gitlab-ci.yml").read_text())["compliance"]
    github = yaml.safe_load((DOCS / "examples" / "github-actions.yaml").read_text())
    github = github["jobs"]["compliance"]
    uses = [each["uses"].partition("@")[0] for each in github["steps"] if "uses" in each]
    there = set().union(*(BROUGHT.get(each, set()) for each in (github["runs-on"], *uses)))
    return [
        ("gitlab", BROUGHT[gitlab["image"]], gitlab["script"]),
        ("github", there, [each["run"] for each in github["steps"] if "run" in each]),
    ]


@pytest.mark.parametrize(("name", "there", "commands"), jobs(), ids=["gitlab", "github"])
def test_the_examples_call_what_is_there(name: str, there: set[str], commands: list[str]) -> None:
    """What the image has, or what was installed before; a suite has its packages."""
    there = there.copy()
    for command in commands:
        for part in re.split(r" (?:&&|--) ", command):
            wanted = "npm test" if part == "npm test" else part.split()[0]
            assert wanted in there, command
            there |= INSTALLING.get(part, set())


def test_nothing_is_installed_by_a_name_that_no_index_has() -> None:
    """plivo-sim is installed from a path; neither the docs nor what the product writes say
    otherwise."""
    texts = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html"), *DOCS.rglob("*.*")]
    found = [
        path.name
        for path in (*texts, DOCS.parent / "README.md")
        if path.suffix in (".py", ".html", ".md", ".yml", ".yaml", ".ts", ".js")
        and re.search(r"pipx? install ([\w.=-]+ )*plivo-sim(\[\w+\])?([\s;`]|$)", path.read_text())
    ]
    assert found == []


_CITED = re.compile(
    r'(decisions?(?:\.md,|:)?|wire-facts\.md,)((?:(?:, | and | to | )\s*"[^"]+")+)', re.IGNORECASE
)


def cited() -> dict[str, set[str]]:
    """The names of decisions and facts that the source text cites, by page."""
    found: dict[str, set[str]] = {"decisions.md": set(), "wire-facts.md": set()}
    for folder in ("plivo_sim", "tests"):
        for path in (DOCS.parent / folder).rglob("*.py"):
            text = re.sub(r"\s+", " ", path.read_text())
            for page, names in _CITED.findall(text):
                key = "wire-facts.md" if page.startswith("wire") else "decisions.md"
                found[key] |= set(re.findall(r'"([^"]+)"', names))
    return found


def test_names_that_code_cites_are_headings() -> None:
    """Decisions and facts are cited by name: a renamed heading would leave them dangling."""
    for page, names in cited().items():
        headings = set(re.findall(r"^##+ (.*)$", (DOCS / page).read_text(), re.MULTILINE))
        assert names, f"{page} is not cited at all"
        assert names - headings == set(), page


PROSE = [
    path.relative_to(DOCS.parent).as_posix()
    for path in [*DOCS.parent.glob("*.md"), *DOCS.glob("*.md")]
    if path.name not in ("wire-facts.md", "CHANGELOG.md")  # files of the SDKs; files of the past
]
_NAMED = re.compile(
    r"(?<![\w/.:-])((?:[a-z_.-]+/)+(?:[\w.*-]+\.(?:py|yaml|css|json|js|cjs|md|bash)|(?=`)))(?![\w*])"
)
"""A path to a file, in code or prose, or to a folder, in code."""
_OF_READERS = (
    "shop/",
    "tests/test_shop.py",
    "samples/",
    "tls/",
    "pins/",
    ".vscode/",
    "scenarios/*",
)
"""What a page's reader makes."""


@pytest.mark.parametrize("page", PROSE)
def test_files_that_a_page_names_are_there(page: str) -> None:
    """Written from the root, the package or the page's own folder; ``*`` stands for any."""
    root = DOCS.parent
    text = (root / page).read_text()
    named = {each.replace("NOUN", "accounts") for each in _NAMED.findall(text)}
    named = {each for each in named if not each.startswith(_OF_READERS)}
    tops = (root, PACKAGE, (root / page).parent)
    assert [each for each in sorted(named) if not any(any(top.glob(each)) for top in tops)] == []


@pytest.mark.parametrize("page", PROSE)
def test_nothing_is_left_to_fill_in(page: str) -> None:
    """The only comments are the marks around tables that are made from the code."""
    text = (DOCS.parent / page).read_text()
    comments = set(re.findall(r"<!-- *(.*?) *-->", text, re.DOTALL))
    assert comments <= {"precedence", "magic", "presets", "scenarios", "end"}
    assert re.findall(r"^[A-Z]+-[A-Z-]+$", text, re.MULTILINE) == []


def test_the_picture_shows_the_layers_that_the_linter_checks() -> None:
    """From top to bottom, as in ``pyproject.toml``."""
    (picture,) = re.findall(
        r"^```text\n(.*?)^```", (DOCS / "architecture.md").read_text(), re.M | re.S
    )
    shown = re.findall(r"^ ([a-z_]+)(?:/|\.py)(?: +([a-z_]+)(?:/|\.py))?", picture, re.M)
    contracts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    assert [{*filter(None, each)} for each in shown] == [
        {room.removeprefix("plivo_sim.") for room in layer.split(" | ")} for layer in layers
    ]
