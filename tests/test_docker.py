"""The Dockerfile, without a Docker engine: its very commands are run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.settings import Settings
from tests.support import AUTH_ID

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
INSTRUCTIONS = [
    (word, rest.strip())
    for word, _, rest in (line.partition(" ") for line in LINES)
    if word.isupper()
]
FINAL = INSTRUCTIONS[max(n for n, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]
PORT = "8700"


def last(word: str) -> str:
    """What the last instruction of this kind says, in the image that is shipped."""
    return [rest for found, rest in FINAL if found == word][-1]


def command(word: str) -> list[str]:
    """The words of CMD or HEALTHCHECK, which are in the form that needs no shell."""
    words: list[str] = json.loads(last(word)[last(word).index("[") :])
    return words


def variables() -> dict[str, str]:
    found = re.findall(r"([A-Z_]+)=(\S+)", last("ENV"))
    return {name: value for name, value in found if name.startswith("PLIVO_SIM_")}


def as_here(words: list[str]) -> list[str]:
    """The same command with the programs of this environment."""
    here = {"plivo-sim": [sys.executable, "-m", "plivo_sim.cli"], "python": [sys.executable]}
    return [*here[words[0]], *words[1:]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The command of CMD, on a free port and with the state in a folder of the test's own."""
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [
            *as_here(command("CMD")),
            "--port",
            "0",
            "--host",
            "127.0.0.1",
            "--ready-file",
            str(ready),
        ],
        cwd=ROOT,
        env=os.environ | variables() | {"PLIVO_SIM_STATE": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    assert process.stdout is not None
    while (line := process.stdout.readline()) and "Then move time" not in line:
        pass
    while not ready.exists():
        assert process.poll() is None
    yield ready.read_text()
    process.terminate()
    process.communicate()
    watchdog.cancel()


@pytest.mark.live
def test_the_image_serves(served: str, tmp_path: Path) -> None:
    """It answers under the names that a mapped port has on the host, and keeps its state."""
    assert served.startswith("http://127.0.0.1:")
    for host in ("127.0.0.1", "localhost"):
        client = Client(served.replace("127.0.0.1", host))
        assert client.control("GET", "/health")["state"] == str(tmp_path / "state")
    assert (tmp_path / "state" / "accounts").is_dir()


def check(url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The health check, with the variables of the server."""
    env = os.environ | variables() | {"PLIVO_SIM_PORT": url.rpartition(":")[2]} | more
    words = as_here(command("HEALTHCHECK"))
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, env=env)


@pytest.mark.live
def test_the_health_check_passes_while_it_serves(served: str) -> None:
    """And fails, with a sentence, when nothing answers, or with another scheme."""
    done = check(served)
    assert (done.returncode, done.stdout) == (0, f"{served} is ready\n"), done.stderr
    for wrong in ({"PLIVO_SIM_PORT": "1"}, {"PLIVO_SIM_TLS": "on", "PLIVO_SIM_TLS_DIR": "/none"}):
        done = check(served, **wrong)
        assert done.returncode in (2, 3)
        assert done.stderr.count("\n") == 1


@pytest.mark.live
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_health_check_asks_no_proxy(served: str, name: str) -> None:
    """The container's proxy, which nobody needs to reach itself, knows nothing of it."""
    done = check(served, **{name: "http://127.0.0.1:1"})
    assert done.returncode == 0, done.stderr


@pytest.mark.live
def test_the_health_check_speaks_tls_with_a_server_that_does(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    with LiveSimulator(Settings(port=0, tls=True, tls_dir=folder)) as live:
        done = check(live.url, PLIVO_SIM_TLS="on", PLIVO_SIM_TLS_DIR=str(folder))
        assert done.returncode == 0, done.stderr
        assert check(live.url).returncode == 3


def test_the_ports_agree() -> None:
    """The one that is exposed is served."""
    assert variables()["PLIVO_SIM_PORT"] == PORT == last("EXPOSE")
    assert str(Settings().port) == PORT


def test_it_is_started_for_this_machine_alone() -> None:
    """By whatever page says how."""
    pages = [ROOT / "Dockerfile", *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    mapped = [each for page in pages for each in re.findall(r" -p (\S+)", page.read_text())]
    mapped = [each for each in mapped if ":" in each]
    assert len(mapped) > 1
    assert {each.rpartition(f":{PORT}")[0] for each in mapped} == {f"127.0.0.1:{PORT}"}


def test_it_listens_beyond_the_container() -> None:
    """Loopback within a container is nobody's."""
    assert variables()["PLIVO_SIM_HOST"] == "0.0.0.0"


def test_it_does_not_run_as_root() -> None:
    """Its user is a number, so that orchestrators know that it is not root; it owns the volumes."""
    user, _, group = last("USER").partition(":")
    assert user == group == "8700"
    made = " ".join(rest for word, rest in FINAL if word == "RUN")
    assert f"--uid {user}" in made
    volumes = last("VOLUME").split()
    assert volumes == [variables()["PLIVO_SIM_STATE"], variables()["PLIVO_SIM_TLS_DIR"]]
    for volume, mode in zip(volumes, ("0700", "0755"), strict=True):
        assert f"--owner {user} --group {group} --mode {mode} {volume}" in made


def test_it_can_serve_https_with_the_tested_versions() -> None:
    """The wheel is installed with the extra that makes certificates, and as CI had it."""
    wanted = "-c constraints.txt '.[tls]'"
    assert any(wanted in rest for word, rest in INSTRUCTIONS if word == "RUN")


def test_every_variable_is_a_setting() -> None:
    """A misspelt one would be ignored."""
    known = {f"PLIVO_SIM_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(variables()) <= known


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """The build sees what the wheel needs, and nothing else."""
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        name
        for word, rest in INSTRUCTIONS
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.live
def test_another_service_of_the_network_is_told_what_to_allow(served: str) -> None:
    """Under a host name of its own the imitated APIs answer, and control calls say why not."""
    host = {"Host": f"plivo-sim:{PORT}"}
    with urllib3.PoolManager(headers=host) as pool:
        steering = pool.request("GET", f"{served}/_sim/health")
        imitated = pool.request("GET", f"{served}/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/")
    assert steering.status == 403
    assert "PLIVO_SIM_ALLOWED_HOSTS=plivo-sim" in steering.json()["detail"]
    assert imitated.status == 401


# --- .ci/image, where it decides whether to build ------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "fakes", "told"),
    [
        ("buildah", {}, "no buildah (Debian: apt-get install buildah)"),
        ("", {"id": "echo 1000"}, "only root can make the image's base"),
        (
            "",
            {"unshare": "echo 'not permitted' >&2; exit 1"},
            "no container can run here: not permitted",
        ),
        ("", {"buildah": "echo 'no storage' >&2; exit 1"}, "buildah cannot run here: no storage"),
    ],
)
def test_the_image_is_not_built_where_it_cannot_be(
    tmp_path: Path, missing: str, fakes: dict[str, str], told: str
) -> None:
    """It says why, leaves nothing behind, and is no failure."""
    for name in ("bash", "dirname", "mktemp", "rm", "tail", "timeout"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    able = {"id": "echo 0", "unshare": "exit 0", "buildah": "exit 0"} | fakes
    for name, script in able.items():
        if name != missing:
            (tmp_path / name).write_text(f"#!{shutil.which('sh')}\n{script}\n")
            (tmp_path / name).chmod(0o755)
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [str(ROOT / ".ci" / "image")], capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"skipped: {told}\n"), done.stderr
    assert not list((tmp_path / "tmp").iterdir())


# --- testcontainers, without an engine ----------------------------------------------------------

EXAMPLES = ROOT / "docs" / "examples" / "testcontainers"
PYTHON = """
import os
from urllib.request import urlopen


class DockerContainer:
    def __init__(self, image): assert image == "plivo-sim"
    def with_exposed_ports(self, port): assert port == 8700; return self
    def with_env(self, name, value): assert hasattr(Settings(), name[10:].lower()); return self
    def waiting_for(self, ready): assert ready.port == 8700; self.path = ready.path; return self
    def __enter__(self): urlopen(os.environ["SERVED"] + self.path).close(); return self
    def __exit__(self, *_): ...
    def get_container_host_ip(self): return "127.0.0.1"
    def get_exposed_port(self, port): return os.environ["SERVED"].rpartition(":")[2]


class HttpWaitStrategy:
    def __init__(self, port, path): self.port, self.path = port, path


from plivo_sim.settings import Settings
"""
NODE = """
const served = new URL(process.env.SERVED);
class GenericContainer {
  withExposedPorts(port) { if (port !== 8700) throw new Error(port); return this; }
  withEnvironment(variables) { return this; }
  withWaitStrategy(path) { this.path = path; return this; }
  async start() {
    if (!(await fetch(new URL(this.path, served))).ok) throw new Error(this.path);
    return this;
  }
  getHost() { return served.hostname; }
  getMappedPort() { return served.port; }
  async stop() {}
}
exports.GenericContainer = GenericContainer;
exports.Wait = { forHttp: (path) => path };
"""
JAVA = {
    "org/junit/jupiter/api/Test": "public @interface Test {}",
    "org/junit/jupiter/api/Assertions":
        "public class Assertions { public static void assertEquals(int a, int b) {"
        " if (a != b) throw new AssertionError(b); } }",
    "org/testcontainers/utility/DockerImageName":
        "public class DockerImageName { public static DockerImageName parse(String s) {"
        " return null; } }",
    "org/testcontainers/containers/wait/strategy/Wait":
        "public class Wait { public static Wait forHttp(String s) { return new Wait(); }"
        " public Wait forPort(int n) { return this; } }",
    "org/testcontainers/containers/GenericContainer":
        "public class GenericContainer<T> implements AutoCloseable {"
        " public GenericContainer(org.testcontainers.utility.DockerImageName n) {}"
        " public GenericContainer<T> withExposedPorts(int n) { return this; }"
        " public GenericContainer<T> withEnv(String n, String v) { return this; }"
        " public GenericContainer<T> waitingFor("
        "org.testcontainers.containers.wait.strategy.Wait w) { return this; }"
        ' public void start() {} public String getHost() { return "127.0.0.1"; }'
        ' public int getMappedPort(int n) { return Integer.getInteger("port"); }'
        " public void close() {} }",
    "Main": "class Main { public static void main(String[] a) throws Exception {"
            " new ComplianceTest().isReady(); } }",
}  # fmt: skip
"""As much of the libraries as the examples touch; in place of a container, the image's command."""


@pytest.mark.live
def test_testcontainers_for_python(served: str, tmp_path: Path) -> None:
    """The example's suite passes beside what the image starts."""
    core = tmp_path / "testcontainers" / "core"
    core.mkdir(parents=True)
    for name in ("container", "wait_strategies"):
        (core / f"{name}.py").write_text(PYTHON)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path), "SERVED": served},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.live
@pytest.mark.node
def test_testcontainers_for_node(served: str, tmp_path: Path) -> None:
    """The same through the official SDK."""
    modules = tmp_path / "node_modules"
    (modules / "testcontainers").mkdir(parents=True)
    (modules / "testcontainers" / "index.js").write_text(NODE)
    for installed in (ROOT / "tests" / "sdk" / "node" / "node_modules").iterdir():
        (modules / installed.name).symlink_to(installed)
    example = tmp_path / "compliance.test.mjs"
    example.write_text((EXAMPLES / "compliance.test.mjs").read_text())
    done = subprocess.run(
        ["node", "--test", str(example)], env=os.environ | {"SERVED": served},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.live
@pytest.mark.skipif(shutil.which("javac") is None, reason="needs javac")
def test_testcontainers_for_java(served: str, tmp_path: Path) -> None:
    """Compiled and run."""
    for name, text in JAVA.items():
        path = tmp_path / f"{name}.java"
        path.parent.mkdir(parents=True, exist_ok=True)
        package = name.rpartition("/")[0].replace("/", ".")
        path.write_text(f"package {package};\n{text}" if package else text)
    (tmp_path / "ComplianceTest.java").write_text((EXAMPLES / "ComplianceTest.java").read_text())
    sources = [str(path) for path in tmp_path.rglob("*.java")]
    subprocess.run(["javac", "-d", str(tmp_path), *sources], check=True, timeout=120)
    port = served.rpartition(":")[2]
    subprocess.run(
        ["java", f"-Dport={port}", "-cp", str(tmp_path), "Main"], check=True, timeout=120
    )
