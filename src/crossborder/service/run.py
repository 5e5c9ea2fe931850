"""The service as a process: the routes, one filing worker and one receipt poller."""

from __future__ import annotations

import threading

import uvicorn

from crossborder import log
from crossborder.engine import Engine
from crossborder.service.app import build_app
from crossborder.settings import Loaded

_log = log.get("service")


class Follower(threading.Thread):
    """Files what was let go and follows receipts, until told to stop."""

    def __init__(self, engine: Engine, rest: float = 5.0) -> None:
        super().__init__(name="crossborder-filing", daemon=True)
        self._engine = engine
        self._rest = rest
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the message in hand, then end."""
        self._stopping.set()
        self.join(timeout=60)

    def run(self) -> None:
        """Work until told to stop; after a failure rest, then go on: what was in hand is unknown, not lost."""
        while not self._stopping.is_set():
            try:
                self._engine.work(self._stopping)
            except Exception as error:
                _log.error(
                    "filing stopped by a failure, goes on after a rest", kind=type(error).__name__
                )
                self._stopping.wait(self._rest)


def run_service(loaded: Loaded, *, host: str, port: int) -> None:
    """Serve until interrupted. Raises `LedgerError` if another process of this home is already filing."""
    log.configure()
    with Engine(loaded) as engine, engine.filing_alone("serve"):
        follower = Follower(engine)
        follower.start()
        try:
            server = uvicorn.Server(
                uvicorn.Config(
                    build_app(engine, woken=follower.wake),
                    host=host,
                    port=port,
                    log_level="warning",
                )
            )
            server.run()
        finally:
            follower.stop()
