"""An alias that one end user has twice is told of, however many have the alias or the name."""

from __future__ import annotations

import pytest

from tests.support import Http


def warned(http: Http, alias: str, name: str) -> bool:
    end_user = http.sdk_data()["end_user"] | {"name": name}
    answer = http.sdk_create(alias=alias, end_user=end_user)
    assert answer.status_code == 201
    return "is used by application" in answer.headers.get("X-Plivo-Sim-Warning", "")


@pytest.mark.parametrize(
    "made",
    [
        [("same", "A"), ("same", "B"), ("same", "C"), ("x", "D")],
        [("a", "Same"), ("b", "Same"), ("c", "Same"), ("same", "A")],
    ],
    ids=["one alias of many", "one name of many"],
)
def test_only_the_same_alias_of_the_same_name_is_told(
    http: Http, made: list[tuple[str, str]]
) -> None:
    """Looked for from whichever side is the rarer."""
    assert not any(warned(http, alias, name) for alias, name in made)
    assert [warned(http, alias, name) for alias, name in made] == [True] * 4
    assert not warned(http, "same", "D")
