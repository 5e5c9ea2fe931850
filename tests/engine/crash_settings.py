"""For test_crash and the process it kills: small blocks, two endpoints."""

from __future__ import annotations

from crossborder.settings import Endpoint, LedgerSettings, Settings

SETTINGS = Settings(
    profile="demo",
    ledger=LedgerSettings(block=3),
    endpoints={"hangzhou": Endpoint(districts=("29",)), "ningbo": Endpoint(districts=("31",))},
)
