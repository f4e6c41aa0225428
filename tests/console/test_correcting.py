"""The applicant's turn in the console: correcting, submitting, deleting, by calls of the API that
made the application.
"""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.apis.legacy_support import Legacy
from tests.console.support import HOME, press, token_of
from tests.support import AUTH_ID, PDF, PNG, TOKEN, Http, multipart

BETTER = PDF + b"\n% better"


def form_of(http: Http, id: str) -> dict[str, str]:
    """What a browser would send of the form as it is: texts, selects, no files, no ticks."""
    page = http.get(f"{HOME}/applications/{id}/correct").text
    form = page.partition('action="/console/do/correct?')[2].partition("</form>")[0]
    found = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input name="([^"]+)" value="([^"]*)"', form)
    }
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r"<option selected>([^<]*)</option>", options)
        assert chosen is not None
        found[name] = html.unescape(chosen[1])
    return found


def send(
    http: Http, id: str, changes: dict[str, str] | None = None, files: Any = (), **more: str
) -> TestResponse:
    """Fill the form in and send it; answers with the page that it leads to."""
    back = f"{HOME}/applications/{id}"
    fields = {
        "_token": token_of(http), "_back": f"{back}/correct", "_then": back, "account": AUTH_ID,
        "id": id, "submit": "yes", **form_of(http, id), **(changes or {}), **more,
    }  # fmt: skip
    body, content_type = multipart(list(fields.items()), list(files))
    answer = http.post("/console/do/correct", data=body, content_type=content_type)
    assert answer.status_code == 303, answer.text
    return http.get(answer.headers["Location"])


def shown(http: Http, id: str) -> Any:
    return http.control("GET", f"/applications/{id}").get_json()


def documents(http: Http, id: str) -> list[tuple[str, dict[str, str]]]:
    """File names and fields."""
    store = http.account.store
    found = [store.documents.fetch(each) for each in shown(http, id)["document_ids"]]
    return [(each.file.name if each.file else "", dict(each.data_fields)) for each in found]


def last_exchange(http: Http) -> Any:
    return http.control("GET", "/requests").get_json()["requests"][-1]


@pytest.fixture
def rejected(http: Http) -> str:
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.decide(id, "rejected", "Blurred.")
    return id


def test_a_refusal_is_told_by_the_label_of_its_field(http: Http) -> None:
    """With the path of the API beside it, and a link to the field."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    then = f"{HOME}/applications/{id}"
    fields = {"account": AUTH_ID, "id": id, "_then": then, "callback_url": "no url"}
    page = press(http, "correct", back=f"{then}/correct", **fields, **{"end_user.name": ""}).text
    assert (
        '<strong>Not done:</strong> <a href="#field-callback_url">Callback URL</a>'
        " (<code data-wrong>callback_url</code>): "
    ) in page
    for name in re.findall('<a href="#field-([^"]+)">', page):
        assert f'id="field-{name}"' in page


def test_the_form_is_filled_with_what_is_there(http: Http, rejected: str) -> None:
    """The applicant, the application, each document's fields; and which file stays."""
    form = form_of(http, rejected)
    assert form["end_user.name"] == "Acme Traders Pvt Ltd"
    assert (form["alias"], form["callback_url"]) == ("Acme Mumbai", "http://127.0.0.1:9/cb")
    assert form["documents[0].data_fields.business_name"] == "Acme"
    page = http.get(f"{HOME}/applications/{rejected}/correct").text
    assert "<bdi>certificate.pdf</bdi> is sent again" in page
    assert "Blurred." in page


def test_a_correction_goes_through_the_api(http: Http, rejected: str) -> None:
    """As one call of today's API, with every document, and the file that was chosen; it is noted
    among the requests, and shown as curl and as a command."""
    changes = {"end_user.name": "Acme Ltd", "documents[0].data_fields.business_name": "Acme Ltd"}
    page = send(http, rejected, changes, [("documents[0].file", "better.pdf", BETTER)])
    assert page.request.path == f"{HOME}/applications/{rejected}"
    assert "Corrected and submitted again." in page.text
    assert shown(http, rejected)["status"] == "submitted"
    assert documents(http, rejected) == [
        ("better.pdf", {"business_name": "Acme Ltd"}),
        ("gst.png", {}),
    ]
    made = last_exchange(http)
    assert (made["method"], made["status"], made["dialect"]) == ("PATCH", 200, "current")
    assert made["operation"] == "compliance.update"
    told = html.unescape(page.text)
    assert f'curl -X PATCH -u "{AUTH_ID}:$PLIVO_AUTH_TOKEN"' in told
    assert 'documents[0].file=@"better.pdf"' in told
    assert f"plivo-sim apps correct {rejected} --file registration_certificate=better.pdf" in told
    assert TOKEN not in told
    assert http.account.token == TOKEN


def test_nothing_is_changed_where_nothing_was_written(http: Http, rejected: str) -> None:
    """The same applicant, fields and files are submitted again."""
    before = documents(http, rejected)
    send(http, rejected)
    assert (shown(http, rejected)["attempt"], documents(http, rejected)) == (2, before)


@pytest.mark.parametrize(
    ("changes", "files", "at", "told"),
    [
        ({"end_user.name": ""}, [], "end_user.name", "is required"),
        ({"documents[0].data_fields.business_name": ""}, [],
         "documents[0].data_fields.business_name", "is required for document type"),
        ({}, [("documents[1].file", "notes.txt", b"only text")],
         "documents[1].file", "must be PDF or PNG or JPEG"),
        ({"callback_url": "http://example.com:99999/"}, [], "callback_url", "is not a valid URL"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_at_its_field(
    http: Http, rejected: str, changes: dict[str, str], files: Any, at: str, told: str
) -> None:
    """What was written is still there, and nothing has changed."""
    changes = {"alias": "Typed & kept"} | changes
    page = send(http, rejected, changes, files)
    assert page.request.path == f"{HOME}/applications/{rejected}/correct"
    wrongs = dict(re.findall(r'<span class="wrong" id="wrong-([^"]+)-1">([^<]+)</span>', page.text))
    assert told in html.unescape(wrongs[at])
    assert 'name="alias" value="Typed &amp; kept"' in page.text
    assert f'aria-describedby="wrong-{at}-1"' in page.text
    assert shown(http, rejected)["status"] == "rejected"


def test_the_place_of_a_refusal_is_that_of_the_form(http: Http, rejected: str) -> None:
    """Though a document before it was left out of the call."""
    files = [("documents[1].file", "notes.txt", b"only text")]
    page = send(http, rejected, {"documents[0].out": "yes"}, files)
    assert 'id="wrong-documents[1].file-1"' in page.text
    assert 'id="wrong-documents[0].file-1"' not in page.text


def test_a_document_is_left_out_and_another_added(http: Http) -> None:
    """Of a demand that several types satisfy."""
    found = [each for each in http.sim.catalogue.requirements if each.version == "current"]
    requirement = next(each for each in found if any(len(slot.types) > 1 for slot in each.slots))
    key = {"country_iso": requirement.country_iso, "number_type": requirement.number_type}
    chosen = [slot.types[0] for slot in requirement.slots]

    def fields(type_: Any) -> dict[str, str]:
        return {rule.name: rule.enums[0] if rule.enums else "2025-01-01" if rule.type == "date"
                else "Acme Traders"[: rule.max_length] for rule in type_.fields}  # fmt: skip

    data = http.sdk_data(
        **key,
        end_user=http.sdk_data()["end_user"]
        | {"type": requirement.user_type, "country": requirement.country_iso, "last_name": "B",
           "registration_number": "123"},
        documents=[{"document_type_id": each.id, "data_fields": fields(each)} for each in chosen],
    )  # fmt: skip
    files = {n: (PDF + b"%%%d" % n, f"{n}.pdf") for n in range(len(chosen))}
    answer = http.sdk_create(data, files)
    assert answer.status_code == 201, answer.text
    id = answer.get_json()["compliance_id"]
    http.decide(id, "rejected")
    slot = next(each for each in requirement.slots if len(each.types) > 1)
    old, other = slot.types[:2]
    page = html.unescape(http.get(f"{HOME}/applications/{id}/correct").text)
    names = re.findall(r"<legend>([^<]+)</legend>", page)
    out, added = names.index(old.name), names.index(other.name)
    changes = {f"documents[{out}].out": "yes"}
    changes |= {f"documents[{added}].data_fields.{n}": v for n, v in fields(other).items()}
    send(http, id, changes, [(f"documents[{added}].file", "other.pdf", BETTER)])
    after = [name for name, _ in documents(http, id)]
    assert shown(http, id)["attempt"] == 2
    assert f"{chosen.index(old)}.pdf" not in after
    assert "other.pdf" in after


def test_the_beta_dialect_in_its_words(http: Http) -> None:
    """An application that it made is corrected in it: the full name, the address, one document."""
    data = {
        "country_iso": "IN", "number_type": "local", "alias": "Beta",
        "end_user": {"type": "business", "name": "Acme Traders", "email": "a@b.example",
                     "registration_number": "U123",
                     "address": {"line1": "12 MG Road", "city": "Mumbai", "state": "MH",
                                 "postal_code": "400001", "country": "IN"}},
    }  # fmt: skip
    requirement = next(
        each for each in http.sim.catalogue.requirements
        if (each.version, each.country_iso, each.number_type, each.user_type)
        == ("beta", "IN", "local", "business")
    )  # fmt: skip
    types = [slot.types[0] for slot in requirement.slots]
    form = [
        ("country_iso", "IN"), ("number_type", "local"), ("alias", "Beta"),
        ("end_user[type]", "business"), ("end_user[name]", "Acme Traders"),
        ("end_user[email]", "a@b.example"), ("end_user[registration_number]", "U123"),
        *((f"end_user[address][{name}]", text) for name, text in
          data["end_user"]["address"].items()),
    ]  # type: ignore[index]  # fmt: skip
    for index, type_ in enumerate(types):
        form.append((f"documents[{index}][type]", type_.word))
        form += [(f"documents[{index}][data_fields][{r.name}]", "Acme") for r in type_.fields]
    files = [(f"documents[{i}][file]", f"{i}.pdf", PDF + b"%%%d" % i) for i in range(len(types))]
    body, content_type = multipart(form, list(files))
    answer = http.post("/beta/v1/Account/" + AUTH_ID + "/PhoneNumber/Compliance/",
                       data=body, content_type=content_type)  # fmt: skip
    assert answer.status_code == 201, answer.text
    id = re.search(r"[0-9a-f-]{36}", answer.text.partition("compliance_id")[2])[0]  # type: ignore[index]
    http.decide(id, "rejected")
    before = documents(http, id)
    changes = {"end_user.name": "Acme Ltd", "end_user.city": "Pune"}
    page = send(http, id, changes, [("documents[0].file", "better.pdf", BETTER)])
    assert "Corrected and submitted again." in page.text, page.text
    made = last_exchange(http)
    assert (made["status"], made["dialect"]) == (200, "beta")
    user = http.account.store.end_users.fetch(shown(http, id)["end_user_id"])
    assert (user.name, user.last_name, user.city) == ("Acme Ltd", None, "Pune")
    assert [name for name, _ in documents(http, id)] == [
        "better.pdf", *(name for name, _ in before[1:])
    ]  # fmt: skip


# --- the legacy API ----------------------------------------------------------------------------


def test_a_legacy_draft_is_completed_and_submitted(http: Http) -> None:
    """One call for each record that changed, and Submit; the file that was missing is added."""
    legacy = Legacy(http)
    user = legacy.end_user()
    registration, _ = legacy.types()
    draft = legacy.application(
        end_user_id=user, document_ids=[legacy.document(user, registration, None)]
    )
    page = send(
        http,
        draft,
        {"end_user.name": "Acme Private Limited"},
        [("documents[0].file", "better.pdf", BETTER), ("documents[1].file", "gst.png", PNG)],
    )
    assert page.request.path == f"{HOME}/applications/{draft}", page.text
    found = shown(http, draft)
    assert (found["status"], found["attempt"]) == ("submitted", 1)
    assert [name for name, _ in documents(http, draft)] == ["better.pdf", "gst.png"]
    made = http.control("GET", "/requests").get_json()["requests"]
    calls = [(e["method"], e["operation"], e["status"]) for e in made[-5:]]
    assert [call[2] for call in calls] == [202, 202, 201, 202, 202]


def test_a_legacy_chain_ends_where_it_is_refused(http: Http) -> None:
    """At its field; nothing is submitted."""
    legacy = Legacy(http)
    id = legacy.decided("rejected")
    page = send(http, id, {}, [("documents[1].file", "notes.txt", b"only text")])
    assert 'id="wrong-documents[1].file-1"' in page.text
    assert shown(http, id)["status"] == "rejected"


@pytest.mark.parametrize(
    ("changes", "files", "at"),
    [
        ({"end_user.name": ""}, [], "end_user.name"),
        ({"documents[0].data_fields.business_name": "x" * 60}, [],
         "documents[0].data_fields.business_name"),
        ({}, [("documents[0].file", "notes.txt", b"only text")], "documents[0].file"),
    ],
)  # fmt: skip
def test_what_the_legacy_api_refuses_is_told_at_its_field(
    http: Http, changes: dict[str, str], files: Any, at: str
) -> None:
    """As of the new API."""
    id = Legacy(http).decided("rejected")
    page = send(http, id, changes, files)
    assert f'aria-describedby="wrong-{at}-1"' in page.text
    assert f'id="wrong-{at}-1"' in page.text


def test_what_no_field_has_is_told_at_the_form(http: Http, rejected: str) -> None:
    """A document that is missing, at the documents; what is about none of it, at the whole."""
    page = send(http, rejected, {"documents[0].out": "yes", "documents[1].out": "yes"})
    assert 'id="wrong-documents-1"' in page.text
    http.control("POST", "/faults", {"effect": "unavailable", "account": AUTH_ID})
    assert 'id="wrong--1"' in send(http, rejected, {"alias": "Other"}).text


def test_a_legacy_draft_is_saved_only(http: Http) -> None:
    """It stays a draft."""
    id = Legacy(http).application()
    send(http, id, {"end_user.name": "Another Name"}, submit="no")
    assert shown(http, id)["status"] == "draft"
    user = http.account.store.end_users.fetch(shown(http, id)["end_user_id"])
    assert user.name == "Another Name"


# --- submit, delete ----------------------------------------------------------------------------


def act(http: Http, do: str, id: str, **fields: str) -> TestResponse:
    return press(http, do, f"{HOME}/applications/{id}", account=AUTH_ID, id=id, **fields)


def test_it_is_submitted_as_it_is(http: Http, rejected: str) -> None:
    """In each API, with nothing changed."""
    before = documents(http, rejected)
    page = act(http, "submit", rejected)
    assert "Submitted again as it was." in page.text
    assert (shown(http, rejected)["attempt"], documents(http, rejected)) == (2, before)
    draft = Legacy(http).application()
    page = act(http, "submit", draft)
    assert "Submitted." in page.text
    assert f"plivo-sim apps submit {draft}" in page.text
    assert shown(http, draft)["status"] == "submitted"


@pytest.mark.parametrize("made", ["current", "legacy"])
def test_it_is_deleted_once_one_is_sure(http: Http, made: str) -> None:
    """Through the API that made it; then the list is shown."""
    id = http.sdk_created() if made == "current" else Legacy(http).application()
    page = act(http, "delete", id)
    assert "tick &#39;yes, delete it&#39;" in page.text
    then = f"{HOME}/applications"
    page = act(http, "delete", id, sure="yes", _then=then)
    assert page.request.path == then
    assert http.control("GET", f"/applications/{id}").status_code == 404
    assert f"plivo-sim apps delete {id}" in page.text
    assert last_exchange(http)["dialect"] == made


def test_who_may_do_what(http: Http, rejected: str) -> None:
    """Only what the status lets the applicant do is offered; a form that comes too late is
    refused in the API's words."""
    page = http.get(f"{HOME}/applications/{rejected}").text
    assert f'href="{HOME}/applications/{rejected}/correct"' in page
    late = form_of(http, rejected)
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{rejected}/", {"alias": "again"}, {})
    page = http.get(f"{HOME}/applications/{rejected}").text
    assert "Correct and resubmit" not in page
    assert "/console/do/submit" not in page
    assert "not the applicant" in http.get(f"{HOME}/applications/{rejected}/correct").text
    page = press(http, "correct", f"{HOME}/applications/{rejected}", account=AUTH_ID, id=rejected,
                 **late).text  # fmt: skip
    assert "Not done:" in page
    assert "cannot correct application" in html.unescape(page)


def test_a_fault_of_the_api_is_told(http: Http, rejected: str) -> None:
    """The console's own call can be hit, as any client's."""
    for effect in ("error", "malformed"):
        fault = {"effect": effect, "times": 1, "account": AUTH_ID}
        http.control("POST", "/faults", fault)
        page = send(http, rejected)
        assert page.status_code == 200
        assert "Not done:" in page.text or shown(http, rejected)["status"] == "submitted"


def test_of_an_application_that_is_gone(http: Http) -> None:
    """A page that says so, for the form and for the button."""
    id = http.sdk_created()
    gone = id[:-1] + ("0" if id[-1] != "0" else "1")
    assert http.get(f"{HOME}/applications/{gone}/correct").status_code == 404
    form = {"_token": token_of(http), "_back": HOME, "account": AUTH_ID, "id": gone}
    for do in ("correct", "submit", "delete"):
        assert http.post(f"/console/do/{do}", data=form).status_code == 404
        wrong = form | {"account": "x"}
        assert http.post(f"/console/do/{do}", data=wrong).status_code == 404
