"""Filing the same application through every dialect, and reading it back."""

from __future__ import annotations

from tests.apis.legacy_support import Legacy
from tests.apis.page import Page, create_body
from tests.support import PDF, PNG, SDK_AGENT, Http

DIALECTS = ("current", "beta", "legacy")
FILE = "certificate.pdf"


def filed(
    http: Http, dialect: str, *, alias: str = "Acme Mumbai", name: str = "Acme", file: str = FILE
) -> str:
    """The id of a new application; ``file`` is the name of its first document."""
    if dialect == "current":
        end_user = http.sdk_data()["end_user"] | {"name": name}
        files = {0: (PDF, file), 1: (PNG, "gst.png")}
        return http.sdk_created(alias=alias, end_user=end_user, files=files)
    if dialect == "beta":
        body = create_body(end_user__name=name, documents__0__file__name=file, alias=alias)
        return str(Page(http).created(json=body)["compliance_id"])
    legacy = Legacy(http)
    end_user_id = legacy.end_user(name=name)
    registration, gst = legacy.types()
    documents = [
        legacy.document(end_user_id, registration, (file, PDF), business_name="Acme"),
        legacy.document(end_user_id, gst, ("gst.png", PNG)),
    ]
    return legacy.submitted(end_user_id=end_user_id, document_ids=documents, alias=alias)


def filed_again(http: Http, dialect: str, id: str) -> None:
    """The same, corrected in nothing that a magic value could stand in."""
    if dialect == "current":
        end_user = {"end_user": {"city": "Pune"}}
        answer = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", end_user, {})
        assert answer.status_code == 200, answer.text
    elif dialect == "beta":
        Page(http).update(id, end_user={"email": "new@acme.example"})
    else:
        assert Legacy(http).submit(id).status_code == 202


def status_read(http: Http, dialect: str, id: str) -> str:
    """What the API itself says of it."""
    if dialect == "current":
        path = f"PhoneNumber/Compliance/{id}/"
        answer = http.get(path, headers={"User-Agent": SDK_AGENT}).get_json()
        return str(answer["compliance"]["status"])
    if dialect == "beta":
        return str(Page(http).get(id)["status"])
    return str(Legacy(http).application_shown(id)["status"])
