"""The port's outgoing tray: receipts are written, numbered and laid out in the order they are to be fetched."""

from __future__ import annotations

import time
from collections.abc import Sequence

from crossborder.sandbox import receipts
from crossborder.sandbox.endings import Answers
from crossborder.sandbox.mix import Mix
from crossborder.sandbox.receipts import Spelling, Written
from crossborder.sandbox.storage import Row, Store

WAITING, PICKED_UP, HELD = 0, 1, 2
_NONSENSE = b"SANDBOX \x00\xff this is not XML <Package><EnvelopInfo>"


class Outbox:
    """Writes receipts into the store; called inside a transaction."""

    def __init__(self, store: Store, mix: Mix, seed: int) -> None:
        self._store, self._mix, self._seed = store, mix, seed

    def declaration(
        self,
        row: Row,
        code: str,
        op_time: str,
        text: str,
        *,
        pre_entry_id: str,
        entry_id: str,
        house: str | None = None,
    ) -> Written:
        """An EXP302 for the message `row`; `house` replaces its house waybill."""
        return receipts.exp302(
            serial=self._store.next_number("receipt"),
            moment=time.time(),
            receiver=row["sender"],
            op_type=row["op_type"],
            master=row["master"],
            house=row["house"] if house is None else house,
            direction=row["direction"],
            op_time=op_time,
            code=code,
            pre_entry_id=pre_entry_id,
            entry_id=entry_id,
            text=text,
            spelling=self._spelling(f"{row['key']}|{row['attempt']}|{code}"),
        )

    def manifest(
        self, row: Row, code: str, text: str, houses: Sequence[tuple[str, str, str]]
    ) -> Written:
        """An EXP312 for the message `row`; `houses` are (house waybill, code, notes)."""
        now = time.time()
        return receipts.exp312(
            serial=self._store.next_number("receipt"),
            moment=now,
            receiver=row["sender"],
            master=row["master"],
            voyage=row["voyage"],
            entry_date=f"{receipts.china(now):%Y%m%d%H%M%S}",
            code=code,
            text=text,
            houses=houses,
            spelling=self._spelling(f"{row['key']}|{row['attempt']}|{code}"),
        )

    def lay_out(self, row: Row, written: Written, answers: Answers = "normal") -> None:
        """Put a receipt where the sender will find it: twice, or held back, where `answers` says so."""
        self._put(row, written.name, written.body, HELD if answers == "reversed" else WAITING)
        if answers == "twice":
            self._put(row, written.name.replace(".xml", "_2.xml"), written.body, WAITING)

    def nonsense(self, row: Row) -> None:
        """A receipt nobody can read."""
        number = self._store.next_number("receipt")
        self._put(row, f"Receipt_SANDBOX{number:011d}.xml", _NONSENSE, WAITING)

    def let_go_reversed(self, row: Row) -> None:
        """Lay out what was held back for this message, the last written first."""
        held = self._store.all(
            "SELECT * FROM receipts WHERE message = ? AND settled = ? ORDER BY n DESC",
            row["n"],
            HELD,
        )
        for receipt in held:
            self._store.run("DELETE FROM receipts WHERE n = ?", receipt["n"])
        for receipt in held:
            self._put(row, receipt["name"], receipt["body"], WAITING)

    def _put(self, row: Row, name: str, body: bytes, settled: int) -> None:
        number = self._store.next_number("place")
        self._store.run(
            "INSERT INTO receipts (n, message, endpoint, door, name, body, at, settled)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            number, row["n"], row["endpoint"], row["door"], name, body, time.time(), settled,
        )  # fmt: skip

    def _spelling(self, what: str) -> Spelling:
        return Spelling(self._mix.namespace(self._seed, what), self._mix.pretty(self._seed, what))
