"""What buttons do: each makes one or more control calls, so that a script can do the same, and the
page can show how.

An action names an operation of the control API; method, path and the curl command come from the
operation's row. It is built from a form by a function in the ``ACTIONS`` table of the module whose
page has the button; ``doing.perform`` makes its call within the application.

Commands are safe to paste, whatever a client has put into them.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app, g, request
from werkzeug.datastructures import ImmutableMultiDict

from plivo_sim.console import moves
from plivo_sim.control import CONTROL
from plivo_sim.domain import limits
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.text import shell_line, shell_word
from plivo_sim.settings import DEFAULT_URL

LEFT_OUT = frozenset(
    {
        "authorization", "cookie", "proxy-authorization", "host", "content-length", "connection",
        "transfer-encoding", "accept-encoding", "content-encoding", "expect",
    }
)  # fmt: skip
"""Headers that are secret, that curl makes itself, or that describe how the body was encoded."""


def curl(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Iterable[str] = (),
    credentials: str = "",
) -> str:
    """A request as a curl command. ``body``: further words; ``credentials``: words of the shell, as
    they are."""
    body = list(body)
    command = ["curl"] if method == "GET" and not body else ["curl", "-X", method]
    if set(url) & set("[]{}"):
        command.append("-g")
    words = [shell_word(url)]
    for name, value in headers.items():
        if name.lower() not in LEFT_OUT and not name.startswith("@"):  # that would be a file
            words += ["-H", shell_word(f"{name}: {value}" if value else f"{name};")]
    words += map(shell_word, body)
    return " ".join([*map(shell_word, command), *filter(None, [credentials]), *words])


def login_words(user: str, token: str = "$PLIVO_AUTH_TOKEN") -> str:  # noqa: S107
    """Words for the credentials of a curl command; the shell fills in the token, a variable."""
    word = shell_word(user)
    return f'-u "{user}:{token}"' if word == user else f'-u {word}:"{token}"'


KEPT_TEXT = limits.SCENARIO_TEXT.most
MOST_AT_ONCE = 1000
MOST_UNTOLD = 20
"""Buttons whose page nobody has asked for yet: a browser asks at once, or never."""
KEPT_FORM = 1024 * 1024
"""Characters of a form that is filled again; of a longer one, its page shows what it can."""

Form = ImmutableMultiDict[str, str]
_PARAMETER = re.compile(r"\{(\w+:)?(?P<name>\w+)\}")
_LINE = re.compile(r"line (\d+): ")
_ROWS = {row.name: row for row in CONTROL.endpoints}


@dataclass(frozen=True, slots=True)
class Harmless:
    """A refusal, by its code, that means that there is nothing left to do; and what to say then."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One control call. ``message``: what to say once it is done. ``operation``: its name in the
    control API; ``ids``: the parameters of its path. ``cli``: the words after ``plivo-sim`` that
    do the same; empty for a call that no button makes. ``named``: an argument of that command
    which may look like an option.

    ``written``: name and text of a file that the command reads. ``attached``: which key of the
    body came as an uploaded file, and that file's name. ``wrong``: what is wrong with the form;
    then no call is made. ``harmless``: a refusal that is not shown as one. ``lines``: curl commands
    of several calls that were made already; ``operation`` is empty then. ``name``: what people
    call the record that it is about, ``did``: what the message says of it; many that did the same
    are told in one sentence, with links to their pages below ``listed``.
    """

    message: str
    operation: str
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    cli: tuple[str, ...] = ()
    named: str = ""
    written: tuple[str, str] | None = None
    attached: tuple[str, str] | None = None
    wrong: str = ""
    harmless: Harmless | None = None
    lines: tuple[str, ...] = ()
    did: str = ""
    name: str = ""
    listed: str = "applications"

    @property
    def method(self) -> str:
        return _ROWS[self.operation].method

    @property
    def url(self) -> str:
        path = _PARAMETER.sub(self._id, CONTROL.prefix + _ROWS[self.operation].path)
        account = (self.body or {}).get("account")
        query = {"account": account, **self.query} if account else self.query  # a proxy reads it
        return f"{path}?{urlencode(query)}" if query else path

    def _id(self, parameter: re.Match[str]) -> str:
        return quote(self.ids[parameter["name"]], safe="")

    def request(self) -> dict[str, Any]:
        """Headers and body, as Werkzeug's ``EnvironBuilder`` takes them."""
        return {"json": self.body}

    def problems_of(self, refusal: SimError | None) -> tuple[tuple[str, str], ...]:
        """Where the fault of a refused form lies, and the sentence; a control call says it in its
        answer."""
        return ()

    def as_curl(self, base: str) -> str:
        """The call from a shell; empty if the form is wrong."""
        if self.wrong or not self.operation:
            return "\n".join(self.lines)
        words = ["curl", "-X", self.method, f"{base}{self.url}"]
        if self.body is not None:
            words += ["-H", "Content-Type: application/json"]
        if self.attached is not None:
            return f"{self._piped(*self.attached)} | {shell_line(words)} --data-binary @-"
        if self.body is not None:
            words += ["-d", json.dumps(self.body, ensure_ascii=False)]
        return shell_line(words)

    def _piped(self, key: str, file: str) -> str:
        """The body, put together around the file in which most of it is."""
        rest = {name: value for name, value in (self.body or {}).items() if name != key}
        head = json.dumps({**rest, key: 0}, ensure_ascii=False).removesuffix("0}")
        return f"{{ printf %s {shell_word(head)}; cat -- {shell_word(file)}; echo '}}'; }}"

    def as_command(self, base: str) -> str:
        """The command line; empty if there is no command for it."""
        if self.wrong or not self.cli:
            return ""
        words = self.cli if base == DEFAULT_URL else (*self.cli, "--url", base)
        if self.named.startswith("-"):
            words = (*words, "--", self.named)
        elif self.named:
            words = (*words[:2], self.named, *words[2:])
        command = shell_line(("plivo-sim", *words))
        if self.written is None:
            return command
        file, text = self.written
        return f"printf %s {shell_word(text, may_break=True)} > {shell_word(file)}\n{command}"

    def light(self) -> Action:
        """As it is remembered: without what was attached, and with no text that is longer than any
        that is taken."""
        attached = self.attached[0] if self.attached is not None else None
        written = self.written and (self.written[0], self.written[1][:KEPT_TEXT])
        if self.body is None:
            return replace(self, written=written)
        kept = {
            name: each[:KEPT_TEXT] if isinstance(each, str) else each
            for name, each in self.body.items()
            if name != attached
        }
        return replace(self, body=kept, written=written)

    @property
    def size_bytes(self) -> int:
        """About how much memory its texts take."""
        texts = [*(self.body or {}).values(), *(self.written or ())]
        return sum(4 * len(each) for each in texts if isinstance(each, str))


def too_many(ids: list[str]) -> str:
    """What is wrong with so many in one form, if anything: each is a call, and the page waits."""
    if len(ids) <= MOST_AT_ONCE:
        return ""
    return f"these are {len(ids):,}: at most {MOST_AT_ONCE:,} go at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An action whose call was made, and what was answered. ``wrong``: see
    ``Action.problems_of``."""

    action: Action
    status: int
    answer: Any
    harmless: bool = False
    wrong: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        return self.status < 400 or self.harmless

    @property
    def message(self) -> str:
        """What happened, for the person who pressed the button."""
        carries_on = self.status == 202 and self.answer.get("pending")
        told = moves.sentence(self.answer) if self._moved else self.action.message
        if self.action.operation == "undo" and "undone" in self.answer:
            told = f"Undone: {self.answer['undone']}"
        return f"{told}{' It takes long, and carries on.' if carries_on else ''}"

    @property
    def links(self) -> list[tuple[str, str]]:
        """What to look at then: labels, and paths below the account's pages."""
        return [*moves.links(self.answer)] if self._moved else []

    @property
    def is_unsure(self) -> bool:
        """It was refused because others have written since: one may still want it."""
        return self.status == 409 and bool(self.answer.get("code") == "would_lose")

    @property
    def _moved(self) -> bool:
        is_move = self.action.operation in moves.MOVES
        return is_move and self.status < 400 and "began" in self.answer

    @property
    def places(self) -> list[tuple[str, str]]:
        """What was refused: the API's path and its sentence, of each problem of which it says
        where."""
        if self.ok:
            return []
        listed = self.answer.get("problems", [])
        return [*self.wrong] or [(each["path"], each["message"]) for each in listed]

    @property
    def problems(self) -> list[str]:
        """The API's own sentences."""
        if self.ok:
            return []
        found = [": ".join(filter(None, each)) for each in self.places]
        told = self.answer.get("detail") or self.answer.get("error") or "it was refused"
        return found or [str(told)]

    @property
    def yaml(self) -> str:
        """The text that was written in an editor, if it was about one."""
        text: str = (self.action.body or {}).get("yaml", "")
        return text

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """Each mistake in that text with its line (0: unknown) and the text of that line."""
        found = self._placed("mistakes")
        for each in self.answer.get("problems", []):
            placed = _LINE.match(each["message"])
            line = int(placed[1]) if placed else 0
            text = each["message"][placed.end() if placed else 0 :]
            found.append({"line": line, "path": each["path"], "text": text, **self._there(line)})
        return found

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """The same of what is warned of; a scenario that is used tells no lines."""
        return self._placed("warnings")

    def _placed(self, key: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = [
            {"line": 0, "path": "", "text": each} if isinstance(each, str) else each
            for each in self.answer.get(key, ())
        ]
        return [{**each, **self._there(each["line"])} for each in told]

    def _there(self, line: int) -> dict[str, str]:
        lines = self.yaml.splitlines()
        return {"there": lines[line - 1].strip() if 0 < line <= len(lines) else ""}


Build = Callable[[Form], Iterable[Action | Done]]
"""What a button does, of its form: calls, or a generator that is sent what became of each;
``Done``: what the function that builds it did itself."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button did. ``do``: its name, ``form``: what it sent; ``point``: the undo point that
    was kept before it, 0 if none was."""

    done: tuple[Done, ...] = ()
    do: str = ""
    form: Form = field(default_factory=lambda: _NO_FORM)
    point: int = 0

    @property
    def is_refused(self) -> bool:
        return any(not each.ok for each in self.done)


_NO_FORM: Form = ImmutableMultiDict()
_NOTHING = Pressed()


@dataclass(slots=True)
class Memory:
    """What the console itself keeps: the token of its forms, the name of this run for pages that
    outlive it, and what the last buttons did that no page has told yet. Not state of the simulator,
    and gone when it stops."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    untold: OrderedDict[str, Pressed] = field(default_factory=OrderedDict)
    count: int = 0

    def keep(self, done: list[Done], do: str = "", form: Form = _NO_FORM, point: int = 0) -> str:
        """Remember what a button did; returns its name, which is unique across runs. The rest: see
        ``Pressed``."""
        self.count += 1
        name = f"{self.run}-{self.count}"
        pressed = Pressed(tuple(done), do, form, point)
        if not pressed.is_refused or sum(map(len, form.values())) > KEPT_FORM:
            pressed = replace(pressed, form=_NO_FORM)
        self.untold[name] = pressed
        if len(self.untold) > MOST_UNTOLD:
            self.untold.popitem(last=False)
        return name

    def tell(self, name: str) -> Pressed:
        """What the button of this name did, once: who sends the page's URL to somebody, or loads
        it again, is not told again what happened."""
        return self.untold.pop(name, _NOTHING)


def memory() -> Memory:
    kept: Memory = current_app.extensions["console"]
    return kept


def pressed() -> Pressed:
    """What the button that led to this page did, if the page is its first after that."""
    found: Pressed | None = g.get("pressed")
    if found is None:
        found = g.pressed = memory().tell(request.args.get("done", ""))
    return found


def just_refused(operation: str, **ids: str) -> list[Done]:
    """The calls of this operation that the last button made and that were refused: the page shows
    their form again as it was."""
    return [
        each
        for each in pressed().done
        if each.action.operation == operation and each.action.ids == ids and not each.ok
    ]


def text_refused(operation: str) -> Done | None:
    """The same of an editor's text."""
    return next((each for each in just_refused(operation) if each.yaml), None)


def yaml_of(form: Form) -> str:
    """The text of an editor; browsers end lines with CRLF."""
    return form.get("yaml", "").replace("\r\n", "\n")
