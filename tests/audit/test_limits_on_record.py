"""Who runs into a limit tried what they may not: that is on record, and nothing else is."""

from __future__ import annotations

import pytest

from mailwright.errors import LimitReached
from tests.audit.chains import log, records
from tests.stores import Site


def test_a_limit_that_is_reached_is_on_record(start: Site) -> None:
    start.update("domain", "example.org", numberOfUsers="1")
    before = len(records(start))

    with pytest.raises(LimitReached) as refused:
        start.create("user", "second@example.org", password="Right-Horse1")

    (record,) = records(start)[before:]
    assert (record["outcome"], record["code"]) == ("refused", refused.value.code)
    assert (record["action"], record["target"]) == ("create", "second@example.org")
    assert refused.value.code in log(start)[-1]["msg"]
