"""How a declaration is answered: data centre, forwarding, customs, decision; one receipt per step."""

from __future__ import annotations

import time

from crossborder.sandbox import judge, receipts
from crossborder.sandbox.checks import Fault
from crossborder.sandbox.endings import Answers, Ending, ending_of, normalise
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.mix import Mix, result_codes
from crossborder.sandbox.outbox import Outbox
from crossborder.sandbox.reading import read
from crossborder.sandbox.storage import Row, Store, unpacked

REPEATED = Fault(
    "AssBillNo",
    "重复申报：该分运单已有有效的报关单",
    "declared twice: a declaration of this house waybill is live",
)
NOT_LISTED = Fault(
    "AssBillNo", "分运单不在已入库的舱单中", "the house waybill is on no accepted manifest"
)
OTHER_DATE = Fault("IEDate", "进出口日期与舱单不一致", "differs from IEDate of the manifest")


class Declarations:
    """Answers EXP301 with EXP302; called inside a transaction."""

    def __init__(
        self,
        store: Store,
        mix: Mix,
        faults: Faults,
        seed: int,
        outbox: Outbox,
        *,
        require_manifest: bool,
        districts: dict[str, tuple[str, ...]],
    ) -> None:
        self._store, self._mix, self._faults, self._seed = store, mix, faults, seed
        self._outbox, self._require_manifest, self._districts = outbox, require_manifest, districts
        self._codes = result_codes("EXP302")

    def answer(self, row: Row, step: int) -> str:
        """Give the receipt of this step; returns the code that follows, empty if it was the last."""
        ending = self._ending(row)
        if step == 0:
            path, reasons = self._decide(row, ending)
            self._before_the_first(row, ending)
        else:
            path, reasons = row["path"].split(), []
        code = path[step]
        if code == "Y":
            reasons = self._customs_faults(row)
            if reasons:
                code, path = "N", [*path[:step], "N"]
        answers = self._answers(row, ending)
        self._give(row, code, path[: step + 1], path, reasons, answers)
        last = step + 1 == len(path)
        if last and answers == "reversed":
            self._outbox.let_go_reversed(row)
        return "" if last else path[step + 1]

    def _decide(self, row: Row, ending: Ending) -> tuple[list[str], list[Fault]]:
        if row["repeat_of"] is not None:
            return ["N"], [REPEATED]
        incoming = read(unpacked(row["body"]))
        reasons = judge.judge(incoming, self._districts.get(row["endpoint"], ()))
        if reasons:
            return ["D1"], reasons
        name = ending.path or self._mix.draw(self._seed, normalise(row["house"]), row["attempt"])
        return list(self._mix.paths[name]), []

    def _customs_faults(self, row: Row) -> list[Fault]:
        listed = self._store.all(
            "SELECT ie_date FROM houses WHERE house = ? AND scope = ? AND state = 'NY'",
            normalise(row["house"]),
            row["scope"],
        )
        if not listed:
            return [NOT_LISTED] if self._require_manifest else []
        same = any(line["ie_date"] == row["ie_date"] for line in listed)
        return [] if same else [OTHER_DATE]

    def _give(
        self,
        row: Row,
        code: str,
        so_far: list[str],
        path: list[str],
        reasons: list[Fault],
        answers: Answers,
    ) -> None:
        known = self._codes[code]
        text = (
            receipts.fault_notes(reasons)
            if reasons
            else receipts.notes(known.label_zh, known.label_en)
        )
        op_time = receipts.next_digits17(time.time(), row["op_time"])
        written = self._outbox.declaration(
            row,
            code,
            op_time,
            text,
            pre_entry_id="" if code == "D1" else pre_entry_id(row),
            entry_id=entry_id(row) if "Y" in so_far else "",
        )
        self._outbox.lay_out(row, written, answers)
        moved = code not in ("A", "R")
        self._store.run(
            "UPDATE messages SET path = ?, codes = ?, state = ?, op_time = ?, lives = ? WHERE n = ?",
            " ".join(path),
            " ".join(so_far),
            code if moved else row["state"],
            op_time,
            0 if known.frees else row["lives"],
            row["n"],
        )

    def _before_the_first(self, row: Row, ending: Ending) -> None:
        if ending.answers == "nonsense_first":
            self._outbox.nonsense(row)
        if ending.answers == "stray_first":
            stray = self._outbox.declaration(
                row,
                "D0",
                receipts.digits17(time.time()),
                receipts.notes("无人申报的分运单", "a house waybill nobody declared"),
                pre_entry_id="",
                entry_id="",
                house=f"SANDBOXSTRAY{row['n']}",
            )
            self._outbox.lay_out(row, stray)

    def _ending(self, row: Row) -> Ending:
        if row["repeat_of"] is not None:
            return Ending()
        return ending_of(row["house"], row["attempt"], self._codes)

    def _answers(self, row: Row, ending: Ending) -> Answers:
        if ending.answers != "normal":
            return ending.answers
        return self._faults.answers(self._seed, f"{row['key']}|{row['attempt']}")


def pre_entry_id(row: Row) -> str:
    """Number of the data centre: year and 14 digits."""
    return f"{receipts.china(row['at']):%Y}{row['n']:014d}"


def entry_id(row: Row) -> str:
    """Customs number: district 4, year 4, direction 1 (0 export, 1 import), serial 9."""
    direction = "1" if row["direction"] == "I" else "0"
    return (
        f"{row['decl_port'][:4]:0>4}{receipts.china(row['at']):%Y}{direction}{row['n'] % 10**9:09d}"
    )
