"""Documents that stand alone: the rules beneath the legacy API."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.domain.models import (
    Document,
    DocumentReview,
    NumberType,
    Origin,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import Requirement
from plivo_sim.errors import Fault, InUse, Invalid, NotFound
from plivo_sim.services import documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import NewEndUser
from plivo_sim.services.uploads import Upload
from plivo_sim.simulator import Simulator
from plivo_sim.world import World
from tests.support import PDF, PNG

SCAN = Upload(name="scan.pdf", content=PDF)


@pytest.fixture
def world(sim: Simulator) -> World:
    return sim.world("MAXXXXXXXXXXXXXXXXXX")


def requirement_of(world: World) -> Requirement:
    found = world.catalogue.find(Version.SDK, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    assert found is not None
    return found


def made(world: World, **changes: Any) -> Document:
    end_user = end_users.create(world, NewEndUser(name="Acme", type=UserType.BUSINESS))
    wanted = {
        "end_user_id": end_user.id,
        "document_type_id": requirement_of(world).document_types[0].id,
        "alias": "a",
    }
    return documents.create(world, DocumentRequest(**wanted | changes))


def test_the_file_is_kept_and_comes_back(world: World) -> None:
    """Under the hash of its content."""
    document = made(world, upload=SCAN)
    assert document.origin is Origin.LEGACY
    assert document.file is not None
    assert world.files.read(document.file.sha256) == PDF


def test_what_the_type_asks_for_may_come_later(world: World) -> None:
    """Neither file nor fields are needed yet (DECISIONS 21)."""
    document = made(world)
    assert (document.file, document.data_fields) == (None, ())


def test_everything_that_is_wrong_is_told_at_once(world: World) -> None:
    """References, values, the file; nothing is made or kept."""
    wanted = DocumentRequest(
        end_user_id="nobody",
        document_type_id=requirement_of(world).document_types[0].id,
        alias="a",
        data_fields={"business_name": "x" * 51, "other": "y" * 1001},
        upload=Upload(name="x.pdf", content=b"not a PDF"),
    )
    with pytest.raises(Invalid) as caught:
        documents.create(world, wanted)
    assert [(problem.fault, problem.path) for problem in caught.value.problems] == [
        (Fault.UNKNOWN_RECORD, ("end_user_id",)),
        (Fault.BAD_LENGTH, ("data_fields", "business_name")),
        (Fault.BAD_LENGTH, ("data_fields", "other")),
        (Fault.BAD_FILE, ("file",)),
    ]
    assert len(world.store.documents) == 0
    assert world.files.read(hashlib.sha256(b"not a PDF").hexdigest()) is None


def test_a_replaced_file_is_forgotten(world: World) -> None:
    """Nobody refers to it any more."""
    document = made(world, upload=SCAN)
    upload = Upload(name="new.png", content=PNG)
    changed = documents.update(world, document.id, DocumentRequest(upload=upload))
    assert changed.file is not None
    assert world.files.read(changed.file.sha256) == PNG
    assert document.file is not None
    assert world.files.read(document.file.sha256) is None


def test_a_file_that_two_documents_share_survives_one(world: World) -> None:
    """Files are known by their content."""
    first, second = made(world, upload=SCAN), made(world, upload=SCAN)
    documents.delete(world, first.id)
    assert second.file is not None
    assert world.files.read(second.file.sha256) == PDF
    documents.delete(world, second.id)
    assert world.files.read(second.file.sha256) is None


def test_data_fields_merge_by_name(world: World) -> None:
    """Those that are not given stay."""
    document = made(world, data_fields={"a": "1", "b": "2"})
    changed = documents.update(world, document.id, DocumentRequest(data_fields={"b": "3"}))
    assert dict(changed.data_fields) == {"a": "1", "b": "3"}


def test_a_changed_document_is_unreviewed_again(world: World) -> None:
    """What was said of it was said of another content."""
    document = made(world)
    judged = replace(document, review=DocumentReview.REJECTED, review_reason="Blurred")
    with world.transaction():
        world.store.documents.put(judged)
    assert documents.update(world, document.id, DocumentRequest()) == judged
    changed = documents.update(world, document.id, DocumentRequest(alias="b"))
    assert (changed.review, changed.review_reason) == (DocumentReview.PENDING, None)


def test_a_used_document_cannot_be_deleted_or_given_away(world: World) -> None:
    """A draft is enough; its alias may still change."""
    document = made(world)
    wanted = NewDraft(
        requirement_id=requirement_of(world).id,
        end_user_id=document.end_user_id,
        alias="a",
        document_ids=[document.id],
    )
    drafts.create(world, wanted)
    other = end_users.create(world, NewEndUser(name="B", type=UserType.BUSINESS))
    with pytest.raises(InUse):
        documents.delete(world, document.id)
    with pytest.raises(InUse):
        documents.update(world, document.id, DocumentRequest(end_user_id=other.id))
    changed = documents.update(world, document.id, DocumentRequest(alias="b"))
    assert changed.alias == "b"


def test_an_unknown_document_is_not_found(world: World) -> None:
    """To read, change or delete."""
    with pytest.raises(NotFound):
        documents.get(world, "x")
    with pytest.raises(NotFound):
        documents.update(world, "x", DocumentRequest())
    with pytest.raises(NotFound):
        documents.delete(world, "x")
