"""The faults page: what is on, and the two forms that switch one on."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from plivo_sim.console import presets
from plivo_sim.console.faults import GROUPS, read_faults
from plivo_sim.scenarios.language import fault_fields
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

PAGE = f"{HOME}/faults"


def on(http: Http) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.control("GET", "/faults", account=AUTH_ID).get_json()[
        "faults"
    ]
    return found


def add(http: Http, **fault: Any) -> None:
    answer = http.control("POST", "/faults", {**fault, "account": AUTH_ID})
    assert answer.status_code == 201, answer.text


def text_of(page: str) -> str:
    found = re.search(r'<textarea name="text".*?>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def test_none_says_what_to_do(http: Http) -> None:
    """An empty list says that calls are served, and how that changes."""
    assert "No fault is on: every call is answered normally" in http.get(PAGE).text


def test_what_is_on_and_how_often_it_struck(http: Http) -> None:
    """Each fault with what it waits for, its strikes, and the calls that it struck."""
    add(http, effect="error", status=503, operation="compliance.list", times=1, name="down")
    http.get("PhoneNumber/Compliance/")
    page = http.get(PAGE).text
    assert "status 503, operation compliance.list, times 1" in page
    assert '1 <span class="chip">spent</span>' in page
    assert "down: error" in page
    assert [(each["struck"], each["spent"]) for each in on(http)] == [(1, True)]
    assert re.search(r'/requests/[^"]+">GET …/PhoneNumber/Compliance/</a>', page)


def test_faults_of_the_scenario(http: Http) -> None:
    """They are listed, and go with the scenario only."""
    http.control("POST", "/scenario", {"name": "service-down", "account": AUTH_ID})
    page = http.get(PAGE).text
    assert "of the scenario" in page
    assert "Switch off" not in page


def test_which_are_of_the_scenario(http: Http) -> None:
    """Those alone; and what is yes or no is shown as that."""
    http.control("POST", "/scenario", {"name": "service-down", "account": AUTH_ID})
    before = http.get(PAGE).text.count(">of the scenario<")
    add(http, effect="error", name="own", applied=False)
    page = http.get(PAGE).text
    assert page.count(">of the scenario<") == before
    assert "Switch off" in page
    assert "applied no" in page


def test_the_form_has_every_field() -> None:
    """A field that the language gets is asked for here, too."""
    asked = [name for names in GROUPS.values() for name in names]
    assert sorted(asked) == sorted(name for name, _ in fault_fields())


def test_switching_one_on(http: Http) -> None:
    """Fields that are filled in are given, as what they are; the others are not."""
    fields = {
        "effect": "slow", "latency_s": "0.5", "applied": "no", "api": "legacy", "times": " 3 ",
        "quota.calls": "10", "name": "", "probability": "",
    }  # fmt: skip
    page = press(http, "add-fault", back=PAGE, account=AUTH_ID, **fields).text
    assert on(http) == [
        {
            "id": "fault-1", "effect": "slow", "latency_s": 0.5, "applied": False,
            "api": "legacy", "times": 3, "quota": {"calls": 10}, "struck": 0, "spent": False,
        }
    ]  # fmt: skip
    assert (
        "plivo-sim fault add --effect slow --latency-s 0.5 --no-applied --api legacy --times 3"
        " --quota-calls 10" in page
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("times", "0"), ("times", "x"), ("latency_s", "nan"), ("latency_s", "inf"), ("effect", "x"),
     ("probability", "2"), ("applied", "maybe"), ("quota.calls", "-1"), ("times", "9" * 5000)],
)  # fmt: skip
def test_a_wrong_field_is_told_and_kept(http: Http, name: str, value: str) -> None:
    """What the language does not take changes nothing and stays in the form."""
    fields = {"effect": "error", "message": "so <b>", name: value}
    page = press(http, "add-fault", back=PAGE, account=AUTH_ID, **fields).text
    assert on(http) == []
    assert f"{name.split('.')[0]}" in page[page.index("Not done") : page.index("</p>")]
    assert 'name="message" value="so &lt;b&gt;"' in page


@pytest.mark.parametrize(
    "text",
    [
        "effect: error\r\ntimes: 2\r\n",
        '{"effect": "error", "times": 2}',
        "- {effect: error, times: 2}",
        "faults:\n  - effect: error\n    times: 2\n",
    ],
)
def test_writing_one(http: Http, text: str) -> None:
    """YAML or JSON, alone, in a list, or as it stands in a scenario."""
    press(http, "write-fault", back=PAGE, account=AUTH_ID, text=text)
    assert [(each["effect"], each["times"]) for each in on(http)] == [("error", 2)]


def test_writing_several(http: Http) -> None:
    """Each is a call of its own; those that are refused stay in the form."""
    text = "- effect: error\n- effect: eror\n- effect: reset\n"
    page = press(http, "write-fault", back=PAGE, account=AUTH_ID, text=text).text
    assert [each["effect"] for each in on(http)] == ["error", "reset"]
    assert read_faults(text_of(page)) == [{"effect": "eror"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("effect: [\n", "line 1: not valid YAML"),
        ("", "write a fault as"),
        ("[]", "write a fault as"),
        ("just words", "write a fault as"),
        ("- a\n- b", "write a fault as"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("a: .nan", "JSON"),
        ("a: !!python/object:x {}", "not valid YAML"),
        ("? [1]\n: 2", "not valid YAML"),
        ("a: !!set {x}\n? 1\n: 2\n3: !!binary aGk=", ""),
        ("[" * 3000, ""),
        ("{a: " * 60_000, "nested too deeply"),
        ("effect: 1" + ":1" * 1000 + ".5", "a number of more than"),
    ],
)
def test_what_is_no_fault_is_told_and_kept(http: Http, text: str, told: str) -> None:
    """The text stays in the form, with a sentence that says what is wrong."""
    page = press(http, "write-fault", back=PAGE, account=AUTH_ID, text=text)
    assert page.status_code == 200
    assert on(http) == []
    assert "Not done:" in page.text
    assert told in html.unescape(page.text)
    if told:
        assert text_of(page.text) == text


@pytest.mark.parametrize("name", ["plain", "a/<b>?x#y", "é ü"])
def test_switching_one_off(http: Http, name: str) -> None:
    """Whatever it is called."""
    add(http, effect="error", name=name)
    add(http, effect="reset")
    page = press(http, "remove-fault", back=PAGE, account=AUTH_ID, id=name).text
    assert [each["effect"] for each in on(http)] == ["reset"]
    assert "plivo-sim fault clear" in page
    assert "<b>?x" not in page


def test_switching_all_off(http: Http) -> None:
    """One button for all."""
    add(http, effect="error")
    add(http, effect="reset")
    page = press(http, "clear-faults", back=PAGE, account=AUTH_ID).text
    assert on(http) == []
    assert f"plivo-sim fault clear --account {AUTH_ID}" in page


def test_a_fault_of_markup_is_text(http: Http) -> None:
    """Nothing that a fault says can become a part of the page."""
    evil = "<script>alert(1)</script>\"'"
    add(http, effect="error", name=evil, message=evil, path=f"*{evil}*")
    page = http.get(PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_is_no_account_is_a_404_page(http: Http) -> None:
    """A wrong account id is told as HTML with the right status."""
    answer = http.get("/console/MA123/faults")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


# --- presets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", presets.FAULTS)
def test_a_preset_is_switched_on_with_one_click(http: Http, name: str) -> None:
    """Every one of them is a fault that the language takes."""
    page = press(http, "preset-fault", back=PAGE, account=AUTH_ID, preset=name).text
    (fault,) = on(http)
    assert fault["effect"] == presets.FAULTS[name].body["effect"]
    assert f"plivo-sim fault add --effect {fault['effect']}" in page


def test_a_preset_is_aimed_at_an_operation(http: Http) -> None:
    """Which is chosen from the list of all, instead of what the preset says of calls; and so is how
    often. What was chosen stays chosen."""
    fields = {"preset": "cut-after-write", "operation": "legacy.create_end_user", "times": "2"}
    page = press(http, "preset-fault", back=PAGE, account=AUTH_ID, **fields).text
    (fault,) = on(http)
    assert (fault["operation"], fault["times"], "method" in fault) == (
        "legacy.create_end_user", 2, False,
    )  # fmt: skip
    assert '<option value="legacy.create_end_user" selected>' in page
    press(http, "preset-fault", account=AUTH_ID, preset="expired", times="always")
    assert "times" not in on(http)[-1]


def test_every_operation_can_be_chosen(http: Http) -> None:
    """With the sentence that says what it does."""
    page = html.unescape(http.get(PAGE).text)
    told = http.control("GET", "/operations").get_json()["operations"]
    missing = [
        each["operation"]
        for each in told
        if f">{each['operation']}: {each['summary']}</option>" not in page
    ]
    assert missing == []


@pytest.mark.parametrize("name", presets.CALLBACKS)
def test_a_preset_for_callbacks(http: Http, name: str) -> None:
    """Every one is a policy that the language takes; one button takes it back."""
    page = press(http, "preset-callbacks", back=PAGE, account=AUTH_ID, preset=name).text
    policy = http.control("GET", "/webhooks/policy", account=AUTH_ID).get_json()
    assert policy == presets.CALLBACKS[name].body
    assert "plivo-sim webhooks policy callbacks.yaml" in page
    assert "Back to normal" in page
    press(http, "drop-webhook-policy", back=PAGE, account=AUTH_ID)
    assert "Back to normal" not in http.get(PAGE).text


@pytest.mark.parametrize("do", ["preset-fault", "preset-callbacks"])
@pytest.mark.parametrize("name", ["", "no-such", "<b>"])
def test_what_is_no_preset(http: Http, do: str, name: str) -> None:
    """It is told, and nothing is switched on."""
    page = press(http, do, back=PAGE, account=AUTH_ID, preset=name).text
    assert "there is no preset" in page
    assert "<b>" not in page
    assert on(http) == []
