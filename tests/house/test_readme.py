"""The walk-through of the README is executed, word for word, against a server like ``make serve`` starts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.walking import Site, blocks, conversation, development_site
from tests.servers import require

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with development_site(tmp_path) as site:
        yield site


def test_the_walk_through_prints_what_it_says(site: Site) -> None:
    require.program("curl")
    section = README.read_text().split("## The first five minutes", 1)[1].split("\n## ", 1)[0]
    walk = blocks(section)
    python = ""
    seen: list[tuple[str, str, str]] = []

    for language, text in walk:
        if language == "console":
            settings = ""
            for command, expected in conversation(text):
                if re.match(r"\w+=", command):
                    settings += f"{command}\n"
                    assert "" == expected
                else:
                    seen.append(
                        (command, expected, site.run(["bash", "-c", settings + command]).strip())
                    )
        elif language == "python":
            python = site.run([sys.executable, "-c", text]).strip()
        elif language == "text":
            seen.append(("the Python walk-through", text.strip(), python))

    assert [expected for _, expected, _ in seen] == [actual for _, _, actual in seen]
    assert len(seen) >= 9
