"""Whatever is misspelt is named, with what was probably meant: on every surface, by a walk over
everything that has a name there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from plivo_sim.app import SURFACES, document
from plivo_sim.cli import main
from plivo_sim.settings import ACCOUNT_SETTINGS, OneOf, Settings, read_setting
from plivo_sim.variables import PREFIX, unread
from plivo_sim.web.endpoints import Endpoint
from tests.support import AUTH_ID, Http

ROWS = SURFACES["control"].endpoints
RECEIVING = ("receive_get", "receive_post")
"""What takes any query and any body: those of a callback."""


def misspelt(word: str) -> str:
    """With one letter twice."""
    middle = len(word) // 2
    return word[:middle] + word[middle] + word[middle:]


def meant(told: str, word: str) -> bool:
    return f"did you mean '{word}'" in told or f"or '{word}'" in told


def url(row: Endpoint) -> str:
    path = row.path
    for part in ("{path:name}", "{path:id}", "{name}", "{id}"):
        path = path.replace(part, "control" if row.name == "get_document" else "x")
    return path


def detail(http: Http, row: Endpoint, body: Any = None, **query: str) -> str:
    answer = http.control(row.method, url(row), body, **query)
    assert answer.status_code == 400, answer.text
    return str(answer.get_json()["detail"])


@pytest.mark.parametrize("row", [r for r in ROWS if r.name not in RECEIVING], ids=lambda r: r.name)
def test_a_parameter_of_a_control_call(http: Http, row: Endpoint) -> None:
    """Each of its own; and ``account``, which every one takes."""
    for name in {"account", *(each.name for each in row.query)}:
        told = detail(http, row, **{misspelt(name): "x"})
        assert told == f"{misspelt(name)}: unknown; did you mean '{name}'?"


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.name not in (*RECEIVING, "evaluate") and r.bodies],
    ids=lambda r: r.name,
)  # fmt: skip
def test_a_key_of_the_body_of_a_control_call(http: Http, row: Endpoint) -> None:
    """Each of those that the document shows."""
    path = document("control")["paths"][f"/_sim{row.path}".replace("{path:", "{")]
    schema = path[row.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    for name in set(schema["properties"]) - {"account"}:
        told = detail(http, row, {misspelt(name): "x"}, account=AUTH_ID)
        assert meant(told, name), told


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", "/clock/advance", {"until": {"aplication": "x"}}, "application"),
        ("POST", "/next-outcome", {"decide": "rejected", "reason": "name_mismach"},
         "name_mismatch"),
        ("POST", "/faults", {"effect": "error", "operation": "compliance.crate"},
         "compliance.create"),
        ("POST", "/faults", {"effect": "error", "operation": "complianse.*"}, "compliance.get"),
        ("POST", "/machine", {"name": "in-reviw"}, "in-review"),
        ("POST", "/restore", {"name": "befor"}, "before"),
        ("POST", "/scenario", {"name": "instant-acept"}, "instant-accept"),
        ("GET", "/scenarios/instant-acept", None, "instant-accept"),
        ("GET", "/snapshot/befor", None, "before"),
        ("GET", "/openapi/contrl.json", None, "control"),
        ("GET", "/operatons", None, "/_sim/operations"),
        ("GET", "/applications?number_type=locl", None, "local"),
        ("GET", "/applications?status=acepted", None, "accepted"),
        ("GET", "/applications?country_iso=India", None, "IN"),
        ("GET", "/webhooks?state=delivred", None, "delivered"),
        ("DELETE", "/faults/slow-lists", None, "slow-list"),
    ],
)  # fmt: skip
def test_a_word_of_a_control_call(http: Http, method: str, path: str, body: Any, word: str) -> None:
    """A name, a status, a state, a preset, an operation, a country, a URL."""
    http.control("POST", "/snapshot", {"name": "before", "account": AUTH_ID})
    http.control("POST", "/faults", {"effect": "slow", "latency_s": 1, "name": "slow-list"},
                 account=AUTH_ID)  # fmt: skip
    answer = http.call(method, f"/_sim{path}", json=body)
    assert answer.status_code in (400, 404)
    assert meant(answer.get_json()["detail"], word), answer.text


@pytest.mark.parametrize(("given", "word"), [("India", "IN"), ("Germny", "DE"), ("XX", "")])
def test_a_country_of_a_scenario(http: Http, given: str, word: str) -> None:
    """A name has a code; a code that the world does not have is refused."""
    rules = [{"when": {"country": given}, "decide": "rejected"}]
    scenario = {"scenario": "rejects a country", "rules": rules}
    answer = http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    assert answer.status_code == 400
    told = answer.get_json()["detail"]
    assert f"'{given}'" in told
    assert meant(told, word) is bool(word)


def test_an_account_that_is_read(http: Http) -> None:
    """One that nobody has used before is empty; the answer says which one is called nearly so."""
    http.control("POST", "/accounts", {"auth_id": "MAABCDEFGHIJKLMNOPQR"})
    answer = http.control("GET", "/clock", account="MAABCDEFGHIJKLMNOPQX")
    assert meant(answer.headers["X-Plivo-Sim-Warning"], "MAABCDEFGHIJKLMNOPQR")
    answer = http.control("GET", "/clock", account="MAABCDEFGHIJKLMNOPQR")
    assert "X-Plivo-Sim-Warning" not in answer.headers


@pytest.mark.parametrize("name", ACCOUNT_SETTINGS)
def test_a_setting_of_an_account(http: Http, name: str) -> None:
    """By its name; a hyphen is as good as an underscore."""
    for wrong in (misspelt(name), name.replace("_", "-") + "-"):
        body = {"auth_id": AUTH_ID, "settings": {wrong: "x"}}
        told = http.control("POST", "/accounts", body).get_json()["detail"]
        assert meant(told, name), told


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_a_variable_of_a_setting(each: Any) -> None:
    """And one of the few words that it may have."""
    ((_, hint),) = unread({PREFIX + misspelt(each.name).upper(): "x"})
    assert meant(hint, PREFIX + each.name.upper())
    read = each.metadata["read"]
    for word in read.words if isinstance(read, OneOf) else ():
        with pytest.raises(ValueError, match="did you mean") as caught:
            read_setting(each.name, misspelt(word))
        assert meant(str(caught.value), word)


def test_every_command_tells_of_a_variable() -> None:
    """Not only those that start a server: a mistyped URL is used nowhere."""
    done = CliRunner().invoke(main, ["machine", "list"], env={"PLIVO_SIM_ULR": "http://x"})
    assert done.exit_code == 0
    assert (
        "PLIVO_SIM_ULR is set, and nothing reads it; did you mean 'PLIVO_SIM_URL'?" in done.output
    )


def commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(group, click.Group):
        yield words
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, (*words, name))


def command_of(words: tuple[str, ...]) -> click.Command:
    found: click.Command = main
    for word in words:
        assert isinstance(found, click.Group)
        below = found.get_command(click.Context(found), word)
        assert below is not None
        found = below
    return found


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_an_option_of_a_command_and_its_words(words: tuple[str, ...]) -> None:
    """Every option, and every word of those that take one of a few."""
    runner = CliRunner()
    for option in command_of(words).params:
        if isinstance(option, click.Option) and option.opts[-1] != "--help":
            name = option.opts[-1]
            if not name.startswith("--"):
                continue
            done = runner.invoke(main, [*words, misspelt(name)])
            assert done.exit_code == 2
            assert meant(done.output, name), done.output
            for word in option.type.choices if isinstance(option.type, click.Choice) else ():
                done = runner.invoke(main, [*words, name, misspelt(str(word))])
                assert meant(done.output, str(word)), done.output


def test_a_dialect(http: Http) -> None:
    """In the header that asks for one."""
    answer = http.get("PhoneNumber/Compliance/", headers={"X-Plivo-Sim-Dialect": "curent"})
    assert meant(answer.headers["X-Plivo-Sim-Warning"], "current")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fault", "add"), "rate_limited"),
        (("run", "pytest", "-q"), "behind --, as in plivo-sim run -- pytest -q"),
        (("snapshot", "restore"), "did you mean 'snapshot load'"),
        (("restore",), "did you mean 'snapshot load'"),
    ],
)
def test_what_a_command_should_have_been(words: tuple[str, ...], told: str) -> None:
    """Is told where something is missing, stands too early, or is called otherwise here."""
    done = CliRunner().invoke(main, list(words))
    assert (done.exit_code, told in done.output) == (2, True)
