"""Write docs/operate/configuration.md from the declarations in mailwright.settings."""

from __future__ import annotations

from pathlib import Path

from mailwright.settings import ENVIRONMENT_PREFIX, describe, describe_sections

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "configuration.md"

OPENING = """\
# Configuration

<!-- Made by `make docs` from src/mailwright/settings/sections.py. Change the declarations there, not this page. -->

Mailwright reads one TOML file, then the environment, which wins.
Every setting has a default, so the file only needs what differs.
A setting `key` in the section `[section]` is the variable `MAILWRIGHT_SECTION__KEY`: two underscores stand between section and key, one stands inside a name.
Lists are written with commas in a variable: `MAILWRIGHT_API__RESTFUL_API_CLIENTS=192.0.2.7,198.51.100.0/24`.
Lists of networks take single addresses, networks (`192.0.2.0/24`, `2001:db8::/32`), ranges (`192.0.2.10-20`) and prefixes (`192.0.2.*`).

A wrong file stops the start: the message names the file or the variable, the key and the reason, and never repeats a secret.
Keep the file readable for the service's account only; it holds the passwords of the databases.
"""


def page() -> str:
    settings = describe()
    parts = [OPENING]
    for section, about in describe_sections():
        parts.append(f"\n## `[{section}]`\n\n{about}\n")
        for setting in settings:
            within, _, name = setting.key.rpartition(".")
            if within == section:
                variable = ENVIRONMENT_PREFIX + setting.key.upper().replace(".", "__")
                parts.append(
                    f"\n### `{setting.key}`\n\n{setting.help}\n\n"
                    f"- Type: {setting.type}\n- Default: `{name} = {setting.default}`\n- Variable: `{variable}`\n"
                )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
