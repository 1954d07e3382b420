"""What Prometheus is told: counters of this server alone, and the state of its queue when asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nodegraph.server import keys

LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
JOB_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Jobs(Collector):
    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("nodegraph_jobs", "Jobs remembered, by state.", labels=["state"])
        for state, count in self._counts().items():
            family.add_metric([state], count)
        yield family


class Metrics:
    """The figures of one server; two servers in one process do not see each other's.

    Attributes:
        requests: time that requests took, by route, method and status.
        streams: event streams that are open.
        finished: jobs that ended, by state.
        seconds: time that jobs took.
        nodes: nodes that were dealt with, by where their results came from.
        webhooks: tries to deliver a webhook, by outcome.
        lag: how late the event loop was, whenever that was looked at.
        blocked: for how long the program itself held the loop up; see ``LoopMonitor``.
        longest: the longest of those times.
    """

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """``counts`` gives the number of jobs by state; it is called in the thread that collects."""
        self.registry = CollectorRegistry()
        self.registry.register(_Jobs(counts))
        ProcessCollector(registry=self.registry)
        self.requests = Histogram(
            "nodegraph_http_seconds",
            "Time to answer a request.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.streams = Gauge("nodegraph_event_streams", "Open event streams.", registry=self.registry)
        self.finished = Counter("nodegraph_jobs_ended", "Jobs ended.", ("state",), registry=self.registry)
        self.seconds = Histogram(
            "nodegraph_job_seconds", "Time a job took.", buckets=JOB_SECONDS, registry=self.registry
        )
        self.nodes = Counter(
            "nodegraph_nodes", "Nodes, by origin of their results.", ("origin",), registry=self.registry
        )
        self.webhooks = Counter(
            "nodegraph_webhooks", "Tries to deliver a webhook.", ("outcome",), registry=self.registry
        )
        self.lag = Histogram(
            "nodegraph_event_loop_lag_seconds",
            "How late the event loop was.",
            buckets=LAG_SECONDS,
            registry=self.registry,
        )
        self.blocked = Histogram(
            "nodegraph_event_loop_blocked_seconds",
            "How long this program itself held its event loop up.",
            buckets=LAG_SECONDS,
            registry=self.registry,
        )
        self.longest = Gauge(
            "nodegraph_event_loop_blocked_seconds_max",
            "The longest that this program held its event loop up since it started.",
            registry=self.registry,
        )
        self._longest = 0.0

    def text(self) -> bytes:
        """Everything in Prometheus' text format; it asks the queue, so call it in a thread."""
        return generate_latest(self.registry)

    def note_lag(self, lag: float, blocked: float) -> None:
        """Note how late the event loop was, and how much of that was the program's own doing."""
        self.lag.observe(lag)
        self.blocked.observe(blocked)
        if blocked > self._longest:
            self._longest = blocked
            self.longest.set(blocked)

    def note_event(self, event: Mapping[str, object]) -> None:
        """Count what an event tells."""
        if event["type"] == "job_finished":
            self.finished.labels(str(event["state"])).inc()
            seconds = event.get("seconds")
            if isinstance(seconds, int | float):
                self.seconds.observe(seconds)
        elif event["type"] == "node_finished":
            self.nodes.labels(str(event.get("origin"))).inc()


@web.middleware
async def metrics_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Times every request; those to places that do not exist are one."""
    start = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    taken = time.perf_counter() - start
    metrics = request.app[keys.METRICS]
    metrics.requests.labels(route, request.method, str(response.status)).observe(taken)
    return response
