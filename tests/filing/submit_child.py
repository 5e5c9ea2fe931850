"""A process that files everything in a home folder; `test_kill` kills it at random moments.

Run as `python -m tests.filing.submit_child HOME TRANSPORT ADDRESS [URL]`; URL is the ledger's, if it is not in the home
folder. Begins at a line on its standard input; ends when nothing is left to do.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from crossborder.filing import Tally, drain, endpoint_jobs, filing_lock, queue_job
from crossborder.ledger import Ledger
from crossborder.settings import Endpoint

from .office import message_id, stamp


def main(home: Path, transport: str, address: str, url: str | None = None) -> None:
    endpoint = Endpoint(
        transport=transport, address=address, workers=2, lot=5, settle_seconds=1, retry_seconds=0.1,
        timeout_seconds=20,
    )  # fmt: skip
    stop, tally = threading.Event(), Tally()
    with filing_lock(home, "submit"), Ledger.open(home, url=url) as ledger:
        jobs = [
            queue_job(ledger, stamp, message_id, stop=stop, tally=tally),
            *endpoint_jobs(ledger, "hangzhou", endpoint, stop=stop, tally=tally, receive=False),
        ]
        drain(jobs, finished=lambda: not any(ledger.pending(["hangzhou"]).values()), stop=stop)


if __name__ == "__main__":
    sys.stdin.readline()
    main(Path(sys.argv[1]), *sys.argv[2:])
