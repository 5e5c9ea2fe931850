"""Dated code tables, exchange rates, look-ups, and what a miss in each table means."""

from crossborder.codes.imports import import_table
from crossborder.codes.lookup import look_up, nearest
from crossborder.codes.search import search
from crossborder.codes.tables import RATES_SCHEMA, Coverage, Edition, TableInfo, Tables, info, infos

__all__ = [
    "RATES_SCHEMA",
    "Coverage",
    "Edition",
    "TableInfo",
    "Tables",
    "import_table",
    "info",
    "infos",
    "look_up",
    "nearest",
    "search",
]
