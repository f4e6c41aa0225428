"""What was submitted each time, in short texts, and what a later attempt changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.records import (
    END_USER_DETAILS,
    Application,
    Document,
    Explanation,
    Pairs,
)
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.scenarios.rules import Submission


class Difference(NamedTuple):
    """What an attempt changed: ``path`` as ``end_user.name``, and both texts ("": not there)."""

    path: str
    before: str
    after: str


def sent_of(catalogue: Catalogue, submission: Submission) -> Pairs:
    """What is submitted: path -> text, without what is empty."""
    application, end_user = submission.application, submission.end_user
    found = [
        ("alias", application.alias),
        ("callback_url", application.callback_url or ""),
        *((f"end_user.{name}", getattr(end_user, name) or "") for name in END_USER_DETAILS),
        *_of_documents(catalogue, submission.documents),
    ]
    kept = {path: _short(text) for path, text in found if text}
    return tuple(kept.items())[: limits.SENT.most]


def _of_documents(catalogue: Catalogue, documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """By the words of their types; a second of the same type is counted."""
    seen: Counter[str] = Counter()
    for document in documents:
        word = catalogue.types_by_id[document.document_type_id].word
        seen[word] += 1
        path = f"documents.{word}" + (f"[{seen[word]}]" if seen[word] > 1 else "")
        file = document.file
        if file is None:
            yield path, "without a file"
        else:
            hash = file.sha256[:12]
            yield path, f"{file.name} ({file.size_bytes:,} bytes, sha256 {hash}…)"
        for name, text in document.data_fields:
            yield f"{path}.{name}", text


def _short(text: str) -> str:
    if len(text) <= limits.SENT_TEXT.most:
        return text
    hash = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    tail = f"… ({len(text):,} characters, sha256 {hash}…)"
    return text[: limits.SENT_TEXT.most - len(tail)] + tail


def changed_since_first(account: Account, application: Application, sent: Pairs) -> list[str]:
    """The paths of what an attempt that sends this has otherwise than the first attempt, or the
    oldest that is known; empty for the first."""
    nth = application.attempt
    known = account.store.explanations.having("application_id", application.id) if nth > 1 else ()
    first = next((each for each in known if each.attempt < nth and each.sent), None)
    if first is None:
        return []
    return [each.path for each in _differences(dict(first.sent), dict(sent))]


def is_as_before(account: Account, submission: Submission) -> bool:
    """Whether it sends the same as the attempt before it; False where that is not known."""
    application = submission.application
    known = account.store.explanations.fetch(f"{application.id}/{application.attempt}")
    if known is None or len(known.sent) >= limits.SENT.most:
        return False
    return known.sent == sent_of(account.catalogue, submission)


def changed_in(explanations: Sequence[Explanation]) -> dict[int, list[Difference]]:
    """Attempt -> what it changed, compared with the attempt before it; those of which either is not
    known are left out. ``explanations``: of one application, oldest first."""
    known = {each.attempt: dict(each.sent) for each in explanations if each.sent}
    return {
        attempt: _differences(known[attempt - 1], sent)
        for attempt, sent in known.items()
        if attempt - 1 in known
    }


def _differences(before: dict[str, str], after: dict[str, str]) -> list[Difference]:
    paths = dict.fromkeys((*after, *before))
    found = (Difference(path, before.get(path, ""), after.get(path, "")) for path in paths)
    return [each for each in found if each.before != each.after]
