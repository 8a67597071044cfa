"""No secret, and no usual encoding of it, passes the redaction."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import BadInput, NotAsExpected
from harness.secrets import MASK, SECRETS, Secrets

TOKEN = "tok/en+with=odd&signs.0123456789"
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+/=&%", min_size=12, max_size=60)
TEXTS = st.text(max_size=40)


def knowing(*values: str) -> Secrets:
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    return secrets


@given(secret=LETTERS, before=TEXTS, behind=TEXTS)
def test_a_secret_in_any_text_is_masked(secret: str, before: str, behind: str) -> None:
    redacted = knowing(secret).redact(f"{before}{secret}{behind}")
    assert MASK in redacted
    assert secret not in redacted.replace(MASK, " ")


@given(secret=LETTERS, before=st.binary(max_size=20), behind=st.binary(max_size=20), urlsafe=st.booleans())
def test_a_secret_inside_base64_is_masked_at_any_alignment(
    secret: str, before: bytes, behind: bytes, urlsafe: bool
) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    encoded = encode(before + secret.encode() + behind).decode()
    redacted = knowing(secret).redact(f"data: {encoded} end")
    assert MASK in redacted
    # What is left around the mask must not tell the secret: at most the bits that it shares with its neighbours.
    left = redacted.removeprefix("data: ").removesuffix(" end").replace(MASK, "")
    assert len(left) <= len(encoded) - (len(secret) * 8 - 10) // 6


@given(
    secret=LETTERS,
    before=st.binary(max_size=40),
    behind=st.binary(max_size=40),
    width=st.integers(4, 76),
    line_end=st.sampled_from(["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\n\t"]),
)
def test_a_secret_inside_base64_in_lines_is_masked(
    secret: str, before: bytes, behind: bytes, width: int, line_end: str
) -> None:
    encoded = base64.b64encode(before + secret.encode() + behind).decode()
    lines = line_end.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    redacted = knowing(secret).redact(f"data: {lines} end")
    left = redacted.removeprefix("data: ").removesuffix(" end").replace(MASK, "").replace(line_end, "")
    assert MASK in redacted
    assert len(left) <= len(encoded) - (len(secret) * 8 - 10) // 6


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("cut", [None, 200])
def test_a_release_as_helm_keeps_it_is_never_shown(times: int, cut: int | None) -> None:
    packed = gzip.compress(json.dumps({"config": {"authToken": TOKEN, "more": list(range(200))}}).encode())
    for _ in range(times):
        packed = base64.b64encode(packed)
    shown = packed.decode()[:cut]
    assert knowing().redact(f'{{"release": "{shown}"}}') == f'{{"release": "{MASK}"}}'


@given(secret=LETTERS)
def test_a_secret_in_a_url_or_in_json_is_masked(secret: str) -> None:
    secrets = knowing(secret)
    for encoded in (urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1]):
        assert secrets.redact(f"<{encoded}>") == f"<{MASK}>"


@given(secrets=st.lists(LETTERS, min_size=2, max_size=4), text=TEXTS)
def test_the_longest_of_several_secrets_is_masked_whole(secrets: list[str], text: str) -> None:
    longest = "".join(secrets)
    redacted = knowing(*secrets, longest).redact(f"{text}{longest}")
    assert all(secret not in redacted.replace(MASK, " ") for secret in secrets)


@given(text=TEXTS)
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert knowing(TOKEN).redact(text) == text


@pytest.mark.parametrize("short", ["", "abc"])
def test_what_is_too_short_to_be_a_secret_masks_nothing(short: str) -> None:
    assert knowing(short).redact("abc def") == "abc def"


def test_bytes_are_searched_for_secrets_and_their_encodings() -> None:
    secrets = knowing(TOKEN)
    assert secrets.found_in(b"\xff" + TOKEN.encode() + b"\x00")
    assert secrets.found_in(base64.b64encode(b"user:" + TOKEN.encode()))
    assert not secrets.found_in(b"nothing")


def test_failures_mask_secrets_when_they_are_made() -> None:
    SECRETS.add(TOKEN)
    for failure in (
        NotAsExpected(f"{TOKEN} to work", f"it said {TOKEN}", f"look at {TOKEN}"),
        BadInput("NAME", TOKEN, f"not {TOKEN}"),
    ):
        for text in (str(failure), repr(failure), failure.expected, failure.seen, failure.look):
            assert TOKEN not in text
            assert not SECRETS.found_in(text.encode())
