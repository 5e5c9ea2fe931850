"""Partner mappings: the built-in ones reach every column, mistakes name the nearest key, headers decide."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crossborder import intake
from crossborder.errors import MappingError
from crossborder.intake.mapping.model import WordTable, all_keys, date_pattern
from crossborder.intake.words import compile_words

BASE = """
[columns]
"shipments.master_waybill" = { names = "主单", required = true }
"shipments.house_waybill" = { names = "分单", required = true }
"goods.name" = "品名"
"""


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["canonical", "elements", "zh-desk"])
def test_built_in_mappings_reach_every_canonical_column(name: str) -> None:
    mapping = intake.load_mapping(name)
    assert list(mapping.columns) == all_keys()
    assert set(mapping.required()) == {
        "shipments.direction", "shipments.master_waybill", "shipments.house_waybill", "goods.name",
    }  # fmt: skip
    spelt = [n for rule in mapping.columns.values() for n in rule.names]
    assert len(spelt) == len(set(spelt))


def test_names_of_elements() -> None:
    columns = intake.load_mapping("elements").columns
    assert columns["goods.operation"].names == ("LineOpType",)
    assert columns["documents.operation"].names == ("DocOpType",)
    assert columns["shipments.transit_declaration"].names == ("TransitDeclaration",)


def test_names_and_own_folders(tmp_path: Path) -> None:
    write(tmp_path, BASE)
    assert intake.mapping_names([tmp_path]) == ["canonical", "elements", "own", "zh-desk"]
    assert intake.load_mapping("own", [tmp_path]).name == "own"
    with pytest.raises(MappingError, match="zh-desk"):
        intake.load_mapping("zh_desk")
    with pytest.raises(MappingError, match="no such mapping file"):
        intake.load_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "says", "nearest"),
    [
        ('titel_zh = "x"\n' + BASE, "titel_zh", "title_zh"),
        ("[header]\nwithn = 3\n" + BASE, "header.withn", "within"),
        (
            BASE + '"shipments.gros_weight" = "毛重"\n',
            "columns.shipments.gros_weight",
            "shipments.gross_weight",
        ),
        (
            BASE + '"goods.unit" = { names = "单位", word = "units" }\n',
            "columns.goods.unit.word",
            "words",
        ),
        (
            BASE + '"goods.unit" = { names = "单位", words = "unit" }\n[words.units]\n',
            "unit",
            "units",
        ),
        (
            BASE + '[constants]\n"shipments.directon" = "I"\n',
            "constants.shipments.directon",
            "shipments.direction",
        ),
        (
            BASE + '[words.u]\ntable = "units"\ncode = "customs_cod"\n',
            "customs_cod",
            "customs_code",
        ),
        (BASE + '[words.u]\ntable = "unit"\n', "no code table", ""),
        (BASE + '"goods.quantity" = { names = "数量", factor = "1e-3" }\n', "not a decimal", ""),
        (BASE + '"goods.model" = { names = "型号", factor = "2" }\n', "number column", ""),
        (BASE + '"shipments.movement_date" = { names = "日期", dates = ["dd.MM"] }\n', "yyyy", ""),
        (BASE + '"goods.model" = { names = "型号", transforms = ["shout"] }\n', "strip_region", ""),
        ("columns = [", "cannot be read", ""),
    ],
)
def test_mistakes_in_a_mapping(tmp_path: Path, text: str, says: str, nearest: str) -> None:
    with pytest.raises(MappingError) as caught:
        intake.load_mapping(write(tmp_path, text))
    assert says in caught.value.text()
    assert caught.value.place == "own.toml"
    assert nearest in caught.value.fix_en
    assert caught.value.zh != caught.value.en


def test_the_header_decides(tmp_path: Path) -> None:
    for header, name in [
        ("BillNo,AssBillNo,IEFlag,GName", "elements"),
        ("master_waybill,house_waybill,direction,goods_name", "canonical"),
        ("总运单号,分运单号,进出口标志,商品名称", "zh-desk"),
        ("主单号,分单号,进出口,品名", "zh-desk"),
    ]:
        (tmp_path / "a.csv").write_text(f"{header}\n999-1,H1,I,shoe\n", encoding="utf-8")
        assert intake.read(tmp_path / "a.csv").mapping == name


def test_no_mapping_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BillNo,AssBillNo,IEFlag,Colour\n999-1,H1,I,red\n")
    with pytest.raises(MappingError) as caught:
        intake.read(path)
    assert "nearest is elements" in caught.value.en
    assert "missing columns: GName" in caught.value.en
    assert "unknown columns: Colour" in caught.value.en
    with pytest.raises(
        MappingError, match="does not fit the mapping elements: missing columns: GName"
    ):
        intake.read(path, mapping="elements")


def test_more_than_one_mapping_fits(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    folder.mkdir()
    write(folder, BASE.replace("主单", "BillNo").replace("分单", "AssBillNo"))
    path = tmp_path / "a.csv"
    path.write_text("BillNo,AssBillNo,IEFlag,GName\n999-1,H1,I,shoe\n")
    with pytest.raises(MappingError, match="more than one mapping fits: elements, own"):
        intake.read(path, folders=[folder])
    assert intake.read(path, mapping="own", folders=[folder]).mapping == "own"


def test_column_names_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BillNo,AssBillNo,IEFlag,GName,GName\n999-1,H1,I,shoe,hat\n")
    with pytest.raises(MappingError, match="more than once: GName"):
        intake.read(path)


def test_columns_nobody_asked_for_are_notes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BillNo,AssBillNo,IEFlag,GName,Colour,\n999-1,H1,I,shoe,red,7\n")
    read = intake.read(path)
    found = read.findings.select("ship", "row", "column", "rule", "severity", "action").rows()
    assert found == [
        (None, 1, "Colour", "INT-unknown-column", "warn", "note"),
        (None, 1, "F", "INT-unknown-column", "warn", "note"),
    ]


def test_a_partner_of_ones_own(tmp_path: Path) -> None:
    """Header row, rows to skip, constants, words, units, dates, totals: all from one file."""
    mapping = write(
        tmp_path,
        """
        [header]
        row = 2
        skip_after = 1

        [totals]
        columns = ["品名"]
        words = ["本页合计"]
        match = "contains"

        [columns]
        "shipments.master_waybill" = { names = "主单", required = true }
        "shipments.house_waybill" = { names = ["分单号", "分单"], required = true }
        "shipments.gross_weight" = { names = "重量", factor = "0.001" }
        "shipments.movement_date" = { names = "日期", dates = ["d.M.yyyy"] }
        "shipments.trade_country" = { names = "国", words = "countries" }
        "goods.origin_country" = { names = "国", words = "countries" }
        "goods.name" = "品名"

        [constants]
        "shipments.direction" = "I"
        "goods.operation" = "ADD"

        [words.countries]
        table = "countries"
        code = "customs_code"
        from = ["iso_alpha2"]
        values = { "老美" = "502" }
        """,
    )
    path = tmp_path / "a.csv"
    path.write_text(
        "今日\n主单,分单,重量,日期,国,品名\n,,克,,,\n"
        "999-1,H1,250,3.11.2026,us,shoe\n999-1,H2,1250.5,31.2.2026,老美,hat\n999-1,H3,abc,,Utopia,cap\n"
        ",,1500,,,本页合计 3 票\n",
        encoding="utf-8",
    )
    read = intake.read(path, mapping=mapping)
    assert read.frames.shipments.select(
        "row", "gross_weight", "movement_date", "trade_country", "direction"
    ).rows() == [
        (4, "0.25", "20261103", "502", "I"),
        (5, "1.2505", "31.2.2026", "502", "I"),
        (6, "abc", None, "Utopia", "I"),
    ]
    assert read.frames.goods.select("origin_country", "operation").rows()[0] == ("502", "ADD")
    assert read.frames.header("shipments", "gross_weight") == "重量"
    assert read.rows == 3


def test_a_desk_sheet(tmp_path: Path) -> None:
    """A title row above, a totals row below that has fewer fields, words and dates as people write them."""
    path = tmp_path / "desk.csv"
    path.write_bytes(
        (
            "2026年11月23日 快件预报清单\r\n"
            "总运单号,分运单号,进出口标志,报关类别,进出口日期,贸易国别,币制,运输方式,成交方式,是否含木质包装,商品名称,计量单位\r\n"
            "999-1,H1,进口,B类,2026-11-23,美国,美元,航空运输,,否,围巾,条\r\n"
            "999-1,H2,I,C,2026/11/3,USA,USD,5,CIF,0,衬衫,千克\r\n"
            "合计,2 票\r\n"
        ).encode("gb18030")
    )
    read = intake.read(path)
    assert read.findings.is_empty()
    shipments = read.frames.shipments.select(
        "row", "direction", "declaration_class", "movement_date", "trade_country", "currency",
        "transport_mode", "delivery_terms", "wooden_packaging",
    )  # fmt: skip
    assert shipments.rows() == [
        (3, "I", "B", "20261123", "502", "502", "5", None, "0"),
        (4, "I", "C", "20261103", "502", "502", "5", "1", "0"),
    ]
    assert read.frames.goods["unit"].to_list() == ["015", "035"]


def test_a_parcel_is_not_taken_for_a_totals_row(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(
        "收件人,总运单号,分运单号,进出口标志,商品名称\n合计明,999-1,H1,I,鞋\n合计,,1 票,,\n",
        encoding="utf-8",
    )
    read = intake.read(path)
    assert read.frames.shipments.select("row", "receiver_name").rows() == [(2, "合计明")]


def test_transforms_leave_a_note_with_the_old_value(tmp_path: Path) -> None:
    mapping = write(
        tmp_path,
        BASE
        + '"shipments.receiver_address" = { names = "地址", transforms = ["strip_region"] }\n'
        + '"shipments.receiver_phone" = { names = "电话", transforms = ["phone"] }\n',
    )
    path = tmp_path / "a.csv"
    path.write_text(
        "主单,分单,品名,地址,电话\n999-1,H1,鞋,浙江省杭州市西湖区文三路1号,13800000000\n",
        encoding="utf-8",
    )
    read = intake.read(path, mapping=mapping)
    assert read.frames.shipments["receiver_address"].to_list() == ["西湖区文三路1号"]
    found = read.findings.select("rule", "action", "column", "value", "ship").rows()
    assert found == [("INT-transformed", "note", "地址", "浙江省杭州市西湖区文三路1号", 0)]


def test_a_word_for_two_codes_is_not_used() -> None:
    table = {"table": "customs_districts", "code": "parent_code", "from": ["confidence"]}
    both = compile_words(WordTable.model_validate(table))
    assert both.words == {}


def test_date_forms() -> None:
    assert date_pattern("yyyy年M月d日").fullmatch("2026年1月3日")
    assert not date_pattern("yyyy-MM-dd").fullmatch("2026-1-3")
    with pytest.raises(ValueError, match="once"):
        date_pattern("yyyy-yyyy-MM-dd")


def test_a_draft_names_what_it_recognises_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        '清单\n主单号,分单号,进出口标志,品名,毛重(千克),产地国,"颜""色"\n999-1,H1,I,shoe,2,美国,red\n',
        encoding="utf-8",
    )
    text = intake.draft(path)
    mapping = write(tmp_path, text)
    read = intake.read(path, mapping=mapping)
    assert read.frames.goods["name"].to_list() == ["shoe"]
    assert read.frames.shipments["gross_weight"].to_list() == ["2"]
    assert '# "shipments.…" = "颜\\"色"' in text
    assert 'dates = ["yyyy-MM-dd"' not in text
    rows = intake.explain_rows(path, mapping, 1)
    assert ("shipments.house_waybill", "分单号", "H1") in rows[0]


def test_a_draft_of_the_desk_sheet_is_the_desk_mapping(tmp_path: Path) -> None:
    desk = intake.load_mapping("zh-desk")
    path = tmp_path / "a.csv"
    header = ",".join(rule.names[0] for rule in desk.columns.values())
    path.write_text(f"标题\n{header}\n", encoding="utf-8")
    drafted = intake.load_mapping(write(tmp_path, intake.draft(path)))
    for key, rule in drafted.columns.items():
        assert rule.model_copy(update={"names": desk.columns[key].names}) == desk.columns[key]
    assert list(drafted.columns) == list(desk.columns)
    assert drafted.words == desk.words
    assert drafted.header.row == 2


def test_a_draft_says_which_required_columns_it_did_not_find(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BillNo,Colour\n1,red\n")
    assert '# "shipments.house_waybill" = ""' in intake.draft(path)


def test_one_column_may_be_read_as_two() -> None:
    mapping = intake.Mapping.model_validate(
        {
            "columns": {
                "shipments.master_waybill": "主单",
                "shipments.house_waybill": "分单",
                "shipments.direction": "向",
                "goods.name": "品名",
                "shipments.main_goods_name": "品名",
            }
        }
    )
    row = {"主单": "999-12345675", "分单": "H1", "向": "I", "品名": " 棉袜 "}
    read = intake.read(pl.DataFrame([row]), mapping=mapping)
    assert read.frames.shipments["main_goods_name"].to_list() == ["棉袜"]
    assert read.frames.goods["name"].to_list() == ["棉袜"]
