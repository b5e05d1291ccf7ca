"""Runs the embedded Sim API on loopback, in a separate thread."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...rate_limit import RateLimit
from ..world.world import World
from .dialects import dialect as dialect_named
from .embedded_api import EmbeddedApi, Request, Scope
from .faults import Faults

Peer = tuple[str, int]


class _Uvicorn(uvicorn.Server):
    """Uvicorn that signals when it is up and stops on request, without polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.up.set()

    async def main_loop(self) -> None:
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Uvicorn's own method waits for its connections, but nobody reads their answers any more.
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def stop(self) -> None:
        """Ends the loop from another thread; open requests are cut."""
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)


class SimServer:
    """A running server; a context manager.

    Attributes:
        base_url: `http://127.0.0.1:<port>`.
        world: The data; change it between requests, or from `app.before_request`.
        app: The ASGI application, with `dialect`, `faults` and `requests`.
    """

    def __init__(self, app: EmbeddedApi) -> None:
        self.app = app
        self.world = app.world
        self._open: dict[Peer, asyncio.Transport] = {}
        app.drop = self._drop
        # The protocol is named because asyncio sets TCP_NODELAY only then; without it, answers are delayed.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._uvicorn = _Uvicorn(self._config())
        self._thread = threading.Thread(target=self._run, name="sim-api", daemon=True)

    def _config(self) -> uvicorn.Config:
        opened = self._open

        class Tracked(H11Protocol):
            """Records open connections, so that faults can close them."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                opened[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return uvicorn.Config(
            self.app,
            loop="asyncio",
            http=Tracked,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
            backlog=512,
        )

    def _drop(self, scope: Scope, reset: bool) -> None:
        """Closes the connection of a request midway; `reset` sends RST instead of FIN."""
        transport = self._open.get((scope["client"][0], scope["client"][1]))
        if transport is None:
            return
        if reset:
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])

    def start(self) -> Self:
        """Starts the server; returns when connections are accepted.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread.start()
        if not self._uvicorn.up.wait(timeout=10):
            raise RuntimeError("the embedded Sim API did not start")
        return self

    def stop(self) -> None:
        """Stops the server and waits for its thread."""
        self._uvicorn.stop()
        self._thread.join(timeout=10)
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def requests(self) -> list[Request]:
        """Every request so far: path, query, status; never the key."""
        return self.app.requests

    @property
    def faults(self) -> Faults:
        """The active faults."""
        return self.app.faults

    def count(self, path_prefix: str = "/") -> int:
        """Returns how many requests went to this path; `/api/v1/logs?` counts only the list."""
        return sum(f"{request.path}?{request.query}".startswith(path_prefix) for request in self.app.requests)

    def use(self, name: str, **options: Any) -> None:
        """Switches the server to another generation, as an upgrade does."""
        self.app.dialect = dialect_named(name, **options)


def serve(
    world: World,
    dialect: str = "2026-08",
    *,
    limit: RateLimit | None = None,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.time,
    **options: Any,
) -> SimServer:
    """Returns a server for this data, to be used with `with`.

    Args:
        world: The data.
        dialect: `2026-03`, `2026-08` or `documents`.
        limit: The API's rate limit per payer; None is a self-hosted server without one.
        faults: Faults to inject.
        clock: Epoch seconds, for buckets and headers.
        options: Fields of the dialect to change, such as `ties="unordered"` or `max_limit=50`.
    """
    return SimServer(EmbeddedApi(world, dialect_named(dialect, **options), limit, faults, clock))
