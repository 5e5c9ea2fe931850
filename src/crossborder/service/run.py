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

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="crossborder-filing", daemon=True)
        self._engine = engine
        self._wake = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        """A batch was let go: do not wait for the next round."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the message in hand, then end."""
        self._stopping.set()
        self._wake.set()
        self.join(timeout=60)

    def run(self) -> None:
        """One round after another: file, fetch, read, apply."""
        while not self._stopping.is_set():
            try:
                self._engine.round(stop=self._stopping)
            except Exception as error:
                _log.error("filing round failed, next one follows", kind=type(error).__name__)
            self._wake.wait(self._engine.pause())
            self._wake.clear()


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
