"""What is made of an account's records, whoever sent them: files of code, command lines, pages.

A text is planted in each field of what a takeover brings; what is made of it then is no other
code, and no other element of a page.
"""

from __future__ import annotations

import ast
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.control.moves import _rest_of
from plivo_sim.domain.errors import Invalid
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.test_moves import ELSEWHERE, control
from tests.hostile.planting import kind, planted, texts
from tests.hostile.world import fill
from tests.support import AUTH_ID, Http

BASH = shutil.which("bash") or ""
MARK = "PLANTED"
SHELL = f"""';>{MARK};'";>{MARK};"$(>{MARK})`>{MARK}`"""
PLANTS = [
    f'"+open("{MARK}","w").write("")+"{SHELL}{{open("{MARK}")}}<u>\\',
    f'\n    open("{MARK}","w")\n"""\nopen("{MARK}","w")\n>{MARK}\n\x1b[2J{SHELL}<u>',
]
PAGES = (
    "", "account", "applications", "time", "faults", "numbers", "requests", "history?show=all",
    "scenario", "machine", "webhooks",
)  # fmt: skip
LINE = re.compile(r">((?:curl|printf|plivo-sim|\{ printf) [^<]*)<")


def story(http: Http) -> None:
    """Something of everything, and calls of each API."""
    fill(http)
    http.post("EndUser/?x=1", json={"name": "x", "end_user_type": "individual"})
    http.post("EndUser/", data={"name": "x", "end_user_type": "individual"})
    http.post("EndUser/", data=b"\xff\x00", headers={"Content-Type": "text/plain"})


def names_in(text: str) -> set[str]:
    """All that Python source refers to."""
    found = set()
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.Name | ast.alias):
            found.add(each.id if isinstance(each, ast.Name) else each.name)
        elif isinstance(each, ast.Attribute):
            found.add(f".{each.attr}")
    return {re.sub(r"_\d+$", "", name) for name in found}


def made_of(http: Http) -> tuple[str, str, list[str]]:
    """The test, the pages, and the command lines on them."""
    test = http.get(f"/_sim/history/copy?account={AUTH_ID}").text
    scenario = http.get(f"/_sim/history/copy?as=scenario&account={AUTH_ID}").text
    lines = "".join(line for line in scenario.splitlines(keepends=True) if line[:1] == "#")
    assert "\x1b" not in lines
    account = http.account
    paths = [*PAGES]
    with account.lock:
        paths += [f"requests/{quote(each.id)}" for each in account.exchanges]
        ids = ["", *(each.id for each in account.store.applications.every())]
        paths += [f"applications/{id}" for id in ids[1:]]
        paths += [f"webhooks/{each.id}" for each in account.store.deliveries.every()]
        every = [each.id[:12] for each in account.exchanges]
    picks = "&".join(f"pick={quote(each)}" for each in every)
    test += "\n" + http.get(f"/console/{AUTH_ID}/history/copy.txt?as=pytest&{picks}").text.replace(
        "def test_", "def other_"
    )
    answers = [
        http.get(f"/console/{AUTH_ID}/{path}".rstrip("/") + "/" * (not path)) for path in paths
    ]
    answers += [
        http.get(f"/_sim/report?format=html&account={AUTH_ID}&application={id}") for id in ids[:2]
    ]
    assert [each.status_code for each in answers if each.status_code >= 500] == []
    shown = "\n".join(each.text for each in answers)
    return test, shown, [html.unescape(each) for each in LINE.findall(shown)]


def fits(http: Http, document: Any, place: tuple[Any, ...]) -> bool:
    """Whether that part of it is taken over where the place is: each is read by itself."""
    if place[0] != "rest":
        return taken(http, {name: each for name, each in document.items() if name != "rest"})
    try:
        _rest_of(document["rest"])
    except Invalid:
        return False
    return True


def taken(http: Http, document: Any) -> bool:
    """Whether an account is taken over so; then it is there."""
    http.sim.remove_all()
    body = json.dumps({**document, "account": AUTH_ID})
    answer = http.control_raw("/takeover", body.encode(), "application/json")
    assert answer.status_code in (201, 400), answer.text
    return bool(answer.status_code == 201)


@pytest.mark.skipif(not BASH, reason="there is no bash")
@pytest.mark.parametrize("part", range(len(PLANTS)))
def test_no_text_of_an_account_that_moved_becomes_code(
    http: Http, tmp_path: Path, part: int
) -> None:
    story(http)
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    whole = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"]}
    places = {kind(each): each for each in texts(whole)}
    sim = make_simulator(PAUSED, transport=MemoryTransport())
    elsewhere = Http(create_app(sim), sim)
    control(elsewhere, "POST", "/takeover", whole)
    test, _, lines = made_of(elsewhere)
    usual, text = names_in(test), PLANTS[part]
    assert len(lines) > len(given["rest"]["requests"])
    left = [*places.values()]
    for _ in range(2):  # some that are refused together are taken apart
        document, told = whole, []
        for place in [*left]:
            try:
                changed = planted(document, place, text)
            except KeyError:  # a key above it is another one now
                continue
            if fits(elsewhere, changed, place):
                document = changed
                told.append(kind(place))
                left.remove(place)
        assert taken(elsewhere, document)
        test, shown, lines = made_of(elsewhere)
        assert names_in(test) <= usual, told
        assert "<u>" not in shown, told
        assert "\x1b" not in test + "".join(lines), told
        done = subprocess.run(
            [BASH], input="\n".join(lines).encode(), cwd=tmp_path, env={"PATH": os.devnull},
            capture_output=True, check=False,
        )  # fmt: skip
        assert b"syntax error" not in done.stderr, told
        assert [*tmp_path.iterdir()] == [], told
    assert len(left) < len(places) - 50
    sim.close()
