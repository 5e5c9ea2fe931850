"""Opt-in transforms: what they better, and what they leave alone."""

from __future__ import annotations

import polars as pl
import pytest

from crossborder.intake import transforms


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("浙江省杭州市西湖区文三路1号", "西湖区文三路1号"),
        ("浙江杭州市西湖区文三路1号", "西湖区文三路1号"),
        ("中国浙江省 宁波市 海曙区 中山路", "海曙区 中山路"),
        ("上海市上海市浦东新区市心路8号", "浦东新区市心路8号"),
        ("北京市市辖区朝阳区建国路", "朝阳区建国路"),
        ("重庆渝中区民生路", "渝中区民生路"),
        ("云南省大理白族自治州大理市古城路", "大理市古城路"),
        ("河南省新乡市红旗区", "红旗区"),
        ("江苏省镇江市京口区", "京口区"),
        ("内蒙古自治区锡林郭勒盟多伦县", "多伦县"),
        ("西湖区市心路1号", "西湖区市心路1号"),
        ("浙江省", "浙江省"),
        ("No. 1 Lake Road", "No. 1 Lake Road"),
    ],
)
def test_strip_region(before: str, after: str) -> None:
    assert transforms.strip_region(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("（0571）8888 8888 转 801", "0571-88888888-801"),
        ("+86 138-0000-0000", "138-0000-0000"),
        ("008613800000000；13900000000", "13800000000|13900000000"),
        ("１３８００００００００", "13800000000"),
        ("13800000000\u222313900000000", "13800000000|13900000000"),
        ("13800000000", "13800000000"),
        ("see parcel", "see parcel"),
        ("", ""),
    ],
)
def test_phone(before: str, after: str) -> None:
    assert transforms.phone(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("José  Łukasz", "Jose Lukasz"),
        ("Ｏ’Neil", "O'Neil"),
        ("Groß", "Gross"),
        ("张三", "张三"),
        ("Ann", "Ann"),
    ],
)
def test_ascii_name(before: str, after: str) -> None:
    assert transforms.ascii_name(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Hangzhou", "杭州"), ("NINGBO SHI", "宁波"), ("Xi'an", "西安"), ("Ürümqi", "Ürümqi"), ("Urumqi City", "乌鲁木齐"),
        ("浙江省杭州市", "杭州市"), ("北京市", "北京市"), ("杭州", "杭州"), ("Lakeside", "Lakeside"),
    ],
)  # fmt: skip
def test_city_zh(before: str, after: str) -> None:
    assert transforms.city_zh(before) == after


def test_a_column_keeps_its_nulls() -> None:
    values = pl.Series(["Hangzhou", None, "杭州", "Hangzhou"])
    assert transforms.apply("city_zh", values).to_list() == ["杭州", None, "杭州", "杭州"]
