"""What Atoms does: it keeps its own record of each application, and calls Plivo.

One application for each organisation, country, number type and user type (documented), expired and
suspended ones included (decision "Atoms applications"). Aliases are organisation, country and
``production`` (inferred from the printed ones). The answer to a submission has the reason ``""``,
that to a refresh null (documented). The answer to a resubmission has ``""`` too
(inferred). A refresh moves ``updatedAt`` even when nothing changed (inferred from the printed one).

Plivo's callbacks reach Atoms within the process, but under the account's webhook policy. Atoms
believes the callback that comes last, even a late or overtaken one, and checks no signature
(invented). Of an id that it does not know it answers 200 too (field-reported).

Atoms calls Plivo within the process too, with faults in between. A fault for ``plivo-for-atoms``
hits these calls, and Atoms answers 502: "Plivo's compliance API returned an error or is
unavailable" (documented). What the core itself refuses is such an error, too (documented), and
nothing is changed, however often it is repeated. The calls are named as those of the new API
(invented), so that a fault can select one: ``compliance.requirements``, ``.create``, ``.update``,
``.get``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.apis.atoms.presenters import AlreadyExists, NotRejected, PlivoRefused, TooSoon
from plivo_sim.apis.atoms.reading import FORMATS, ReadForm
from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.reading import refuse_if_any
from plivo_sim.domain.errors import Invalid, NotFound, SimError
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Origin,
    Version,
)
from plivo_sim.domain.requirements import Key, Requirement
from plivo_sim.domain.text import atoms_id, decode_json
from plivo_sim.scenarios.language import CUTTING, FaultRule
from plivo_sim.scenarios.rules import RequestedOutcome
from plivo_sim.services import applications, corrections
from plivo_sim.services.applications import Accepted
from plivo_sim.services.inputs import Correction, Dialect, NewApplication
from plivo_sim.web.calls import Call, Injected


@dataclass(frozen=True, slots=True)
class Identity:
    """``auth_id``: the account in which the organisation's applications are made at Plivo."""

    auth_id: str
    organization_id: str
    user_id: str


def receive(account: Account, request: Outgoing, at: datetime) -> Answer:
    """Record what a callback says; 400 for one that says nothing. Caller holds the lock."""
    fields = _fields(request)
    rows = account.store.atoms_applications
    if "compliance_id" not in fields or fields.get("status") not in _known_words(account):
        return Answer(status=400, body="not a callback of an application")
    with account.transaction():
        for known in rows.having("plivo_compliance_id", fields["compliance_id"]):
            rows.put(
                replace(
                    known,
                    status=fields["status"],
                    rejection_reason=fields.get("rejection_reason"),
                    updated_at=at,
                )
            )
    return Answer(status=200)


def _known_words(account: Account) -> Collection[str]:
    """Every status that Atoms can be told."""
    return {*account.machine.words("atoms").values(), *account.machine.callback_words("atoms")}


def _fields(request: Outgoing) -> dict[str, str]:
    """JSON or a form, as the account's callbacks are."""
    if dict(request.headers).get("Content-Type") == "application/json":
        fields: dict[str, str] = decode_json(request.body)
        return fields
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


API = "plivo-for-atoms"
_METHODS = {"create": "POST", "update": "PATCH"}
_PLACES = {"create": "", "requirements": "Requirements/"}

FindFault = Callable[[Call, Mapping[str, str]], FaultRule | None]
"""Finds the fault that hits a call to another API."""


class Plivo:
    """Plivo's compliance API as one call to Atoms reaches it."""

    def __init__(self, call: Call, find_fault: FindFault) -> None:
        self._call = call
        self._find_fault = find_fault

    @contextmanager
    def serve(self, what: str, compliance_id: str = "") -> Iterator[bool]:
        """Plivo does its part within; yields whether Atoms will get the answer.

        Raises Injected with 502 when a fault keeps the call from Plivo, or its answer from Atoms.
        """
        fault = self._find_fault(self._call, self._description(what, compliance_id))
        if fault is None:
            yield True
            return
        if fault.strikes_late:
            with suppress(SimError):  # whatever Plivo said is lost
                yield False
        raise Injected(502, _text(fault))

    @contextmanager
    def answers(self) -> Iterator[None]:
        """What the core refuses within is Plivo's answer: raises PlivoRefused with its text."""
        try:
            yield
        except SimError as error:
            status, text = plain_error(error)
            if status >= 500:  # the simulator's own failure
                raise
            raise PlivoRefused(text) from None

    def _description(self, what: str, compliance_id: str) -> dict[str, str]:
        place = _PLACES.get(what, f"{compliance_id}/")
        return {
            "api": API,
            "operation": f"compliance.{what}",
            "method": _METHODS.get(what, "GET"),
            "path": f"/v1/Account/{self._call.account.auth_id}/PhoneNumber/Compliance/{place}",
            "application": compliance_id,
        }


def _text(fault: FaultRule) -> str:
    down = fault.effect == "unavailable" or fault.effect in CUTTING
    failure = "is unavailable" if down else "returned an error"
    return f"Plivo's compliance API {failure}" + (f": {fault.message}" if fault.message else "")


RULES = Dialect(
    origin=Origin.ATOMS,
    version=Version.CURRENT,
    formats=FORMATS,
    replaces_documents=True,
    unique_aliases=False,
)
CACHED_FOR = timedelta(hours=1)


class RequirementCache:
    """Plivo's requirements, kept for an hour of the account's clock (documented: an hour).

    No state: in memory only, and gone when the account's records are replaced.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Account, tuple[int, dict[Key, _Fetched]]] = (
            WeakKeyDictionary()
        )

    def find(self, account: Account, key: Key) -> Requirement | None:
        """What was fetched within the hour. Caller holds the lock."""
        fetched = self._of(account).get(key)
        return fetched.requirement if fetched and account.now() < fetched.at + CACHED_FOR else None

    def keep(self, account: Account, key: Key, requirement: Requirement) -> None:
        self._of(account)[key] = _Fetched(account.now(), requirement)

    def _of(self, account: Account) -> dict[Key, _Fetched]:
        era, known = self._known.get(account, (-1, {}))
        if era != account.era:
            known = {}
            self._known[account] = account.era, known
        return known


@dataclass(frozen=True, slots=True)
class _Fetched:
    at: datetime
    requirement: Requirement


@dataclass(frozen=True, slots=True)
class Applications:
    """An organisation's applications, for one call. The account's lock is free until Plivo works,
    and held while it does; so what was checked before is checked again under it."""

    account: Account
    who: Identity
    plivo: Plivo
    cache: RequirementCache

    def requirement(self, key: Key) -> Requirement:
        """What Plivo requires, from the cache if it is there. Raises PlivoRefused, Injected."""
        with self.account.lock:
            known = self.cache.find(self.account, key)
        if known is not None:
            return known
        with self.plivo.serve("requirements") as answered, self.account.lock:
            found = self.account.catalogue.find(RULES.version, key)
            if found is None:
                with self.plivo.answers():
                    raise Invalid([self.account.catalogue.no_requirement(RULES.version, *key)])
            if answered:
                self.cache.keep(self.account, key, found)
        return found

    def find(self, key: Key) -> AtomsApplication | None:
        """The organisation's application for this key; the account holds no others."""
        where = {
            "country_iso": (key[0],),
            "number_type": (key[1],),
            "user_type": (key[2],),
        }
        with self.account.lock:
            found = self.account.store.atoms_applications.page(where, limit=1).records
        return found[0] if found else None

    def submit(
        self, form: ReadForm, requested: RequestedOutcome | None
    ) -> tuple[AtomsApplication, Accepted]:
        """A new application, at Plivo and here. Raises Invalid, AlreadyExists, PlivoRefused,
        Injected."""
        refuse_if_any(form.problems)
        self._refuse_second(form.key)
        with self.plivo.serve("create") as answered, self.account.lock:
            self._refuse_second(form.key)
            with self.account.transaction():
                with self.plivo.answers():
                    done = applications.create(
                        self.account, self._wanted(form), RULES, requested=requested
                    )
                made = self._made(form, done.application)
                if answered:
                    self.account.store.atoms_applications.put(made)
        return made, done

    def resubmit(
        self, id: str, form: ReadForm, requested: RequestedOutcome | None
    ) -> tuple[AtomsApplication, Accepted]:
        """A rejected application with a new set of all its documents.

        Raises NotFound, NotRejected by what Atoms knows, Invalid, PlivoRefused by what Plivo knows,
        Injected.
        """
        compliance_id = self._rejected(id).plivo_compliance_id
        refuse_if_any(form.problems)
        with self.plivo.serve("update", compliance_id) as answered, self.account.lock:
            known = self._rejected(id)
            with self.account.transaction():
                change = Correction(documents=form.documents)
                with self.plivo.answers():
                    application = applications.get(self.account, compliance_id)
                    done = corrections.correct(
                        self.account, application, change, RULES, requested=requested
                    )
                sent = replace(
                    known,
                    status=self._word_of(done.application),
                    document_file_names=form.file_names,
                    rejection_reason="",
                    updated_at=self.account.now(),
                )
                if answered:
                    self.account.store.atoms_applications.put(sent)
        return sent, done

    def refresh(self, id: str) -> AtomsApplication:
        """Plivo's status now. Raises NotFound, TooSoon, PlivoRefused (it has no such application
        any more), Injected."""
        compliance_id = self._refreshable(id).plivo_compliance_id
        with self.plivo.serve("get", compliance_id) as answered, self.account.lock:
            known = self._refreshable(id)
            with self.plivo.answers():
                application = applications.get(self.account, compliance_id)
            now = self.account.now()
            refreshed = replace(
                known,
                status=self._word_of(application),
                rejection_reason=application.rejection_reason,
                updated_at=now,
                refreshed_at=now,
            )
            if answered:
                with self.account.transaction():
                    self.account.store.atoms_applications.put(refreshed)
        return refreshed

    def _word_of(self, application: Application) -> str:
        """What Plivo tells Atoms of its status."""
        return self.account.machine.words("atoms")[application.status]

    def _own(self, id: str) -> AtomsApplication:
        with self.account.lock:
            found = self.account.store.atoms_applications.fetch(id)
        if found is None:
            raise NotFound("application", id)
        return found

    def _rejected(self, id: str) -> AtomsApplication:
        found = self._own(id)
        machine = self.account.machine
        words = machine.words("atoms")
        if not any(words[s] == found.status and machine.correctable(s) for s in words):
            raise NotRejected(id, found.status)
        return found

    def _refreshable(self, id: str) -> AtomsApplication:
        found, cooldown = self._own(id), self.account.settings.atoms_cooldown
        if found.refreshed_at is not None:
            free_at = cooldown.after(found.refreshed_at, self.account.settings.holidays)
            if self.account.now() < free_at:
                raise TooSoon(str(cooldown))
        return found

    def _refuse_second(self, key: Key) -> None:
        other = self.find(key)
        if other is not None:
            raise AlreadyExists(other.country_iso, other.number_type, other.status)

    def _wanted(self, form: ReadForm) -> NewApplication:
        country_iso, number_type, user_type = form.key
        end_user = form.usable["end_user"]
        return NewApplication(
            country_iso=country_iso,
            number_type=number_type,
            user_type=user_type,
            alias=f"{self.who.organization_id}-{country_iso}-production",
            end_user={**end_user, "country": end_user.get("country") or country_iso},
            documents=form.documents,
        )

    def _made(self, form: ReadForm, application: Application) -> AtomsApplication:
        end_user = form.usable["end_user"]
        return AtomsApplication(
            id=atoms_id(self.account.ids.next("atoms_application")),
            seq=self.account.next_seq(),
            organization_id=self.who.organization_id,
            plivo_compliance_id=application.id,
            alias=application.alias,
            status=self._word_of(application),
            country_iso=application.country_iso,
            number_type=application.number_type,
            user_type=application.user_type,
            end_user_name=end_user["name"],
            end_user_last_name=end_user.get("last_name"),
            end_user_email=end_user.get("email"),
            end_user_country=end_user.get("country") or application.country_iso,
            document_file_names=form.file_names,
            rejection_reason="",
            created_by=self.who.user_id,
            created_at=application.created_at,
            updated_at=application.created_at,
        )
