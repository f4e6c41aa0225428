"""Commands against a server that is none of ours, or means ill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest

from plivo_sim import client
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import ids, main
from plivo_sim.cli.applications import run_try
from plivo_sim.web.server import make_server
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.peers import DRIPS, peer
from tests.recording.traffic import altered
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live
ID = "bd827e3d-10dc-482f-8c04-e27f370df6de"
COMMANDS = [
    ("status",), ("clock", "show"), ("apps", "list"), ("apps", "show", "x"), ("apps", "why", "x"),
    ("account", "list"), ("account", "set", "strict=true"), ("scenario", "list"),
    ("scenario", "show"), ("scenario", "use", "instant-accept"), ("machine", "show"),
    ("machine", "list"), ("fault", "list"), ("fault", "clear"), ("webhooks", "list"),
    ("webhooks", "policy"), ("webhooks", "show", "x"), ("seed", "1"), ("snapshot", "save"),
    ("snapshot", "load", "x"), ("reset",), ("try",), ("export", "-"), ("coverage",),
    ("logs",), ("doctor",),
]  # fmt: skip
FURTHER = [
    ("apps", "accept", ID), ("apps", "correct", ID), ("apps", "decide", ID, "accepted"),
    ("apps", "delete", ID), ("apps", "expire", ID, "why"), ("apps", "file"),
    ("apps", "more-info", ID, "why"), ("apps", "reinstate", ID), ("apps", "reject", ID, "why"),
    ("apps", "submit", ID), ("apps", "suspend", ID, "why"), ("clock", "advance", "1d"),
    ("clock", "pause"), ("clock", "rate", "2"), ("clock", "resume"), ("clock", "set", "2030-01-01"),
    ("fault", "add", "--effect", "reset"), ("history",), ("machine", "use", "revocable"),
    ("report",), ("requests",), ("scenario", "next", "rejected"),
    ("scenario", "show", "instant-accept"), ("scenario", "try", "instant-accept"),
    ("snapshot", "list"), ("snapshot", "drop", "s"), ("undo",), ("wait", "--timeout", "0"),
    ("webhooks", "inbox", "x"), ("webhooks", "replay", ID), ("webhooks", "verify-signature", "http://x/"),
    ("evaluate", "JSON"), ("machine", "draw", "--url", "URL"), ("trigger", "accepted", "URL"),
    ("replay", "name-mismatch", "--url", "URL"), ("healthcheck", "--port", "PORT"),
    ("verify", "--base-url", "URL", "--auth-id", AUTH_ID, "--auth-token", "x"),
    ("learn", "--base-url", "URL", "--auth-id", AUTH_ID, "--auth-token", "x", "--out", "TOLD"),
    ("account", "move", AUTH_ID, "--from", "URL", "--to", "http://127.0.0.1:9"),
]  # fmt: skip
"""With ``COMMANDS``, all that call a server."""
KEPT_WHOLE = {("export", "-"), ("scenario", "show", "instant-accept"), ("webhooks", "policy")}
"""What these print is a document, which a command does not shorten."""
NESTED = b"[" * 100_000
"""Lists in one another, more than anybody reads."""
Answering = Callable[[str, Any], str]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Begins a server that gives every call this status and JSON; its URL."""
    servers = []

    def begun(status: str, value: Any) -> str:
        def app(_: Any, start_response: Any) -> Any:
            start_response(status, [("Content-Type", "application/json")])
            return [value if isinstance(value, bytes) else json.dumps(value).encode()]

        server = make_server(app)
        server.start()
        servers.append(server)
        return server.url

    yield begun
    for each in servers:
        each.stop()


def test_words_of_a_server_do_not_drive_the_terminal(answering: Answering) -> None:
    """Of an error's text and of an answer's values, whatever the command."""
    hostile = "\x1b]0;pwn\x07 \x1b[31mred\nnew"
    problems = [{"path": hostile, "message": hostile}]
    refused = {"detail": hostile, "title": hostile, "problems": problems}
    choose = {"code": "account_required", "detail": hostile, "accounts": [hostile]}
    for body in ({"error": hostile}, refused, choose):
        shell = Shell(answering("401 No", body))
        for words in COMMANDS:
            done = shell.run(*words, code=None)
            told = (done.stdout + done.stderr).replace("\n", "")
            assert told.isprintable(), (words, told)


def test_try_prints_no_more_than_a_simulator_answers() -> None:
    """3 MB of an answer were printed; of one without an id, too, before that was told."""

    class Loud(client.Client):
        def compliance(self, method: str, *args: Any, **kwargs: Any) -> Any:
            answer = super().compliance(method, *args, **kwargs)
            return {"x": "a" * 3_000_000, **answer} if method == "POST" else answer

    said: list[str] = []
    with LiveSimulator(PAUSED) as served:
        run_try(Loud(served.url, AUTH_ID, "token"), "token", said.append)
    assert "\n# Timeline" in said
    assert max(map(len, said)) < 10_000


def test_a_server_that_drips_ends_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """When its time is up, with one sentence and the code of no answer."""
    monkeypatch.setattr(client, "TIMEOUT_S", 0.1)
    monkeypatch.setattr("plivo_sim.client.verify.TIMEOUT_S", 0.1)
    monkeypatch.setattr("plivo_sim.cli.wait.LONGEST_ANSWER_S", 0.1)
    with peer(DRIPS["continue for ever"]) as there:
        url = f"http://127.0.0.1:{there.port}"
        account = ("--base-url", url, "--auth-id", "MA0", "--auth-token", "x")
        others = [
            ("logs", "--follow"), ("wait", "--timeout", "0"), ("verify", *account),
            ("replay", "instant-accept", "--url", url),
            ("learn", *account, "--out", tmp_path / "learned.yaml"),
        ]  # fmt: skip
        for words in (*COMMANDS, *others):
            if words not in (("doctor",), ("machine", "list")):  # which tell what they can
                told = Shell(url).error(*words, code=3)
                assert f"{url} did not answer within 0.1 s\n" in told, words


def test_a_server_that_drips_completes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the shell is not held for as long as a command would wait."""
    monkeypatch.setattr(ids, "COMPLETE_WITHIN_S", 0.1)
    with peer(DRIPS["continue for ever"]) as there:
        monkeypatch.setenv("PLIVO_SIM_URL", f"http://127.0.0.1:{there.port}")
        for kind in (*ids.WHOLE, "snapshot"):
            argument = click.Argument(["id"], type=ids.RecordId(kind))
            assert argument.shell_complete(click.Context(main), "a") == []
        assert (len(there.seen), there.outlasted) == (len(ids.WHOLE) + 1, 0)


@pytest.mark.parametrize(
    "value",
    [{}, [], None, 1, "x", {"accounts": 1, "events": [1]}, NESTED],
    ids=lambda value: repr(value)[:40],
)
def test_json_of_another_shape_ends_a_command_with_one_sentence(
    answering: Answering, value: Any
) -> None:
    """Or with its result; never with a traceback."""
    shell = Shell(answering("200 OK", value))
    for words in COMMANDS:
        done = shell.run(*words, code=None)
        assert done.exit_code in (0, 1, 2, 3), words
    if value == {}:
        told = shell.error("account", "list", code=3)
        assert "is not plivo-sim: its answer has no 'accounts'" in told


def commands_that_call(group: click.Group, *names: str) -> Iterator[str]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands_that_call(command, *names, name)
        elif command is not None and {"url", "base_url"} & {each.name for each in command.params}:
            yield " ".join((*names, name))


def test_every_command_that_calls_a_server_is_tried() -> None:
    tried = {" ".join(words[:n]) for words in (*COMMANDS, *FURTHER) for n in (1, 2)}
    assert set(commands_that_call(main)) <= tried


LOUD = "\x1b[31m\x07" + "A" * 300_000


@pytest.mark.parametrize(
    "value",
    [[[[[LOUD]]]], {"error": LOUD, "detail": LOUD, "accounts": [LOUD]}, NESTED, {}],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_rubbish_ends_every_command_with_few_words(
    answering: Answering, value: Any, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the server says: no traceback, nothing that a terminal obeys, no success."""
    monkeypatch.setattr("plivo_sim.client.observations.WAIT_S", 0)
    url = answering(status, value)
    file = tmp_path / "data.json"
    file.write_text("{}", "utf-8")
    places = {"URL": url, "PORT": url.rpartition(":")[2], "JSON": file, "TOLD": tmp_path / "told"}
    for words, option in product((*COMMANDS, *FURTHER), ((), ("--json",))):
        done = Shell(url).run(*(places.get(each, each) for each in words), *option, code=None)
        told = done.stdout + done.stderr
        assert told.replace("\n", "").replace("\t", "").isprintable(), words
        assert len(told) < 50_000 or option, words  # a refusal is printed whole then
        empty = (("export", "-"), ("webhooks", "policy"))  # of an account that has nothing
        may_end_well = words == ("machine", "list") or (value == {} and words in empty)
        assert done.exit_code != 0 or may_end_well, (words, option)


def test_long_values_of_every_answer_are_cut() -> None:
    """Each text of each answer, in its lists that of the first entry, is longer than a simulator
    says any; documents are left whole."""
    big: list[bool] = []

    def longer(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: longer(each) for key, each in value.items()}
        if isinstance(value, list):
            return [*map(longer, value[:1]), *value[1:]]
        return "A" * 300_000 if isinstance(value, str) else value

    def alter(path: str, status: str, headers: Any, told: Any) -> Any:
        return status, headers, longer(told) if big and path != "/_sim/health" else told

    with LiveSimulator(PAUSED) as live, altered(live.sim, alter) as url:
        http = Http(create_app(live.sim), live.sim)
        application = http.sdk_created(callback_url="http://127.0.0.1:9/")
        http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
        http.control("POST", "/undo/points", {"what": "x", "account": AUTH_ID})
        places = {"URL": url, ID: application, "x": application}
        for words in (*COMMANDS, *FURTHER):
            given = [places.get(each, each) for each in words]
            if words not in KEPT_WHOLE and not {"PORT", "JSON", "TOLD"} & set(words):
                big[:] = []
                few = Shell(url).run(*given, code=None)
                big[:] = [True]
                done = Shell(url).run(*given, code=None)
                lines = (done.stdout + done.stderr).splitlines()
                assert all(len(line) < 60_000 for line in lines), words
                assert sum(map(len, lines)) < 250_000 + 100 * len(few.output), words


WRONG = (
    None, "x", 1, [], {}, -1.5, True, [None], [[]], ["x"], {"a": 1}, float("inf"), 10**400, "\0",
)  # fmt: skip
MOST_RUNS = {"replay": 12, "verify": 12, "try": 12}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in an answer; of a list, those in its first entry."""
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def spoilt(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """With another value there; without the key, when that is a key and ``wrong`` is "x"."""
    if not path:
        return wrong
    if isinstance(value, dict) and path[0] in value:
        if len(path) == 1 and wrong == "x":
            return {key: each for key, each in value.items() if key != path[0]}
        return value | {path[0]: spoilt(value[path[0]], path[1:], wrong)}
    if isinstance(value, list) and path[0] == 0 and value:
        return [spoilt(value[0], path[1:], wrong), *value[1:]]
    return value


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "name-mismatch"), ("coverage",),
        ("doctor",), ("verify", "--life-cycle"), ("try",), ("clock", "advance", "1d"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_answer_with_one_wrong_value_ends_a_command_with_one_sentence(
    emptied: LiveSimulator,
    application: str,
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or with its result: each answer of a simulator, wrong at each place in turn."""
    came: list[Any] = []
    change: list[Any] = []

    def alter(path: str, status: str, headers: Any, told: Any) -> Any:
        came.append(told)
        if change and change[0] == len(came) - 1:
            told = spoilt(told, *change[1:])
        return status, headers, told

    with altered(emptied.sim, alter) as url:
        if words[0] == "verify":
            words += ("--base-url", url, "--auth-id", AUTH_ID, "--auth-token", "x")
        if words[0] == "replay":
            words += ("--url", url, "--junit", str(tmp_path / "report.xml"))
        shell = Shell(url)
        shell.run(*words, code=None)
        monkeypatch.setattr("plivo_sim.client.observations.WAIT_S", 0)
        found = [(number, path) for number, told in enumerate(came) for path in places(told)]
        step = len(found) // MOST_RUNS.get(words[0], 60) + 1
        for count, (number, path) in enumerate(found[::step]):
            came.clear()
            change[:] = [number, path, WRONG[count % len(WRONG)]]
            done = shell.run(*words, code=None)
            assert done.exit_code in (0, 1, 2, 3), change


def test_a_replay_asks_no_more_than_a_simulator_gives_reason_to(
    emptied: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt of a callback is asked about; and what never settles is not waited for."""
    monkeypatch.setattr("plivo_sim.client.observations.WAIT_S", 0)
    wrong: dict[str, Any] = {}

    def alter(path: str, status: str, headers: Any, told: Any) -> Any:
        if path == wrong["path"]:
            told = told | wrong["told"]
        return status, headers, told

    with altered(emptied.sim, alter) as url:
        for path, told, sentence in (
            ("/_sim/applications", {"applications": [{}] * 1001}, "is not plivo-sim"),
            ("/_sim/webhooks", {"webhooks": [{"attempts": [{}] * 101}]}, "is not plivo-sim"),
            ("/_sim/clock", {"sending": True}, "still moves time or sends callbacks"),
        ):
            wrong |= {"path": path, "told": told}
            done = Shell(url).run("replay", "name-mismatch", "--url", url, code=3)
            assert sentence in done.stderr


def test_follow_pauses_after_a_call_that_brought_nothing(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that answers at once is not called without end."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("plivo_sim.cli.logs.sleep", pause)
    url = answering("200 OK", {"events": [], "next": 0, "missed": 0, "forgotten": 0})
    Shell(url).run("logs", "--follow", code=130)
    assert pauses == [0.5] * 3
