"""Everything about a server that its owner may decide."""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, model_validator
from yarl import URL

from nodegraph import locations

MIB, GIB = 1 << 20, 1 << 30

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


def _site(text: str) -> str:
    """An address of a site as given; one that could never be that of a page would shut everyone out."""
    try:
        url = URL(text)
        known = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        known = False
    if not known or url.raw_user is not None or url.raw_query_string or url.raw_fragment:
        raise ValueError(f"it must be like https://name or http://name:8080, not {text!r}")
    return text


def _host(text: str) -> str:
    if not HOST_NAME.fullmatch(text) and _number(text) is None:
        raise ValueError(f"it must be a name or an address without scheme and port, not {text!r}")
    return text


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


Site = Annotated[str, AfterValidator(_site)]
HostName = Annotated[str, AfterValidator(_host)]


class ServerSettings(BaseModel):
    """The settings of a server. Sizes are in bytes, times in seconds.

    Attributes:
        host: the address to listen on; other machines reach the server only on another than loopback.
        port: the port to listen on; 0 takes any that is free.
        data: where the queue, the history and the uploads are kept.
        output: where pictures go.
        cache: where results and previews are kept.
        models: further folders of models, searched first.
        inputs: further folders of input files, searched first.
        plugins: a folder of node packs, besides the installed ones.
        allow_pickles: whether embeddings are read from pickled files too (plain tensors, never programs).
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        memory_cache: bound of the results that the worker keeps in memory.
        disk_cache: bound of the results on disk.
        workers: how many jobs run side by side, each in a process of its own.
        time_limit: how long a job may run that asks for no limit itself; ``None`` for as long as it takes.
        max_time_limit: the longest limit a job may ask for.
        cancel_grace: how long a cancelled job may take to stop before its process is ended.
        stop_grace: how long the running jobs may go on when the server stops.
        tls_cert: file of the certificate chain; with it the server speaks TLS.
        tls_key: file of its private key.
        public_url: what clients call the server, where a proxy stands in between.
        allow_origins: the pages, besides the server's own, that browsers may call it from.
        allow_hosts: further names that clients may call the server by.
        trusted_proxies: addresses or networks (``10.0.0.0/8``) of proxies whose ``X-Forwarded-For`` is
            believed; that of this machine is where there is a ``public_url``.
        rate: requests a second that one client, and one user, may make on average, where others than this
            machine's user can reach the server.
        rate_burst: how many they may make at once.
        max_body: the largest JSON request.
        max_upload: the largest uploaded file.
        max_pixels: the largest uploaded picture, in pixels.
        max_files: the most uploaded files of one user.
        quota: the most bytes of one user's uploaded files together.
        upload_idle: how long an upload may stand still, and how long any other body may take to arrive.
        max_nodes: the most nodes of a workflow.
        max_queued: the most waiting jobs of one user.
        max_batch: the most jobs of one batch.
        max_wait: the longest time that a request may wait for a job.
        max_sockets: the most event streams, of all kinds together, that one user may hold open.
        keep_jobs: how many ended jobs are remembered.
        keep_seconds: how long an ended job is remembered.
        keep_previews: how many bytes of previews are kept; the oldest go first.
        prune_every: how often history and previews are pruned.
        event_log: how many events are kept for clients that come back.
        event_log_bytes: how many bytes of them.
        heartbeat: how often an event stream is told that the server is there.
        lag_every: how often it is measured how late the event loop is.
        private_webhooks: whether webhooks may go to addresses that are not public.
        webhook_attempts: how often a webhook is tried before it is given up.
        webhook_backoff: the pause after the first failed try; each further pause is twice as long.
        webhook_timeout: how long one try may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8188
    data: Path = Field(default_factory=lambda: locations.data_folder() / "server")
    output: Path = Path("output")
    cache: Path = Field(default_factory=locations.cache_folder)
    models: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()
    plugins: Path = Field(default_factory=lambda: locations.data_folder() / "plugins")
    allow_pickles: bool = False
    device: str = "auto"
    memory_cache: Count = locations.MEMORY_CACHE_BYTES
    disk_cache: Count = locations.DISK_CACHE_BYTES
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    time_limit: Seconds | None = None
    max_time_limit: Seconds = 24 * 3600.0
    cancel_grace: Seconds = 10.0
    stop_grace: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: Site | None = None
    allow_origins: tuple[Site, ...] = ()
    allow_hosts: tuple[HostName, ...] = ()
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    rate: Seconds = 100.0
    rate_burst: Count = 1000
    max_body: Count = 16 * MIB
    max_upload: Count = 100 * MIB
    max_pixels: Count = 1 << 26
    max_files: Count = 10_000
    quota: Count = 20 * GIB
    upload_idle: Seconds = 60.0
    max_nodes: Count = 20_000
    max_queued: Count = 10_000
    max_batch: Count = 256
    max_wait: Seconds = 60.0
    max_sockets: Count = 64
    keep_jobs: Count = 10_000
    keep_seconds: Seconds = 30 * 24 * 3600.0
    keep_previews: Count = GIB
    prune_every: Seconds = 600.0
    event_log: Count = 20_000
    event_log_bytes: Count = 16 * MIB
    heartbeat: Seconds = 15.0
    lag_every: Seconds = 0.05
    private_webhooks: bool = False
    webhook_attempts: Count = 8
    webhook_backoff: Seconds = 2.0
    webhook_timeout: Seconds = 10.0

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("a certificate and its private key go together: give both or neither")
        return self

    @cached_property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        number = _number(self.host)
        return self.host == "localhost" if number is None else number.is_loopback

    @property
    def database(self) -> Path:
        """The file of the queue and the history."""
        return self.data / "jobs.sqlite"

    @property
    def uploads(self) -> Path:
        """Where uploaded files are kept, by user."""
        return self.data / "uploads"

    @property
    def previews(self) -> Path:
        """Where pictures go that are shown but not kept, by user."""
        return self.cache / "previews"

    def url(self, port: int) -> str:
        """Where the server is reached that listens on ``port``."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return f"{scheme}://{host}:{port}"
