"""A secret shows itself only to those who ask for it by name."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from mailwright.errors import ConfigurationError
from mailwright.settings import Secret, load


def test_a_secret_is_hidden_in_every_text_form() -> None:
    secret = Secret("hunter2")

    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert not Secret()
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(secret)


def test_loaded_settings_do_not_show_their_secrets() -> None:
    settings = load(None, {"MAILWRIGHT_DATABASES__IREDAPD__PASSWORD": "hunter2"})

    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "text",
    [
        "[databases.vmail]\npassword = ['hunter2']\n",
        "[databases.vmail.password]\nhunter = 'hunter2'\n",
        "[databases.vmail]\npassword = 'hunter2\n",
        "[databases.vmail]\npassword = hunter2\n",
        "[databases.vmail]\npassword = 'hunter2'\nport = 'hunter2'\n",
    ],
)
def test_a_refusal_does_not_repeat_a_secret(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mailwright.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        load(path, {})

    assert "hunter2" not in "".join(traceback.format_exception(caught.value, chain=True))
