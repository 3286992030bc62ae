"""docs/operate/delegation.md: its commands are run in their order, and print what stands there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.walking import COMMAND, blocks, conversation, development_site
from tests.servers import require

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "delegation.md"
MARK = "=== the next command ==="
# What is another one each time, and how wide it makes a column.
VARYING = (
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r" {2,}", "  "),
)


def alike(text: str) -> str:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_the_commands_of_the_page_print_what_it_says(tmp_path: Path) -> None:
    require.program("curl")
    walk = [
        each
        for language, text in blocks(PAGE.read_text())
        if language == "console"
        for each in conversation(text)
    ]
    script = "\n".join(f"{command}\necho; echo '{MARK}'" for command, _ in walk)
    with development_site(tmp_path) as site:
        site.environment |= {
            "MAILWRIGHT_CONFIG": str(tmp_path / "var" / "mailwright.toml"),
            "PATH": f"{COMMAND.parent}:{site.environment['PATH']}",
        }
        *printed, _ = site.run(["bash", "-c", script]).split(f"{MARK}\n")

    assert [(command, alike(text)) for command, text in walk] == [
        (command, alike(text)) for (command, _), text in zip(walk, printed, strict=True)
    ]
    assert len(walk) > 20
