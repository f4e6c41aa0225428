"""What a call gives in vain is named: contradicting ids, unknown keys and parameters."""

from __future__ import annotations

import pytest

from plivo_sim.webhooks.signatures import tokens_of
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.support import Http

WARNING = "X-Plivo-Sim-Warning"
ID_NAMES = ("id", "end_user_id", "compliance_application_id", "api_id")


@pytest.mark.parametrize("name", ID_NAMES)
def test_an_id_that_contradicts_the_url_is_named(http: Http, name: str) -> None:
    """SDKs repeat the right one."""
    id = Legacy(http).end_user()
    told = http.post(f"EndUser/{id}/", json={"name": "B", name: "another"}).headers[WARNING]
    assert told == f"ignored key '{name}'"
    if name != "api_id":
        answer = http.post(f"EndUser/{id}/", json={"name": "C", name: id})
        assert WARNING not in answer.headers


@pytest.mark.parametrize("name", ID_NAMES)
def test_an_id_in_a_create_is_named(http: Http, name: str) -> None:
    body = {"name": "Acme", "end_user_type": "business", name: "x"}
    assert http.post("EndUser/", json=body).headers[WARNING] == f"ignored key '{name}'"


def test_a_document_id_that_contradicts_the_url_is_named(http: Http) -> None:
    legacy = Legacy(http)
    id = legacy.document(legacy.end_user(), legacy.types()[0])
    for given, told in ((id, None), ("x", "ignored form field 'compliance_document_id'")):
        form = {"alias": f"alias {given}", "compliance_document_id": given}
        answer = http.post(f"ComplianceDocument/{id}/", data=form)
        assert (answer.status_code, answer.headers.get(WARNING)) == (202, told)


def test_atoms_names_what_it_ignores_at_any_depth(http: Http) -> None:
    atoms = Atoms(http)
    documents = [each | {"foo": 1} for each in atoms.documents()]
    end_user = {"name": "Acme", "bar": 1}
    answer = atoms.submit(documents=documents, endUser=end_user)
    assert answer.status_code == 201
    told = answer.headers[WARNING]
    for name in ("documents[0].foo", "endUser.bar"):
        assert f"ignored field '{name}'" in told
    told = atoms.status(foo="1").headers[WARNING]
    assert told == "ignored query parameter 'foo'"


def test_a_read_leaves_no_token_for_the_first_write(http: Http) -> None:
    """Whatever else was read in between (decision "Reads store nothing")."""
    main, own = http.auth_id, http.token
    http.token = "of-a-read"
    assert http.get("EndUser/").status_code == 200
    http.auth_id, http.token = f"SA{main[2:]}", "of-the-subaccount"
    id = http.sdk_created()
    http.auth_id, http.token = main, own
    application = http.account.store.applications.fetch(id)
    assert tokens_of(http.account, application).main == "of-the-subaccount"
