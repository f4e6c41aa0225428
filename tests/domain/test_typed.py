"""What libraries complain of is told in our words, the same whatever their version."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from freezegun import freeze_time

from plivo_sim.catalogue.yaml_text import check_yaml, yaml_trouble
from plivo_sim.domain.records import Timer
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.typed import fitted, misfits, told

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
"""With and without libyaml, which word things differently."""


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "text", ["[" * 3000 + "]" * 3000, "[" * 3000, "a: " + "{a: " * 600, "- " * 3000, "[a, " * 2000]
)
def test_too_deep_a_text_is_one_complaint_whoever_notices(text: str, loader: type[Any]) -> None:
    """Newer parsers have a limit of their own, and come upon it first."""
    with pytest.raises(RecursionError):
        check_yaml(text, loader)


@pytest.mark.parametrize("loader", LOADERS)
def test_a_bracket_that_is_not_closed_is_not_too_deep(loader: type[Any]) -> None:
    """A text that is broken, with many brackets before that are closed."""
    with pytest.raises(yaml.YAMLError):
        check_yaml("a: [" + "[], " * 300 + "\nb: }", loader)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [", 2, "look at its indentation"),
        ("a: b: c", 1, "look at its indentation"),
        ("a: 1\nb: *lost", 2, "an alias"),
        ("a: 1\n---\nb: 1", 2, "one document"),
        ("a: 1\nb: !!python/object:os.system x", 2, "tags"),
        ("? [a]\n: b", 1, "keys are plain texts"),
        ("a: \x07", 0, "a character that YAML does not take"),
    ],
)
def test_broken_yaml(text: str, line: int, words: str, loader: type[Any]) -> None:
    """The line and what to look at."""
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.load(text, loader)
    found, trouble = yaml_trouble(caught.value, text)
    assert found == line
    assert trouble.startswith("not valid YAML: ")
    assert words in trouble


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "JSON ends too early"),
        ('{"a": 1', "JSON ends too early"),
        ('{"a":\n tru}', "JSON is malformed in line 2, column 2"),
        ("[1] 2", "JSON is malformed in line 1, column 5"),
        (
            "[NaN]",
            "JSON has a number out of range, or what the standard does not know, such as NaN",
        ),
        ('["a\\ud800"]', "JSON has a lone surrogate"),
        ("[1e400]", "JSON has a number out of range, or .*"),
        ("[" + "1" * 5000 + "]", "JSON has a number of too many digits"),
    ],
)
def test_broken_json(text: str, sentence: str) -> None:
    """Its place, by line and column."""
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        decode_json(text.encode())


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "array"}, 5, "5 is not of type array"),
        ({"type": ["integer", "null"]}, "x", "'x' is not of type integer or null"),
        ({"minItems": 1}, [], "[] is too short: at least 1 entries"),
        ({"minLength": 2}, "x", "'x' is too short: at least 2 characters"),
        ({"maxLength": 1}, "xy", "'xy' is too long: at most 1 characters"),
        ({"minimum": 1}, 0, "0 is less than the minimum of 1"),
        ({"exclusiveMinimum": 0}, 0, "0 must be more than 0"),
        ({"not": {}}, 0, "0 is not as it must be"),
    ],
)
def test_a_shape_that_is_wrong(schema: Any, value: Any, sentence: str) -> None:
    """A sentence for each rule, and one for those that nothing of ours uses."""
    (error,) = jsonschema.Draft202012Validator(schema).iter_errors(value)
    assert list(told(error)) == [((), sentence)]


class Both(msgspec.Struct, forbid_unknown_fields=True):
    one: str
    two: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "one: is required"),
        ({"one": 5}, "one: 5 is not of type string"),
        ({"one": "", "two": ("x",)}, r"two\[0\]: 'x' is not of type integer"),
        ({"one": "", "too": []}, "too: unknown key; did you mean 'two'"),
        ([], r"\[\] is not of type object"),
    ],
)
def test_a_value_that_does_not_fit_a_type(value: Any, sentence: str) -> None:
    """The path and what is wrong there."""
    with pytest.raises(ValueError, match=f"^{sentence}"):
        fitted(value, Both)


def test_misfits_are_told_in_frozen_time() -> None:
    """While freezegun has its own datetime, which is not that of the types."""
    usual = list(misfits({"due": "soon"}, Timer))
    with freeze_time("2012-01-14"):
        assert list(misfits({"due": "soon"}, Timer)) == usual
    assert usual
