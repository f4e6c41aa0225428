"""What Atoms does: keeps its own record of each application, and asks Plivo.

One application for each organisation, country, number type and user type (documented), expired and
suspended ones included (DECISIONS 40). Aliases are organisation, country and ``production``
(inferred from the printed ones). The answer to a submission has the reason ``""``, that to a
refresh null (documented). A resubmission has ``""`` too (inferred). A refresh moves ``updatedAt``
even when nothing changed (inferred from the printed one).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from plivo_sim.atoms.errors import AlreadyExists, NotRejected, TooSoon
from plivo_sim.atoms.identity import Identity
from plivo_sim.atoms.plivo import Plivo
from plivo_sim.atoms.requests import FORMATS, ReadForm
from plivo_sim.dialects.paging import refuse_if_any
from plivo_sim.domain.atoms import AtomsApplication, AtomsStatus
from plivo_sim.domain.models import Application, Origin, Version
from plivo_sim.domain.requirements import Key, Requirement
from plivo_sim.domain.review import Asked
from plivo_sim.domain.statuses import Status
from plivo_sim.errors import Invalid, NotFound
from plivo_sim.services import applications, corrections
from plivo_sim.services.applications import Accepted
from plivo_sim.services.inputs import Correction, Dialect, NewApplication
from plivo_sim.world import World

RULES = Dialect(
    origin=Origin.ATOMS,
    version=Version.SDK,
    formats=FORMATS,
    https_only=True,
    replaces_documents=True,
)
CACHED_FOR = timedelta(hours=1)

STATUS_WORDS: dict[Status, AtomsStatus] = {
    Status.DRAFT: AtomsStatus.DRAFT,
    Status.SUBMITTED: AtomsStatus.SUBMITTED,
    Status.ACCEPTED: AtomsStatus.ACCEPTED,
    Status.REJECTED: AtomsStatus.REJECTED,
    Status.MORE_INFO_REQUIRED: AtomsStatus.REJECTED,  # lossy: the reason is kept
    Status.SUSPENDED: AtomsStatus.SUSPENDED,
    Status.EXPIRED: AtomsStatus.EXPIRED,
}


class RequirementCache:
    """What Plivo said of requirements, for an hour of the account's clock (documented: an hour).

    No state: in memory only, and gone when the account's records are replaced.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[World, tuple[int, dict[Key, _Fetched]]] = WeakKeyDictionary()

    def find(self, world: World, key: Key) -> Requirement | None:
        """What was fetched within the hour. Caller holds the lock."""
        fetched = self._of(world).get(key)
        return fetched.requirement if fetched and world.now() < fetched.at + CACHED_FOR else None

    def keep(self, world: World, key: Key, requirement: Requirement) -> None:
        self._of(world)[key] = _Fetched(world.now(), requirement)

    def _of(self, world: World) -> dict[Key, _Fetched]:
        era, known = self._known.get(world, (-1, {}))
        if era != world.era:
            known = {}
            self._known[world] = world.era, known
        return known


@dataclass(frozen=True, slots=True)
class _Fetched:
    at: datetime
    requirement: Requirement


@dataclass(frozen=True, slots=True)
class Desk:
    """Serves one call. Plivo is asked without the account's lock, and answers under it; what was
    checked before is checked again then."""

    world: World
    who: Identity
    plivo: Plivo
    cache: RequirementCache

    def requirement(self, key: Key) -> Requirement:
        """What Plivo asks for, from the cache if it is there. Raises Invalid, Injected."""
        with self.world.lock:
            known = self.cache.find(self.world, key)
        if known is not None:
            return known
        with self.plivo.asked("requirements") as answered, self.world.lock:
            found = self.world.catalogue.find(RULES.version, key)
            if found is None:
                raise Invalid([self.world.catalogue.no_requirement(RULES.version, key)])
            if answered:
                self.cache.keep(self.world, key, found)
        return found

    def find(self, key: Key) -> AtomsApplication | None:
        """The organisation's application for this, as Atoms knows it: the account has no others."""
        where = {
            "country_iso": (key[0],),
            "number_type": (key[1],),
            "user_type": (key[2],),
        }
        with self.world.lock:
            found = self.world.store.atoms_applications.page(where, limit=1).records
        return found[0] if found else None

    def submit(self, form: ReadForm, asked: Asked | None) -> tuple[AtomsApplication, Accepted]:
        """A new application, at Plivo and here. Raises Invalid, AlreadyExists, Injected."""
        refuse_if_any(form.problems)
        self._refuse_second(form.key)
        with self.plivo.asked("create") as answered, self.world.lock:
            self._refuse_second(form.key)
            with self.world.transaction():
                done = applications.create(self.world, self._wanted(form), RULES, asked=asked)
                made = self._made(form, done.application)
                if answered:
                    self.world.store.atoms_applications.put(made)
        return made, done

    def resubmit(
        self, id: str, form: ReadForm, asked: Asked | None
    ) -> tuple[AtomsApplication, Accepted]:
        """A rejected application with all its documents anew.

        Raises NotFound, NotRejected by what Atoms knows, WrongState by what Plivo knows, Invalid,
        Injected.
        """
        compliance_id = self._rejected(id).plivo_compliance_id
        refuse_if_any(form.problems)
        with self.plivo.asked("update", compliance_id) as answered, self.world.lock:
            known = self._rejected(id)
            application = applications.get(self.world, compliance_id)
            with self.world.transaction():
                change = Correction(documents=form.documents)
                done = corrections.correct(self.world, application, change, RULES, asked=asked)
                sent = replace(
                    known,
                    status=STATUS_WORDS[done.application.status],
                    document_file_names=form.file_names,
                    rejection_reason="",
                    updated_at=self.world.now(),
                )
                if answered:
                    self.world.store.atoms_applications.put(sent)
        return sent, done

    def refresh(self, id: str) -> AtomsApplication:
        """What Plivo says now. Raises NotFound (also when Plivo has it no more), TooSoon,
        Injected."""
        compliance_id = self._refreshable(id).plivo_compliance_id
        with self.plivo.asked("get", compliance_id) as answered, self.world.lock:
            known = self._refreshable(id)
            application = applications.get(self.world, compliance_id)
            now = self.world.now()
            told = replace(
                known,
                status=STATUS_WORDS[application.status],
                rejection_reason=application.rejection_reason,
                updated_at=now,
                refreshed_at=now,
            )
            if answered:
                with self.world.transaction():
                    self.world.store.atoms_applications.put(told)
        return told

    def _own(self, id: str) -> AtomsApplication:
        with self.world.lock:
            found = self.world.store.atoms_applications.fetch(id)
        if found is None:
            raise NotFound("application", id)
        return found

    def _rejected(self, id: str) -> AtomsApplication:
        found = self._own(id)
        if found.status is not AtomsStatus.REJECTED:
            raise NotRejected(id, found.status)
        return found

    def _refreshable(self, id: str) -> AtomsApplication:
        found, cooldown = self._own(id), self.world.settings.atoms_cooldown
        if found.refreshed_at is not None:
            free_at = cooldown.after(found.refreshed_at, self.world.settings.holidays)
            if self.world.now() < free_at:
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
            id=self.world.ids.next("atoms_application").replace("-", "")[:24],
            seq=self.world.next_seq(),
            organization_id=self.who.organization_id,
            plivo_compliance_id=application.id,
            alias=application.alias,
            status=STATUS_WORDS[application.status],
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
