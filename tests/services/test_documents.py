"""Documents that stand alone: the rules beneath the legacy API."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import InUse, Invalid, NotFound, ProblemKind
from plivo_sim.domain.records import Document, DocumentReview, NumberType, Origin, UserType, Version
from plivo_sim.domain.requirements import Requirement
from plivo_sim.services import documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import NewEndUser
from plivo_sim.services.inputs import Upload
from plivo_sim.simulator import Simulator
from tests.support import PDF, PNG

SCAN = Upload(name="scan.pdf", content=PDF)


@pytest.fixture
def account(sim: Simulator) -> Account:
    return sim.account("MAXXXXXXXXXXXXXXXXXX")


def requirement_of(account: Account) -> Requirement:
    found = account.catalogue.find(Version.CURRENT, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    assert found is not None
    return found


def made(account: Account, **changes: Any) -> Document:
    """Of a name and an alias of their own."""
    n = account.ids.counts.get("end_user", 0)
    end_user = end_users.create(account, NewEndUser(name=f"Acme {n}", type=UserType.BUSINESS))
    wanted = {
        "end_user_id": end_user.id,
        "document_type_id": requirement_of(account).document_types[0].id,
        "alias": f"a{n}",
        "data_fields": {"business_name": "Acme"},
    }
    return documents.create(account, DocumentRequest(**wanted | changes))


def test_the_file_is_kept_and_comes_back(account: Account) -> None:
    """Under the hash of its content."""
    document = made(account, upload=SCAN)
    assert document.origin is Origin.LEGACY
    assert document.file is not None
    assert account.files.read(document.file.sha256) == PDF


def test_the_file_may_come_later(account: Account) -> None:
    """Submit asks for it (decision "Locked documents")."""
    assert made(account).file is None


def test_what_the_type_asks_for_must_be_there(account: Account) -> None:
    """On create, and on an update to another type."""
    with pytest.raises(Invalid) as caught:
        made(account, data_fields={"other": "x"})
    (problem,) = caught.value.problems
    expected = (ProblemKind.MISSING_DATA_FIELD, ("data_fields", "business_name"))
    assert (problem.fault, problem.path) == expected
    registration, gst = requirement_of(account).document_types
    bare = made(account, document_type_id=gst.id, alias="gst", data_fields={})
    with pytest.raises(Invalid):
        documents.update(account, bare.id, DocumentRequest(document_type_id=registration.id))
    change = DocumentRequest(
        document_type_id=registration.id, data_fields={"business_name": "Acme"}
    )
    assert documents.update(account, bare.id, change).document_type_id == registration.id


def test_everything_that_is_wrong_is_told_at_once(account: Account) -> None:
    """References, values, the file; nothing is made or kept."""
    wanted = DocumentRequest(
        end_user_id="nobody",
        document_type_id=requirement_of(account).document_types[0].id,
        alias="a",
        data_fields={"business_name": "x" * 51, "other": "y" * 1001},
        upload=Upload(name="x.pdf", content=b"not a PDF"),
    )
    with pytest.raises(Invalid) as caught:
        documents.create(account, wanted)
    assert [(problem.fault, problem.path) for problem in caught.value.problems] == [
        (ProblemKind.UNKNOWN_RECORD, ("end_user_id",)),
        (ProblemKind.BAD_LENGTH, ("data_fields", "business_name")),
        (ProblemKind.BAD_LENGTH, ("data_fields", "other")),
        (ProblemKind.BAD_FILE, ("file",)),
    ]
    assert len(account.store.documents) == 0
    assert account.files.read(hashlib.sha256(b"not a PDF").hexdigest()) is None


def test_a_replaced_file_is_forgotten(account: Account) -> None:
    """Nobody refers to it any more."""
    document = made(account, upload=SCAN)
    upload = Upload(name="new.png", content=PNG)
    changed = documents.update(account, document.id, DocumentRequest(upload=upload))
    assert changed.file is not None
    assert account.files.read(changed.file.sha256) == PNG
    assert document.file is not None
    assert account.files.read(document.file.sha256) is None


def test_a_file_that_two_documents_share_survives_one(account: Account) -> None:
    """Files are known by their content."""
    first, second = made(account, upload=SCAN), made(account, upload=SCAN)
    documents.delete(account, first.id)
    assert second.file is not None
    assert account.files.read(second.file.sha256) == PDF
    documents.delete(account, second.id)
    assert account.files.read(second.file.sha256) is None


def test_data_fields_merge_by_name(account: Account) -> None:
    """Those that are not given stay."""
    document = made(account, data_fields={"business_name": "1", "b": "2"})
    changed = documents.update(account, document.id, DocumentRequest(data_fields={"b": "3"}))
    assert dict(changed.data_fields) == {"business_name": "1", "b": "3"}


def test_a_changed_document_is_unreviewed_again(account: Account) -> None:
    """What was said of it was said of another content; of other documents it stays said."""
    document = made(account)
    wanted = NewDraft(
        requirement_id=requirement_of(account).id,
        end_user_id=document.end_user_id,
        alias="a",
        document_ids=[document.id],
    )
    draft = drafts.create(account, wanted).application
    with account.transaction():
        said = ((document.id, "Blurred"), ("another", ""))
        account.store.applications.put(replace(draft, reviewed=said))

    def reviews() -> list[DocumentReview]:
        application = account.store.applications.fetch(draft.id)
        assert application is not None
        return [
            application.reviews().get(id, DocumentReview.PENDING) for id in (document.id, "another")
        ]

    documents.update(account, document.id, DocumentRequest())
    assert reviews() == [DocumentReview.REJECTED, DocumentReview.VERIFIED]
    documents.update(account, document.id, DocumentRequest(alias="b"))
    assert reviews() == [DocumentReview.PENDING, DocumentReview.VERIFIED]


def test_a_used_document_cannot_be_deleted_or_given_away(account: Account) -> None:
    """A draft is enough; its alias may still change."""
    document = made(account)
    wanted = NewDraft(
        requirement_id=requirement_of(account).id,
        end_user_id=document.end_user_id,
        alias="a",
        document_ids=[document.id],
    )
    drafts.create(account, wanted)
    other = end_users.create(account, NewEndUser(name="B", type=UserType.BUSINESS))
    with pytest.raises(InUse):
        documents.delete(account, document.id)
    with pytest.raises(InUse):
        documents.update(account, document.id, DocumentRequest(end_user_id=other.id))
    changed = documents.update(account, document.id, DocumentRequest(alias="b"))
    assert changed.alias == "b"


def test_an_unknown_document_is_not_found(account: Account) -> None:
    """To read, change or delete."""
    with pytest.raises(NotFound):
        documents.get(account, "x")
    with pytest.raises(NotFound):
        documents.update(account, "x", DocumentRequest())
    with pytest.raises(NotFound):
        documents.delete(account, "x")
