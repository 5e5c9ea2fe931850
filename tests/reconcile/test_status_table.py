from __future__ import annotations

import pytest

from crossborder.reconcile import StatusTable, advice
from crossborder.reconcile.status_table import parse


@pytest.fixture(scope="module")
def table() -> StatusTable:
    return StatusTable.load()


def test_the_table_is_whole(table: StatusTable) -> None:
    assert len(table.of_message("EXP302")) == 47
    assert [row.code for row in table.of_message("EXP312")] == ["DY", "DN", "NY", "NN"]
    assert table.of_message("LOCAL") == ()


def test_the_same_code_means_other_things_in_other_messages(table: StatusTable) -> None:
    stored, listed = table.get("EXP302", "Y"), table.get("EXP308", "Y")
    assert stored is not None
    assert listed is not None
    assert stored.label_en != listed.label_en
    assert table.get("EXP302", "99") is None


@pytest.mark.parametrize(
    ("state", "final", "released", "group"),
    [
        ("awaiting_manifest", False, False, "prepared"),
        ("not_received", False, False, "prepared"),
        ("voided", True, False, "suspended_or_voided"),
        ("sending", False, False, "in_flight"),
        ("unknown", False, False, "unknown"),
        ("inspection", False, False, "in_flight"),
        ("platform_failed", True, False, "refused"),
        ("sent_back", True, False, "refused"),
        ("reclass", True, False, "refused"),
        ("released", True, True, "released"),
        ("returned_abroad", True, False, "other_final"),
        ("deleted", True, False, "other_final"),
    ],
)
def test_where_a_state_stands_in_the_account(
    table: StatusTable, state: str, final: bool, released: bool, group: str
) -> None:
    assert table.group(state, final=final, released=released) == group


def test_every_final_code_ends_somewhere(table: StatusTable) -> None:
    for row in table.of_message("EXP302"):
        group = table.group(row.state, final=row.terminal, released=row.released)
        if not row.state:
            continue
        ended = {"released"} if row.released else {"refused", "other_final"}
        assert group in (ended if row.terminal else {"in_flight"}), row.code


def test_a_changed_table_changes_what_a_code_means() -> None:
    text = (
        "code,label_zh,label_en,stage,terminal,released,message,source,state,fresh_attempt,next,next_zh\n"
        "ZZ,新,new,customs,yes,no,EXP302,x,novel,yes,go,走\n"
    )
    row = parse(text).get("EXP302", "ZZ")
    assert row is not None
    assert (row.state, row.terminal, row.released, row.next_zh) == ("novel", True, False, "走")


def test_advice_for_every_state(table: StatusTable) -> None:
    for row in table.of_message("EXP302"):
        if row.state:
            assert advice("EXP301", row.code, row.state) == (row.next_zh, row.next_en)
    assert "resolve" in advice("EXP301", None, "unknown")[1]
    assert "新的一次申报" in advice("EXP301", None, "platform_failed")[0]
    assert advice("EXP301", "11", "unknown") == advice("EXP301", None, "unknown")
    assert advice("EXP311", "NY", "accepted")[0] == "可以发送分运单的报关单"
