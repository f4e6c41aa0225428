"""What a page tells after a button: once, in one sentence, and with the form as it was sent."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from markupsafe import escape
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from plivo_sim.console.refill import refill
from tests.console.support import HOME, press, token_of
from tests.support import AUTH_ID, Http

PAGES = (
    "", "applications", "applications/{id}", "time", "webhooks", "scenario", "faults", "account",
    "account/machine",
)  # fmt: skip
AROUND = '<p title="a > b">é &amp; ü</p><form action="/do/x">{}</form><p>&lt;</p>'
ODD = "<b>\"odd\" & 'typed'</b>"


def text_of(page: TestResponse) -> str:
    found = re.search(r'id="done".*?</section>', page.text, re.S)
    told = re.sub(r"<details.*", "", found[0] if found else "", flags=re.S)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", "", told.partition(">")[2]).split()))


# --- told once -----------------------------------------------------------------------------


def test_what_was_done_is_told_once(http: Http) -> None:
    """Who loads the page again, or sends its URL to somebody, is not told again."""
    form = {"_token": token_of(http), "_back": f"{HOME}/time", "account": AUTH_ID, "by": "1h"}
    to = http.post("/console/do/advance", data=form).headers["Location"]
    assert ['id="done"' in http.get(to).text for _ in range(2)] == [True, False]


def test_a_form_is_filled_again_once(http: Http) -> None:
    """Nor does the URL carry what somebody typed."""
    form = {"_token": token_of(http), "_back": f"{HOME}/time", "account": AUTH_ID, "by": "a while"}
    to = http.post("/console/do/advance", data=form).headers["Location"]
    assert ['value="a while"' in http.get(to).text for _ in range(2)] == [True, False]
    assert "while" not in to


# --- many in one sentence --------------------------------------------------------------------


def test_many_are_told_in_one_sentence(http: Http) -> None:
    """The decision, how many, the names of the first five."""
    made = [http.sdk_created(alias=f"case {i}") for i in range(7)]
    page = press(http, "decide", account=AUTH_ID, id=made, status="accepted")
    assert text_of(page) == "Accepted 7: case 0; case 1; case 2; case 3; case 4; and 2 more. Undo"


def test_many_refusals_are_told_in_one_sentence(http: Http) -> None:
    """Those that were refused for the same reason, by name; then what was done."""
    made = [http.sdk_created(alias=f"case {i}") for i in range(4)]
    for id in made[:3]:
        http.decide(id, "accepted")
    page = press(http, "decide", account=AUTH_ID, id=made, status="accepted")
    assert text_of(page) == (
        "Not done: cannot accept it in status accepted; possible now: suspended, expired"
        " (plivo-sim apps decide ID STATUS): case 0; case 1; case 2. Accepted: case 3. Undo"
    )
    assert made[0] not in text_of(page)


def test_one_refusal_is_told_by_its_name(http: Http) -> None:
    """In the control API's own sentence."""
    http.decide(id := http.sdk_created(alias="Acme"), "accepted")
    page = press(http, "decide", account=AUTH_ID, id=id, status="rejected")
    assert "cannot reject application Acme in status accepted" in text_of(page)


def test_refusals_without_names(http: Http) -> None:
    """Of what has no name, the first five ids."""
    ids = [f"gone-{i}" for i in range(7)]
    page = press(http, "replay", account=AUTH_ID, id=ids)
    told = text_of(page)
    assert told.count("Not done:") == 1
    assert told.endswith("gone-0; gone-1; gone-2; gone-3; gone-4; and 2 more.")


def test_one_is_told_by_its_name(http: Http) -> None:
    """A person knows it by its alias, not by 36 characters."""
    id = http.sdk_created(alias="Acme, Mumbai")
    page = press(http, "decide", account=AUTH_ID, id=id, status="accepted")
    assert text_of(page) == "Accepted: Acme, Mumbai. Undo"


# --- forms keep what was sent ----------------------------------------------------------------


def test_a_refused_bulk_decision_stays_as_chosen(http: Http) -> None:
    """Decision, preset, reason and ticks: it does not fall back to Accept."""
    made = [http.sdk_created(alias=f"case {i}") for i in range(3)]
    http.decide(made[0], "accepted")
    page = press(
        http, "decide", f"{HOME}/applications", account=AUTH_ID, id=made[:2], match="",
        status="rejected", preset="name_mismatch", reason="",
    ).text  # fmt: skip
    assert re.findall(r'<option value="(\w+)" selected data-kept>', page) == [
        "rejected", "name_mismatch",
    ]  # fmt: skip
    ticked = re.findall(r'name="id" value="([^"]+)"[^>]* checked', page)
    assert ticked == made[:2][::-1]


@dataclass
class Sent:
    """A form of a page: what it does, its hidden fields, the names of what a person types; the last
    option of each list, and each box with its value."""

    do: str
    hidden: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    ticked: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page that do something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Sent] = []
        self._open: Sent | None = None
        self._list = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type") or "text"
        if tag == "form" and (given.get("action") or "").startswith("/console/do/"):
            self._open = Sent(str(given["action"]).removeprefix("/console/do/").partition("?")[0])
            self.found.append(self._open)
        elif self._open is None:
            return
        elif tag == "option" and self._list and given.get("value"):
            self._open.chosen[self._list] = given["value"] or ""
        elif tag == "select":
            self._list = name
        elif tag not in ("input", "textarea") or not name:
            return
        elif kind == "checkbox":
            self._open.ticked[name] = given.get("value") or "on"
        elif kind == "hidden":
            self._open.hidden[name] = given.get("value") or ""
        elif kind == "text":
            self._open.typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._list = ""


@pytest.mark.parametrize("path", PAGES)
def test_every_form_keeps_what_was_typed(http: Http, path: str) -> None:
    """Of each form of each page: a refused one comes back with every text as it was typed,
    every list as it was chosen and every box as it was ticked."""
    id = http.sdk_created(callback_url="http://localhost:9/")
    at = f"{HOME}/{path}".replace("{id}", id)
    for form in Forms(http.get(at).text).found:
        if not form.typed:
            continue
        others = {**form.chosen, **form.ticked}
        sent = {**others, **dict.fromkeys(form.typed, ODD), **form.hidden, "_back": at}
        page = http.get(http.post(f"/console/do/{form.do}", data=sent).headers["Location"]).text
        if "Not done:" in page:
            typed = re.escape(str(escape(ODD)))
            kept = re.findall(rf'value="{typed}"|<textarea[^>]*>\n?{typed}', page)
            assert len(kept) >= len(form.typed), form
            again = page.count(" selected data-kept>") + page.count(" checked data-kept>")
            assert again >= len(others), form


@pytest.mark.parametrize(
    ("form", "filled"),
    [
        ('<input name="a">', '<input name="a" value="1" data-kept>'),
        ('<input name="a" value="old" required>', '<input name="a" value="1" required data-kept>'),
        ('<input type="checkbox" name="a" checked>', '<input type="checkbox" name="a">'),
        ('<input type="radio" name="a" value="1">',
         '<input type="radio" name="a" value="1" checked data-kept>'),
        ('<input type="password" name="a">', '<input type="password" name="a">'),
        ('<input name="other" value="x">', '<input name="other" value="x">'),
        ("<textarea name=\"a\"></textarea>", "<textarea name=\"a\">\n1</textarea>"),
        (
            '<select name="a"><option selected>0</option><option>1</option></select>',
            '<select name="a"><option>0</option><option selected data-kept>1</option></select>',
        ),
    ],
)  # fmt: skip
def test_a_field_is_filled_again(form: str, filled: str) -> None:
    """Each kind of field, and nothing around it."""
    sent = MultiDict({"a": "1"})
    assert refill(AROUND.format(form), "/do/x", sent) == AROUND.format(filled)


def test_only_its_own_form_is_filled(http: Http) -> None:
    """Of two forms with the same action, the one with the same hidden fields; none of another."""
    one = '<form action="/do/x"><input type="hidden" name="id" value="{}"><input name="a"></form>'
    page = one.format("1") + one.format("2") + '<form action="/do/y"><input name="a"></form>'
    filled = refill(page, "/do/x", MultiDict({"id": "2", "a": "typed"}))
    assert re.findall('value="(.)"><input name="a"( value="typed")?', filled) == [
        ("1", ""), ("2", ' value="typed"'),
    ]  # fmt: skip
    assert filled.endswith('<form action="/do/y"><input name="a"></form>')


def test_a_field_elsewhere_belongs_to_its_form() -> None:
    """One with ``form=`` is filled wherever it stands; what was typed is text, whatever it is."""
    page = '<form id="f" action="/do/x"></form><input form="f" name="a"><input form="g" name="a">'
    filled = refill(page, "/do/x", MultiDict({"a": '"><script>'}))
    assert 'name="a" value="&#34;&gt;&lt;script&gt;" data-kept>' in filled
    assert filled.endswith('<input form="g" name="a">')


# --- what is wrong ---------------------------------------------------------------------------

REFUSED = [
    ("advance", "time", {"by": "a while"}, [("Advance by", "by")]),
    ("rate", "time", {"rate": "x"}, [("Simulated seconds per real second", "rate")]),
    ("set-setting", "account", {"name": "review_delay", "value": "a while"},
     [("Its value in this account", "settings.review_delay")]),
    ("add-fault", "faults", {"effect": "error", "every": "0", "quota.calls": "-4"},
     [("How often, Every", "every"), ("How often, Quota calls", "quota.calls")]),
    ("write-fault", "faults", {"text": "effect: nothing"},
     [("One fault or a list of them, YAML or JSON, as it stands in a scenario", "effect")]),
    ("write-scenario", "scenario", {"yaml": "scenario: A long name.\nrules: [{decide: x}]"},
     [("The scenario in YAML", "rules[0].decide")]),
    ("next-outcome", "scenario", {"decide": "rejected", "after": "a while"}, [("After", "after")]),
    ("dry-run", "scenario", {"attempt": "0"}, [("Attempt", "attempt")]),
    ("webhook-policy", "webhooks/policy", {"drop": "x", "success": "999"},
     [("Lose the next", "drop"), ("Delivered is only", "success[0]")]),
    ("decide", "applications/{id}", {"id": "{id}", "status": "rejected", "reason": "x" * 5000},
     [("or in your own words", "reason")]),
    ("seed", "", {"count": "1", "callback_url": "no url"}, [("Callbacks to", "callback_url")]),
    ("write-machine", "account/machine", {"yaml": "statuses: 4"},
     [("The machine in YAML, whole or what it changes", "statuses")]),
]  # fmt: skip


@pytest.mark.parametrize(("do", "path", "form", "told"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_wrong_is_told_by_the_label_of_its_field(
    http: Http, do: str, path: str, form: dict[str, str], told: list[tuple[str, str]]
) -> None:
    """With the API's path in code, and a link to the field, which is marked."""
    id = http.sdk_created()
    form = {name: id if value == "{id}" else value for name, value in form.items()}
    page = press(http, do, back=f"{HOME}/{path.format(id=id)}", account=AUTH_ID, **form).text
    found = re.findall(
        r'Not done:</strong> <a href="#([^"]+)">([^<]+)</a> \(<code data-wrong>([^<]+)</code>\): ',
        page,
    )
    assert [each[1:] for each in found] == told
    for id, _, _ in found:
        (tag,) = re.findall(rf'<[^>]*\sid="{re.escape(id)}"[^>]*>', page)
        assert 'aria-invalid="true"' in tag


def test_a_preset_that_there_is_not(http: Http) -> None:
    """The page comes, and says so."""
    page = press(http, "preset-fault", back=f"{HOME}/faults", account=AUTH_ID, preset="none")
    assert text_of(page) == "Not done: there is no preset 'none'"
