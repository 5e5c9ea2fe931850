"""A worker on a host of its own: `python -m tests.ledger.worker_child HOME URL LOT` claims until nothing is left.

It begins at a line on its standard input, and prints the numbers of what it claimed, in one line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from crossborder.ledger import Ledger, Sent

from .desk import MINUTE, NOW


def main(home: Path, url: str, lot: int) -> None:
    mine: list[int] = []
    with Ledger.open(home, url=url) as ledger:
        owner = f"{ledger.owner}/w"
        sys.stdin.readline()
        while claimed := ledger.claim("hangzhou", owner, lot, NOW, MINUTE):
            mine += [one.attempt_id for one in claimed]
            done = [Sent(one.attempt_id, "received") for one in claimed]
            if ledger.record_outcomes(done, NOW, owner) != ["sent"] * len(claimed):
                raise SystemExit("an answer did not count")
    sys.stdout.write(json.dumps(mine) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
