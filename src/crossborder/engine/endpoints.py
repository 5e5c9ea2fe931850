"""Which endpoint serves a declaration: the prefix of DeclPort chooses."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crossborder.errors import SettingsError
from crossborder.settings import Endpoint, Profile


def prefixes(endpoints: Mapping[str, Endpoint]) -> frozenset[str]:
    """Every prefix of DeclPort that some endpoint serves."""
    return frozenset(p for endpoint in endpoints.values() for p in endpoint.districts)


def by_port(endpoints: Mapping[str, Endpoint]) -> pl.Expr:
    """Name of the endpoint for column `declaration_port` (String → String, null where nobody serves it)."""
    chosen = pl.lit(None, dtype=pl.String)
    pairs = [(p, name) for name, endpoint in endpoints.items() for p in endpoint.districts]
    for prefix, name in sorted(pairs, key=lambda pair: len(pair[0])):  # the longest prefix wins
        chosen = (
            pl.when(pl.col("declaration_port").str.starts_with(prefix))
            .then(pl.lit(name))
            .otherwise(chosen)
        )
    return chosen


def refuse_wrong_profile(name: str, endpoint: Endpoint, profile_name: str, firm: Profile) -> None:
    """Raise `SettingsError` where a demonstration profile meets a live endpoint, or the wrong firm files."""
    if firm.demo and endpoint.kind == "live":
        raise SettingsError(
            "a demonstration profile never files to a live endpoint",
            "演示档案不得向正式口岸申报",
            place=f"endpoints.{name}",
        )
    if endpoint.profile and endpoint.profile != profile_name:
        raise SettingsError(
            f"this endpoint takes only profile {endpoint.profile!r}, not {profile_name!r}",
            f"该口岸只接受企业档案 {endpoint.profile!r}，而不是 {profile_name!r}",
            place=f"endpoints.{name}.profile",
        )
