"""Indexes over several fields: a filter costs what there is, not what is asked."""

from __future__ import annotations

from plivo_sim.account.store.index import Index
from tests.account.store.records import application


def test_many_values_of_many_fields_make_no_product() -> None:
    """A query may repeat its parameters hundreds of times."""
    index = Index(("status", "alias"), [application(n) for n in range(1, 4)])
    many = [str(n) for n in range(300)]
    where = {"status": [*many, "submitted"], "alias": [*many, "alias 2"]}
    found = index.keys_for(where)
    assert found == [("submitted", "alias 2")]
    assert index.keys_for({"status": ["submitted"], "alias": ["alias 3"]}) == [
        ("submitted", "alias 3")
    ]
