"""The scenario page: the active scenario, other ones, the next outcome."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from plivo_sim.console.scenarios import conditions
from plivo_sim.scenarios.loader import load_scenario, shipped_names
from plivo_sim.scenarios.rules import PRESETS, TOKENS
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

PAGE = f"{HOME}/scenario"
WRONG = "scenario: One with mistakes in it.\nrules:\n  - when: {contry: IN}\n    decide: acepted\n"
SCENARIO = """\
scenario: Whoever is called Acme waits.
rules:
  - name: acme
    when: {name: "Acme*", country: IN}
    decide: rejected
    reason: name_mismatch
    after: 2d
  - name: nobody
    when: {country: IN, alias: "nobody"}
    decide: nothing
"""


def active(http: Http) -> Any:
    return http.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"]


def use(http: Http, **body: Any) -> None:
    answer = http.control("POST", "/scenario", {**body, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text


def text_of(page: str) -> str:
    """What stands in the editor, as a browser reads it."""
    found = re.search(r'<textarea name="yaml".*?>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def section(page: str, id: str) -> str:
    found = re.search(rf'id="{id}" data-live.*?(?=<section|$)', page, re.S)
    assert found is not None
    return html.unescape(found[0])


# --- the active scenario ------------------------------------------------------------------------


def test_no_scenario_says_what_happens(http: Http) -> None:
    """Without a scenario the page says what decides then."""
    assert "No scenario is in use" in http.get(PAGE).text


def test_the_active_scenario(http: Http) -> None:
    """Its sentence, and its rules in words: when, then."""
    use(http, yaml=SCENARIO)
    shown = section(http.get(PAGE).text, "scenario")
    assert "Whoever is called Acme waits." in shown
    assert "name is 'Acme*'" in shown
    assert "after 2d" in shown
    assert PRESETS["name_mismatch"] in shown


def test_how_often_a_rule_fired_and_nearly_did(http: Http) -> None:
    """Submissions are counted at the rule that decided, and at those that nearly did."""
    use(http, yaml=SCENARIO)
    http.sdk_created(alias="one")
    http.sdk_created(alias="two", end_user=http.sdk_data()["end_user"] | {"name": "Bravo Limited"})
    shown = section(http.get(PAGE).text, "scenario")
    assert "fired 1 time," in shown
    assert "nearly 1 of the last 2" in shown


def test_what_was_decided_last(http: Http) -> None:
    """The last submissions, each with a link, who decided, and the near misses with why."""
    use(http, yaml=SCENARIO)
    end_user = http.sdk_data()["end_user"] | {"name": "Bravo Limited"}
    id = http.sdk_created(alias="a case", end_user=end_user)
    shown = section(http.get(PAGE).text, "attempts")
    assert f'href="{HOME}/applications/{id}">a case</a>: default' in shown
    assert "nearly nobody: alias is 'a case', wanted 'nobody'" in shown


def test_a_deleted_application_leaves_the_page_whole(http: Http) -> None:
    """The page is there when a decided application is not."""
    id = http.sdk_created()
    http.delete(f"PhoneNumber/Compliance/{id}/")
    assert http.get(PAGE).status_code == 200


def test_only_the_last_attempts_are_shown(http: Http) -> None:
    """The list does not grow with the account."""
    for n in range(12):
        http.sdk_created(alias=f"case {n}")
    shown = section(http.get(PAGE).text, "attempts")
    assert (shown.count("<li>"), "case 11<" in shown, "case 1<" in shown) == (10, True, False)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("{country: IN}", ["country is 'IN'"]),
        ("{country: [IN, DE]}", ["country is 'IN' or 'DE'"]),
        ("{number_type: {one_of: [local, mobile]}}", ["number type one of 'local' or 'mobile'"]),
        ("{attempt: {at_least: 2}}", ["attempt at least 2"]),
        ("{registration_number: {missing: true}}", ["registration number missing"]),
        ("{data_fields: {business_name: Acme}}", ["data field business_name is 'Acme'"]),
        ("{any: [{alias: A}, {alias: B}]}", ["any of: alias is 'A'; or alias is 'B'"]),
        ("{all: [{alias: A, name: B}]}", ["alias is 'A' and name is 'B'"]),
        ("{not: {user_type: business}}", ["not: user type is 'business'"]),
        ("{}", []),
    ],
)
def test_conditions_in_words(when: str, told: list[str]) -> None:
    """A rule's conditions read as sentences."""
    scenario = load_scenario(f"scenario: A scenario with one rule.\nrules:\n  - when: {when}\n")
    assert conditions(scenario.rules[0].when) == told


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("2d", "after 2d"),
        ("{between: [1d, 2d]}", "after 1d to 2d"),
        ("{about: 2d, give_or_take: 6h}", "after about 2d, give or take 6h"),
        ("{at: '2026-03-01T09:00:00Z'}", "at 2026-03-01T09:00:00Z"),
    ],
)
def test_delays_in_words(http: Http, after: str, told: str) -> None:
    """Whatever delay the language has is told."""
    use(http, yaml=f"scenario: A scenario with a delay.\ndefault: {{after: {after}}}\n")
    assert told in section(http.get(PAGE).text, "scenario")


def test_every_scenario_that_ships_is_shown(http: Http) -> None:
    """Whatever a scenario that ships uses of the language, the page can show it."""
    for name in shipped_names():
        use(http, name=name)
        page = http.get(PAGE).text
        card = page[page.index(f'<li id="card-{name}">') :].partition("</li>")[0]
        assert "in use</span>" in card
        assert page.count("in use</span>") == 1


# --- another one -----------------------------------------------------------------------------


def test_using_a_scenario_that_ships(http: Http) -> None:
    """The button makes it the account's, and shows the command."""
    page = press(http, "use-scenario", back=PAGE, account=AUTH_ID, name="suspended").text
    assert "suspended for good" in active(http)["scenario"]
    assert f"plivo-sim scenario use suspended --account {AUTH_ID}" in page


def test_dropping_it(http: Http) -> None:
    """The button leaves the account without a scenario."""
    use(http, name="suspended")
    page = press(http, "drop-scenario", back=PAGE, account=AUTH_ID).text
    assert active(http) is None
    assert f"scenario use --none --account {AUTH_ID}" in page


def test_using_what_was_written(http: Http) -> None:
    """A text from the editor, with a browser's line ends, becomes the account's scenario."""
    sent = SCENARIO.replace("\n", "\r\n")
    page = press(http, "write-scenario", back=PAGE, account=AUTH_ID, yaml=sent).text
    assert active(http)["scenario"] == "Whoever is called Acme waits."
    assert "scenario use scenario.yaml" in page
    assert "&gt; scenario.yaml" in page  # the commands bring their file along


def test_a_wrong_text_is_kept(http: Http) -> None:
    """What was written is in the editor again, to the letter, and the old scenario still counts."""
    use(http, name="suspended")
    sent = f"\n  {WRONG}# <b>&amp;</b> é"
    page = press(http, "write-scenario", back=PAGE, account=AUTH_ID, yaml=sent).text
    assert text_of(page) == sent
    assert "suspended for good" in active(http)["scenario"]


def test_mistakes_are_shown_with_their_lines(http: Http) -> None:
    """Every mistake names its line and shows what stands there."""
    page = press(http, "write-scenario", back=PAGE, account=AUTH_ID, yaml=WRONG).text
    told = html.unescape(page)
    assert "<strong>Line 3</strong> <code>- when: {contry: IN}</code>" in told
    assert "unknown key; did you mean 'country'?" in told
    assert "<strong>Line 4</strong> <code>decide: acepted</code>" in told


@pytest.mark.parametrize("text", ["", "{", "a\tb: [", "[]", "- \x00", "scenario: 1", "&a [*a]"])
def test_whatever_is_written_is_answered_with_a_page(http: Http, text: str) -> None:
    """No text breaks the page or is used."""
    page = press(http, "write-scenario", back=PAGE, account=AUTH_ID, yaml=text)
    assert page.status_code == 200
    assert 'class="done bad"' in page.text
    assert active(http) is None


def test_the_editor_begins_with_the_active_scenario(http: Http) -> None:
    """It can be changed a little and used again."""
    use(http, yaml=SCENARIO)
    before = active(http)
    text = text_of(http.get(PAGE).text)
    press(http, "write-scenario", account=AUTH_ID, yaml=text)
    assert active(http) == before


def test_writing_one_from_a_scenario_that_ships(http: Http) -> None:
    """A link puts its text, comments and all, into the editor."""
    shipped = http.control("GET", "/scenarios/suspended").get_json()["yaml"]
    assert text_of(http.get(f"{PAGE}?edit=suspended").text) == shipped


@pytest.mark.parametrize("name", ["no-such", "../x", "", "a" * 5000])
def test_editing_what_does_not_ship(http: Http, name: str) -> None:
    """An unknown name begins with nothing."""
    assert text_of(http.get(PAGE, query_string={"edit": name}).text) == ""


def test_a_scenario_of_markup_is_text(http: Http) -> None:
    """Nothing that a scenario says can become a part of the page."""
    evil = "<script>alert(1)</script>\"'"
    rule = {"name": evil, "when": {"alias": evil}, "decide": "rejected", "reason": evil}
    use(http, scenario={"scenario": f"{evil} scenario", "rules": [rule]})
    http.sdk_created(alias=evil)
    page = http.get(PAGE).text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") > 4


# --- the next outcome ------------------------------------------------------------------------


def test_pushing_the_next_outcome(http: Http) -> None:
    """It waits, is shown waiting, and decides the next submission."""
    fields = {"decide": "rejected", "preset": "name_mismatch", "after": "3h", "reason": ""}
    page = press(http, "next-outcome", back=PAGE, account=AUTH_ID, **fields).text
    assert PRESETS["name_mismatch"] in section(page, "queue")
    assert "after 3h" in section(page, "queue")
    id = http.sdk_created()
    assert "No outcome is queued" in section(http.get(PAGE).text, "queue")
    http.advance("3h")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "rejected"


def test_taking_the_next_outcomes_back(http: Http) -> None:
    """All that wait."""
    press(http, "next-outcome", back=PAGE, account=AUTH_ID, decide="rejected")
    page = press(http, "clear-next", back=PAGE, account=AUTH_ID).text
    assert "No outcome is queued" in section(page, "queue")


def test_a_wrong_outcome_stays_in_the_form(http: Http) -> None:
    """What was refused can be corrected."""
    fields = {"decide": "rejected", "after": "soon", "reason": "so <b>", "preset": ""}
    page = press(http, "next-outcome", back=PAGE, account=AUTH_ID, **fields).text
    assert "cannot read duration" in page
    assert 'name="after" value="soon"' in page
    assert 'name="reason" value="so &lt;b&gt;"' in page


# --- the words -------------------------------------------------------------------------------


def test_magic_values_and_presets_are_listed(http: Http) -> None:
    """Every word that decides by itself is on the page."""
    page = html.unescape(http.get(PAGE).text)
    assert [word for word in (*TOKENS, *PRESETS) if f"<code>{word}</code>" not in page] == []


def test_what_is_no_account_is_a_404_page(http: Http) -> None:
    """A wrong account id is told as HTML with the right status."""
    answer = http.get("/console/MA123/scenario")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


# --- the editor ------------------------------------------------------------------------------


def test_mistakes_stand_beside_their_lines(http: Http) -> None:
    """Each in the margin of its own line, whose number is marked."""
    page = press(http, "check-scenario", back=PAGE, account=AUTH_ID, yaml=WRONG).text
    gutter, margin = (
        re.findall(r"<li(?: class=\"(\w+)\")?(?: title=\"[^\"]*\")?>(.*?)</li>", part, re.S)
        for part in re.findall(r'<ol class="(?:gutter|margin)".*?</ol>', page, re.S)
    )
    assert [kind for kind, _ in gutter][:5] == ["", "", "bad", "bad", ""]
    told = [html.unescape(text) for _, text in margin]
    assert told[:2] == ["", ""]
    assert told[2] == "contry: unknown key; did you mean 'country'?"
    assert told[3].startswith("decide: 'acepted' is not one of")


DOUBTFUL = (
    "scenario: Of a field that no document has.\n"
    "default:\n  decide: accepted\n"
    "rules:\n  - when: {data_fields: {busines_name: A*}}\n    decide: rejected\n"
)


def test_warnings_are_shown(http: Http) -> None:
    """Beside their lines when the text is checked, and when it is used all the same."""
    page = html.unescape(
        press(http, "check-scenario", back=PAGE, account=AUTH_ID, yaml=DOUBTFUL).text
    )
    assert "no mistakes</span>" in page
    assert "1 warning</span>" in page
    assert "<strong>Line 5</strong> <code>- when: {data_fields: {busines_name: A*}}</code>" in page
    assert '<li class="wait">5</li>' in page
    warned = "no document of the catalogue has a field 'busines_name'; did you mean"
    assert page.count(warned) == 4  # in the call's answer, the list, the margin and its title
    page = html.unescape(
        press(http, "write-scenario", back=PAGE, account=AUTH_ID, yaml=DOUBTFUL).text
    )
    assert active(http) is not None
    assert "1 warning</span>" in page
    assert page.count(warned) == 2
    assert "warning</span>" not in http.get(PAGE).text


def test_checking_uses_nothing(http: Http) -> None:
    """A text without a mistake is said to be one, stays in the editor, and is not in use."""
    page = press(http, "check-scenario", back=PAGE, account=AUTH_ID, yaml=SCENARIO).text
    assert "no mistakes</span>" in page
    assert text_of(page) == SCENARIO
    assert active(http) is None
    assert "plivo-sim scenario check scenario.yaml" in page


# --- the flow and the dry run ----------------------------------------------------------------


def picture_of(page: str) -> str:
    found = re.search(r'<svg class="flow".*?</svg>', page, re.S)
    assert found is not None
    return html.unescape(found[0])


def test_the_rules_as_a_flow(http: Http) -> None:
    """In the order in which they are asked: those aimed at an application, magic values, the
    others, the default; each with how often it decided, and nearly did."""
    use(http, yaml=SCENARIO + "  - {name: aimed, when: {application: x}, decide: rejected}\n")
    http.sdk_created(alias="one")
    http.sdk_created(alias="two", end_user=http.sdk_data()["end_user"] | {"name": "Bravo Limited"})
    press(http, "next-outcome", account=AUTH_ID, decide="rejected")
    picture = picture_of(http.get(PAGE).text)
    names = re.findall(r'<text class="name"[^>]*>(.*?)</text>', picture)
    assert names == ["Next outcome", "aimed", "Magic value", "acme", "nobody", "Everything else"]
    assert "decided 1 time, nearly 1" in picture
    assert "name is 'Acme*'" in picture
    assert "rejected after 2d" in picture


def test_a_flow_is_bounded(http: Http) -> None:
    """Of many rules some are drawn, and it is said how many are not; a long one is cut."""
    rule = {"decide": "rejected", "when": {"any": [{"alias": f"a{n}"} for n in range(50)]}}
    use(http, scenario={"scenario": "Many rules at once.", "rules": [rule] * 60})
    picture = picture_of(http.get(PAGE).text)
    assert picture.count('class="box"') == 40
    assert "22 more rules are not drawn" in picture
    assert "more lines" in picture


def test_a_dry_run(http: Http) -> None:
    """It tells which rule would decide and why the others would not, marks the way in the flow,
    shows its command, and changes nothing."""
    use(http, yaml=SCENARIO)
    fields = {"name": "Bravo", "alias": "nobody", "country": "IN"}
    page = html.unescape(press(http, "dry-run", back=PAGE, account=AUTH_ID, **fields).text)
    assert "<strong>rule 'nobody'</strong> would decide attempt 1" in page
    assert "name is 'Bravo', wanted 'Acme*'" in page
    assert "plivo-sim scenario try --country IN --alias nobody --applicant Bravo" in page
    assert '<g class="asked passed">' in picture_of(page)
    assert re.search(r'<g class="asked taken"><rect[^>]*/><text class="name"[^>]*>nobody<', page)
    assert http.control("GET", "/scenario", account=AUTH_ID).get_json()["fired"] == {}
    assert 'name="name" value="Bravo"' in page


def test_a_dry_run_of_an_application(http: Http) -> None:
    """One that is chosen, with a scenario that is not in use."""
    id = http.sdk_created(alias="a case")
    fields = {"application": id, "scenario": "stuck-in-review", "attempt": "3"}
    page = html.unescape(press(http, "dry-run", back=PAGE, account=AUTH_ID, **fields).text)
    assert "<strong>the scenario's default</strong> would decide attempt 3" in page
    assert f"plivo-sim scenario try stuck-in-review --application {id} --attempt 3" in page
    assert f'<option value="{id}" selected>' in page
    assert active(http) is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": "alias: [\n"}, "not valid YAML"),
        ({"text": "just words"}, "write an application as"),
        ({"text": "submit: {contry: IN, alias: <b>}\n"}, "did you mean 'country'"),
        ({"country": "AQ", "alias": "<b>"}, "AQ"),
        ({"attempt": "soon", "alias": "<b>"}, "must be a whole number"),
    ],
)
def test_a_wrong_dry_run_stays_in_the_form(http: Http, fields: dict[str, str], told: str) -> None:
    """What was filled in can be corrected."""
    page = press(http, "dry-run", back=PAGE, account=AUTH_ID, **fields).text
    assert told in html.unescape(page)
    assert "Not done:" in page
    if "text" in fields:
        found = re.search(r'<textarea name="text".*?>\n(.*?)</textarea>', page, re.S)
        assert found is not None
        assert fields["text"].strip().removeprefix("submit: ")[:5].strip("{") in html.unescape(
            found[1]
        )
    else:
        assert 'name="alias" value="&lt;b&gt;"' in page
