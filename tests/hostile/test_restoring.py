"""The short form of ``benchmarks/restore_fuzz.py``."""

from __future__ import annotations

import pytest

from tests.hostile.restoring import Restorer

CASES = 150


@pytest.mark.parametrize("seed", [1, 2])
def test_a_spoilt_document_is_refused_whole_or_served(seed: int) -> None:
    """Never a 500; always the same documents."""
    report = Restorer(seed).run(CASES)
    assert report.problems == []
    assert report.refused + report.served == CASES
    assert report.refused > CASES // 2
    assert report.served > CASES // 20


PLANTS = ["a\nb.pdf", "a\r\nb: c", "\x0b\x1f\x7f\x85\u2028\u202e", "../../x", "x" * 300, "a\0b"]
ON_ONE_LINE = {
    "tables/documents/*/file/name",
    "tables/deliveries/*/application_id",
    "tables/deliveries/*/repeats",
    "tables/deliveries/*/url",
    "tables/deliveries/*/attempts/*/url",
    "tables/applications/*/callback_url",
    "tables/applications/*/subaccount",
    "tables/numbers/*/subaccount",
    "tables/atoms_applications/*/document_file_names/*",
}
"""Names of files, and what goes into addresses, ids and headers."""


@pytest.mark.parametrize("text", PLANTS)
def test_a_text_of_another_kind_in_each_place_is_refused_or_served(text: str) -> None:
    """Line breaks, other controls, paths, lengths: whatever the text becomes, such as a header."""
    restorer = Restorer()
    taken = restorer.plant(text)
    assert restorer.report.problems == []
    assert taken & ON_ONE_LINE == set()
    assert taken or "\0" in text
