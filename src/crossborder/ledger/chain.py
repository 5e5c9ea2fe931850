"""The audit chain: every entry of `events` carries a digest over itself and, through the one before, over all before it.

An entry is written as one line of JSON (`written`), and its digest is SHA-256 over the digest of the entry before it (64
lower-case hexadecimal digits; `GENESIS` before the first) followed by that line, as UTF-8. Numbers go up by one without a
gap. The number and digest of the last entry, the head, stand apart in the one row of `audit_head`: a tail that was cut off
is missed there, and whoever locks that row is the only one who goes on with the chain.

The form of the line is fixed for ever: what was chained once could not be proven otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

import polars as pl
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from crossborder.errors import LedgerError
from crossborder.ledger import tables
from crossborder.ledger.dialects import insert_rows
from crossborder.ledger.driver import columns_of, insert_columns

E = tables.events
H = tables.audit_head
GENESIS: Final = "0" * 64
"""What stands in the place of the digest before the first entry."""
COLUMNS = ("id", "at", "who", "verb", "batch_id", "attempt_id", "from_state", "to_state", "detail")
"""What an entry says, in the order in which it is written."""
_TEXTS: Final = [n for n in COLUMNS if n not in ("id", "attempt_id", "detail")]
_ESCAPED: Final = r'["\\\x00-\x1f]'
"""What JSON writes otherwise inside a text; hardly ever there."""
_KEPT: Final = "crossborder_audit_head"
_ALONE: Final = 1

EventRow = tuple[str, str, str, str | None, int | None, str | None, str | None, str]
"""An entry without its number: `COLUMNS` from `at` on. `detail` is JSON."""


class Head(NamedTuple):
    """Number and digest of the last entry; 0 and `GENESIS` where there is none."""

    last: int
    digest: str


def written(
    number: int, at: str, who: str, verb: str, batch_id: str | None, attempt_id: int | None,
    from_state: str | None, to_state: str | None, detail: str,
) -> str:  # fmt: skip
    """An entry as the one line of JSON that its digest is of; `detail` stands in it as it is, being JSON already."""
    return (
        f'{{"id":{number},"at":{encode_basestring(at)},"who":{encode_basestring(who)},'
        f'"verb":{encode_basestring(verb)},'
        f'"batch_id":{"null" if batch_id is None else encode_basestring(batch_id)},'
        f'"attempt_id":{"null" if attempt_id is None else int(attempt_id)},'
        f'"from_state":{"null" if from_state is None else encode_basestring(from_state)},'
        f'"to_state":{"null" if to_state is None else encode_basestring(to_state)},"detail":{detail}}}'
    )


def following(before: str, line: str) -> str:
    """The digest of an entry, by the digest before it and its line."""
    return sha256(f"{before}{line}".encode()).hexdigest()


def chained(before: str, lines: Iterable[str]) -> list[str]:
    """The digests of entries one after another."""
    digests: list[str] = []
    for line in lines:
        before = sha256(f"{before}{line}".encode()).hexdigest()
        digests.append(before)
    return digests


@contextmanager
def kept(connection: Connection) -> Iterator[None]:
    """Within one transaction: the head is read when it is first needed, and written once, at the end."""
    connection.info[_KEPT] = None
    try:
        yield
        head: Head | None = connection.info[_KEPT]
        if head is not None:
            _set(connection, head)
    finally:
        connection.info.pop(_KEPT, None)


def record(connection: Connection, events: Sequence[EventRow]) -> None:
    """Chain entries to those that are there. Raises `LedgerError` where the chain cannot be gone on with."""
    if not events:
        return
    last, digest = head(connection, to_go_on=True)
    rows: list[tuple[Any, ...]] = []
    for number, event in enumerate(events, last + 1):
        digest = following(digest, written(number, *event))
        rows.append((number, *event, digest))
    try:
        insert_rows(connection, E, (*COLUMNS, "digest"), rows)
    except IntegrityError as error:
        raise _beyond_the_head(last) from error
    _advance(connection, Head(last + len(rows), digest))


def record_columns(connection: Connection, events: pl.DataFrame, fixed: Mapping[str, str]) -> None:
    """`record` for very many: `events` and `fixed` (the same in every entry) are `COLUMNS` from `at` on."""
    if not events.height:
        return
    last, digest = head(connection, to_go_on=True)
    numbered = events.with_columns(pl.int_range(last + 1, last + 1 + events.height).alias("id"))
    digests = chained(digest, lines_of(numbered, fixed))
    columns = {**columns_of(numbered), "digest": digests}
    try:
        insert_columns(connection, E, columns, fixed)
    except IntegrityError as error:
        raise _beyond_the_head(last) from error
    _advance(connection, Head(last + events.height, digests[-1]))


def lines_of(entries: pl.DataFrame, fixed: Mapping[str, str]) -> list[str]:
    """The lines of entries given column by column; the same as `written` gives."""
    texts = [pl.col(name) for name in _TEXTS if name not in fixed]
    odd = pl.any_horizontal(text.str.contains(_ESCAPED).any() for text in texts)
    if entries.select(odd.fill_null(value=False)).item():
        whole = entries.with_columns(pl.lit(value).alias(name) for name, value in fixed.items())
        return [written(*row) for row in whole.select(COLUMNS).iter_rows()]
    parts, between = [pl.lit('{"id":'), pl.col("id").cast(pl.String)], ""
    for name in COLUMNS[1:]:
        between += f',"{name}":'
        if name in fixed:
            between += encode_basestring(fixed[name])
            continue
        parts += [pl.lit(between), _shown(name, nulls=entries[name].null_count() > 0)]
        between = ""
    parts.append(pl.lit(between + "}"))
    return entries.select(pl.concat_str(parts).alias("line"))["line"].to_list()


def head(connection: Connection, *, to_go_on: bool = False) -> Head:
    """The head as it stands in this transaction; `to_go_on`: nobody else goes on until this one has ended.

    Raises `LedgerError` if it is gone.
    """
    known: Head | None = connection.info.get(_KEPT)
    if known is not None:
        return known
    query = select(H.c.last, H.c.digest).where(H.c.id == _ALONE)
    row = connection.execute(query.with_for_update() if to_go_on else query).first()
    if row is None:
        raise LedgerError(
            "the head of the audit chain is gone: nothing can be recorded", "审计链的链头丢失，无法继续登记",
            place="audit_head", fix_en="`crossborder audit verify` tells what else is missing; restore a backup of the ledger",
            fix_zh="请用 crossborder audit verify 查明情况，并从备份恢复台账",
        )  # fmt: skip
    return Head(int(row.last), str(row.digest))


def _shown(name: str, *, nulls: bool) -> pl.Expr:
    """A column as it stands in a line."""
    text = pl.col(name).cast(pl.String)
    if name in _TEXTS:
        text = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
    return text.fill_null("null") if nulls else text


def _advance(connection: Connection, now: Head) -> None:
    if _KEPT in connection.info:
        connection.info[_KEPT] = now
    else:
        _set(connection, now)


def _set(connection: Connection, now: Head) -> None:
    connection.execute(update(H).where(H.c.id == _ALONE).values(last=now.last, digest=now.digest))


def _beyond_the_head(last: int) -> LedgerError:
    return LedgerError(
        f"there are entries beyond the head of the audit chain (#{last})", f"审计链链头（#{last}）之后还有记录",
        place=f"events #{last + 1}", fix_en="`crossborder audit verify` names them; restore a backup of the ledger",
        fix_zh="请用 crossborder audit verify 查明情况，并从备份恢复台账",
    )  # fmt: skip
