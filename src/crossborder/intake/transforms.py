"""Opt-in changes a mapping may ask for. Each leaves a note with the old value; what it cannot better it leaves."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache

import polars as pl

from crossborder import resources
from crossborder.intake.convert import through

_COUNTRY = re.compile("^(中国|中华人民共和国)")
_CITY = re.compile("^[^省市区县路街道号弄巷\\W\\d_a-zA-Z]{1,8}市(?:市辖区)?")
_PREFECTURE = re.compile("^[\u3400-\u9fff]{1,10}?(?:自治州|地区|盟)")
_LATIN = {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE",
          "œ": "oe", "Œ": "OE", "ı": "i", "þ": "th", "Þ": "Th", "ð": "d", "‘": "'", "’": "'", "“": '"',
          "”": '"', "–": "-", "—": "-", "·": " ", "•": " "}  # fmt: skip
_DIGITS = re.compile(r"[0-9]+(?:-[0-9]+)*(?:\|[0-9]+(?:-[0-9]+)*)*")


def apply(name: str, values: pl.Series) -> pl.Series:
    """The transform `name` applied to a column."""
    change = {
        "strip_region": strip_region,
        "phone": phone,
        "ascii_name": ascii_name,
        "city_zh": city_zh,
    }[name]
    return through(values, change)


@lru_cache(maxsize=1)
def _regions() -> tuple[tuple[str, ...], frozenset[str], dict[str, str]]:
    """Names a province may have, longest first; the municipalities; pinyin → city."""
    data = tomllib.loads(resources.text("mappings/regions/china.toml"))
    names = [n for long, short in data["provinces"].items() for n in (long, short)]
    cities = {_pinyin(latin): zh for latin, zh in data["cities"].items()}
    return tuple(sorted(names, key=len, reverse=True)), frozenset(data["municipalities"]), cities


def _pinyin(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[^a-z]", "", letters)


def strip_region(address: str) -> str:
    """`浙江省杭州市西湖区文三路1号` → `西湖区文三路1号`: the city has a field of its own."""
    provinces, municipalities, _ = _regions()
    rest = _COUNTRY.sub("", address.strip()).lstrip()
    province = next((p for p in provinces if rest.startswith(p)), "")
    after = rest[len(province) :].lstrip()
    if province.rstrip("市") in municipalities:
        after = (
            after.removeprefix(province) if province.endswith("市") else after.removeprefix("市")
        )
        after = after.removeprefix("市辖区")
    else:
        city = (_PREFECTURE.match(after) if province else None) or _CITY.match(after)
        after = after[city.end() :] if city else after
    after = after.lstrip(" ,，、-　")
    return after or address


def phone(number: str) -> str:
    """`（0571）8888 8888 转 801` → `0571-88888888-801`; two numbers are parted by `|`."""
    half = unicodedata.normalize("NFKC", number).replace("\u2223", "|")
    half = re.sub(r"\s*(?:转|分机|ext\.?|x)\s*", "-", half, flags=re.IGNORECASE)
    half = re.sub(r"\s*[/;,、|]\s*", "|", half)
    half = re.sub(r"(?:^|(?<=\|))(?:\+86|0086)[\s-]*", "", half)
    half = re.sub(r"\+", "", half)
    half = re.sub(r"[()\[\]]", "-", half)
    half = re.sub(r"[‐‑‒–—−]", "-", half)
    half = re.sub(r"[\s.]", "", half)
    half = re.sub(r"-+", "-", half)
    half = "|".join(part.strip("-") for part in half.strip("|").split("|"))
    return half if _DIGITS.fullmatch(half) else number


def ascii_name(name: str) -> str:
    """`José  Łukasz` → `Jose Lukasz`; a name that stays outside ASCII is left alone."""
    half = "".join(_LATIN.get(c, c) for c in unicodedata.normalize("NFKC", name))
    folded = "".join(c for c in unicodedata.normalize("NFKD", half) if not unicodedata.combining(c))
    plain = " ".join(folded.split())
    return plain if plain.isascii() and plain else name


def city_zh(city: str) -> str:
    """`Hangzhou` → `杭州`, `浙江省杭州市` → `杭州市`; an unknown name is left alone."""
    provinces, municipalities, cities = _regions()
    if city.isascii():
        name = _pinyin(city)
        return (
            cities.get(name)
            or cities.get(name.removesuffix("shi"))
            or cities.get(name.removesuffix("city"))
            or city
        )
    province = next((p for p in provinces if city.startswith(p)), "")
    rest = city[len(province) :].strip()
    if not province or not rest or province.rstrip("市") in municipalities:
        return city
    return rest
