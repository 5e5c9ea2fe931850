"""The moment in a receipt, whichever way it is written, as 17 digits of China time."""

from __future__ import annotations

import polars as pl

_CLOCK = r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_DAY_TIME = rf"[0-9]{{8}}{_CLOCK}"
_SURE_DAY = r"(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])(29|30)|(0[13578]|1[02])31"
_SURE = rf"^(19|20)[0-9]{{2}}({_SURE_DAY}){_CLOCK}[0-9]{{3}}$"
"""17 digits that are a moment of the calendar whatever the year: all but the 29th of February."""
_PUNCTUATED = r"^[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?$"


def china_digits(written: pl.Series) -> pl.Series:
    """String → yyyyMMddHHmmssSSS in China time; null where it is no moment of the calendar.

    Forms seen (spec/express notes, section 5): 14 digits; 17 digits, the last three milliseconds; 14 digits
    with sign and two-digit hour offset (converted). Digits without offset are China time. Also taken:
    `yyyy-MM-dd HH:mm:ss`, because the schema of EXP312 leaves its EntryDate free.
    """
    others = (~written.str.contains(_SURE)).arg_true()
    if others.is_empty():
        return written
    name = written.name
    converted = written.gather(others).to_frame(name).select(_converted(pl.col(name))).to_series()
    return written.scatter(others, converted)


def _converted(value: pl.Expr) -> pl.Expr:
    plain = (
        pl.when(value.str.contains(_PUNCTUATED))
        .then(value.str.replace_all(r"[-/ T:.]", ""))
        .otherwise(value)
    )
    moment = plain.str.slice(0, 14).str.to_datetime("%Y%m%d%H%M%S", strict=False)
    offset = plain.str.extract(r"^[0-9]{14}([+-][0-9]{2})$").cast(pl.Int64, strict=False)
    shifted = (moment + pl.duration(hours=8 - offset)).dt.strftime("%Y%m%d%H%M%S")
    sure = moment.is_not_null()
    return (
        pl.when(sure & plain.str.contains(rf"^{_DAY_TIME}$")).then(plain + "000")
        .when(sure & plain.str.contains(rf"^{_DAY_TIME}[0-9]{{3}}$")).then(plain)
        .when(sure & plain.str.contains(rf"^{_DAY_TIME}[+-](0[0-9]|1[0-4])$")).then(shifted + "000")
    )  # fmt: skip
