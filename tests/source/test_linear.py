"""What looks through texts takes as long as they are long, and finds what it found before it was made so."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.hostile import TEXTS, looks
from sim_source.rows.privacy import REDACTED, text_without_secrets

TOKENS = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
OF_QUERY = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|passw|credential|signature|auth)[\w.-]*=)[^&\s#\"']+", re.IGNORECASE
)
"""The patterns as they were: right, and quadratic."""

PARTS = st.sampled_from(
    [
        "eyJ",
        "abcdefgh",
        "a",
        ".",
        "-",
        "_",
        " ",
        "?",
        "&",
        "key",
        "Token",
        "=",
        "/",
        "x=1",
        "auth.",
        "é",
        "\n",
        "#",
        "'",
    ]
)
texts = st.lists(PARTS, max_size=40).map("".join)


@given(texts)
@example("eyJabcdefgh.abcdefgh.")
@example("x-eyJabcdefgh.abcdefgh.sig eyJabcdefgh.abcdefgh.eyJabcdefgh.abcdefgh.z")
@example("aaaaaaaa.bbbbbbbb.eyJabcdefgh.abcdefgh.eee")
@example("?a=1&api.key-x=abc&b=2")
def test_secrets_are_found_as_the_slow_patterns_find_them(text: str) -> None:
    expected = TOKENS.sub(REDACTED, text)
    expected = OF_QUERY.sub(rf"\1{REDACTED}", expected)
    assert text_without_secrets(text) == expected


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_hostile_text_is_looked_through(name: str) -> None:
    """That it ends is the test: a quadratic look at 400 kB takes minutes, and the suite's time-out ends it."""
    text = TEXTS[name](400_000)
    for look in looks().values():
        look(text)
