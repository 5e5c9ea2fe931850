"""Word lists, compiled once: of names and goods, and the goods words of prohibited and restricted articles.

A list is looked for as one pattern in the shape of a tree (`tree`): at each place only the words that begin there are
tried. Of goods words in Latin letters that took half the time of a plain alternation and a quarter of a loop of `in`; looking
the words of a name up in a set took a quarter more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from crossborder.rules import Context

Search = Callable[[str], re.Match[str] | None]
Tree: TypeAlias = "dict[str, Tree]"
"""Characters and what may follow; "" where a word ends."""
GAP = " \u3000_.·*/|+~、，,。・—－'\"-"
"""What may stand between the characters of a Chinese word without changing it."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST_GOODS = 8
"""Letters that a goods word must have to be looked for with one letter wrong."""
_LEAST_VAGUE = 6
_nothing = re.compile(r"[^\s\S]").search
_long_tokens = re.compile("[a-z]{7,}").findall
_gap = re.compile(f"[{re.escape(GAP)}]+")


@dataclass(frozen=True, slots=True)
class Words:
    """The lists about goods names and persons; patterns are searched in small letters.

    `any_goods` finds a word of `vague`, `advertising`, `milk_powder` or of the goods words in Chinese, `any_latin` one of the
    first three in Latin letters.
    """

    vague: Search
    vague_alone: frozenset[str]
    vague_nearly: frozenset[str]
    advertising: Search
    milk_powder: Search
    placeholders: frozenset[str]
    titles: tuple[str, ...]
    last: frozenset[str]
    firms: Search
    any_goods: Search
    any_latin: Search


def words(context: Context) -> Words:
    """The lists of `words.csv` as they stand on the day of declaration."""
    by = {name: [w.lower() for w in context.words(name)] for name in _LISTS}
    titles, placeholders = by["name_title"], by["placeholder_name"]
    in_goods = [*by["vague_goods"], *by["advertising"], *by["milk_powder"]]
    within = [word for word, _, way in _goods_rows(context) if way in ("word", "near")]
    return Words(
        vague=_alone(by["vague_goods"]),
        vague_alone=frozenset(by["vague_goods"]),
        vague_nearly=frozenset(_nearly(by["vague_goods"])),
        advertising=_alone(by["advertising"]),
        milk_powder=_alone(by["milk_powder"]),
        placeholders=frozenset(placeholders),
        titles=tuple(titles),
        last=frozenset(c for word in (*titles, *placeholders) for c in (word[-1], word[-1].upper())),
        firms=tree(by["firm_name"]),
        any_goods=tree(w for w in (*in_goods, *within) if not w.isascii()),
        any_latin=tree(w for w in in_goods if w.isascii()),
    )  # fmt: skip


_LISTS = (
    "vague_goods", "advertising", "milk_powder", "placeholder_name", "name_title", "firm_name",
)  # fmt: skip


def tree(found: Iterable[str], before: str = "") -> Search:
    """Finds any of these words, `before` which a pattern may stand: what words begin with stands once in it.

    Which of them it was is not told.
    """
    root: Tree = {}
    for word in found:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    words = "|".join(_branches(root))
    return re.compile(f"{before}(?:{words})" if before else words).search if root else _nothing


def _branches(node: Tree) -> Iterator[str]:
    for character, below in node.items():
        if "" in below:  # a shorter word is enough
            yield re.escape(character)
        else:
            branches = list(_branches(below))
            tail = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
            yield re.escape(character) + tail


def _alone(found: Iterable[str]) -> Search:
    """Any of these words; those in Latin letters stand by themselves."""
    shaped = [rf"\b{re.escape(w)}\b" if w.isascii() else re.escape(w) for w in found]
    return re.compile("|".join(shaped)).search if shaped else _nothing


def _nearly(found: list[str]) -> Iterator[str]:
    """Words in Latin letters in the other number, and longer ones with one letter wrong."""
    for word in found:
        if word.isascii() and word.isalpha():
            wrong = one_wrong(word) if len(word) >= _LEAST_VAGUE else ()
            other = word.removesuffix("s") if word.endswith("s") else f"{word}s"
            yield from {*wrong, other}.difference(found)


def one_wrong(word: str) -> Iterator[str]:
    """A word with one letter wrong, missing, too many or in its neighbour's place."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        yield from (before + letter + after for letter in _LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


@dataclass(frozen=True, slots=True)
class Listed:
    """The goods words that one rule looks for."""

    rule: str
    exact: frozenset[str]
    within: Search
    chinese: Search
    mistaken: frozenset[str]
    never: re.Pattern[str] | None

    def shown(self, name: str) -> str:
        """A name (half width, small letters) without the phrases in which a word does not count."""
        return self.never.sub("¦", name) if self.never else name

    def hit(self, shown: str) -> bool:
        """Whether it is a word or holds one."""
        return stripped(shown) in self.exact or self.within(shown) is not None

    def nearly(self, shown: str) -> bool:
        """Whether it holds one with marks between its characters, or with one letter wrong."""
        closed = _gap.sub("", shown)
        if closed in self.exact or self.chinese(closed):
            return True
        return not self.mistaken.isdisjoint(_long_tokens(shown))


@dataclass(frozen=True, slots=True)
class GoodsWords:
    """The rules that look for goods words, by direction; beside them what a first look needs.

    `chinese_alone` are words that a name must be as a whole; `phrases` finds a word in Latin letters, `mistaken` are such
    words with one letter wrong; `gap` finds a character of a Chinese word with a mark behind it.
    """

    rules: dict[str | None, tuple[Listed, ...]]
    chinese_alone: frozenset[str]
    phrases: Search
    mistaken: frozenset[str]
    gap: Search

    def latin_in(self, names: str) -> bool:
        """Whether names in small letters may hold a word in Latin letters."""
        if self.phrases(names):
            return True
        return not self.mistaken.isdisjoint(_long_tokens(names))


_PROHIBITED = ("arms", "counterfeit", "harmful_media", "poison", "narcotics", "infected")
_RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("PRO-01", "I", _PROHIBITED),
    ("PRO-02", "E", (*_PROHIBITED, "secret_media", "precious_relics", "endangered")),
    ("PRO-03", "I", ("radio", "tobacco_alcohol", "endangered", "national_currency")),
    ("PRO-04", "E", ("precious_metals", "national_currency", "foreign_currency", "radio", "chinese_medicine",
                     "general_relics")),
    ("PRO-05", "", ("no_mail",)),
    ("LIM-09", "", ("e_cigarettes",)),
)  # fmt: skip
"""Rule, direction ("" for both), lists of the table."""


def goods_words(context: Context) -> GoodsWords:
    """The table `goods_words` as it stands on the day of declaration."""
    rows = list(_goods_rows(context))
    listed = {rule: _listed(rule, rows, lists) for rule, _, lists in _RULES}
    by_direction: dict[str | None, tuple[Listed, ...]] = {
        way: tuple(listed[rule] for rule, own, _ in _RULES if own in ("", way))
        for way in ("I", "E", None)
    }
    latin, chinese = ([w for w, _, way in rows if way != "not" and w.isascii() is own] for own in (True, False))  # fmt: skip
    inner = sorted({c for word in chinese for c in word[:-1]})
    return GoodsWords(
        by_direction,
        frozenset(w for one in listed.values() for w in one.exact if not w.isascii()),
        tree(latin, r"(?a:\b)"),
        frozenset().union(*(one.mistaken for one in listed.values())),
        re.compile(f"[{''.join(map(re.escape, inner))}][{re.escape(GAP)}]").search if inner else _nothing,
    )  # fmt: skip


def _goods_rows(context: Context) -> Iterator[tuple[str, str, str]]:
    """(word in small letters, list, how it is looked for)."""
    frame = context.tables.frame("goods_words", context.declaration_day.isoformat())
    for listed, word, way in frame.select("list", "word", "match").iter_rows():
        yield word.lower(), listed, way


def _listed(rule: str, rows: list[tuple[str, str, str]], lists: tuple[str, ...]) -> Listed:
    by: dict[str, list[str]] = {"exact": [], "word": [], "near": [], "not": []}
    for word, listed, way in rows:
        if listed in lists:
            by[way].append(word)
    within = sorted((*by["word"], *by["near"]), key=len, reverse=True)
    latin, chinese = ([re.escape(w) for w in within if w.isascii() is way] for way in (True, False))
    right = {word for found in by.values() for word in found}
    spelt = [w for w in by["near"] if w.isalpha() and w.isascii() and len(w) >= _LEAST_GOODS]
    wrong = {form for word in spelt for own in (word, f"{word}s") for form in one_wrong(own)}
    never = sorted(by["not"], key=len, reverse=True)
    in_latin = rf"(?a:\b)(?:{'|'.join(latin)})(?:es|s)?(?a:\b)"
    parts = [*([in_latin] if latin else []), *chinese]
    return Listed(
        rule,
        frozenset(map(bare, by["exact"])),
        re.compile("|".join(parts)).search if parts else _nothing,
        re.compile("|".join(chinese)).search if chinese else _nothing,
        frozenset(wrong - right),
        re.compile("|".join(map(re.escape, never))) if never else None,
    )


def bare(text: str) -> str:
    """A text without blanks, punctuation and symbols."""
    return "".join(c for c in text if not _mark(c))


def stripped(text: str) -> str:
    """A text without blanks, punctuation and symbols at its ends."""
    first, last = 0, len(text)
    while first < last and _mark(text[first]):
        first += 1
    while first < last and _mark(text[last - 1]):
        last -= 1
    return text[first:last]


def _mark(character: str) -> bool:
    return not character.isalnum() and (
        character.isspace() or unicodedata.category(character)[0] in "PS"
    )
