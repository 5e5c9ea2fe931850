"""Short ways to check composed shipments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import settings

from crossborder import rules
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

Check = Callable[..., pl.DataFrame]


@pytest.fixture
def check() -> Check:
    """`check(parcel, ..., options={…}, declared_on="…")` → findings under the demonstration profile."""

    def run(*parcels: Parcel, **more: Any) -> pl.DataFrame:
        example = Example(parcels, **more)
        return rules.check(frames_of(example), context_of(example))

    return run
