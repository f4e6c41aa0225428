"""Scalars and tags of YAML: read, or refused in words, by each reader."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plivo_sim.catalogue import read_file
from plivo_sim.catalogue.yaml_text import plain_yaml
from plivo_sim.machines.loader import load_machine
from plivo_sim.scenarios.loader import load_scenario

READERS: dict[str, Any] = {
    "scenario": lambda text: load_scenario(text, "s.yaml"),
    "machine": lambda text: load_machine(text, "m.yaml"),
    "catalogue": lambda text: read_file(text, "c.yaml"),
    "plain": plain_yaml,
}
NAMES = [
    "bool",
    "int",
    "float",
    "timestamp",
    "null",
    "binary",
    "omap",
    "pairs",
    "set",
    "str",
    "seq",
    "map",
    "merge",
    "value",
]
TAGS = ["", "! ", "!own ", *(f"!!{name} " for name in NAMES)]
VALUES = st.one_of(
    st.sampled_from(["", '""', "q", '"x"', "_", "0b_", "0x_", "1:x", "[a]", "{a: 1}", "<<", "="]),
    st.text("+-._:0123456789abcdefxob", max_size=8),
    st.text(max_size=8),
)


@pytest.mark.parametrize("reader", READERS)
@given(
    tag=st.sampled_from(TAGS), value=VALUES, place=st.sampled_from(["{}", "a: {}", "? {}", "- {}"])
)
@example(tag="!!bool ", value="q", place="a: {}")
@example(tag="!!timestamp ", value='"x"', place="a: {}")
@example(tag="!!int ", value='""', place="a: {}")
@example(tag="!!float ", value="_", place="a: {}")
def test_every_scalar_is_read_or_refused(reader: str, tag: str, value: str, place: str) -> None:
    """With what tells the mistakes; no exception of PyYAML or of Python passes."""
    with suppress(ValueError):
        READERS[reader](place.format(tag + value))


@pytest.mark.parametrize("text", ["a: 1\nb: !!bool q", "a: 1\n!!str b: 1", "a:\n- !!seq [b]"])
def test_a_tag_is_refused_with_its_line(text: str) -> None:
    """Whether its value would be one or not."""
    with pytest.raises(
        ValueError, match=r"line 2: not valid YAML: tags \(!name\) are not followed"
    ):
        plain_yaml(text)


def test_what_looks_like_a_number_is_refused_with_its_line() -> None:
    """PyYAML takes it for one, and then cannot make one of it."""
    with pytest.raises(ValueError, match="line 2: not valid YAML"):
        plain_yaml("a: 1\nb: 0b_")
