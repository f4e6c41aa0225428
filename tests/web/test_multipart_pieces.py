"""A multipart body is the same in pieces, as it is handed to the decoder, and as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.domain import errors
from plivo_sim.web import bodies
from plivo_sim.web.bodies import BEFORE_BYTES, LONG_BYTES
from tests.support import multipart

BOUNDARY = "cb1ea573abe400c9f6d6a0fce7a2fead"
NEARLY = f"\r\n--{BOUNDARY[:-1]}\r\n\r\n".encode()
WITHIN = f"x--{BOUNDARY}x".encode()
"""Not after a line break, so no boundary."""

lengths = st.sampled_from([0, 1, BEFORE_BYTES, LONG_BYTES, 2 * LONG_BYTES]).flatmap(
    lambda about: st.integers(max(about - 150, 0), about + 150)
)
contents = st.tuples(
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"--", NEARLY, WITHIN]),
    lengths.flatmap(lambda n: st.sampled_from([b"x" * n, b"\r\n" * n, (NEARLY * n)[:n]])),
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"--", NEARLY, WITHIN]),
).map(b"".join)


@given(st.lists(contents, max_size=4), st.sampled_from(["f.pdf", "f" * 5000, None]))
def test_pieces_make_no_difference(sent: list[bytes], name: str | None) -> None:
    """Every part arrives as it was sent, with its file name."""
    body, _ = multipart([("data", "{}")], [("file", name, each) for each in sent])
    parts = bodies._parts(body, BOUNDARY)
    assert [part.content for part in parts] == [b"{}", *sent]
    assert {part.filename for part in parts[1:]} <= {name}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "LONG_BYTES", len(body))
        assert bodies._parts(body, BOUNDARY) == parts


def test_a_long_body_comes_in_pieces() -> None:
    """One for each long part, and they are the body."""
    body, _ = multipart([("data", "{}")], [("file", "f", b"x" * 2 * LONG_BYTES)] * 2)
    pieces = list(bodies._pieces(body, f"--{BOUNDARY}".encode()))
    assert len(pieces) == 3
    assert b"".join(pieces) == body


@pytest.mark.parametrize("size", [0, 3 * LONG_BYTES])
def test_a_body_that_ends_early_is_refused(size: int) -> None:
    """Wherever it ends, but for the line break after its last boundary."""
    body, _ = multipart([("data", "{}")], [("file", "f", b"x" * size)])
    for end in [*range(1, 200), *range(len(body) - 200, len(body) - 3)]:
        with pytest.raises(errors.Invalid):
            bodies._parts(body[:end], BOUNDARY)
