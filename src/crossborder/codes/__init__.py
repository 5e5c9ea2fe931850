"""Dated code tables, exchange rates, look-ups, and what a miss in each table means."""

from crossborder.codes.about import About, about
from crossborder.codes.imports import import_table
from crossborder.codes.lookup import look_up, meant_texts, nearest, nearest_texts
from crossborder.codes.search import search, suggested
from crossborder.codes.tables import RATES_SCHEMA, Coverage, Edition, TableInfo, Tables, info, infos
from crossborder.codes.words import WORDS, to_codes, words_of

__all__ = [
    "RATES_SCHEMA",
    "WORDS",
    "About",
    "Coverage",
    "Edition",
    "TableInfo",
    "Tables",
    "about",
    "import_table",
    "info",
    "infos",
    "look_up",
    "meant_texts",
    "nearest",
    "nearest_texts",
    "search",
    "suggested",
    "to_codes",
    "words_of",
]
