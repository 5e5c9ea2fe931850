"""The sandbox as a process of its own, and what it says about itself."""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .plan import ENDPOINTS, Plan, write_mix
from .process import PATIENCE, begin

_KEPT = """
CREATE TABLE IF NOT EXISTS kept (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS keeps AFTER INSERT ON receipts
BEGIN INSERT OR REPLACE INTO kept VALUES (new.n, new.body); END;
"""
"""The sandbox forgets the bytes of a receipt that was picked up; the judge wants to know them."""


class Port:
    """A running sandbox with doors of both kinds. It ends when this process lets go of it, or dies."""

    def __init__(self, folder: Path, chosen: Plan) -> None:
        self.folder, self._by_folder = folder, chosen.transport == "folder"
        folder.mkdir()
        args = [
            "--folder", str(folder), "--speed", str(chosen.speed), "--seed", str(chosen.seed),
            "--until-eof", "--faults", chosen.faults, "--mix", str(write_mix(folder)),
            *(word for name, district in ENDPOINTS.items() for word in ("--endpoint", f"{name}:both:{district}")),
        ]  # fmt: skip
        reading, self._lives = os.pipe()
        self.process = begin("sandbox", lambda: _serve(args), folder / "said", stdin=reading)
        os.close(reading)
        self.doors = self._ready()
        self._line = http.client.HTTPConnection(urlsplit(self.doors["hangzhou"]["http"]).netloc)

    def handed_over(self) -> int:
        """How many messages have left the house so far, repeated ones counted."""
        if self._by_folder:
            return sum(
                len(list((Path(doors["folder"]) / box).glob("*.xml")))
                for doors in self.doors.values()
                for box in ("OutBox", "SentBox")
            )
        return sum(
            int(self._ask(f"/{name}/account?message_id=-")["arrivals"]) for name in self.doors
        )

    def accounts(self) -> list[dict[str, Any]]:
        """What each endpoint says."""
        return list(self._ask("/account")["endpoints"])

    def silent(self) -> bool:
        """Whether it has said all it will say."""
        return not any(account["answers_to_come"] for account in self.accounts())

    def emptied(self) -> bool:
        """Whether all it has said was fetched."""
        boxes = [Path(doors["folder"]) / "InBox" for doors in self.doors.values()]
        left = [file for box in boxes for file in box.glob("*.xml")] if self._by_folder else []
        return not left and not any(account["receipts_waiting"] for account in self.accounts())

    def stop(self) -> int:
        """Its exit code: 0 if nothing was wrong inside."""
        self._line.close()
        os.close(self._lives)
        return self.process.wait()

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            self._line.request("GET", path)
            return dict(json.load(self._line.getresponse()))
        except http.client.HTTPException:  # it closes what was idle for long
            self._line.close()
            self._line.request("GET", path)
            return dict(json.load(self._line.getresponse()))

    def _ready(self) -> dict[str, dict[str, str]]:
        until = time.monotonic() + PATIENCE
        while not self.process.ended() and time.monotonic() < until:
            first, end, _ = (
                self.process.said().partition("\n") if self.process.out.exists() else ("", "", "")
            )
            if end:
                return dict(json.loads(first)["endpoints"])
            time.sleep(0.005)
        raise RuntimeError(f"the sandbox does not start: {self.process.said()}")


def _serve(args: list[str]) -> int:
    from crossborder import sandbox
    from crossborder.sandbox import sandbox as module
    from crossborder.sandbox.storage import Store

    class Keeping(Store):
        """As it is, but receipts are kept."""

        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            self._db.executescript(_KEPT)

    module.Store = Keeping  # type: ignore[misc]  # the judge's own journal is planted here
    return sandbox.main(args)
