"""`python -m propagator_server`: bad input is refused in a sentence, before anything is asked of a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from propagator_server.commandline import parse

TOKEN = "a-token-that-is-long-enough"


def test_a_token_comes_from_the_environment_or_a_file_or_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}-of-a-file\n")
    file.chmod(0o600)
    assert (parse([], {"PROPAGATOR_TOKEN": TOKEN}).token, parse([], {"PROPAGATOR_TOKEN": TOKEN}).given) == (TOKEN, True)
    assert parse(["--token-file", str(file)], {"PROPAGATOR_TOKEN": TOKEN}).token == f"{TOKEN}-of-a-file"
    drawn = parse([], {})
    assert not drawn.given and len(drawn.token) > 20 and TOKEN not in repr(parse([], {"PROPAGATOR_TOKEN": TOKEN}))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "0 to 65535"),
        (["--era", "none"], "invalid choice"),
        (["--kubeconfig", "/no/such"], "--kubeconfig '/no/such' is no file"),
        (["--tls-cert", __file__], "belong together"),
        (["--quirk", "none"], "none"),
        (["--token-file", "/no/such"], "/no/such"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments, {})
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_token_that_others_can_read_or_that_is_short_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    for arguments, environment, words in ((["--token-file", str(file)], {}, "0600"),
                                          ([], {"PROPAGATOR_TOKEN": "short"}, "16")):  # fmt: skip
        with pytest.raises(SystemExit):
            parse(arguments, environment)
        said = capsys.readouterr().err
        assert words in said and TOKEN not in said
