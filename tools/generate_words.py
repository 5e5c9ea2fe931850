"""Write the words for countries, currencies and units: `country_words.csv`, `currency_words.csv`, `unit_words.csv`.

    python tools/generate_words.py [--check]

Names in many languages come from the Unicode CLDR as Babel holds it, and from the tables and the words of our own
(`tools/words/`). A word that would mean two codes is left out, whatever its language. The same Babel gives the same
bytes. `--check` writes nothing and exits 1 if a file differs.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel import Locale
from babel.units import format_unit

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "src" / "crossborder" / "codes" / "tables"
OWN = Path(__file__).parent / "words"
LANGUAGES = (
    "zh_Hans", "zh_Hant", "en", "ja", "ko", "de", "fr", "es", "it", "pt", "nl", "ru", "pl", "tr", "vi", "th", "id", "ms",
    "ar",
)  # fmt: skip
UNITS = {
    "mass-kilogram": "035", "mass-gram": "036", "mass-tonne": "070", "mass-pound": "076", "mass-ounce": "083",
    "mass-carat": "084", "volume-liter": "095", "volume-milliliter": "096", "volume-cubic-meter": "033",
    "area-square-meter": "032", "length-meter": "030", "length-kilometer": "147", "length-foot": "067",
    "length-inch": "088", "length-yard": "086", "energy-kilowatt-hour": "062", "power-kilowatt": "061",
}  # fmt: skip
Word = tuple[str, str, str, str]
"""Code, language, word, source."""


def plain(word: str) -> str:
    """A word for comparing: half width, no blanks, no case."""
    return "".join(unicodedata.normalize("NFKC", word).split()).casefold()


def table(name: str) -> list[dict[str, str]]:
    """The rows of a packaged table."""
    return rows(TABLES / f"{name}.csv")


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def countries() -> Iterator[Word]:
    """Countries and regions that have an ISO code; the others are no place a parcel comes from."""
    active = [row for row in table("countries") if row["status"] == "active" and row["iso_alpha2"]]
    yield from _own_names(active, ("iso_alpha2", "iso_alpha3"))
    codes = {row["iso_alpha2"]: row["customs_code"] for row in active}
    for row in rows(OWN / "countries.csv"):
        if row["iso_alpha2"] in codes:
            yield codes[row["iso_alpha2"]], _script(row["word"]), row["word"], "own"
    for language in LANGUAGES:
        names = Locale.parse(language).territories
        for iso, code in codes.items():
            if iso in names:
                yield code, language, names[iso], "CLDR"


def currencies() -> Iterator[Word]:
    """Currencies of the packaged table."""
    active = [row for row in table("currencies") if row["status"] == "active"]
    yield from _own_names(active, ("iso_alpha",))
    codes = {row["iso_alpha"]: row["customs_code"] for row in active}
    for row in rows(OWN / "currencies.csv"):
        if row["iso_alpha"] in codes:
            yield codes[row["iso_alpha"]], _script(row["word"]), row["word"], "own"
    for language in LANGUAGES:
        names = Locale.parse(language).currencies
        for iso, code in codes.items():
            if iso in names:
                yield code, language, names[iso], "CLDR"


def units() -> Iterator[Word]:
    """Units that count by our own words, those that measure by CLDR's."""
    known = table("units")
    for row in known:
        yield row["customs_code"], "zh_Hans", row["name_zh"], "units"
        if row["unece_rec20"]:
            yield row["customs_code"], "rec20", row["unece_rec20"], "units"
    for row in rows(OWN / "units.csv"):
        for word in row["words"].split(";"):
            yield row["customs_code"], row["lang"].replace("zh", "zh_Hans"), word, "own"
    for language in LANGUAGES:
        for unit, code in UNITS.items():
            for length in ("long", "short"):
                for word in _forms(unit, length, language):
                    yield code, language, word, "CLDR"


def _forms(unit: str, length: str, language: str) -> Iterator[str]:
    """`kilogram`, `kilograms`: a unit without its number."""
    for number in (1, 2, 5, 11):
        said = format_unit(number, unit, length, locale=language)  # type: ignore[arg-type]
        word = re.sub(r"[0-9\u0660-\u0669\u200e\u200f]+", "", said).strip()
        if word and unit not in word:
            yield word


def _own_names(active: Iterable[dict[str, str]], letters: tuple[str, ...]) -> Iterator[Word]:
    for row in active:
        yield row["customs_code"], "zh_Hans", row["name_zh"], "table"
        yield row["customs_code"], "en", row["name_en"], "table"
        for name in letters:
            if row[name]:
                yield row["customs_code"], "iso", row[name], "table"


def _script(word: str) -> str:
    return "zh_Hans" if re.search(r"[\u4e00-\u9fff]", word) else "en"


def unambiguous(words: Iterable[Word]) -> list[Word]:
    """Each word once in a language, in order of code and language; none that means two codes in any.

    Only ISO letters stand against a word of a language: `NGA` is Nigeria, although Nga is Russia in Vietnamese.
    """
    every = list(words)
    means: dict[str, set[str]] = {}
    letters = {plain(word): code for code, language, word, _ in every if language == "iso"}
    for code, _, word, _ in every:
        if letters.get(plain(word), code) == code:
            means.setdefault(plain(word), set()).add(code)
    kept: dict[tuple[str, str], Word] = {}
    for one in every:
        code, language, word, _ = one
        if plain(word) and means[plain(word)] == {code}:
            kept.setdefault((language, plain(word)), one)
    return sorted(kept.values(), key=lambda w: (w[0], w[1], w[2]))


def made() -> dict[str, str]:
    """File name → text."""
    return {
        f"{name}_words.csv": _csv(unambiguous(words()))
        for name, words in (("country", countries), ("currency", currencies), ("unit", units))
    }


def _csv(words: Iterable[Word]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("code", "lang", "word", "source"))
    writer.writerows(words)
    return out.getvalue()


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 if a file differs"
    )
    check = parser.parse_args().check
    differs = 0
    for name, text in made().items():
        file = TABLES / name
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        differs += 1
        if not check:
            file.write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {'differs' if check else 'written'}")
    return int(bool(check and differs))


if __name__ == "__main__":
    sys.exit(main())
