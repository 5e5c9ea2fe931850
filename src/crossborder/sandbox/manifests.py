"""How a manifest is answered: DY or DN by the data centre, then NY or NN by customs, also house by house."""

from __future__ import annotations

from decimal import Decimal

from crossborder.sandbox import judge, receipts, rules311
from crossborder.sandbox.checks import Fault
from crossborder.sandbox.endings import ending_of, normalise
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.mix import result_codes
from crossborder.sandbox.outbox import Outbox
from crossborder.sandbox.reading import Incoming, Record, read
from crossborder.sandbox.storage import Row, Store, unpacked

REPEATED = Fault("BillNo", "舱单重复申报", "this manifest is there already")
NOTHING_TO_APPEND = Fault("OpType", "无可追加的舱单", "no manifest to append to")
LISTED = Fault("AssBillNo", "已在舱单中", "listed on a manifest already")
FORCED = Fault("BillNo", "按模拟设置退回", "refused as the settings of the sandbox ask")
ALL_REFUSED = Fault("ExpMftList", "分运单均未入库", "no house waybill could be stored")


class Manifests:
    """Answers EXP311 with EXP312; called inside a transaction."""

    def __init__(self, store: Store, faults: Faults, seed: int, outbox: Outbox) -> None:
        self._store, self._faults, self._seed, self._outbox = store, faults, seed, outbox
        self._codes = result_codes("EXP312")
        self._entry_codes = result_codes("EXP302")

    def answer(self, row: Row, step: int) -> str:
        """Give the receipt of this step; returns the code that follows, empty if it was the last."""
        incoming = read(unpacked(row["body"]))
        forced = self._faults.manifest(row["master"])
        if step == 0:
            return self._data_centre(row, incoming, forced)
        self._customs(row, incoming, forced)
        return ""

    def _data_centre(self, row: Row, incoming: Incoming, forced: str | None) -> str:
        reasons = judge.judge(incoming, before=self._before(row))
        if forced == "DN" and not reasons:
            reasons = [FORCED]
        self._give(row, "DN" if reasons else "DY", reasons, [])
        return "" if reasons or forced == "DY" else "NY"

    def _customs(self, row: Row, incoming: Incoming, forced: str | None) -> None:
        reasons = [FORCED] if forced == "NN" else self._faults_of(row)
        if reasons:
            self._give(row, "NN", reasons, [])
            return
        lines = [(line["AssBillNo"], *self._house(row, line)) for line in incoming.document.lines]
        self._store.run_many(
            "INSERT INTO houses (message, scope, house, ie_date, state) VALUES (?, ?, ?, ?, ?)",
            [
                (row["n"], row["scope"], normalise(house), row["ie_date"], code)
                for house, code, _ in lines
            ],
        )
        if all(code == "NN" for _, code, _ in lines):
            self._give(row, "NN", [ALL_REFUSED], lines)
        else:
            self._give(row, "NY", [], lines)

    def _faults_of(self, row: Row) -> list[Fault]:
        if row["repeat_of"] is not None:
            return [REPEATED]
        if row["op_type"] == "APD" and not self._accepted(row):
            return [NOTHING_TO_APPEND]
        return []

    def _house(self, row: Row, line: Record) -> tuple[str, str]:
        fault, house = rules311.line_fault(line), line["AssBillNo"]
        if fault is not None:
            return "NN", receipts.fault_notes([fault], limit=receipts.NOTES_312)
        master, _, direction = row["scope"].split("|")
        listed = self._store.all(
            "SELECT scope FROM houses WHERE house = ? AND state = 'NY'", normalise(house)
        )
        for other in listed:
            first, *_, last = other["scope"].split("|")
            if (first, last) == (master, direction):
                return "NN", receipts.notes(LISTED.zh, limit=receipts.NOTES_312)
        refused = self._store.all(
            "SELECT n FROM houses WHERE house = ? AND state = 'NN'", normalise(house)
        )
        if ending_of(house, len(refused), self._entry_codes).refused_in_manifest:
            return "NN", receipts.notes(FORCED.zh, limit=receipts.NOTES_312)
        return "NY", self._label("NY")

    def _accepted(self, row: Row) -> list[Row]:
        return self._store.all(
            "SELECT * FROM messages WHERE scope = ? AND message_type = 'EXP311' AND state = 'NY' ORDER BY n",
            row["scope"],
        )

    def _before(self, row: Row) -> rules311.Totals:
        """What stands on the manifest that is appended to: the lines of its messages that were not refused."""
        count, packages, weight = 0, 0, Decimal(0)
        if row["op_type"] == "APD":
            for earlier in self._accepted(row):
                own = rules311.totals(self._standing(earlier))
                count, packages, weight = count + own[0], packages + own[1], weight + own[2]
        return count, packages, weight

    def _standing(self, row: Row) -> list[Record]:
        """The lines of one message that were answered NY."""
        stored = self._store.all(
            "SELECT house FROM houses WHERE message = ? AND state = 'NY'", row["n"]
        )
        houses = {one["house"] for one in stored}
        lines = read(unpacked(row["body"])).document.lines
        return [line for line in lines if normalise(line["AssBillNo"]) in houses]

    def _label(self, code: str) -> str:
        return receipts.notes(self._codes[code].label_zh, limit=receipts.NOTES_312)

    def _give(
        self, row: Row, code: str, reasons: list[Fault], houses: list[tuple[str, str, str]]
    ) -> None:
        text = self._label(code)
        if reasons:
            text = receipts.fault_notes(reasons, limit=receipts.NOTES_312)
        answers = self._faults.answers(self._seed, f"{row['key']}|{row['attempt']}")
        self._outbox.lay_out(row, self._outbox.manifest(row, code, text, houses), answers)
        self._store.run(
            "UPDATE messages SET codes = ?, state = ?, lives = ? WHERE n = ?",
            f"{row['codes']} {code}".strip(),
            code,
            0 if code in ("DN", "NN") else row["lives"],
            row["n"],
        )
