"""Link: every body that an SDK sends, an answer for each item, and the rules of linking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.apis.numbers import presenters
from tests.apis.numbers_support import (
    DELHI,
    LINK,
    MUMBAI,
    NOT_RENTED,
    OTHER_AUTH_ID,
    OTHER_MUMBAI,
    REQUIRED_IN_INDIA,
    SAN_FRANCISCO,
    TOLLFREE,
    UNKNOWN_ID,
    Numbers,
    error_of,
    page_error_of,
)
from tests.support import SDK_AGENT, Http, check_answer


@pytest.fixture
def numbers(http: Http) -> Numbers:
    return Numbers(http)


def test_link_answers_as_recorded(numbers: Numbers) -> None:
    """200 though one failed; ``+`` on the way out. source: wire-facts.md, "Link is bulk"."""
    numbers.unlinked(MUMBAI)
    id = numbers.application()
    items = [
        {"number": f"+{number}", "compliance_application_id": id}
        for number in (MUMBAI, OTHER_MUMBAI)
    ]
    answer = numbers.link({"numbers": items})
    check_answer(answer.get_json(), presenters.LinkOut)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "api_id": answer.headers["X-Request-Id"],
        "total_count": 2,
        "updated_count": 1,
        "report": [
            {
                "number": "+912248885512",
                "status": "success",
                "remarks": "Number linked to compliance application.",
            },
            {
                "number": "+912248885513",
                "status": "failed",
                "remarks": NOT_RENTED,
            },
        ],
    }
    assert numbers.link_of() == (id, "accepted")


BODIES: dict[str, Any] = {
    "py, go, java, rb": {"numbers": [{"number": "+N", "compliance_application_id": "ID"}]},
    "php, a list": [{"number": "+N", "compliance_application_id": "ID"}],
    "php, strings": {"numbers": ["+N"], "compliance_id": "ID"},
    "strings, the SDKs' key": {"numbers": ["+N"], "compliance_application_id": "ID"},
    "net": {"numbers": [{"number": "+N", "compliance_id": "ID"}]},
    "net, its caller's case": {"numbers": [{"Number": "+N", "ComplianceApplicationId": "ID"}]},
    "node, snake case": {"compliance_id": "ID", "phone_number": "+N"},
    "node, camel case": {"complianceId": "ID", "phoneNumber": "+N"},
    "without plus": {"numbers": [{"number": "N", "compliance_application_id": "ID"}]},
    "spaced": {"numbers": [{"number": "+91 22-4888 5512", "compliance_application_id": "ID"}]},
    "with more keys": {
        "numbers": [{"number": "+N", "compliance_application_id": "ID", "alias": "x"}],
        "total": 1,
    },
    "a null beside": {
        "numbers": [{"number": "+N", "compliance_application_id": "ID", "compliance_id": None}]
    },
    "own id before that for all": {
        "numbers": [{"number": "+N", "compliance_id": "ID"}], "compliance_id": UNKNOWN_ID,
    },
}  # fmt: skip


def filled(body: Any, id: str, number: str = MUMBAI) -> Any:
    """The body with an id for ``ID`` and a number for ``N``."""
    if isinstance(body, dict):
        return {key: filled(value, id, number) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value, id, number) for value in body]
    return {"ID": id, "N": number, "+N": f"+{number}"}.get(body, body)


@pytest.mark.parametrize("shape", BODIES)
def test_every_shape_of_body_links(numbers: Numbers, shape: str) -> None:
    """source: wire-facts.md, "Link is bulk", trap 10"""
    numbers.unlinked(MUMBAI)
    id = numbers.application()
    answer = numbers.link(filled(BODIES[shape], id))
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["report"] == [
        {
            "number": f"+{MUMBAI}",
            "status": "success",
            "remarks": "Number linked to compliance application.",
        }
    ]
    assert numbers.link_of() == (id, "accepted")


@pytest.mark.parametrize("body", [{"numbers": []}, [], {"numbers": [], "compliance_id": "x"}])
def test_nothing_to_link(numbers: Numbers, body: Any) -> None:
    """Zeros and an empty report."""
    answer = numbers.link(body).get_json()
    assert answer == {
        "api_id": answer["api_id"], "total_count": 0, "updated_count": 0, "report": [],
    }  # fmt: skip


def remark(numbers: Numbers, number: str, id: str) -> str:
    """Why this one failed; nothing else changed."""
    before = numbers.state()
    answer = numbers.link({"numbers": [{"number": number, "compliance_application_id": id}]})
    body = answer.get_json()
    assert (answer.status_code, body["updated_count"], body["total_count"]) == (200, 0, 1)
    assert body["report"][0]["status"] == "failed"
    assert numbers.state() == before
    return body["report"][0]["remarks"]


@pytest.mark.parametrize("number", ["+14155550100", "nonsense", "+", "0", "9" * 40, "+٩١٢٢"])
def test_a_number_that_the_account_does_not_have(numbers: Numbers, number: str) -> None:
    """Whatever it looks like."""
    assert remark(numbers, number, numbers.application()) == NOT_RENTED


def test_another_accounts_number_is_not_found(http: Http) -> None:
    """Nor is another account's application."""
    mine, theirs = Numbers(http), Numbers(replace(http, auth_id=OTHER_AUTH_ID))
    theirs.rented(MUMBAI)
    mine.rented(DELHI)
    told = remark(mine, MUMBAI, mine.application(alias="Mine"))
    assert told == NOT_RENTED
    foreign = theirs.application(alias="Theirs")
    assert remark(mine, DELHI, foreign) == "Compliance application not found."


NOT_ACCEPTED = "Compliance application must be in 'accepted' status. Current status:"
"""source: wire-facts.md, "Texts of refused rents"."""

RULES = [
    (MUMBAI, lambda n: UNKNOWN_ID, 404, "Compliance application not found."),
    (MUMBAI, lambda n: "x", 404, "Compliance application not found."),
    (MUMBAI, lambda n: n.german(), 400,
     "Number country doesn't match compliance country "
     "(number: IN, compliance: DE)."),
    (MUMBAI, lambda n: n.application(number_type="mobile"), 400,
     "Number type doesn't match compliance type "
     "(number: local, compliance: mobile)."),
    (TOLLFREE, lambda n: n.application(), 400,
     "Number type doesn't match compliance type "
     "(number: tollfree, compliance: local)."),
    (MUMBAI, lambda n: n.individual(), 400,
     "This number is not rented to end users of this type "
     "(number: business, compliance: individual)."),
    (SAN_FRANCISCO, lambda n: n.application(), 400,
     "Number country doesn't match compliance country "
     "(number: US, compliance: IN)."),
    (MUMBAI, lambda n: n.draft(), 400, f"{NOT_ACCEPTED} 'draft'."),
    *(
        (MUMBAI, lambda n, status=status: n.application(status), 400, f"{NOT_ACCEPTED} '{shown}'.")
        for status, shown in [
            *((word, word) for word in ("submitted", "rejected", "suspended", "expired")),
            ("more_info_required", "rejected"),
        ]
    ),
]  # fmt: skip
"""A number, an application that does not fit it, the status and the sentence, which shows an
application's status as every answer of the current API does."""


@pytest.mark.parametrize(("number", "make", "status", "told"), RULES)
def test_rules_of_linking(numbers: Numbers, number: str, make: Any, status: int, told: str) -> None:
    """The same for renting, updating and Link; a refusal changes nothing. source: the beta page"""
    id = make(numbers)
    free = numbers.state()
    refused = error_of(numbers.rent(number, id), status)
    assert numbers.state() == free
    linked = numbers.rented(number) if number == SAN_FRANCISCO else numbers.unlinked(number)
    rented = numbers.state()
    assert error_of(numbers.update(linked, compliance_application_id=id), status) == refused
    assert error_of(numbers.update(linked, alias="x", compliance_application_id=id), status)
    assert numbers.state() == rented
    assert remark(numbers, linked, id) == refused
    assert refused == told


def test_some_fail_some_do_not(numbers: Numbers) -> None:
    """Each for its own reason, in the order of the request."""
    good, bad = numbers.application(), numbers.application("submitted", alias="Second")
    for number in (MUMBAI, DELHI):
        numbers.rented(number, good)
        numbers.update(number, compliance_id="")
    pairs = [(MUMBAI, bad), (DELHI, good), (OTHER_MUMBAI, good), (MUMBAI, good)]
    items = [{"number": n, "compliance_application_id": id} for n, id in pairs]
    body = numbers.link({"numbers": items}).get_json()
    assert [line["status"] for line in body["report"]] == ["failed", "success", "failed", "success"]
    assert (body["total_count"], body["updated_count"]) == (4, 2)


def test_linking_again_is_a_success_and_changes_nothing(numbers: Numbers) -> None:
    """A client may repeat itself."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    before = numbers.state()
    body = numbers.link([{"number": MUMBAI, "compliance_application_id": id}]).get_json()
    assert body["updated_count"] == 1
    assert numbers.state() == before


# --- bodies that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "Field 'numbers' is required."),
        ({"numbers": None}, "Field 'numbers' is required."),
        ({"numbers": "912248885512"}, "numbers: must be a list"),
        ({"numbers": {}}, "numbers: must be a list"),
        ({"numbers": 5}, "numbers: must be a list"),
        ({"numbers": [5]}, "numbers[0]: must be an object with 'number', or a string"),
        ({"numbers": [None]}, "numbers[0]: must be an object with 'number', or a string"),
        ({"numbers": [[]]}, "numbers[0]: must be an object with 'number', or a string"),
        ([True], "[0]: must be an object with 'number', or a string"),
        ({"numbers": [{}]},
         "Field 'numbers[0].number' is required. "
         "Field 'numbers[0].compliance_application_id' is required."),
        ({"numbers": ["+912248885512"]},
         "Field 'numbers[0].compliance_application_id' is required."),
        ({"numbers": [{"number": "1", "compliance_application_id": ""}]},
         "Field 'numbers[0].compliance_application_id' is required."),
        ({"numbers": [{"number": 912248885512, "compliance_application_id": "x"}]},
         "numbers[0].number: must be a string"),
        ({"numbers": [{"number": "1", "compliance_application_id": 5}]},
         "numbers[0].compliance_application_id: must be a string"),
        ({"number": "1"}, "Field 'compliance_application_id' is required."),
        ("text", "the body must be a JSON object with 'numbers', or a list"),
        (5, "the body must be a JSON object with 'numbers', or a list"),
    ],
)  # fmt: skip
def test_a_body_of_another_shape_links_nothing(numbers: Numbers, body: Any, told: str) -> None:
    """Not even its good items; every problem is told."""
    numbers.unlinked(MUMBAI)
    good = {"number": MUMBAI, "compliance_application_id": numbers.application()}
    if isinstance(body, dict) and isinstance(body.get("numbers"), list):
        body = body | {"numbers": [*body["numbers"], good]}
    before = numbers.state()
    assert error_of(numbers.link(body)) == told
    assert numbers.state() == before


@pytest.mark.parametrize(
    ("data", "content_type", "told"),
    [
        (b"", "application/json", "the body must be a JSON object with 'numbers', or a list"),
        (b'""', "application/json", "the body must be a JSON object with 'numbers', or a list"),
        (b"{", "application/json", "the body is not valid JSON"),
        (b'{"numbers": NaN}', "application/json", "the body is not valid JSON"),
        (b"numbers=1", "application/x-www-form-urlencoded", "the body must be JSON"),
        (b"<a/>", "text/xml", "the body must be JSON"),
    ],
)
def test_a_body_that_is_not_json(
    numbers: Numbers, data: bytes, content_type: str, told: str
) -> None:
    """Refused in a sentence."""
    answer = numbers.http.post(LINK, data=data, content_type=content_type)
    assert error_of(answer).startswith(told)


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "PATCH"])
def test_link_is_no_id(numbers: Numbers, method: str) -> None:
    """It is a URL of its own, with one method."""
    answer = numbers.http.call(method, LINK)
    assert error_of(answer, 405) == "Method not allowed; use POST."
    assert answer.headers["Allow"] == "POST"


# --- which words (decision "Words of number errors") ---------------------------------------------


@pytest.mark.parametrize("way", ["rent", "update"])
@pytest.mark.parametrize(
    ("make", "status", "type_", "code", "message"),
    [
        (lambda n: n.german(), 422, "validation_error", "country_mismatch",
         "Number country doesn't match compliance country"),
        (lambda n: n.application(number_type="mobile"), 422, "validation_error",
         "number_type_mismatch", "Number type doesn't match compliance type"),
        (lambda n: n.application("suspended"), 409, "state_error", "compliance_not_approved",
         "Compliance cannot be linked to numbers in current status: rejected (Suspended)"),
        (lambda n: UNKNOWN_ID, 404, "not_found_error", "compliance_not_found",
         f"Compliance '{UNKNOWN_ID}' does not exist"),
    ],
)  # fmt: skip
def test_who_speaks_as_the_page_does_gets_its_object(
    numbers: Numbers, way: str, make: Any, status: int, type_: str, code: str, message: str
) -> None:
    """Its codes, types and HTTP statuses. source: the beta page"""
    id = make(numbers)
    if way == "update":
        numbers.unlinked()
    path = f"PhoneNumber/{MUMBAI}/" if way == "rent" else f"Number/{MUMBAI}/"
    before = numbers.state()
    error = page_error_of(numbers.http.post(path, json={"compliance_id": id}), status)
    assert (error["type"], error["code"], error["param"]) == (type_, code, "compliance_id")
    assert error["message"].startswith(message)
    assert numbers.state() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": SDK_AGENT},
        {"User-Agent": "plivo-node/4.79.0 (Node: v20.20.2)"},
        {"X-Plivo-Sim-Dialect": "current"},
    ],
)
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"compliance_application_id": UNKNOWN_ID}, "Compliance application not found."),
        ({"compliance_id": UNKNOWN_ID}, REQUIRED_IN_INDIA),
    ],
)
def test_an_sdk_gets_a_string_whatever_it_calls_the_id(
    numbers: Numbers, headers: dict[str, str], body: Any, text: str
) -> None:
    """An object breaks Ruby and PHP. source: wire-facts.md, "Error texts are strings"."""
    answer = numbers.http.post(f"PhoneNumber/{MUMBAI}/", json=body, headers=headers)
    assert error_of(answer, answer.status_code) == text


def currently(numbers: Numbers, way: str) -> dict[str, str]:
    """What makes calls speak today's API: headers, a mount or the setting."""
    if way == "mount":
        numbers.http.mount = "/current"
    elif way == "setting":
        numbers.http.account.configure({"new_api": "current"})
    return {
        "header": {"X-Plivo-Sim-Dialect": "current"},
        "an SDK": {"User-Agent": SDK_AGENT},
    }.get(way, {})


WAYS = ["mount", "setting", "header", "an SDK"]
NO_PARAMETER = "compliance_id: is no parameter of today's API and was ignored"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", [f"PhoneNumber/{SAN_FRANCISCO}/", f"Number/{MUMBAI}/"])
def test_todays_api_ignores_the_pages_name(numbers: Numbers, way: str, path: str) -> None:
    """With a warning that has the right name; a strict account refuses it. source: decision
    "Words of number errors"."""
    numbers.unlinked(MUMBAI)
    body = {"compliance_id": numbers.application()}
    headers = currently(numbers, way)
    numbers.http.account.configure({"strict": "on"})
    refused = numbers.http.post(path, json=body, headers=headers)
    assert error_of(refused).startswith(NO_PARAMETER)
    numbers.http.account.configure({"strict": "off"})
    answer = numbers.http.post(path, json=body, headers=headers)
    assert answer.status_code in (201, 202), answer.text
    warning = answer.headers["X-Plivo-Sim-Warning"]
    assert warning.startswith(NO_PARAMETER)
    assert "compliance_application_id" in warning
    assert answer.headers["X-Plivo-Sim-Dialect"] == "current"
    assert numbers.link_of() == (None, None)


def test_a_change_taken_for_the_betas_says_so(numbers: Numbers) -> None:
    """On success too: today's API would have ignored the id."""
    numbers.unlinked(MUMBAI)
    answer = numbers.update(MUMBAI, compliance_id=numbers.application())
    assert answer.status_code == 202
    assert answer.headers["X-Plivo-Sim-Dialect"] == "beta"
    assert "answered as the private beta" in answer.headers["X-Plivo-Sim-Warning"]


@pytest.mark.parametrize("asked", ["current", "beta"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "PhoneNumber/?country_iso=IN"),
        ("GET", "PhoneNumber/"),
        ("POST", f"PhoneNumber/{SAN_FRANCISCO}/"),
        ("GET", "Number/"),
        ("GET", f"Number/{MUMBAI}/"),
        ("GET", f"Number/{DELHI}/"),
        ("POST", f"Number/{MUMBAI}/"),
        ("DELETE", f"Number/{MUMBAI}/"),
        ("PUT", "Number/"),
    ],
)
def test_every_answer_about_numbers_names_its_dialect(
    numbers: Numbers, asked: str, method: str, path: str
) -> None:
    """Refusals too; today's unless something says otherwise."""
    numbers.rented(MUMBAI)
    for headers, dialect in (({}, "current"), ({"X-Plivo-Sim-Dialect": asked}, asked)):
        answer = numbers.http.call(method, path, headers=headers)
        assert answer.headers.get_all("X-Plivo-Sim-Dialect") == [dialect]


@pytest.mark.parametrize("shape", BODIES)
def test_link_warns_of_a_shape_that_is_not_the_usual_one(numbers: Numbers, shape: str) -> None:
    """A strict account refuses it."""
    numbers.unlinked(MUMBAI)
    body = filled(BODIES[shape], numbers.application())
    is_usual = shape in ("py, go, java, rb", "without plus", "spaced", "with more keys",
                         "a null beside")  # fmt: skip
    warning = numbers.link(body).headers.get("X-Plivo-Sim-Warning", "")
    assert ("only known to take" in warning) is not is_usual
    assert "private beta" not in warning
    numbers.http.account.configure({"strict": "on"})
    assert numbers.link(body).status_code == (200 if is_usual else 400)


@pytest.mark.parametrize(
    ("body", "headers", "dialect"),
    [
        ({"compliance_application_id": "x"}, {}, "current"),
        ({"compliance_id": "x"}, {"User-Agent": SDK_AGENT}, "current"),
        ({"compliance_id": "x"}, {}, "current"),
        ({"compliance_application_id": "x"}, {"X-Plivo-Sim-Dialect": "beta"}, "beta"),
    ],
)
def test_link_names_its_dialect(
    numbers: Numbers, body: Any, headers: dict[str, str], dialect: str
) -> None:
    """Like every answer of the new API, with its rate limits."""
    answer = numbers.link(body, headers=headers)
    assert answer.headers["X-Plivo-Sim-Dialect"] == dialect
    assert answer.headers["X-RateLimit-Limit"] == "60"
    error = answer.get_json()["error"]
    assert isinstance(error, str) is (dialect == "current")


def test_remarks_are_strings_for_everybody(numbers: Numbers) -> None:
    """A report has one shape."""
    numbers.rented(SAN_FRANCISCO)
    body = {"numbers": [SAN_FRANCISCO], "compliance_id": numbers.application()}
    assert (
        numbers.link(body)
        .get_json()["report"][0]["remarks"]
        .startswith("Number country doesn't match")
    )


def test_link_counts_against_the_limit_of_compliance_operations(numbers: Numbers) -> None:
    """The 61st call in a minute is 429, in a string."""
    numbers.http.account.configure({"rate_limits": "true"})
    for _ in range(60):
        numbers.link({"numbers": []})
    answer = numbers.link({"numbers": []})
    assert error_of(answer, 429).startswith("Rate limit of 60")
    assert int(answer.headers["Retry-After"]) > 0


def test_link_names_what_it_ignores_and_refuses_parameters(numbers: Numbers) -> None:
    """At any depth, on refusals too; parameters as everywhere in the new API."""
    item = {"number": MUMBAI, "compliance_application_id": UNKNOWN_ID, "foo": 1}
    told = "ignored field 'bar'; ignored field 'numbers[0].foo'"
    answer = numbers.link({"numbers": [item], "bar": 1})
    assert (answer.status_code, answer.headers["X-Plivo-Sim-Warning"]) == (200, told)
    refused = numbers.http.post(f"{LINK}?foo=1", json={"numbers": [item]})
    assert error_of(refused) == "Unknown query parameter 'foo'"
    assert "ignored field 'numbers[0].foo'" in refused.headers["X-Plivo-Sim-Warning"]


@pytest.mark.parametrize(
    ("more", "told"),
    [({"compliance_id": "b"}, "compliance_id: is not the same as 'compliance_application_id'"),
     ({"PhoneNumber": "1"}, "PhoneNumber: is not the same as 'number'")],
)  # fmt: skip
def test_keys_that_contradict_each_other_are_refused(
    numbers: Numbers, more: dict[str, str], told: str
) -> None:
    """As on number update; those that agree are not."""
    numbers.http.headers["X-Plivo-Sim-Dialect"] = "current"
    item = {"number": MUMBAI, "compliance_application_id": UNKNOWN_ID}
    assert error_of(numbers.link({"numbers": [item | more]})) == f"numbers[0].{told}"
    same = item | {"compliance_id": UNKNOWN_ID, "phone_number": MUMBAI}
    assert numbers.link({"numbers": [same]}).status_code == 200


@pytest.mark.parametrize(
    ("item", "param"),
    [({"number": MUMBAI}, "compliance_id"), ({"number": MUMBAI, "complianceId": 5}, "complianceId"),
     ({"compliance_id": "x"}, "number")],
)  # fmt: skip
def test_the_beta_is_told_of_its_own_name_of_the_id_or_the_one_it_sent(
    numbers: Numbers, item: dict[str, Any], param: str
) -> None:
    """Not of today's."""
    numbers.http.headers["X-Plivo-Sim-Dialect"] = "beta"
    answer = numbers.link({"numbers": [item]})
    assert answer.get_json()["error"]["param"] == f"numbers[0].{param}"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_number_that_cannot_be_one_is_named_in_the_beta(numbers: Numbers, method: str) -> None:
    """As the URL has it."""
    answer = numbers.http.call(method, "Number/123/", headers={"X-Plivo-Sim-Dialect": "beta"})
    assert page_error_of(answer, 404)["message"] == "Number '123' does not exist"
    assert numbers.http.post("PhoneNumber/(12)/", json={}).status_code == 404


def test_of_a_number_with_several_applications_the_last_one_counts(numbers: Numbers) -> None:
    """It is told, however the number is written; the same application twice is nothing to tell."""
    numbers.unlinked(MUMBAI)
    first, last = numbers.application(), numbers.application()
    told = f"number {MUMBAI} is given several applications: the last one counts"

    def linked(*ids: str) -> str:
        written = [f"+{MUMBAI}", MUMBAI, MUMBAI]
        items = [
            {"number": number, "compliance_application_id": id}
            for number, id in zip(written, ids, strict=False)
        ]
        answer = numbers.link({"numbers": items})
        assert answer.get_json()["updated_count"] == len(ids)
        warning: str = answer.headers.get("X-Plivo-Sim-Warning", "")
        return warning

    assert linked(first, first) == ""
    assert linked(first, last, last) == told
    assert numbers.link_of() == (last, "accepted")
