"""Which accounts a server has, where several stand behind one proxy. Invented.

A proxy routes a call by the *key* of its account: the 18 characters after ``MA`` or ``SA``, so that
a subaccount goes where its account is. A rule says how the key must end, in a form that every proxy
can write as a map: ``regex`` is the same rule for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from plivo_sim.domain.secrets import as_told

_STEP = r"(?:[A-Za-z0-9]|\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+\])"
_ENDING = re.compile(rf"\*({_STEP}{{1,18}})")
_RANGE = re.compile(r"(.)-(.)")
LONGEST = 1000
"""Characters that a rule may have."""


@dataclass(frozen=True, slots=True)
class ServingRule:
    """``*[0-7]``, or several such endings with commas between them: the accounts whose key ends
    so. Small and capital letters differ. Empty: every account."""

    text: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def regex(self) -> str:
        """What a proxy matches a key with; ``.*`` for every account."""
        endings = [each.removeprefix("*") for each in self.text.split(",") if each]
        return f"(?:{'|'.join(endings)})$" if endings else ".*"

    def serves(self, auth_id: str) -> bool:
        """Whether this auth id, ``MA…`` or ``SA…``, is one of them."""
        return not self.text or re.search(self.regex, auth_id[2:]) is not None


def read_rule(text: str) -> ServingRule:
    """The rule that a text is. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"the rule is too long: up to {LONGEST} characters")
    words = [word for word in text.replace(",", " ").split() if word]
    for word in words:
        if word == "*":
            return ServingRule()
        if not _ENDING.fullmatch(word):
            told = "is no ending of an auth id: write *7 or *[0-7], several with commas"
            raise ValueError(f"{as_told(word)} {told}")
        for first, last in _RANGE.findall(word):
            if first > last:
                raise ValueError(f"{word[:50]!r}: {first}-{last} is no range; write {last}-{first}")
    return ServingRule(",".join(words))
