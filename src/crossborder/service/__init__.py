"""The HTTP service for partners (extra `[server]`): the same façade, the same ledger."""

from __future__ import annotations

from crossborder.service.app import build_app
from crossborder.service.run import run_service

__all__ = ["build_app", "run_service"]
