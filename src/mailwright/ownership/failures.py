"""Why one way of proving a domain led to nothing."""

from __future__ import annotations


class Fruitless(Exception):
    """A sentence for the admin; it holds nothing that they did not publish themselves."""
