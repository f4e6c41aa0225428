"""End users that stand alone: the rules beneath the legacy API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import InUse, Invalid, NotFound, Problem, ProblemKind
from plivo_sim.domain.records import Application, NumberType, Origin, UserType, Version
from plivo_sim.machines import default_machine
from plivo_sim.services import documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import EndUserChange, NewEndUser
from plivo_sim.simulator import Simulator

MACHINE = default_machine()

ACME = NewEndUser(name="Acme", type=UserType.BUSINESS)


@pytest.fixture
def account(sim: Simulator) -> Account:
    return sim.account("MAXXXXXXXXXXXXXXXXXX")


def draft_of(account: Account, end_user_id: str) -> Application:
    requirement = account.catalogue.find(
        Version.CURRENT, ("IN", NumberType.LOCAL, UserType.BUSINESS)
    )
    assert requirement is not None
    scan = DocumentRequest(
        end_user_id=end_user_id,
        document_type_id=requirement.document_types[1].id,
        alias="a",
    )
    wanted = NewDraft(
        requirement_id=requirement.id,
        end_user_id=end_user_id,
        alias="a",
        document_ids=[documents.create(account, scan).id],
    )
    return drafts.create(account, wanted).application


def test_one_that_is_made_here_is_legacys_own(account: Account) -> None:
    """So that no application takes it along when it goes."""
    end_user = end_users.create(account, ACME)
    assert end_user.origin is Origin.LEGACY
    assert end_users.get(account, end_user.id) == end_user


def test_what_the_edge_found_refuses(account: Account) -> None:
    """Nothing is made then."""
    problem = Problem(ProblemKind.MISSING_FIELD, ("name",), "is required")
    with pytest.raises(Invalid) as caught:
        end_users.create(account, NewEndUser(), [problem])
    assert caught.value.problems == (problem,)
    assert len(account.store.end_users) == 0


def test_an_update_that_changes_nothing_leaves_the_record(account: Account) -> None:
    """``updated_at`` included, though time has passed."""
    end_user = end_users.create(account, ACME)
    account.clock.move_to(account.now() + timedelta(hours=1))
    same = end_users.update(account, end_user.id, EndUserChange(name="Acme")).end_user
    assert same is end_user


def test_an_update_changes_what_is_given_only(account: Account) -> None:
    """An empty last name removes it."""
    end_user = end_users.create(
        account, NewEndUser(name="A", last_name="B", type=UserType.BUSINESS)
    )
    changed = end_users.update(account, end_user.id, EndUserChange(name="C")).end_user
    assert (changed.name, changed.last_name) == ("C", "B")
    changed = end_users.update(account, end_user.id, EndUserChange(last_name="")).end_user
    assert (changed.name, changed.last_name) == ("C", None)


@pytest.mark.parametrize("status", list(MACHINE.statuses))
def test_applications_that_were_accepted_or_may_be_lock(account: Account, status: str) -> None:
    """Not one that its applicant has still to send (decision "Locked documents")."""
    end_user = end_users.create(account, ACME)
    application = draft_of(account, end_user.id)
    with account.transaction():
        account.store.applications.put(replace(application, status=status))
    change = EndUserChange(name="B")
    if status in ("submitted", "accepted", "suspended", "expired"):
        with pytest.raises(InUse) as caught:
            end_users.update(account, end_user.id, change)
        assert caught.value.used_by == (f"application {application.id} ({status})",)
    else:
        assert end_users.update(account, end_user.id, change).end_user.name == "B"


def test_the_type_stays_once_something_uses_it(account: Account) -> None:
    """A draft is enough."""
    end_user = end_users.create(account, ACME)
    draft_of(account, end_user.id)
    with pytest.raises(InUse):
        end_users.update(account, end_user.id, EndUserChange(type=UserType.INDIVIDUAL))
    same = end_users.update(account, end_user.id, EndUserChange(type=UserType.BUSINESS)).end_user
    assert same.type is UserType.BUSINESS


def test_only_an_unused_one_can_be_deleted(account: Account) -> None:
    """Then it is gone."""
    used = end_users.create(account, ACME)
    free = end_users.create(account, NewEndUser(name="B", type=UserType.BUSINESS))
    draft_of(account, used.id)
    with pytest.raises(InUse):
        end_users.delete(account, used.id)
    end_users.delete(account, free.id)
    with pytest.raises(NotFound):
        end_users.get(account, free.id)
    with pytest.raises(NotFound):
        end_users.delete(account, free.id)


def test_many_users_are_counted_rather_than_listed(account: Account) -> None:
    """An error stays readable."""
    with pytest.raises(InUse) as caught:
        end_users.refuse_if_used("end_user", "x", "delete", [str(n) for n in range(9)])
    assert caught.value.used_by == ("0", "1", "2", "3", "4", "4 more")
