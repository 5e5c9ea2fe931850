"""What the port says of messages that arrived, and what becomes of its receipts on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from . import papers
from .port import Filing, Port, Said
from .weather import RECEIPTS, pick

PATHS: tuple[tuple[str, ...], ...] = (
    ("D0", "D2", "Y", "11"), ("D0", "D2", "Y", "03", "10", "11"), ("D0", "D2", "Y", "05", "12"),
    ("D0", "D2", "Y", "A", "11"), ("D0", "D2", "N"), ("D1",), ("D0", "D3"), ("D0", "D2", "Y", "00"),
    ("D0", "D2", "Y", "05", "06", "07"), ("D0",), ("D0", "D2", "Y", "11", "05"), ("D0", "Y", "D2"),
)  # fmt: skip
"""What the port may say of a declaration, one code after the other (facts: the result codes of EXP302)."""
ENDS = frozenset({"D1", "D3", "N", "00", "DN", "NN"})
"""Codes after which the same may be declared again (facts: `fresh_attempt`)."""
CONTRADICTIONS = ("N", "D1", "D3")
_AT_ONCE = 4

Houses = tuple[tuple[str, str], ...]


class Answers:
    """The port's receipts. `houses`: manifest key → the house waybills that it lists."""

    def __init__(self, port: Port, houses: Mapping[str, tuple[str, ...]]) -> None:
        self._port, self._houses = port, houses
        self._last_op_time = 0.0
        self.receipts: list[Said] = []
        self.waiting: list[Said] = []
        port.answer = self.answer

    def answer(self, filing: Filing) -> None:
        """Say everything that will be said of a message."""
        draw, after = self._port.draw, 0.0
        if filing.kind == "manifest":
            for code, houses in self._of_manifest(filing):
                after += draw.choice((0.0, 1.0))
                write = partial(self._exp312, filing, houses)
                self._port.later(after, partial(self._say, filing, code, write, houses))
            return
        pre, entry = f"P{self._port.number():017d}", ""
        for code in draw.choice(PATHS):
            after += draw.choice((0.0, 0.2, 1.0, 5.0))
            entry = f"E{pre[1:]}" if code == "Y" else entry
            self._port.later(
                after, partial(self._say, filing, code, partial(self._exp302, filing, pre, entry))
            )

    def batch(self) -> list[Said]:
        """What a poller is given in one round: some of what waits, in any order."""
        count = min(len(self.waiting), self._port.draw.randint(1, _AT_ONCE))
        return self._port.draw.sample(self.waiting, count)

    def hand_out(self, said: Said) -> None:
        """We have the bytes in our hands from now on."""
        said.handed_out += 1
        bill = said.data.partition(b"<BillNo>")[2].partition(b"</BillNo>")[0].decode()
        self._port.accepted_houses |= {
            f"{bill}|{house}|I" for house, code in said.houses if code == "NY"
        }
        if said.code in ENDS and said.about:
            self._port.filings[said.about].over = True

    def acknowledged(self, said: Said) -> None:
        """We said that we have stored it: the port forgets it."""
        said.acknowledged = True
        if said in self.waiting:
            self.waiting.remove(said)

    # -- parts of the above

    def _of_manifest(self, filing: Filing) -> list[tuple[str, Houses]]:
        draw = self._port.draw
        if not self._port.calm and draw.random() < 0.12:
            return draw.choice(([("DN", ())], [("DY", ()), ("NN", ())]))
        houses = self._houses[filing.key]
        told = tuple((house, "NN" if draw.random() < 0.08 else "NY") for house in houses)
        return [("DY", ()), ("NY", told)]

    def _exp302(self, filing: Filing, pre: str, entry: str, code: str, op_time: str) -> bytes:
        port = self._port
        return papers.exp302(
            filing.key, code, op_time, pre, entry, port.number(), port.clock.port()
        )

    def _exp312(self, filing: Filing, houses: Houses, code: str, op_time: str) -> bytes:
        port = self._port
        return papers.exp312(filing.key, code, op_time, houses, port.number(), port.clock.port())

    def _say(
        self, filing: Filing, code: str, write: Callable[[str, str], bytes], houses: Houses = ()
    ) -> None:
        port, op_time = self._port, self._op_time()
        weather, calm = port.weather, port.calm
        trouble = "" if calm else pick(port.draw, weather.mess, RECEIPTS, weather.receipt)
        said = Said(self._name(), write(code, op_time), filing.ident, code, op_time, houses)
        if trouble == "lost":
            port.trace.note("never comes", said.name, code)
            return
        out = [said]
        if trouble == "doubled":
            out.append(said)
        elif trouble == "repeated":
            out.append(
                Said(self._name(), write(code, op_time), filing.ident, code, op_time, houses)
            )
        elif trouble == "unreadable":
            cut = said.data[: port.draw.randrange(len(said.data) - 12)]
            out.append(Said(self._name(), cut, "", "", "", (), trouble))
        elif trouble == "foreign":
            key = f"99999999999|{papers.house(port.number())}|I"
            data = papers.exp302(key, "D0", op_time, "", "", port.number(), port.clock.port())
            out.append(Said(self._name(), data, "", "", "", (), trouble))
        elif trouble in ("contradictory", "unknown_code") and filing.kind == "declaration":
            odd = "ZZ" if trouble == "unknown_code" else port.draw.choice(CONTRADICTIONS)
            later = self._op_time()
            out.append(Said(self._name(), write(odd, later), filing.ident, odd, later))
        wait = port.draw.uniform(5, 90) if trouble == "late" else 0.0
        for one in out:
            port.later(wait, partial(self._out, one))

    def _out(self, said: Said) -> None:
        if said.about and said not in self.receipts:
            self._port.filings[said.about].said.append(said)
        if said not in self.receipts:
            self.receipts.append(said)
        self.waiting.append(said)
        self._port.trace.note("says", said.name, said.code or said.kind, said.about)

    def _name(self) -> str:
        return f"{self._port.number()}.xml"

    def _op_time(self) -> str:
        """17 digits; now and then two receipts bear the same."""
        same = self._port.draw.random() < 0.1
        moment = max(self._port.clock.true, self._last_op_time + (0.0 if same else 0.001))
        self._last_op_time = moment
        at = self._port.clock.port() + timedelta(seconds=moment - self._port.clock.true)
        return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"
