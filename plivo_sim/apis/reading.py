"""What the APIs read in the same way: headers, shapes of bodies, query strings of lists; and what
goes with these: the ``meta`` object of a list, the answer to a change, the header of a download.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypedDict
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from plivo_sim.account.interfaces import Where
from plivo_sim.apis.fields import Field, Fields, Many, Nested
from plivo_sim.apis.words import Uuid
from plivo_sim.domain.errors import Invalid, Path, Problem, ProblemKind
from plivo_sim.domain.typed import dotted, once
from plivo_sim.domain.words import did_you_mean
from plivo_sim.services.inputs import refuse
from plivo_sim.web import endpoints
from plivo_sim.web.bodies import Body, not_taken, read_body
from plivo_sim.web.calls import NAMED_DIALECTS, Call, current_call, header_text

# --- headers -------------------------------------------------------------------------------

DIALECT_HEADER = "X-Plivo-Sim-Dialect"
_DIALECT_KEY = "HTTP_X_PLIVO_SIM_DIALECT"

MOUNT_KEY = "plivo_sim.dialect"
"""Where the WSGI environment says which mount (``/current/v1/…``) was called."""


def requested_dialect(call: Call) -> str:
    """What the mount, or else the header, asks for; empty when neither says a word that there is.

    Warns of a header that does not count (invented)."""
    environ = call.request.environ
    mount: str = environ.get(MOUNT_KEY, "")
    word: str = environ.get(_DIALECT_KEY, "").strip().lower()
    warning = ""
    if word and word not in NAMED_DIALECTS:
        hint = did_you_mean(word[:50], NAMED_DIALECTS, listed=0)
        allowed = ", ".join(NAMED_DIALECTS)
        warning = f"{DIALECT_HEADER} must be one of {allowed}, not '{word[:50]}'{hint}"
        word = ""
    elif mount and word not in ("", mount):
        warning = f"{DIALECT_HEADER}: {word} does not count below /{mount}/v1"
    if warning and warning not in call.warnings:
        call.warnings.append(warning)
    return mount or word


_PLIVO_CLIENT = re.compile(r"plivo-(python|node|go|ruby|php|java|dotnet|cli)/", re.IGNORECASE)


def is_plivo_client(user_agent: str) -> bool:
    """Whether an official SDK (observed: Go uploads do not say so) or Plivo's command line
    (documented) sent this."""
    return _PLIVO_CLIENT.match(user_agent) is not None


_PLAIN_ENOUGH = "!#$&+-.^_`|~"


def name_file(
    response: Response, name: str, how: Literal["inline", "attachment"] = "attachment"
) -> None:
    """Tell clients to save the body under this name, or to show it (RFC 6266).

    A name that is not ASCII goes as ``filename*``, beside an ASCII one for old clients. Whatever a
    record says, it is one line.
    """
    names = {"filename": header_text(name if name.isascii() else _in_ascii(name))}
    if not name.isascii():
        names["filename*"] = f"UTF-8''{quote(name, safe=_PLAIN_ENOUGH)}"
    response.headers.set("Content-Disposition", how, **names)


def _in_ascii(name: str) -> str:
    """The name without accents and without letters that have no ASCII form."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, end = plain.rpartition(".") if "." in plain else (plain, "", "")
    return f"{stem.strip() or 'file'}{dot}{end}"


# --- bodies --------------------------------------------------------------------------------


class Shape:
    """The body of this name in a module, which is imported when the first one is read."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    @property
    def kind(self) -> type[Fields]:
        return _kind_of(self._module, self._name)

    @property
    def fields(self) -> Mapping[str, Field]:
        """Its fields by our names, which are those in bodies but where one has a ``data_key``."""
        return self.kind.fields


@once
def _kind_of(module: str, name: str) -> type[Fields]:
    made: type[Fields] = getattr(import_module(module), name)
    return made


def load(
    shape: Shape, data: Any, to_domain: Callable[[Path], Path] = lambda path: path
) -> tuple[dict[str, Any], list[Problem]]:
    """What is usable of ``data``, and everything wrong with it; never raises."""
    try:
        return shape.kind.read(data), []
    except ValueError:
        from plivo_sim.apis import schema  # here: it needs marshmallow

        return schema.load(schema.schema_of(shape.kind)(), data, to_domain)


def ignored_keys(kind: type[Fields], data: Any, path: Path = ()) -> Iterator[str]:
    """The keys of ``data``, at any depth, that are not declared and nothing uses; null counts as
    not given. Whether the live service ignores or refuses them is unknown: they are ignored with a
    warning (invented)."""
    known = {each.data_key or name: each for name, each in kind.fields.items()}
    for key, value in data.items() if isinstance(data, Mapping) else ():
        field = known.get(key)
        entries = [((*path, key), value)]
        if isinstance(field, Many) and isinstance(value, list):
            field, entries = field.inner, [((*path, key, i), each) for i, each in enumerate(value)]
        if isinstance(field, Nested):
            for place, each in entries:
                yield from ignored_keys(field.kind, each, place)
        elif field is None and value is not None:
            yield dotted((*path, key))


# --- query strings -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    where: Where
    offset: int
    limit: int


Query = MultiDict[str, str]
_WHOLE = re.compile(r"-?[0-9]{1,11}")


def refuse_unknown(query: Query, known: Collection[str]) -> list[Problem]:
    """A problem for every parameter that the new API does not know (observed: it refuses them)."""
    return [
        Problem(ProblemKind.UNKNOWN_PARAMETER, (name,), "unknown")
        for name in query
        if name not in known
    ]


def whole_number(
    query: Query, name: str, default: int, low: int, high: int, problems: list[Problem]
) -> int:
    """A parameter within bounds; a wrong one is added to ``problems``."""
    text = query.get(name, "")
    if not text:
        return default
    if _WHOLE.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    bounds = f"{low} to {high}" if high < 10**9 else f"{low} or more"
    problems.append(
        Problem(ProblemKind.BAD_PARAMETER, (name,), f"must be a whole number, {bounds}")
    )
    return default


LARGEST_PAGE = 20
"""Documented for lists of the legacy API and of numbers, and the default there; the same for
searches (inferred)."""

PAGE = (
    endpoints.Query(
        name="limit",
        type="integer",
        description=f"1 to {LARGEST_PAGE}, default {LARGEST_PAGE}.",
    ),
    endpoints.Query(name="offset", type="integer"),
)
"""The parameters of such a list, as endpoints declare them."""


def read_page(
    query: Query, problems: list[Problem], largest: int = LARGEST_PAGE
) -> tuple[int, int]:
    """``offset`` and ``limit`` of such a list; wrong ones are added to ``problems``."""
    return (
        whole_number(query, "offset", 0, 0, 10**9, problems),
        whole_number(query, "limit", LARGEST_PAGE, 1, largest, problems),
    )


def let_pass(call: Call, problems: Sequence[Problem]) -> None:
    """Warn of soft problems. Raises Invalid when one is not soft, or the account is strict
    (decision "Lenient with a warning")."""
    warn(call, refuse(problems, strict=call.account.settings.strict))


def warn(call: Call, problems: Iterable[Problem]) -> None:
    """Tell in the warning header of problems that did not matter."""
    call.warnings += [f"{dotted(each.path)}: {each.text}".removeprefix(": ") for each in problems]


def want_json_type(call: Call, body: Body) -> None:
    """A POST without a body is taken with ``Content-Type: application/json`` only (field-reported:
    docs/wire-facts.md, "A POST without a body needs the JSON type"), and so is one with a body
    (inferred); soft, because no page says so. Raises Invalid in a strict account."""
    if body.media_type == "application/json" or body.media_type.endswith("+json"):
        return
    seen = body.media_type[:50] or "none"
    text = f"POST needs Content-Type: application/json and raw JSON, such as {{}}; it is {seen}"
    live = "use 'application/json' Content-Type and raw POST with json data"
    let_pass(call, [Problem(ProblemKind.UNREADABLE, (), text, soft=True, live_text=live)])


def read_json_body(call: Call, what: str = "JSON") -> Body:
    """The body of the request if it is JSON, or there is none. Raises Invalid for any other;
    ``what``: what it must be."""
    body = read_body(call.request)
    if body.kind not in ("json", "empty"):
        text = f"the body must be {what}, with Content-Type: application/json"
        raise not_taken(text, body.media_type)
    want_json_type(call, body)
    return body


def name_unknown_parameters(
    blueprint: Blueprint, rows: Iterable[endpoints.Endpoint], tolerated: Collection[str] = ()
) -> None:
    """Have every call of a blueprint warn of the query parameters that its row does not have
    (decision "Unknown query parameters"); of ``tolerated`` ones nothing is said."""
    known = {
        f"{blueprint.name}.{row.name}": {
            *tolerated,
            *(each.name for each in row.query if each.place == "query"),
        }
        for row in rows
    }

    @blueprint.before_request
    def name_them() -> None:
        call = current_call()
        if not call.request.query_string:
            return
        names = known[call.operation]
        call.warnings += [
            f"ignored query parameter '{name[:50]}'" for name in request.args if name not in names
        ]


def refuse_if_any(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise Invalid(found)


class MetaOut(TypedDict):
    limit: int
    offset: int
    total_count: int
    next: str | None
    previous: str | None


def meta(path: str, query: Mapping[str, str], offset: int, limit: int, total: int) -> MetaOut:
    """The ``meta`` object of a list; ``next`` and ``previous`` are relative URLs or null.

    Source: observed (docs/wire-facts.md, "Legacy lists", "List of the new API").
    """
    others = {key: value for key, value in query.items() if key not in ("limit", "offset")}

    def link(at: int) -> str:
        return f"{path}?{urlencode({'limit': limit, 'offset': at, **others})}"

    return {
        "limit": limit,
        "offset": offset,
        "total_count": total,
        "next": link(offset + limit) if offset + limit < total else None,
        "previous": link(max(offset - limit, 0)) if offset > 0 else None,
    }


def answer_list(
    call: Call, offset: int, limit: int, objects: Sequence[Any], total_count: int
) -> Response:
    """A list of the legacy API is ``{api_id, meta, objects}`` (observed)."""
    path = request.script_root + request.path  # a fixed mount stays in the links
    about = meta(path, request.args, offset, limit, total_count)
    return call.answer({"api_id": call.api_id, "meta": about, "objects": objects})


class MessageOut(TypedDict):
    """The answer to an update or a delete."""

    api_id: Uuid
    message: str


def changed(call: Call, why: str, status: int = 200, message: str = "changed") -> Response:
    """The answer to updates and, with 200, to deletes (documented; 200 with a body is the only
    answer to a delete that every SDK takes: observed)."""
    call.why = why
    answer: MessageOut = {"api_id": call.api_id, "message": message}
    return call.answer(answer, status)


def warn_nothing_given(call: Call, given: Collection[Any], problems: Collection[Any]) -> None:
    """An update that gives nothing changes nothing and says so: Go's update of a document
    loses its fields on the way (observed)."""
    if not given and not problems:
        call.warnings.append("nothing to change was given")
