"""Whatever stands in the cells, rules answer with findings and never raise."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crossborder import rules
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.shipments import findings
from crossborder.shipments.columns import COLUMNS
from crossborder.shipments.frames import FrameSet

CELLS = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "0", "-1", "1e308", "NaN", "99999999999999.99999", "0." + "0" * 40 + "1", "9" * 400,
         "20240229", "20230229", "00000000", "142", "502", "I", "E", "A", "B", "C", "1", "110101",
         "330100199001010001", "[", "(?P<", "\\", "{}", "%s", "\x00", "\ud7ff", "\U0010ffff"]
    ),
)  # fmt: skip
HEAD = st.dictionaries(st.sampled_from(sorted(COLUMNS["shipments"])), CELLS, max_size=25)
LINE = st.dictionaries(st.sampled_from(sorted(COLUMNS["goods"])), CELLS, max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(HEAD, st.lists(LINE, max_size=4)), min_size=1, max_size=6))
def test_any_cells(
    parcels: list[tuple[dict[str, str | None], list[dict[str, str | None]]]],
) -> None:
    base = Example(tuple(Parcel(goods=({},) * len(lines)) for _, lines in parcels))
    frames = frames_of(base)
    heads = [
        {**row, **head} for row, (head, _) in zip(frames.shipments.to_dicts(), parcels, strict=True)
    ]
    changed = [line for _, lines in parcels for line in lines]
    goods = [{**row, **line} for row, line in zip(frames.goods.to_dicts(), changed, strict=True)]
    messy = FrameSet(
        pl.DataFrame(heads, schema=frames.shipments.schema),
        pl.DataFrame(goods, schema=frames.goods.schema),
        frames.documents,
    )
    ctx = context_of(base)
    classed, first = rules.classify(messy, ctx)
    found = rules.check(classed, ctx)
    assert found.schema == pl.Schema(findings.SCHEMA)
    assert set(found["ship"]) <= set(range(len(parcels)))
    assert set(found["severity"]) <= {"reject", "warn", "not_evaluated"}
    assert set(found["action"]) <= {"reject", "hold", "note", "mark"}
    assert found["zh"].null_count() == found["en"].null_count() == 0
    assert first["rule"].is_in(["CLS-11", "INT-classified"]).all()
