"""The simulated port as one object: doors, memory and the thread that answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from crossborder.errors import SettingsError
from crossborder.sandbox.books import Books
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.folder_door import FolderDoor
from crossborder.sandbox.http_door import HttpDoor
from crossborder.sandbox.mix import Mix
from crossborder.sandbox.port import Port
from crossborder.sandbox.storage import Store

Door = Literal["http", "folder", "both"]
BODY_LIMIT = 16 << 20
POLL_SECONDS = 0.05
LONGEST_WAIT = 1.0
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One endpoint: `door` is `http`, `folder` or `both`.

    `path` holds the boxes of the folder door; without it they stand in the sandbox folder under the name.
    `districts` are prefixes of DeclPort served here (`("29",)`); empty serves all.
    """

    name: str
    door: Door = "both"
    path: Path | None = None
    districts: tuple[str, ...] = ()

    @property
    def has_http(self) -> bool:
        """Whether the endpoint is reachable over HTTP."""
        return self.door in ("http", "both")

    @property
    def has_folder(self) -> bool:
        """Whether the endpoint has boxes."""
        return self.door in ("folder", "both")


DEFAULT_ENDPOINTS = (
    EndpointSpec("hangzhou", districts=("29",)),
    EndpointSpec("ningbo", districts=("31",)),
)


class Sandbox:
    """A simulated port on loopback and in folders. It is not customs and is never called so.

    `speed` divides every delay of the mix (60: a minute of port time takes a second); 0 answers as soon as
    possible, still in order and still apart from taking. The same `seed` decides the same way for the same
    house waybills. All memory is in `folder`: a stopped sandbox started again on it goes on where it was.
    Start it once; its methods may be called from any thread between `start` and `stop`.
    Raises `SettingsError` for settings that cannot work, at the latest in `start`.
    """

    def __init__(
        self,
        folder: Path | str,
        endpoints: Sequence[EndpointSpec] = DEFAULT_ENDPOINTS,
        mix: Mix | None = None,
        seed: int = 1,
        speed: float = 60.0,
        *,
        faults: Faults | None = None,
        require_manifest: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self.folder = Path(folder)
        self.endpoints = {spec.name: spec for spec in endpoints}
        if len(self.endpoints) != len(endpoints) or not endpoints:
            raise SettingsError("endpoints need names of their own", "端点须有且名称不得重复")
        for spec in endpoints:
            if _NAME.fullmatch(spec.name) is None or spec.name in ("health", "account"):
                raise SettingsError(
                    f"not usable as an endpoint name: {spec.name!r}",
                    f"不能用作端点名称：{spec.name!r}",
                )
        if not 0 <= speed < float("inf"):
            raise SettingsError("speed must be 0 or more", "速度倍数应为 0 或正数")
        self._mix, self._seed, self._speed = mix or Mix.load(), seed, speed
        self._faults, self._require_manifest = faults or Faults(), require_manifest
        self._host, self._port, self._body_limit = host, port, body_limit
        self._changed = threading.Condition()
        self._work_waits = False
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._folders: list[FolderDoor] = []
        self._http: HttpDoor | None = None
        self._store: Store | None = None
        self._books: Books | None = None
        self._failed: list[str] = []

    def start(self) -> Self:
        """Open the memory and the doors; returns itself when messages can be left."""
        self._store = Store(self.folder)
        try:
            self._open()
        except BaseException:
            self.stop()
            raise
        return self

    def _open(self) -> None:
        store = self._opened()
        self._books = books = Books(store, list(self.endpoints))
        taker = Port(
            store,
            mix=self._mix,
            faults=self._faults,
            seed=self._seed,
            speed=self._speed,
            require_manifest=self._require_manifest,
            districts={name: spec.districts for name, spec in self.endpoints.items()},
            wake=self._wake,
        )
        for name, spec in self.endpoints.items():
            if spec.has_folder:
                door = FolderDoor(name, self._boxes(spec), store, taker, books, self._body_limit)
                door.prepare()
                self._folders.append(door)
        self._run("sandbox-port", lambda: self._answer(taker))
        if self._folders:
            self._run("sandbox-folders", self._watch)
        by_http = frozenset(name for name, spec in self.endpoints.items() if spec.has_http)
        if by_http:
            self._http = self._listen(taker, books, by_http)
            self._run("sandbox-http", lambda: self._serve_http(self._http))

    def _listen(self, taker: Port, books: Books, names: frozenset[str]) -> HttpDoor:
        try:
            return HttpDoor(
                self._host,
                self._port,
                taker=taker,
                books=books,
                endpoints=names,
                body_limit=self._body_limit,
                hang_seconds=self._faults.hang_seconds,
            )
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror or error}",
                f"无法监听 {self._host}:{self._port}：{error.strerror or error}",
                fix_en="choose another port, or 0 for a free one",
                fix_zh="请换一个端口，或用 0 自动选择",
            ) from error

    @staticmethod
    def _serve_http(door: HttpDoor | None) -> None:
        if door is not None:
            door.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Close the doors and the memory; what is not answered yet is answered after the next start."""
        self._stopping.set()
        self._wake()
        if self._http is not None:
            self._http.stop()
        for thread in self._threads:
            thread.join(timeout=10)
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- addresses ---------------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """`http://127.0.0.1:PORT`; empty if no endpoint has an HTTP door."""
        return "" if self._http is None else self._http.address

    def address(self, endpoint: str) -> str:
        """HTTP address of an endpoint, `http://127.0.0.1:PORT/hangzhou`; empty if it has no such door."""
        return f"{self.base}/{endpoint}" if self.endpoints[endpoint].has_http else ""

    def boxes(self, endpoint: str) -> Path | None:
        """Folder of an endpoint's boxes; None if it has no such door."""
        spec = self.endpoints[endpoint]
        return self._boxes(spec) if spec.has_folder else None

    def _boxes(self, spec: EndpointSpec) -> Path:
        return self.folder / spec.name if spec.path is None else spec.path

    # -- questions ---------------------------------------------------------------------------------------

    def account(
        self, endpoint: str, *, message_id: str = "", master: str = "", house: str = ""
    ) -> dict[str, Any]:
        """What an endpoint received, as `GET /ENDPOINT/account` answers it; see `Books.account`."""
        return self._asked().account(endpoint, message_id=message_id, master=master, house=house)

    def arrivals(self, endpoint: str, message_id: str = "") -> list[dict[str, Any]]:
        """Every arrival at an endpoint in order, with its time and what came of it."""
        return self._asked().arrivals(endpoint, message_id)

    def received(self, endpoint: str, message_id: str) -> bytes | None:
        """The bytes filed under a message id, or None."""
        return self._asked().body_of(endpoint, message_id)

    @property
    def problems(self) -> list[str]:
        """What went wrong inside the sandbox itself; empty in good health."""
        return self._failed + ([] if self._http is None else self._http.problems)

    def wait_idle(self, timeout: float = 30.0) -> bool:
        """Wait until every answer that will come has been laid out; False if `timeout` seconds pass first."""
        until = time.monotonic() + timeout
        while self._busy():
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def _busy(self) -> bool:
        return not all(door.empty() for door in self._folders) or self._asked().busy()

    # -- threads -----------------------------------------------------------------------------------------

    def _run(self, name: str, work: Any) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wake(self) -> None:
        with self._changed:
            self._work_waits = True
            self._changed.notify_all()

    def _answer(self, taker: Port) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._work_waits = False
            try:
                done, due = taker.step(), taker.next_due()
            except Exception as error:
                self._failed.append(f"{type(error).__name__} while answering")
                self._stopping.wait(LONGEST_WAIT)
                continue
            if not done:
                wait = LONGEST_WAIT if due is None else min(max(due - time.time(), 0), LONGEST_WAIT)
                with self._changed:
                    self._changed.wait_for(lambda: self._work_waits, wait)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            done = 0
            for door in self._folders:
                try:
                    done += door.poll()
                except Exception as error:
                    self._failed.append(
                        f"{type(error).__name__} in the folder door {door.endpoint}"
                    )
            if not done:
                self._stopping.wait(POLL_SECONDS)

    def _opened(self) -> Store:
        if self._store is None:
            raise SettingsError("the sandbox is not running", "模拟口岸未在运行")
        return self._store

    def _asked(self) -> Books:
        self._opened()
        if self._books is None:
            raise SettingsError("the sandbox is not running", "模拟口岸未在运行")
        return self._books
