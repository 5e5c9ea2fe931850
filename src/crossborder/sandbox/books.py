"""The port's books: what it received, what waits to be picked up. Reading, and marking what was picked up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from crossborder.sandbox.outbox import PICKED_UP, WAITING
from crossborder.sandbox.receipts import china
from crossborder.sandbox.storage import Row, Store, unpacked


class Books:
    """Questions about one sandbox; safe from any thread."""

    def __init__(self, store: Store, endpoints: Sequence[str]) -> None:
        self._store, self._endpoints = store, tuple(endpoints)

    def health(self) -> dict[str, Any]:
        """That this is a sandbox, and that it is alive."""
        return {
            "service": "SANDBOX",
            "sandbox": True,
            "status": "ok",
            "text_zh": "模拟口岸，并非海关",
            "text_en": "a simulated port, not customs",
            "endpoints": list(self._endpoints),
            "time": f"{china(time.time()):%Y-%m-%dT%H:%M:%S}+08:00",
        }

    def accounts(self) -> dict[str, Any]:
        """The account of every endpoint."""
        return {"sandbox": True, "endpoints": [self.account(name) for name in self._endpoints]}

    def account(
        self, endpoint: str, *, message_id: str = "", master: str = "", house: str = ""
    ) -> dict[str, Any]:
        """What `endpoint` received; with a message id or waybills only what belongs to them.

        `messages` are the filed ones in order of arrival: `arrivals` counts every arrival of the id,
        `conflicts` those with other bytes, `not_taken` those answered with 503; `state` is the last code given
        (`received` before the first), `repeat_of` the message id of the live one that this one repeats.
        `declined` are arrivals that were not taken. `arrivals` counts everything that arrived at the door.
        """
        where, values = "m.endpoint = ?", [endpoint]
        for column, value in (("message_id", message_id), ("master", master), ("house", house)):
            if value:
                where, values = f"{where} AND m.{column} = ?", [*values, value]
        rows = self._store.all(
            "SELECT m.*, c.times, c.conflicts, c.not_taken, f.message_id AS first_id FROM messages m"
            " LEFT JOIN (SELECT message_id, count(*) AS times, sum(outcome = 'conflict') AS conflicts,"
            "  sum(outcome = 'not_taken') AS not_taken"
            "  FROM arrivals WHERE endpoint = ? GROUP BY message_id) c ON c.message_id = m.message_id"
            f" LEFT JOIN messages f ON f.n = m.repeat_of WHERE {where} ORDER BY m.n",
            endpoint,
            *values,
        )
        return {
            "endpoint": endpoint,
            "sandbox": True,
            "arrivals": self._count(
                "SELECT count(*) AS c FROM arrivals WHERE endpoint = ?", endpoint
            ),
            "messages": [_message(row) for row in rows],
            "declined": self._declined(endpoint, message_id),
            "receipts_waiting": self._count(
                "SELECT count(*) AS c FROM receipts WHERE endpoint = ? AND settled != ?",
                endpoint,
                PICKED_UP,
            ),
            "answers_to_come": self._count(
                "SELECT count(*) AS c FROM schedule s JOIN messages m ON m.n = s.message"
                " WHERE m.endpoint = ?",
                endpoint,
            ),
        }

    def arrivals(self, endpoint: str, message_id: str = "") -> list[dict[str, Any]]:
        """Every arrival in order, also of repeated ids: when, by which door, what came of it."""
        rows = self._store.all(
            "SELECT * FROM arrivals WHERE endpoint = ? AND (? = '' OR message_id = ?) ORDER BY n",
            endpoint,
            message_id,
            message_id,
        )
        names = ("door", "message_id", "digest", "size", "outcome", "reason", "file")
        return [{"at": _time(row["at"]), **{name: row[name] for name in names}} for row in rows]

    def digest_of(self, endpoint: str, message_id: str) -> str | None:
        """SHA-256 (hex) of the message filed under an id, or None."""
        row = self._store.one(
            "SELECT digest FROM messages WHERE endpoint = ? AND message_id = ?",
            endpoint,
            message_id,
        )
        return None if row is None else str(row["digest"])

    def body_of(self, endpoint: str, message_id: str) -> bytes | None:
        """The very bytes filed under an id, or None."""
        row = self._store.one(
            "SELECT body FROM messages WHERE endpoint = ? AND message_id = ?", endpoint, message_id
        )
        return None if row is None else unpacked(row["body"])

    def waiting(self, endpoint: str, door: str, limit: int) -> list[tuple[int, str, bytes]]:
        """Receipts not yet picked up at a door, oldest first: number, file name, bytes."""
        rows = self._store.all(
            "SELECT n, name, body FROM receipts WHERE endpoint = ? AND door = ? AND settled = ?"
            " ORDER BY n LIMIT ?",
            endpoint, door, WAITING, limit,
        )  # fmt: skip
        return [(row["n"], row["name"], row["body"]) for row in rows]

    def picked_up(self, endpoint: str, numbers: Sequence[int]) -> int:
        """Mark receipts as fetched and forget their bytes; returns how many were waiting."""
        done = 0
        with self._store.work():
            for number in numbers:
                row = self._store.one(
                    "UPDATE receipts SET settled = ?, body = NULL"
                    " WHERE n = ? AND endpoint = ? AND settled = ? RETURNING n",
                    PICKED_UP, number, endpoint, WAITING,
                )  # fmt: skip
                done += row is not None
        return done

    def busy(self) -> bool:
        """Whether an answer is still to come, other than those that wait to be picked up over HTTP."""
        return bool(
            self._count("SELECT count(*) AS c FROM schedule")
            or self._count("SELECT count(*) AS c FROM arrivals WHERE settled = 0")
            or self._count(
                "SELECT count(*) AS c FROM receipts WHERE door = 'folder' AND settled = ?", WAITING
            )
        )

    def _declined(self, endpoint: str, message_id: str) -> list[dict[str, Any]]:
        return [
            {name: arrival[name] for name in ("message_id", "digest", "at", "outcome", "reason")}
            for arrival in self.arrivals(endpoint, message_id)
            if arrival["outcome"] in ("declined", "not_taken")
        ]

    def _count(self, sql: str, *values: Any) -> int:
        row = self._store.one(sql, *values)
        return 0 if row is None else int(row["c"])


def _message(row: Row) -> dict[str, Any]:
    names = (
        "message_id",
        "message_type",
        "master",
        "house",
        "direction",
        "voyage",
        "digest",
        "state",
    )
    return {
        **{name: row[name] for name in names},
        "arrivals": row["times"] or 0,
        "conflicts": row["conflicts"] or 0,
        "not_taken": row["not_taken"] or 0,
        "codes": row["codes"].split(),
        "houses": row["houses"],
        "door": row["door"],
        "attempt": row["attempt"] + 1,
        "repeat_of": row["first_id"],
        "at": _time(row["at"]),
    }


def _time(moment: float) -> str:
    at = china(moment)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+08:00"
