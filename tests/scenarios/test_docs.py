"""``docs/scenarios.md``: its blocks load and run, its tables say what the code says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.replay import replay
from plivo_sim.scenarios.language import (
    Comparison,
    Decision,
    Expect,
    FaultRule,
    WebhookPolicy,
    When,
    json_schema,
)
from plivo_sim.scenarios.loader import load_scenario, shipped_cards
from plivo_sim.scenarios.rules import PRESETS, TOKENS
from tests.conftest import PAUSED
from tests.scenarios.printed import text_of
from tests.support import AUTH_ID

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "scenarios.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


def told(name: str) -> str:
    """What stands between two markers of the page."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    assert found is not None, name
    return found[1]


def table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [head, ("---", "---"), *rows]
    return "".join(f"| {first} | {second} |\n" for first, second in lines)


def meaning(decision: Decision) -> str:
    """What a magic value does, in words."""
    if decision.decide == "nothing":
        return "stays in review for ever"
    words = decision.decide.replace("_", " ")
    if decision.after == "0s":
        words += ", at once"
    if decision.reason:
        words += f": `{decision.reason}`" if decision.reason in PRESETS else ""
    for step in decision.then:
        words += f", {step.status} {step.after} later"
    return words


def test_every_block_has_a_language_that_a_test_reads() -> None:
    """No block escapes."""
    assert PAGE.count("```") == 2 * len(BLOCKS)
    assert {language for language, _ in BLOCKS} == {"yaml", "sh", "json"}


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_yaml_block_loads(text: str) -> None:
    """As a scenario, or as a part of one."""
    load_scenario(text if text.startswith("scenario:") else f"scenario: A part of one.\n{text}")


@pytest.mark.live
def test_the_scenario_with_steps_holds(stage: str) -> None:
    """The page's own example keeps its promise."""
    (text,) = [text for text in blocks("yaml") if "steps:" in text]
    outcome = replay(stage, "the page's scenario", load_scenario(text))
    assert outcome.holds, text_of(outcome)


@pytest.mark.live
def test_the_shell_block_runs(tmp_path: Path) -> None:
    """Every command succeeds, in order, with the account there."""
    (script,) = blocks("sh")
    command = f"{sys.executable} -m plivo_sim.cli"
    script = re.sub(r"^plivo-sim", command, script, flags=re.MULTILINE)
    with LiveSimulator(PAUSED) as served:
        served.sim.account(AUTH_ID).keep_ledger()
        env = {"PLIVO_SIM_URL": served.url, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["sh", "-euc", script],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "the scenario holds" in done.stdout


def test_the_json_block_is_json() -> None:
    """It names the schema's address."""
    (text,) = blocks("json")
    assert "/_sim/schema/scenario.json" in next(iter(json.loads(text)["yaml.schemas"]))


def test_the_table_of_scenarios() -> None:
    """Every scenario and its sentence."""
    rows = [(f"`{each.name}`", each.scenario) for each in shipped_cards()]
    assert told("scenarios") == table(("name", "what happens"), rows)


def test_the_table_of_magic_values() -> None:
    """Every token and what it does."""
    rows = [(f"`{token}`", meaning(decision)) for token, decision in TOKENS.items()]
    assert told("magic") == table(("token", "the application is"), rows)


def test_the_table_of_presets() -> None:
    """Every name and its text."""
    rows = [(f"`{name}`", text) for name, text in PRESETS.items()]
    assert told("presets") == table(("name", "text"), rows)


@pytest.mark.parametrize("part", [When, Comparison, Decision, WebhookPolicy, FaultRule, Expect])
def test_every_key_of_the_language_is_on_the_page(part: type) -> None:
    """Nothing can be written that the page does not name."""
    for name in part.__struct_encode_fields__:
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_schema_beside_the_page_is_up_to_date() -> None:
    """Write it anew with ``python -c 'import json; from plivo_sim.scenarios.language import *;
    print(json.dumps(json_schema(), indent=2))' > docs/scenario.schema.json``."""
    written = (DOCS / "scenario.schema.json").read_text()
    assert written == json.dumps(json_schema(), indent=2) + "\n"


@pytest.mark.live
def test_the_schema_is_served(stage: str) -> None:
    """The same, over HTTP."""
    from plivo_sim.client import Client

    assert Client(stage).control("GET", "/schema/scenario.json") == json_schema()
