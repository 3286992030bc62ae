"""Counters for Prometheus; across worker processes where ``PROMETHEUS_MULTIPROC_DIR`` is set."""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_REQUESTS = Counter("mailwright_http_requests", "Answered requests", ("method", "route", "status"))
_SECONDS = Histogram(
    "mailwright_http_request_seconds",
    "Time to answer a request",
    ("method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


class Metrics:
    """Counts requests; the children of the metrics are looked up once for each combination."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._times: dict[tuple[str, str], Histogram] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request more; ``route`` is a template, so that there are few of them."""
        if method not in _METHODS:
            method = "OTHER"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self._counters[method, route, status] = _REQUESTS.labels(
                method, route, status
            )
        times = self._times.get((method, route))
        if times is None:
            times = self._times[method, route] = _SECONDS.labels(method, route)
        counter.inc()
        times.observe(seconds)


def text() -> bytes:
    """Everything counted so far, by all workers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
