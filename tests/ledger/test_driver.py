"""Tuples through the driver do what statements of SQLAlchemy say, and nothing is put into a wrong column."""

from __future__ import annotations

import traceback

import polars as pl
import pytest
from sqlalchemy import bindparam, null, select, update
from sqlalchemy.exc import IntegrityError

from crossborder.ledger import Ledger, tables
from crossborder.ledger.dialects import among, insert_rows, numbers
from crossborder.ledger.driver import (
    columns_of,
    insert_columns,
    rows_of,
    run_rows,
    update_columns,
)

F = tables.facts
SET = update(F).where(F.c.name == bindparam("which")).values(value=bindparam("new"))


def facts(ledger: Ledger) -> dict[str, str]:
    with ledger.read() as connection:
        query = select(F.c.name, F.c.value).where(
            among(connection, F.c.name, ["a", "b", "c", "\"'é中"])
        )
        return {str(name): str(value) for name, value in connection.execute(query)}


def test_rows_are_inserted_changed_and_found(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert insert_columns(connection, F, {"name": ["a", "b"], "value": iter(["1", "2"])}) == 2
        more = {"value": ["9", "3"], "name": ["b", "\"'é中"]}
        assert insert_columns(connection, F, more, missing=True) == 1
        assert insert_columns(connection, F, {"name": []}, {"value": "it's"}) == 0
        assert insert_columns(connection, F, {"name": ["c"]}, {"value": "it's 1 % "}) == 1
        run_rows(connection, SET, ("new", "which"), [("7", "a"), ("8", "x")])
        run_rows(connection, SET, ("new", "which"), [])
        update_columns(connection, SET, {"which": ["x", "b"], "new": ["8", "5"]})
        update_columns(connection, SET, {"which": [], "new": []})
    assert facts(ledger) == {"a": "7", "b": "5", "c": "it's 1 % ", "\"'é中": "3"}


def test_what_the_database_refuses_is_told_as_ever_and_without_values(ledger: Ledger) -> None:
    twice = {"name": ["a", "a"], "value": ["secret", "secret"]}
    with pytest.raises(IntegrityError) as told, ledger.write() as connection:
        insert_columns(connection, F, twice)
    assert "secret" not in str(told.value)
    assert facts(ledger) == {}


def test_rows_may_be_made_one_by_one_and_a_refusal_names_none(ledger: Ledger) -> None:
    with ledger.write() as connection:
        insert_rows(connection, F, ("name",), ((name,) for name in "ab"), {"value": "same"})
        insert_rows(connection, F, ("name",), iter(()), {"value": "none"})
    assert facts(ledger) == {"a": "same", "b": "same"}
    with pytest.raises(IntegrityError) as told, ledger.write() as connection:
        insert_rows(connection, F, ("name", "value"), ((name, "secret") for name in "cb"))
    assert "secret" not in str(told.value)
    assert facts(ledger) == {"a": "same", "b": "same"}


@pytest.mark.parametrize("names", [("which", "new"), ("new",), ("new", "which", "more")])
def test_a_wrong_order_is_refused(ledger: Ledger, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs"), ledger.write() as connection:
        run_rows(connection, SET, names, [("x",) * len(names)])


@pytest.mark.parametrize("names", [("new",), ("new", "which", "more")])
def test_other_parameters_are_refused(ledger: Ledger, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs"), ledger.write() as connection:
        update_columns(connection, SET, {name: ["x"] for name in names})


def test_a_value_hidden_in_the_statement_is_refused(ledger: Ledger) -> None:
    """It would become a parameter of its own; constants are written as SQL."""
    hidden = update(tables.attempts).where(tables.attempts.c.id == bindparam("which"))
    with pytest.raises(ValueError, match="needs"), ledger.write() as connection:
        run_rows(connection, hidden.values(ready=False), ("which",), [(1,)])
    with ledger.write() as connection:
        run_rows(connection, hidden.values(owner=null()), ("which",), [(1,)])


def test_numbers_of_a_query(ledger: Ledger) -> None:
    with ledger.write() as connection:
        insert_columns(
            connection,
            tables.receipts,
            {"id": [5, 3, 4], "digest": "abc"},
            {"endpoint": "e", "name": "n", "raw": b"", "received_at": "", "copies": 1},
        )
        own = tables.receipts.c.id
        assert numbers(connection, select(own).order_by(own.desc()).limit(2)) == [4, 5]
        assert numbers(connection, select(own).where(own > 5)) == []


def test_rows_of_a_frame() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert rows_of(frame) == frame.rows() == [(1, "x"), (2, None)]
    assert rows_of(frame.clear()) == []
    assert columns_of(frame) == {"a": [1, 2], "b": ["x", None]}


POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@POSTGRESQL
def test_what_the_server_tells_with_an_error_is_told_to_nobody(ledger: Ledger) -> None:
    """It names the key or the row that it refuses, also by statements that SQLAlchemy runs."""
    with ledger.write() as connection:
        connection.execute(F.insert().values(name="secret", value="1"))
    for wrong in (F.insert().values(name="secret", value="2"), F.update().values(value=None)):
        with pytest.raises(IntegrityError) as told, ledger.write() as connection:
            connection.execute(wrong)
        shown = "".join(traceback.format_exception(told.value))
        assert "violates" in shown
        assert "secret" not in shown.replace('name="secret"', "")
    with pytest.raises(IntegrityError) as told, ledger.write() as connection:
        insert_columns(connection, F, {"name": ["a", "a"], "value": ["hidden", "hidden"]})
    assert "hidden" not in "".join(traceback.format_exception(told.value)).replace(
        '["hidden", "hidden"]', ""
    )


@POSTGRESQL
def test_the_character_zero_is_kept_as_its_picture_and_found(ledger: Ledger) -> None:
    """SQLite holds it, PostgreSQL cannot; a field of a shipment file may hold it."""
    with ledger.write() as connection:
        insert_columns(connection, F, {"name": ["a\0b", "c"], "value": ["1\0", "2"]})
        connection.execute(F.insert().values(name="d\0", value="\0"))
    with ledger.read() as connection:
        rows = connection.execute(select(F.c.name, F.c.value)).all()
        asked = connection.execute(select(F.c.value).where(F.c.name == "a\0b")).scalar_one()
    assert sorted(map(tuple, rows)) == [("a␀b", "1␀"), ("c", "2"), ("d␀", "␀")]
    assert asked == "1␀"


@POSTGRESQL
def test_texts_of_any_length_are_kept_as_on_sqlite(ledger: Ledger) -> None:
    long = "x" * 5000
    with ledger.write() as connection:
        insert_columns(connection, F, {"name": [long], "value": [long]})
    assert ledger.get_fact(long) == long
