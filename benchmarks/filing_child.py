"""A process of the `filing` contest: it gets ready, says so, begins at a line on its standard input, says how many went.

`python -m benchmarks.filing_child post ADDRESS FOLDER` posts the documents of a folder by httpx and records nothing;
`python -m benchmarks.filing_child file ADDRESS HOME [URL]` is one worker on the ledger of HOME (or at URL).
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import httpx

from crossborder import china_time
from crossborder.filing import EndpointPolicy, Filer, Tally
from crossborder.ledger import Ledger
from crossborder.settings import Endpoint
from crossborder.transport import open_transport


def post(address: str, folder: Path) -> None:
    """The least that may be called sending: the digest that the door asks for, and the answer's status."""
    documents = [(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.xml"))]
    sent = 0
    with httpx.Client(trust_env=False, headers={"Content-Type": "application/xml"}) as client:
        begin()
        for ident, body in documents:
            headers = {
                "X-Message-Id": ident, "X-Message-Type": "EXP301", "X-Content-SHA256": hashlib.sha256(body).hexdigest(),
            }  # fmt: skip
            sent += (
                client.post(f"{address}/messages", content=body, headers=headers).status_code == 202
            )
    print(sent, flush=True)


def file(address: str, home: Path, url: str | None = None) -> None:
    """One worker: claims, reads and compares the bytes, sends, records, until nothing is left."""
    endpoint = Endpoint(transport="http", address=address, manifest_first=False)
    transport, tally = open_transport(endpoint, "hangzhou"), Tally()
    with Ledger.open(home, url=url) as ledger:
        owner = f"{ledger.owner}/hangzhou-1"
        filer = Filer(
            ledger, "hangzhou", transport, EndpointPolicy.of(endpoint), owner, tally=tally
        )
        begin()
        while filer.step(china_time.now()) is not None:
            pass
        filer.close(china_time.now())
    print(tally.counts["received"], flush=True)


def begin() -> None:
    """Ready; wait for the word."""
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    what, address, place, *more = sys.argv[1:]
    if what == "post":
        post(address, Path(place))
    else:
        file(address, Path(place), *more)
