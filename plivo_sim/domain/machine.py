"""The status machine of applications as data: its statuses, its arrows, and who takes them.

``MachineFile`` is what a machine file says (docs/machine.md); ``Machine`` is the same with
look-ups, and what everything else asks: ``account.machine`` is the one that an account has in use.
A status in a record is its name, a plain text, and always one of its account's machine
(``services/machines.py``, ``services/integrity.py``).

Who decides is a matter of the arrow (``Arrow.takers``): ``client`` by a submission, ``reviewer`` by
a plan (scenario, magic value, default), ``time`` by itself (with ``after``: an automatic arrow) or
by a plan, ``hand`` by a tester's decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.limits import SCHEMA_KEY
from plivo_sim.domain.typed import decode

Who = Literal["client", "reviewer", "time", "hand"]
ClientVerb = Literal["edit", "delete", "submit", "link"]
Tone = Literal["good", "bad", "wait", "idle"]
DIALECTS = ("legacy", "current", "beta", "atoms")
"""Who has a word for each status; ``numbers`` is a fifth, which can be left out."""
Dialect = Literal["legacy", "current", "beta", "atoms", "numbers"]
_SHOWING: tuple[Dialect, ...] = ("legacy", "current", "beta", "atoms", "numbers")
NOTHING = "nothing"
"""What a review may end in beside a status: the application stays as it is."""
PLANNED: tuple[Who, ...] = ("reviewer", "time")
"""Along whose arrows a reviewer's plan goes."""


def _long(limit: limits.Limit, **more: Any) -> Meta:
    return Meta(max_length=limit.most, extra_json_schema={SCHEMA_KEY: limit.name}, **more)


StatusName = Annotated[str, _long(limits.STATUS_NAME, pattern=r"^[a-z][a-z0-9_]*$(?!\n)")]
Word = Annotated[str, _long(limits.STATUS_NAME, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$(?!\n)")]
Command = Annotated[str, _long(limits.STATUS_NAME, pattern=r"^[a-z][a-z0-9-]*$(?!\n)")]
Sentence = Annotated[str, _long(limits.MACHINE_TEXT)]
After = Annotated[str, _long(limits.DURATION, min_length=1)]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of a machine file: immutable, and strict about unknown keys."""


class StatusRow(Part, frozen=True, kw_only=True):
    """Everything about a status.

    ``legacy``, ``current``, ``beta``, ``atoms``: its word in each API; ``numbers``: what a number
    shows whose application has it (empty: the current word). ``beta_reason``: what a reason begins
    with in the beta dialect, for a word that hides which status it is. ``step``: the step that
    Atoms shows (empty: its word).

    ``client``: what the client may do in it: ``edit`` (change it), ``submit`` (send it again),
    ``delete``, ``link`` numbers to it; a status with ``link`` is an acceptance: entering it
    verifies every document. ``locks``: documents and end user cannot change meanwhile.
    ``reason``: it always has one, this one if none was given; empty: it takes none.
    ``verb`` completes "cannot … application X" (empty: "move to" and its name). ``tone``: the
    colour of its label. ``ends``: nothing leaves it, on purpose.
    """

    legacy: Word
    current: Word
    beta: Word
    atoms: Word
    numbers: Word | Literal[""] = ""
    beta_reason: Sentence = ""
    step: Word | Literal[""] = ""
    client: tuple[ClientVerb, ...] = ()
    locks: bool = False
    reason: Sentence = ""
    verb: Sentence = ""
    tone: Tone = "wait"
    ends: bool = False

    def word(self, dialect: Dialect) -> str:
        """Its word in an API."""
        found: str = getattr(self, dialect)
        return found or self.current


class Callback(Part, frozen=True, kw_only=True):
    """The status that a callback tells, by the API that made the application, where it is another
    word than that of the status."""

    legacy: Word | Literal[""] = ""
    current: Word | Literal[""] = ""
    beta: Word | Literal[""] = ""
    atoms: Word | Literal[""] = ""


class Arrow(Part, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One way from a status to another.

    ``by``: who takes it, one or several. ``after``: how long after the status was entered it is
    taken by itself; only with ``time``. ``event``: what the beta dialect's callback says after
    ``compliance.`` (empty: the word of its status). ``callback``: see ``Callback``.

    ``not_before``: how long the status lasts at least before the reviewer takes it; a decision that
    falls sooner waits.

    Of a decision by ``hand``: ``command`` of ``plivo-sim apps`` and its ``help``, ``label`` of the
    console's button, ``done`` what that says before the id. Where they are missing, they are those
    of another arrow by hand to the same status, or made of its name.
    """

    from_: StatusName
    to: StatusName
    by: Who | tuple[Who, ...]
    after: After | None = None
    not_before: After | None = None
    event: Word | Literal[""] = ""
    callback: Callback = Callback()
    command: Command | Literal[""] = ""
    help: Sentence = ""
    label: Sentence = ""
    done: Sentence = ""

    @property
    def takers(self) -> tuple[Who, ...]:
        """Who takes it."""
        return (self.by,) if isinstance(self.by, str) else self.by


class Starts(Part, frozen=True, kw_only=True):
    """The two statuses that the code knows by what they are for: which one a new application has,
    and which one a submission gives."""

    draft: StatusName
    submitted: StatusName


class ReviewCase(Part, frozen=True, kw_only=True):
    """Another default, for the applications that are of all that is given. ``api``: the API that
    submits it, ``legacy``, ``current``, ``beta`` or ``atoms``."""

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)")] | Literal[""] = ""
    number_type: Literal["local", "mobile", "tollfree", "national", ""] = ""
    user_type: Literal["individual", "business", ""] = ""
    api: Literal["legacy", "current", "beta", "atoms", ""] = ""
    outcome: StatusName | None = None
    delay: After | None = None


class Review(Part, frozen=True, kw_only=True):
    """What the reviewer does when nothing else says so, and after how long. Of the ``cases`` the
    first that fits counts; what it leaves out is the default's. Without any ``delay``, the setting
    ``review_delay`` tells; an account's own comes before all of them."""

    outcome: StatusName
    delay: After | None = None
    cases: Annotated[tuple[ReviewCase, ...], _long(limits.REVIEW_CASES)] = ()


class MachineFile(Part, frozen=True, kw_only=True):
    """A whole machine. ``machine`` is its name, ``about`` a sentence."""

    machine: Annotated[str, _long(limits.STATUS_NAME, pattern=r"^[a-z][a-z0-9_-]*$(?!\n)")]
    about: Sentence = ""
    starts: Starts
    review: Review
    statuses: Annotated[dict[StatusName, StatusRow], _long(limits.STATUSES)]
    arrows: Annotated[tuple[Arrow, ...], _long(limits.ARROWS)]


class ByHand(Struct, frozen=True, kw_only=True):
    """How a tester decides for a status. ``only_from``: the statuses in which it is called so;
    empty for the first way, which is asked for from any (and refused where there is no arrow)."""

    command: str
    help: str
    label: str
    done: str
    only_from: frozenset[str] = frozenset()


class Machine:
    """A valid machine file, with look-ups. Immutable; equal when the files are."""

    def __init__(self, file: MachineFile) -> None:
        self.file = file
        self.name = file.machine
        self.statuses: Mapping[str, StatusRow] = file.statuses
        self.arrows = file.arrows
        self.draft, self.submitted = file.starts.draft, file.starts.submitted
        self._arrows = {(arrow.from_, arrow.to): arrow for arrow in file.arrows}
        self._delays = {
            arrow.from_: (arrow, parse_duration(arrow.after))
            for arrow in file.arrows
            if arrow.after is not None
        }
        self.is_automatic = bool(self._delays)
        """Whether anything happens by itself."""
        self.all_words: Mapping[str, Mapping[str, str]] = {
            dialect: {name: row.word(dialect) for name, row in self.statuses.items()}
            for dialect in _SHOWING
        }
        """API -> status -> its word there."""
        self._by_hand = {name: tuple(self._ways_to(name)) for name in self.statuses}
        self.locking = self._with(lambda row: row.locks)
        self.linking = self._with(lambda row: "link" in row.client)
        """Acceptances: numbers can be linked to them."""
        self.decidable = tuple(name for name, ways in self._by_hand.items() if ways)
        """What a decision by hand may be."""
        self.outcomes = (*(each for each in self.statuses if self.may_follow(self.submitted, each)),
                         NOTHING)  # fmt: skip
        """What a review may end in."""
        self.following = tuple(self._following())
        """What may come after that in a plan."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Machine) and other.file == self.file

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<machine {self.name}: {len(self.statuses)} statuses, {len(self.arrows)} arrows>"

    def _with(self, holds: Any) -> frozenset[str]:
        return frozenset(name for name, row in self.statuses.items() if holds(row))

    # --- statuses ------------------------------------------------------------------------------

    def words(self, dialect: Dialect) -> Mapping[str, str]:
        """Status -> its word in an API."""
        return self.all_words[dialect]

    def verb(self, status: str) -> str:
        """What completes "cannot … application X"."""
        return self.statuses[status].verb or f"move to {status}"

    def may(self, status: str, verb: ClientVerb) -> bool:
        """Whether the client may do this in a status."""
        return verb in self.statuses[status].client

    def correctable(self, status: str) -> bool:
        """Whether the client may change an application and send it again in one go
        (decision "Correctable applications"): not a draft, which is submitted as it is."""
        row = self.statuses[status].client
        return status != self.draft and "edit" in row and "submit" in row

    def step_of(self, atoms_word: str) -> str:
        """The step that Atoms shows for one of its words."""
        for row in self.statuses.values():
            if row.atoms == atoms_word:
                return row.step or atoms_word
        return atoms_word

    # --- arrows --------------------------------------------------------------------------------

    def arrow(self, origin: str, target: str) -> Arrow | None:
        """The arrow between two statuses."""
        return self._arrows.get((origin, target))

    def allowed(self, origin: str, target: str, *by: Who) -> bool:
        """Whether there is an arrow that one of these takes; without ``by``, that anybody does."""
        arrow = self._arrows.get((origin, target))
        return arrow is not None and (not by or not set(by).isdisjoint(arrow.takers))

    def taker(self, origin: str, target: str) -> Who:
        """Who takes a planned arrow: the reviewer, if he does at all, else time."""
        arrow = self._arrows[origin, target]
        return "reviewer" if "reviewer" in arrow.takers else "time"

    def automatic(self, origin: str) -> tuple[Arrow, Duration] | None:
        """The arrow that leaves a status by itself, and after how long."""
        return self._delays.get(origin)

    def not_before(self, origin: str, target: str) -> Duration:
        """How long a status lasts at least before a plan goes on to the other."""
        text = self._arrows[origin, target].not_before
        return parse_duration(text) if text else Duration()

    def by_itself(self, origin: str) -> list[str]:
        """The status, and those that automatic arrows lead to from it, in their order."""
        found = [origin]
        while found[-1] in self._delays and len(found) <= len(self.statuses):
            found.append(self._delays[found[-1]][0].to)
        return found

    def may_follow(self, origin: str, target: str) -> bool:
        """Whether a plan can go on from one status to the other: by a planned arrow from it, or
        from where automatic arrows lead."""
        return any(self.allowed(each, target, *PLANNED) for each in self.by_itself(origin))

    def can_decide(self, first: str, *then: str) -> bool:
        """Whether a review can end in these, one after the other."""
        steps = (self.submitted, first, *then)
        return first == NOTHING or all(
            at in self.statuses and self.may_follow(at, to) for at, to in pairwise(steps)
        )

    def _following(self) -> Iterator[str]:
        fresh, reached = set(self.outcomes) - {NOTHING}, set[str]()
        while fresh:
            found = {t for o in fresh for t in self.statuses if self.may_follow(o, t)}
            fresh, reached = found - reached, reached | found
        return (each for each in self.statuses if each in reached)

    # --- decisions by hand -----------------------------------------------------------------------

    def ways_to(self, target: str) -> tuple[ByHand, ...]:
        """The ways to decide for a status by hand; none when nobody does."""
        return self._by_hand[target]

    def open_to(self, origin: str) -> dict[str, ByHand]:
        """The decisions by hand that may follow, as they are called there."""
        found = {}
        for target in self.decidable:
            if self.allowed(origin, target, "hand"):
                ways = self._by_hand[target]
                found[target] = next((w for w in ways if origin in w.only_from), ways[0])
        return found

    def _ways_to(self, target: str) -> Iterator[ByHand]:
        arrows = [each for each in self.arrows if each.to == target and "hand" in each.takers]
        called = [each for each in arrows if each.command] or arrows[:1]
        commands = {each.command: each for each in reversed(called)}
        for place, arrow in enumerate(commands[each] for each in reversed(commands)):
            same = frozenset(each.from_ for each in called if each.command == arrow.command)
            plain = target.replace("_", " ")
            yield ByHand(
                command=arrow.command or target.replace("_", "-"),
                help=arrow.help or f"Decide that an application is {plain}.",
                label=arrow.label or plain.capitalize(),
                done=arrow.done or f"Decided {plain}:",
                only_from=same if place else frozenset(),
            )

    # --- reviews and callbacks -------------------------------------------------------------------

    def review(
        self, country: str, number_type: str, user_type: str, api: str
    ) -> tuple[str, Duration | None]:
        """The default outcome, and its delay if the machine has one."""
        of, review = (country, number_type, user_type, api), self.file.review
        outcome, delay = review.outcome, review.delay
        for case in review.cases:
            wanted = (case.country, case.number_type, case.user_type, case.api)
            if all(each in ("", given) for each, given in zip(wanted, of, strict=True)):
                outcome, delay = case.outcome or outcome, case.delay or delay
                break
        return outcome, parse_duration(delay) if delay else None

    def told(self, origin: str, target: str, dialect: Dialect) -> tuple[str, str]:
        """What the callback of an arrow says in an API: the event, and the status."""
        arrow, row = self._arrows[origin, target], self.statuses[target]
        word = getattr(arrow.callback, dialect, "") or row.word(dialect)
        return arrow.event or word, word

    def callback_words(self, dialect: Dialect) -> Collection[str]:
        """Every status that a callback can tell in an API, in the order of the statuses."""
        order = list(self.statuses)
        arrows = sorted(self.arrows, key=lambda arrow: order.index(arrow.to))
        return dict.fromkeys(self.told(each.from_, each.to, dialect)[1] for each in arrows)

    @cached_property
    def vocabulary(self) -> Mapping[str, tuple[str, ...]]:
        """See ``words_of``."""
        return _vocabulary(self)


def machine_of(text: str | bytes) -> Machine:
    """The machine of a file's JSON, as a record or the package holds it. Raises
    msgspec.DecodeError."""
    return Machine(decode(text, MachineFile))


def json_of(machine: Machine) -> str:
    """Its JSON, whole."""
    return msgspec.json.encode(machine.file).decode()


# --- words in schemas --------------------------------------------------------------------------

ABSENT = "absent"
"""What an application is expected to be that was never filed."""
WORDS_KEY = "x-words"
"""Under which a JSON Schema says which of a machine's words a text is: a key of ``words_of``."""


def words_of(machine: Machine) -> Mapping[str, tuple[str, ...]]:
    """Every list of words that a machine tells, by the name that schemas have for it: what each API
    shows, and what scenarios and control calls take."""
    return machine.vocabulary


def _vocabulary(machine: Machine) -> dict[str, tuple[str, ...]]:
    statuses = tuple(machine.statuses)
    shown = {
        f"{dialect} status": tuple(dict.fromkeys(words.values()))
        for dialect, words in machine.all_words.items()
    }
    steps = dict.fromkeys(machine.step_of(word) for word in machine.words("atoms").values())
    return {
        **shown,
        "atoms step": tuple(steps),
        "statuses": statuses,
        "ends": (*statuses, ABSENT),
        "outcomes": machine.outcomes,
        "following": machine.following,
        "decidable": machine.decidable,
        "callbacks": tuple(machine.callback_words("current")),
    }


def with_words(schema: Any, machine: Machine, *, closed: bool) -> Any:
    """A schema with the machine's words where a text is one of them; unless ``closed``, others may
    be written, too."""
    if isinstance(schema, list):
        return [with_words(each, machine, closed=closed) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: with_words(each, machine, closed=closed) for key, each in schema.items()}
    kind = plain.pop(WORDS_KEY, None)
    if kind is None:
        return plain
    plain.pop("maxLength", None)
    words = {"enum": sorted(words_of(machine)[kind])}
    if closed:
        return plain | words
    plain.pop("type", None)
    return plain | {"anyOf": [words, {"type": "string"}]}
