"""The service as a process: the routes, one filing worker and one receipt poller."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from crossborder import log
from crossborder.engine import Engine
from crossborder.errors import SettingsError
from crossborder.service.app import build_app
from crossborder.settings import Loaded

_log = log.get("service")
GRACE_SECONDS = 30


class Follower(threading.Thread):
    """Files what was let go and follows receipts, until told to stop."""

    def __init__(self, engine: Engine, rest: float = 5.0) -> None:
        super().__init__(name="crossborder-filing", daemon=True)
        self._engine = engine
        self._rest = rest
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the messages in hand, then end."""
        self._stopping.set()
        self.join(timeout=120)

    def run(self) -> None:
        """Work until told to stop; after a failure rest, then go on: what was in hand is unknown, not lost."""
        while not self._stopping.is_set():
            try:
                self._engine.work(self._stopping)
            except Exception as error:
                _log.error(
                    "filing stopped by a failure, goes on after a rest", kind=type(error).__name__, said=str(error)
                )  # fmt: skip
                self._stopping.wait(self._rest)


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the doors, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def run_service(
    loaded: Loaded, *, host: str, port: int, ready: Callable[[str], None] = lambda address: None
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is told the address once requests are answered.

    Raises `LedgerError` if another process of this home is already filing, `SettingsError` if the address
    cannot be listened on.
    """
    log.configure()
    with (
        _listening(host, port) as listener,
        Engine(loaded) as engine,
        engine.filing_alone("serve"),
    ):
        address = f"http://{_shown(listener)}"
        config = uvicorn.Config(
            build_app(engine),
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        follower = Follower(engine)
        follower.start()
        try:
            with _ending_in_order():
                _Server(config, lambda: ready(address)).run(sockets=[listener])
        finally:
            follower.stop()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", "") or type(error).__name__
            raise SettingsError(
                f"cannot listen on {host} port {port} ({said})", f"无法监听 {host} 端口 {port}（{said}）",
                place="service.port", fix_en="choose another with --port (0: any free one)",
                fix_zh="请用 --port 另选端口（0 为任选）",
            ) from error  # fmt: skip
        yield listener
    finally:
        listener.close()


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """uvicorn raises a signal again after it has shut down; here it has done its work by then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def done(_number: int, _frame: FrameType | None) -> None:
        """The server has ended already."""

    before = {s: signal.signal(s, done) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
