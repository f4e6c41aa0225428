"""Every parser that a user's text can meet, and what keeps it from taking long.

Two things do: the text has a limit before it is parsed, or the parser takes a number of steps that
grows with the text and no faster. The table lists them all; a call that is not in it fails here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from plivo_sim.apis.outcomes import requested_outcome
from plivo_sim.catalogue import read_file
from plivo_sim.catalogue.yaml_text import plain_yaml
from plivo_sim.domain import limits
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.errors import Invalid
from plivo_sim.domain.limits import Limit
from plivo_sim.domain.urls import check_callback_url, read_host, split_host
from plivo_sim.machines import load_machine_data
from plivo_sim.machines.loader import load_machine
from plivo_sim.scenarios.loader import load_scenario, load_scenario_data
from plivo_sim.scenarios.patterns import regex
from plivo_sim.settings import (
    Settings,
    read_durations,
    read_instant,
    read_rate,
    read_review_delay,
    read_setting,
    read_timeout,
    read_whole,
)
from plivo_sim.webhooks import diagnosis, signatures
from plivo_sim.webhooks.diagnosis import ReceivedRequest, diagnose
from tests.support import calls_of

PACKAGE = Path(__file__).parent.parent.parent / "plivo_sim"
OWN_TERMINAL = {
    "cli",
    "client",
    "recording",
    "testing",
    "openapi",
    "pytest_plugin.py",
    "fidelity.py",
}
"""What these read comes from whoever runs them, from the service that they name, or from the
package itself; they run beside no server."""

MODULES = {"re", "fnmatch", "yaml", "difflib", "phonenumbers"}
WRITERS = {"safe_dump", "region_code_for_number", "national_significant_number", "number_type",
           "length_of_national_destination_code", "example_number_for_type"}  # fmt: skip
FUNCTIONS = {
    "int", "float", "fromisoformat", "parse_options_header", "parse_qsl", "urlsplit", "urlparse",
    "ip_address", "b64decode", "a2b_qp", "decode_json", "loads", "plain_yaml", "composed",
    "parse_duration", "glob", "regex",
}  # fmt: skip

LINEAR = "each step moves on in the text, or gives up: nothing is read twice"
"""Of regular expressions test_backtracking.py shows it, one by one; this table only says so."""
OURS = "reads no user's text: a route, a row, a line of our own, or what a library says"
DIGITS = "a pattern has said before that there are few digits"
JSON = (
    "JSON and base64 are read in one pass by compiled code; limits json, json_depth and json_values"
)
CALLS = {
    "account/clock.py": {"float": "of a number already"},
    "account/descriptors.py": {"int": OURS},
    "console/reports.py": {"int": OURS},
    "web/costs.py": {"re.compile": LINEAR},
    "web/request_log.py": {"re.compile": LINEAR},
    "account/store/directory.py": {"int": "of a folder's name, in base 16", "glob": OURS},
    "account/store/files.py": {"re.fullmatch": OURS},
    "account/store/damage.py": {"re.compile": OURS, "int": OURS, "glob": OURS},
    "account/store/format.py": {"decode_json": JSON},
    "apis/atoms/reading.py": {"decode_json": JSON},
    "apis/atoms/service.py": {"decode_json": OURS, "parse_qsl": OURS},
    "apis/dialects.py": {"re.compile": LINEAR, "decode_json": JSON},
    "apis/legacy/reading.py": {"decode_json": JSON},
    "apis/numbers/queries.py": {"re.compile": LINEAR, "re.sub": LINEAR, "fromisoformat": LINEAR},
    "apis/phone_number/beta/reading.py": {
        "re.compile": LINEAR, "b64decode": JSON, "decode_json": JSON, "int": DIGITS},
    "apis/phone_number/current/reading.py": {"decode_json": JSON, "int": DIGITS},
    "apis/outcomes.py": {"re.compile": LINEAR, "parse_duration": "limit duration"},
    "apis/reading.py": {"re.compile": LINEAR, "int": DIGITS},
    "app.py": {"ip_address": OURS},
    "catalogue/yaml_files.py": {
        "composed": "limits scenario_text, catalogue_text",
        "yaml.compose": "limits scenario_text, catalogue_text"},
    "catalogue/yaml_text.py": {
        "re.compile": LINEAR, "yaml.parse": "limits scenario_text, yaml_depth, yaml_digits",
        "yaml.load": "the same", "yaml.MarkedYAMLError": "raised, and reads nothing",
        "loads": OURS},
    "console/__init__.py": {"urlsplit": LINEAR},
    "console/accounts.py": {"decode_json": OURS},
    "console/actions.py": {"re.compile": OURS, "int": OURS},
    "console/bodies.py": {"re.compile": OURS},
    "console/doing.py": {"loads": JSON},
    "console/api_calls.py": {"re.compile": LINEAR, "int": DIGITS},
    "console/applications.py": {"parse_qsl": LINEAR},
    "console/copied_calls.py": {
        "re.compile": LINEAR, "urlsplit": LINEAR, "parse_qsl": LINEAR, "decode_json": JSON},
    "console/copied_faults.py": {"plain_yaml": "limit scenario_text"},
    "console/copied_file.py": {"urlsplit": LINEAR},
    "console/copied_scenario.py": {"int": OURS},
    "console/copied_steering.py": {"urlsplit": LINEAR, "decode_json": JSON},
    "console/copied_test.py": {"re.search": LINEAR, "decode_json": JSON},
    "console/faults.py": {
        "plain_yaml": "limit scenario_text"},
    "console/filing.py": {"int": DIGITS},
    "console/moves.py": {"fromisoformat": OURS, "int": OURS},
    "console/pages.py": {"urlsplit": LINEAR, "decode_json": OURS, "int": DIGITS},
    "console/plays.py": {"loads": OURS},
    "console/presets.py": {"int": DIGITS},
    "console/refill.py": {"re.compile": LINEAR, "re.finditer": LINEAR},
    "console/requests.py": {"re.compile": LINEAR},
    "console/traffic_list.py": {"fromisoformat": OURS, "int": DIGITS},
    "console/trying.py": {"plain_yaml": "limit scenario_text"},
    "console/story.py": {"re.compile": LINEAR, "urlsplit": LINEAR, "int": OURS},
    "console/pictures/axis.py": {"int": OURS},
    "console/pictures/swimlanes.py": {"int": OURS},
    "console/sources.py": {"re.compile": LINEAR, "decode_json": JSON},
    "console/undoing.py": {"int": DIGITS},
    "console/webhooks.py": {"re.fullmatch": LINEAR, "int": DIGITS, "float": DIGITS},
    "control/history.py": {"re.compile": LINEAR, "decode_json": JSON},
    "control/events.py": {"re.compile": LINEAR, "glob": "limit glob"},
    "control/inputs.py": {
        "decode_json": JSON, "int": DIGITS, "parse_duration": "limit duration",
        "loads": "limits control_body, json_depth"},
    "control/moves.py": {"fromisoformat": "of at most 40 characters", "re.compile": LINEAR},
    "control/requests.py": {"glob": "limit glob"},
    "control/unmatched.py": {"re.compile": LINEAR},
    "control/webhooks.py": {"urlsplit": LINEAR},
    "domain/durations.py": {
        "re.compile": "limit duration", "int": "limit duration", "float": "limit duration"},
    "domain/machine.py": {"parse_duration": "limit duration"},
    "domain/records.py": {"re.compile": LINEAR},
    "domain/requirements.py": {"re.fullmatch": LINEAR, "fromisoformat": DIGITS},
    "domain/secrets.py": {
        "re.compile": LINEAR, "re.sub": LINEAR, "decode_json": JSON, "int": DIGITS},
    "domain/serving.py": {"re.compile": LINEAR, "re.search": "up to 1000 characters"},
    "domain/text.py": {
        "re.compile": LINEAR, "int": "Python's own 4300 digits", "float": LINEAR,
        "re.split": LINEAR},
    "domain/typed.py": {
        "re.compile": OURS, "fromisoformat": LINEAR,
        "loads": "the JSON that is refused, once more, for the place"},
    "domain/urls.py": {
        "re.compile": "limit host", "re.sub": "limit host; LINEAR for credentials",
        "urlsplit": LINEAR, "ip_address": "limits host, callback_url", "int": DIGITS},
    "domain/words.py": {
        "difflib.get_close_matches": "only words of like length are compared; limits name, steps"},
    "machines/__init__.py": {"int": OURS},
    "machines/drawing.py": {"re.compile": LINEAR, "re.sub": LINEAR},
    "machines/validation.py": {"decode_json": OURS, "parse_duration": "limit duration"},
    "scenarios/operations.py": {"glob": "limit glob", "re.split": OURS},
    "scenarios/globs.py": {"re.compile": LINEAR, "glob": "limits glob, condition_texts"},
    "scenarios/patterns.py": {"re.compile": LINEAR, "int": DIGITS},
    "scenarios/rules.py": {"re.compile": LINEAR, "parse_duration": "limit duration"},
    "scenarios/matching.py": {
        "re.compile": LINEAR, "float": LINEAR,
        "regex": "limits regex, regex_steps, regex_text"},
    "scenarios/conditions.py": {
        "re.compile": LINEAR, "int": "limit glob", "regex": "limit regex", "glob": "limit glob"},
    "scenarios/impossible.py": {"int": "limit glob", "regex": "limits regex, regex_steps"},
    "scenarios/steps.py": {"re.compile": LINEAR},
    "scenarios/validation.py": {"parse_duration": "limit duration", "glob": "limit glob"},
    "outgoing/guard.py": {"urlsplit": LINEAR},
    "outgoing/pointing.py": {"urlsplit": LINEAR},
    "services/applications.py": {"urlsplit": "limit callback_url"},
    "services/integrity.py": {"re.compile": LINEAR},
    "services/inventory.py": {"phonenumbers.parse": "the library takes 250 characters"},
    "services/bounds.py": {"decode_json": OURS},
    "services/machines.py": {"decode_json": JSON},
    "services/policies.py": {"decode_json": JSON},
    "services/snapshots.py": {"b64decode": JSON},
    "settings.py": {
        "re.fullmatch": LINEAR, "int": "limit number",
        "fromisoformat": "limits instant, setting",
        "parse_duration": "limit duration"},
    "simulator/__init__.py": {"re.compile": LINEAR},
    "simulator/logs.py": {"int": OURS},
    "variables.py": {"re.compile": OURS},
    "web/access.py": {"re.compile": LINEAR, "b64decode": LINEAR, "urlsplit": OURS},
    "web/arrival.py": {"re.compile": LINEAR, "int": DIGITS},
    "web/bodies.py": {"decode_json": JSON, "parse_options_header": "limit content_type"},
    "web/endpoints.py": {"re.sub": OURS},
    "web/framework.py": {"int": DIGITS},
    "web/kept_bodies.py": {
        "decode_json": JSON, "loads": JSON, "parse_options_header": "limit content_type"},
    "web/parts.py": {
        "re.compile": "limits form, part_headers", "re.sub": "limit part_headers",
        "b64decode": "limit part_headers", "a2b_qp": "limit part_headers",
        "parse_options_header": "limit part_headers"},
    "web/parsing.py": {"re.compile": LINEAR, "int": DIGITS},
    "webhooks/composing.py": {
        "urlsplit": "limit callback_url", "parse_duration": "limit duration", "int": OURS},
    "webhooks/outbox.py": {"urlsplit": "limit callback_url", "parse_duration": "limit duration"},
    "webhooks/diagnosis.py": {
        "urlsplit": LINEAR, "parse_qsl": "limits signed, signed_fields", "decode_json": JSON,
        "b64decode": LINEAR},
    "webhooks/signatures.py": {
        "urlsplit": LINEAR, "urlparse": LINEAR, "parse_qsl": LINEAR, "re.compile": LINEAR},
    "webhooks/answers.py": {"int": "limit chunk_line"},
    "webhooks/lines.py": {"ip_address": OURS},
    "webhooks/transport.py": {"urlsplit": "limit callback_url", "ip_address": OURS},
}  # fmt: skip


def calls_in(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        if isinstance(call, ast.Name) and call.id in FUNCTIONS:
            yield call.id
        elif isinstance(call, ast.Attribute):
            of = call.value.id if isinstance(call.value, ast.Name) else ""
            if of in MODULES and call.attr not in WRITERS:
                yield f"{of}.{call.attr}"
            elif call.attr in FUNCTIONS:
                yield call.attr


def test_the_table_has_every_parser() -> None:
    """Whoever parses at one more place says what bounds it."""
    found = {}
    for module in PACKAGE.rglob("*.py"):
        name = module.relative_to(PACKAGE).as_posix()
        if name.partition("/")[0] not in OWN_TERMINAL and (calls := set(calls_in(module))):
            found[name] = calls
    assert found == {name: set(calls) for name, calls in CALLS.items()}


# --- limits: a text is refused before it is parsed ---------------------------------------------


class Request:
    """What ``requested_outcome`` looks at."""

    def __init__(self, outcome: str) -> None:
        self.headers = {"X-Plivo-Sim-Outcome": outcome}


LIMITED: dict[str, tuple[Limit, Callable[[str], Any]]] = {
    "duration": (limits.DURATION, parse_duration),
    "review delay": (limits.DURATION, read_review_delay),
    "retries": (limits.DURATION, read_durations),
    "instant": (limits.INSTANT, read_instant),
    "rate": (limits.NUMBER, read_rate),
    "timeout": (limits.NUMBER, read_timeout),
    "whole number": (limits.NUMBER, read_whole),
    "host": (limits.HOST, read_host),
    "setting": (limits.SETTING, lambda text: read_setting("credentials", text)),
    "account's setting": (
        limits.ACCOUNT_SETTINGS, lambda text: Settings().for_account({"holidays": text})),
    "outcome": (limits.OUTCOME, lambda text: requested_outcome(Request(text))),  # type: ignore[arg-type]
    "regex": (limits.REGEX, regex),
    "yaml": (limits.SCENARIO_TEXT, plain_yaml),
    "scenario": (limits.SCENARIO_TEXT, load_scenario),
    "catalogue": (limits.CATALOGUE_TEXT, lambda text: read_file(text, "own.yaml")),
    "scenario as data": (limits.SCENARIO_TEXT, load_scenario_data),
    "machine": (limits.SCENARIO_TEXT, load_machine),
    "machine as data": (limits.SCENARIO_TEXT, load_machine_data),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["9", "/", "\x00", "é", "a."])
@pytest.mark.parametrize(("limit", "parse"), LIMITED.values(), ids=LIMITED)
def test_a_text_over_its_limit_is_not_parsed(
    limit: Limit, parse: Callable[[str], Any], kind: str
) -> None:
    """The refusal names the limit; a hundred times the text costs not one call more."""
    counts = []
    for times in (1, 100):
        text = kind * (limit.most * times + 1)

        def refused(text: str = text) -> None:
            with pytest.raises((ValueError, Invalid), match=rf"\(limit {limit.name}\)"):
                parse(text)

        refused()
        counts.append(calls_of(refused))
    assert counts[0] == counts[1]


def test_a_host_header_that_is_too_long_is_none() -> None:
    assert split_host("[" + ":" * 60_000) == ("", None)
    assert split_host(f"{'.'.join(['a' * 63] * 4)}:65535") == (".".join(["a" * 63] * 4), 65535)


def test_a_callback_url_is_so_long_and_no_longer() -> None:
    """It is measured before it is taken apart."""
    longest = "http://127.0.0.1/".ljust(limits.CALLBACK_URL.most, "x")
    check = partial(check_callback_url, path=("callback_url",), https_only=False, allowed=())
    assert check(longest) is None
    problem = check(f"{longest}x")
    assert problem is not None
    assert problem.text == "must have at most 2048 characters (limit callback_url)"


# --- growing input: steps that grow with the text -----------------------------------------------


class Compared(str):
    """A text that counts how often one was compared."""

    __slots__ = ()
    count = 0

    def __eq__(self, other: object) -> bool:
        Compared.count += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def comparisons(count: int) -> int:
    """Of the fields of a body with those of a query, as many in each."""
    fields = "&".join(f"k{n}=v" for n in range(count))
    headers = {"X-Plivo-Signature-V3": "eA==", "X-Plivo-Signature-V3-Nonce": "1"}
    seen = ReceivedRequest(
        method="POST", url=f"http://127.0.0.1/?{fields}", headers=headers, body=fields,
        tokens=("t",), main_token="t", known=(),
    )  # fmt: skip
    Compared.count = 0
    diagnose(seen)
    return Compared.count


def test_a_signed_body_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many URLs and tokens are tried, of each version."""
    read: list[str] = []
    params_of = diagnosis.params_of
    monkeypatch.setattr(
        diagnosis, "params_of", lambda seen: read.append(seen.body) or params_of(seen)
    )
    names = ("v2", "v2-nonce", "v3", "v3-nonce", "ma-v3")
    seen = ReceivedRequest(
        method="POST", url="http://127.0.0.1/", body="b=1&a=2", tokens=("t", "u"),
        headers={f"x-plivo-signature-{name}": "eA==" for name in names},
        main_token="t", known=(("main account", "v"),),
    )  # fmt: skip
    assert diagnose(seen)["v3"]["wrong"]
    assert read == ["b=1&a=2"]


@pytest.mark.parametrize("count", [10, 900])
def test_a_query_is_read_so_often_however_many_parameters_it_has(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Once for the check of what it has in common with the body, and once for each covering."""
    read: list[str] = []
    parse_qsl = signatures.parse_qsl
    for module in (diagnosis, signatures):
        monkeypatch.setattr(
            module, "parse_qsl", lambda text, **how: read.append(text) or parse_qsl(text, **how)
        )
    names = ("v2", "v2-nonce", "v3", "v3-nonce", "ma-v3")
    query = "&".join(f"q{n}=v" for n in range(count))
    seen = ReceivedRequest(
        method="POST", url=f"http://127.0.0.1/?{query}", body=query, tokens=("t", "u"),
        headers={f"x-plivo-signature-{name}": "eA==" for name in names},
        main_token="t", known=(("main account", "v"),),
    )  # fmt: skip
    assert diagnose(seen)["v3"]["wrong"]
    assert len([text for text in read if text]) <= 12


@pytest.mark.parametrize(
    ("over", "limit"),
    [
        ({"url": "http://h/?" + "&" * 2001}, "signed_fields"),
        ({"body": "&" * 2001}, "signed_fields"),
        ({"body": "[" + "1," * 2001 + "1]"}, "signed_fields"),
        ({"body": "x" * 262_144}, "signed"),
        ({"headers": {"a": "x" * 262_144}}, "signed"),
        ({"main_token": "x" * 262_144}, "signed"),
    ],
)
def test_a_request_is_too_large_for_the_check_of_its_signature(
    over: dict[str, Any], limit: str
) -> None:
    """It would be signed some hundred times."""
    request: dict[str, Any] = {
        "method": "POST", "url": "http://h/", "headers": {}, "body": "", "tokens": (),
        "main_token": "t",
    }  # fmt: skip
    assert diagnose(ReceivedRequest(**request))
    with pytest.raises(ValueError, match=rf"\(limit {limit}\)"):
        diagnose(ReceivedRequest(**request | over))


def test_the_fields_of_a_signature_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the fields, ten times the comparisons."""

    def parse(*args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [(Compared(key), Compared(each)) for key, each in parse_qsl(*args, **kwargs)]

    monkeypatch.setattr(signatures, "parse_qsl", parse)
    few = comparisons(50)
    assert few > 0
    assert comparisons(500) < 12 * few
