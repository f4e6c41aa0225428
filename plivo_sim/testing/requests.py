"""The requests that came, and how near each is to what was wanted of one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

from plivo_sim.domain.machine import Dialect
from plivo_sim.domain.secrets import masked_json
from plivo_sim.domain.typed import short
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.globs import is_glob
from plivo_sim.scenarios.language import EFFECTS
from plivo_sim.scenarios.operations import (
    CALLS,
    ELSEWHERE,
    METHODS,
    OPERATIONS,
    can_fit,
    operations_like,
)
from plivo_sim.testing.calls import Calls
from plivo_sim.testing.matching import is_equal, is_matcher
from plivo_sim.testing.records import Request
from plivo_sim.web.access import masked_login

CLOSEST = 3
"""So many near misses are told."""

PLAIN = ("operation", "method", "path", "status", "dialect", "fault", "why")
CONDITIONS = (*PLAIN, "query", "headers", "data")
WORDS: Mapping[str, Sequence[str]] = {
    "operation": OPERATIONS,
    "dialect": get_args(Dialect),
    "method": (*METHODS, "HEAD", "OPTIONS"),
    "fault": EFFECTS,
}
"""The conditions whose words are known, and these."""


def check_times(times: Any) -> None:
    """Raises ValueError for what is no number of requests; None is any."""
    if times is not None and (type(times) is not int or times < 0):
        raise ValueError(f"times: {times!r} is not a whole number, 0 or more")


def check_conditions(wanted: Mapping[str, Any], came: Sequence[Request], calls: Calls) -> None:
    """Raises ValueError for a condition that there is not; for what no request of the account can
    have: a word, a path, a status, a value of a wrong type, a secret, which is masked in those that
    are kept; and for what every request has."""
    for name, value in wanted.items():
        if name not in CONDITIONS:
            hint = did_you_mean(name, CONDITIONS)
            raise ValueError(f"requests have no {name!r}{hint}")
        if name not in PLAIN:
            _check_part(name, value)
        elif name == "status":
            if type(value) is not int or not 100 <= value <= 599:
                raise ValueError(f"there is no HTTP status {value!r}; write a number, such as 404")
        elif (value is None and name == "fault") or is_matcher(name, value):
            continue
        elif not isinstance(value, str):
            raise ValueError(f"{name}: {short(value)} is not a text")
        elif name == "path" and not value.startswith(("/", "*", "?", "[")):
            raise ValueError(f"path: no URL has the path {value!r}; it begins with '/'")
        elif name in WORDS:
            _check_word(name, value, [getattr(each, name) for each in came])
    call = {name: wanted[name] for name in _OF_CALL if isinstance(wanted.get(name), str)}
    if call and all(misses(each, call) for each in came):
        _check_call(call, calls.auth_id)


def _check_word(name: str, value: str, came: Iterable[Any]) -> None:
    """A pattern for faults may be about the name of one, which is any text."""
    if name == "fault":
        if is_glob(value):
            return
        value = value.rpartition(": ")[2]
    if not any(_is_same(name, each, value) for each in (*WORDS[name], *came)):
        hint = did_you_mean(value, WORDS[name])
        raise ValueError(f"there is no {name} {value!r}{hint}")


_OF_CALL = ("operation", "method", "path", "dialect")


def _check_call(wanted: Mapping[str, str], auth_id: str) -> None:
    """Raises ValueError where the account has no such path, or no operation has all of these."""
    path, method = wanted.get("path", "*"), wanted.get("method", "*").upper()
    if not any(_can_be(path, each, auth_id) for each in ELSEWHERE):
        raise ValueError(f"no request of {auth_id} has the path {path!r}")
    operation = wanted.get("operation", "")
    if fnmatchcase("", operation):  # so is that of a call that nothing answers, by any method
        return
    if not any(
        _can_be(path, CALLS[name][1], auth_id) and _speaks(name, wanted.get("dialect", "*"))
        for name in operations_like(operation, "GET" if method == "HEAD" else method)
    ):
        raise ValueError(f"no request has {listed(wanted)} together")


def _can_be(path: str, template: str, auth_id: str) -> bool:
    """Whether a pattern fits a path of the account or its subaccount, under any mount."""
    owned = [template.replace("/Account/{}", f"/Account/{of}{auth_id[2:]}") for of in ("MA", "SA")]
    return any(
        can_fit(path, mount + each, has_case=True)
        for each in owned
        for mount in ("", "/current", "/beta")
    )


def _speaks(operation: str, dialect: str) -> bool:
    api = operation.partition(".")[0]
    return any(fnmatchcase(each, dialect) for each in _DIALECTS.get(api, (api,)))


_DIALECTS = {"compliance": ("current", "beta")}
"""Of the operations of an API; those of the others have its name."""


def _check_part(name: str, wanted: Any) -> None:
    """What is wanted of ``query``, ``headers`` or ``data``."""
    if isinstance(wanted, Mapping) and not wanted:
        raise ValueError(f"{name}: is empty, so it says nothing")
    if name == "data":
        _check_json(name, wanted)
    elif not isinstance(wanted, Mapping):
        raise ValueError(f"{name}: {short(wanted)} is not a dictionary of what has to be in it")
    else:
        for key, value in wanted.items():
            is_list = name == "query" and isinstance(value, list | tuple)
            for each in value if is_list else (value,):
                if not isinstance(key, str):
                    raise ValueError(f"{name}: the key {short(key)} is not a text")
                if not isinstance(each, str | int | float) and not is_matcher(key, each):
                    raise ValueError(f"{name}.{key}: {short(each)} is not a text")
    for path, shown in _masked_in(name, wanted, _as_kept(name, wanted)):
        told = "secrets are masked in the requests that are kept; what is kept"
        raise ValueError(f"{path}: {told} would be {shown!r}")


def _check_json(name: str, wanted: Any) -> None:
    """Raises ValueError for what cannot be in a body."""
    if isinstance(wanted, Mapping):
        for key, value in wanted.items():
            if not isinstance(key, str):
                raise ValueError(f"{name}: the key {short(key)} is not a text")
            _check_json(f"{name}.{key}", value)
    elif isinstance(wanted, list | tuple):
        for place, value in enumerate(wanted):
            _check_json(f"{name}.{place}", value)
    elif not isinstance(wanted, str | int | float | None) and not is_matcher(name, wanted):
        raise ValueError(f"{name}: {short(wanted)} cannot be written in JSON")


def _as_kept(name: str, wanted: Any) -> Any:
    """The same with its secrets masked, as they are where a request is kept."""
    shown = json.loads(masked_json(json.dumps(wanted, default=repr).encode()))
    if name == "headers":
        for key, value in wanted.items():
            if key.lower() == "authorization" and not _LOGIN.match(str(value)):
                shown[key] = masked_login(str(value))
            elif key.lower() == "authorization":
                shown[key] = value
    return shown


def _masked_in(path: str, wanted: Any, shown: Any) -> Iterator[tuple[str, Any]]:
    """Where something is masked, and what is there. A pattern that fits
    that, too, wants no secret."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        for key, value in wanted.items():
            yield from _masked_in(f"{path}.{key}", value, shown[key])
    elif isinstance(wanted, list | tuple) and isinstance(shown, list):
        for place, value in enumerate(wanted):
            yield from _masked_in(f"{path}.{place}", value, shown[place])
    elif is_matcher(path, wanted):
        return
    elif wanted != shown and not fnmatchcase(str(shown), str(wanted)):
        yield path, shown


_LOGIN = re.compile(r"(?:Basic )?(?=[^:]*[*?\[])[*?\[MS]")
"""A pattern for what is kept of an Authorization: ``Basic MA…:***``."""


# --- whether a request is as wanted ------------------------------------------------------------

NOT_WHOLE = "data is not kept whole"


def misses(request: Request, wanted: Mapping[str, Any]) -> list[str]:
    """Which conditions a request does not meet; none if it is one that is wanted; ``NOT_WHOLE``
    alone if nobody can tell."""
    return [text for each in wanted.items() for text in _misses(request, *each)]


def _misses(request: Request, name: str, wanted: Any) -> list[str]:
    if name in PLAIN:
        return list(_missed(name, _present(getattr(request, name), wanted), wanted))
    if name == "query":
        sent = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        return list(_missed_in_texts(name, sent, wanted))
    if name == "headers":
        headers = {_header(key): value for key, value in request.headers.items()}
        wanted = {_header(key): _as_text(value) for key, value in wanted.items()}
        return list(_missed_in(name, headers, wanted))
    if request.is_of_texts and isinstance(wanted, Mapping):
        found = list(_missed_in_texts(name, request.texts, wanted))
    else:
        every = (_missed_in(name, _present(each, wanted), wanted) for each in request.every_data)
        found = min(map(list, every), key=len)
    return found if request.is_data_whole else [NOT_WHOLE] * bool(found)


def unsure(came: Sequence[Request], wanted: Mapping[str, Any], forgotten: int) -> str:
    """Why nobody can tell how many came; empty if everybody can."""
    cut = sum(misses(each, wanted) == [NOT_WHOLE] for each in came)
    older = f"{forgotten} older ones are not kept any more" if forgotten else ""
    return "; ".join(filter(None, (older, f"of {cut} only the start is kept" if cut else "")))


def _header(name: str) -> str:
    return name.lower().replace("_", "-")


def _as_text(value: Any) -> Any:
    """A number or a truth as the text that it is where there are only texts."""
    is_plain = isinstance(value, int | float)
    return json.dumps(value) if is_plain else value


def _present(found: Any, wanted: Any) -> Any:
    """What a request has; nothing where that is None, a fault or a body, unless None is wanted."""
    return _NOTHING if found is None and wanted is not None else found


def _missed_in_texts(
    name: str, sent: Mapping[str, list[str]], wanted: Mapping[str, Any]
) -> Iterator[str]:
    """Of a parameter that was sent several times, any; of a list, all in their order."""
    for key, value in wanted.items():
        found = sent.get(key, [])
        if isinstance(value, list | tuple):
            yield from _missed_in(f"{name}.{key}", found or _NOTHING, list(map(_as_text, value)))
        elif all(list(_missed("", each, _as_text(value))) for each in found):
            one = found[0] if len(found) == 1 else found or _NOTHING
            yield from _missed(f"{name}.{key}", one, _as_text(value))


def _missed_in(name: str, found: Any, wanted: Any) -> Iterator[str]:
    """Of objects, what is wanted must be there; more may be. Lists are of equal length."""
    if isinstance(wanted, Mapping) and (wanted or isinstance(found, Mapping)):
        for key, value in wanted.items():
            inner = found.get(key, _NOTHING) if isinstance(found, Mapping) else _NOTHING
            yield from _missed_in(f"{name}.{key}", inner, value)
    elif isinstance(wanted, list | tuple) and isinstance(found, list) and len(wanted) == len(found):
        for place, value in enumerate(wanted):
            yield from _missed_in(f"{name}.{place}", found[place], value)
    else:
        yield from _missed(name, found, wanted)


def _missed(name: str, found: Any, wanted: Any) -> Iterator[str]:
    """What is not there meets nothing, whatever ``wanted`` is equal to."""
    if found is _NOTHING or not _is_same(name, found, wanted):
        shown = "is missing" if found is _NOTHING else f"is {found!r}"
        yield f"{name} {shown}, wanted {wanted!r}"


def _is_same(name: str, found: Any, wanted: Any) -> bool:
    """A wanted text may have ``*`` and ``?`` in it. Of a fault, ``fault-1: error``, the effect
    is enough; of a path the last slash is no part."""
    if not isinstance(found, str) or not isinstance(wanted, str):
        same_kind = isinstance(found, bool) is isinstance(wanted, bool)
        return (same_kind or is_matcher(name, wanted)) and is_equal(name, found, wanted)
    if name == "method":
        wanted = wanted.upper()
    texts, globs = {found}, {wanted}
    if name == "fault":
        texts.add(found.rpartition(": ")[2])
    elif name == "path":
        texts.add(found.rstrip("/"))
        globs.add(wanted.rstrip("/"))
    return found == wanted or any(fnmatchcase(each, glob) for each in texts for glob in globs)


_NOTHING = object()


def near_misses(came: Sequence[Request], wanted: Mapping[str, Any]) -> Iterator[str]:
    """The requests that are nearest to what is wanted, later ones first where they are as near, and
    the conditions that each does not meet."""
    if not came:
        yield "no request came"
        return
    yield f"of {len(came)} requests that came, the closest:"
    newest_first = came[::-1]
    ranked = sorted(newest_first, key=lambda each: len(misses(each, wanted)))
    for request in ranked[:CLOSEST]:
        named = f" ({request.operation})" if request.operation else ""
        yield f"  {request.method} {request.url}: {request.status}{named}"
        yield from (f"    {text}" for text in misses(request, wanted))


def told_of(
    came: Sequence[Request],
    found: Sequence[Request],
    let_in: Sequence[Request],
    wanted: Mapping[str, Any],
    times: int | None,
    unknown: str,
) -> str:
    """How many of those that came are wanted, and which are the closest. ``found``: those that are
    as wanted; ``let_in``: those of them that count; ``unknown``: see ``unsure``."""
    unknown = f"; {unknown}" if unknown else ""
    count = len(let_in) if len(found) == times else len(found)
    told = "no request" if times is None else f"{count} requests, not {times},"
    if count == times:
        told = f"nobody can tell whether {times} requests"
    if found and len(found) != len(let_in):
        unknown = f"{unknown}; {len(found) - len(let_in)} that would fit were not let in (401)"
    others = [each for each in came if each not in let_in]
    closest = near_misses(others, wanted) if others or not found else [""]
    which = f" with {listed(wanted)}" if wanted else ""
    return "\n".join([f"{told}{which} came{unknown}", *closest])


def listed(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in wanted.items())
