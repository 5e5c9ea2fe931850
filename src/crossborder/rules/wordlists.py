"""Words that goods names are searched for, from the table `goods_words`, as expressions.

Its column `match` says how a word is looked for. `exact`: the name is the word and nothing else. `word`: the word stands in
the name (in Latin letters: by itself, or in the plural). `near`: also one letter away from it. `not` is no word but a phrase
in which a word does not count: 红酒杯 is a glass. Every Chinese word is looked for a second time in the name without the
blanks and marks between its characters.

One regular expression of all words, which polars keeps compiled, says which names are looked at at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import polars as pl

from crossborder.rules.context import Context

TABLE = "goods_words"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST = 8
"""Letters that a word must have to be looked for with one letter wrong: shorter ones are near too many others."""
_GAP = r"""[ \x{3000}_.·*/|+~、，,。・—－'"\-]"""
"""What may stand between the characters of a Chinese word without changing it."""
_ENDS = r"^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$"
_WIDE = "[Ａ-Ｚａ-ｚ０-９]"
_NONE = r"[^\s\S]"
_LIKE_LATIN = ("\u212a", "\u017f")
"""Characters that are letters of ASCII in small letters: the Kelvin sign, the long s."""


@dataclass(frozen=True)
class Words:
    """The words of some lists; `item` says which list a word is of."""

    item: Mapping[str, str]
    exact: tuple[str, ...]
    within: tuple[str, ...]
    near: tuple[str, ...]
    never: tuple[str, ...]

    @cached_property
    def pattern(self) -> str:
        """A word within a name: group 1 in Latin letters, group 2 in others."""
        return _pattern(self.within)

    @cached_property
    def mistaken(self) -> dict[str, str]:
        """What a word becomes with one letter wrong, missing, too many or in its neighbour's place."""
        right = self.item.keys() | set(self.never)
        return {w: word for w, word in _mistakes(self.near).items() if w not in right}

    def hit(self, column: str) -> pl.Expr:
        """The word that a name is, or that stands in it; null where there is none."""
        name = self._shown(column)
        said = name.str.replace_all(_ENDS, "")
        whole = pl.when(said.is_in(self.exact)).then(said)
        return pl.coalesce(
            whole, name.str.extract(self.pattern, 1), name.str.extract(self.pattern, 2)
        )

    def nearly(self, column: str) -> pl.Expr:
        """The word that a name seems to hold: with marks between its characters, or with one letter wrong."""
        name = self._shown(column)
        closed = loose(name)
        whole = pl.when(closed.is_in(self.exact)).then(closed)
        return pl.coalesce(whole, closed.str.extract(self.pattern, 2), self._misspelt(name))

    def _misspelt(self, name: pl.Expr) -> pl.Expr:
        tokens = name.str.extract_all(rf"[a-z]{{{_LEAST - 1},}}")
        wrong, right = list(self.mistaken), list(self.mistaken.values())
        return tokens.list.eval(
            pl.element().replace_strict(wrong, right, default=None, return_dtype=pl.String)
        ).list.drop_nulls().list.first()  # fmt: skip

    def _shown(self, column: str) -> pl.Expr:
        """A name in small half-width letters, without the phrases in which a word does not count."""
        name = pl.col(column).str.normalize("NFKC").str.to_lowercase()
        phrases = "|".join(map(re.escape, _longest(self.never)))
        return name.str.replace_all(phrases, "¦") if phrases else name


def words(ctx: Context, lists: Iterable[str]) -> Words:
    """The words of these lists as they stand on the day of declaration."""
    frame = ctx.tables.frame(TABLE, ctx.declaration_day.isoformat())
    mine = frame.filter(pl.col("list").is_in(list(lists))).with_columns(
        pl.col("word").str.to_lowercase()
    )
    by = {
        way: tuple(mine.filter(pl.col("match") == way)["word"])
        for way in ("exact", "word", "near", "not")
    }
    item = dict(mine.filter(pl.col("match") != "not").select("word", "list").iter_rows())
    item |= {_bare(word): item[word] for word in by["exact"]}
    near = tuple(filter(_spelt, by["near"]))
    return Words(item, tuple(map(_bare, by["exact"])), (*by["word"], *by["near"]), near, by["not"])


def maybe(ctx: Context, column: str) -> pl.Expr:
    """Whether any list may find a word in a name (`Words.hit`): a quick look that misses none."""
    exact = "|".join(map(re.escape, _every(ctx, "exact"))) or _NONE
    alone = rf"^[\s\p{{P}}\p{{S}}]*(?:{exact})[\s\p{{P}}\p{{S}}]*$"
    return pl.col(column).str.contains(
        f"(?i){_WIDE}|{alone}|{_pattern(_every(ctx, 'word', 'near'))}"
    )


def maybe_nearly(ctx: Context, column: str) -> pl.Expr:
    """The same for `Words.nearly`: a part of a word in Latin letters, or a gap behind a character of another word."""
    every, name = _every(ctx, "exact", "word", "near"), pl.col(column)
    latin = sorted({part for w in every for part in _parts(w)})
    others = sorted({c for w in every if not w.isascii() for c in w[:-1]})
    apart = f"(?i)[{''.join(map(re.escape, others))}]{_GAP}" if others else _NONE
    return name.str.contains_any(
        [*latin, *_LIKE_LATIN], ascii_case_insensitive=True
    ) | name.str.contains(f"{_WIDE}|{apart}")


def _every(ctx: Context, *ways: str) -> list[str]:
    """The words of all lists that are looked for in these ways."""
    frame = ctx.tables.frame(TABLE, ctx.declaration_day.isoformat())
    return [w.lower() for w in frame.filter(pl.col("match").is_in(ways))["word"]]


def loose(name: pl.Expr) -> pl.Expr:
    """A name without the blanks and marks that may stand between characters."""
    return name.str.replace_all(_GAP, "")


def _parts(word: str) -> tuple[str, ...]:
    """What of a word stands in a name even if one letter is wrong: one of its halves, or the first with the letters at
    their border changed about. Nothing for words that are not looked for so."""
    if not _spelt(word):
        return ()
    at = len(word) // 2
    return word[:at], word[at:], word[: at - 1] + word[at] + word[at - 1]


def _spelt(word: str) -> bool:
    return word.isascii() and word.isalpha() and len(word) >= _LEAST


def _pattern(found: Iterable[str]) -> str:
    latin = "|".join(re.escape(w) for w in _longest(found) if w.isascii())
    other = "|".join(re.escape(w) for w in _longest(found) if not w.isascii())
    return rf"(?-u:\b)({latin or _NONE})(?:es|s)?(?-u:\b)|({other or _NONE})"


def _bare(word: str) -> str:
    return re.sub(r"[^\w]|_", "", word)


def _longest(found: Iterable[str]) -> list[str]:
    return sorted(found, key=lambda w: (-len(w), w))


@lru_cache(maxsize=32)
def _mistakes(near: tuple[str, ...]) -> dict[str, str]:
    """Every form with one letter wrong of words and their plurals, and the word it was."""
    found: dict[str, str] = {}
    for word in near:
        for form in (word, word + "s"):
            found |= dict.fromkeys(one_wrong(form), word)
    return found


def one_wrong(word: str) -> list[str]:
    """What a word becomes with one letter wrong, missing, too many or in its neighbour's place."""
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = [before + letter + after for before, after in parts for letter in _LETTERS]
    for before, after in parts[:-1]:
        rest = after[1:]
        found.append(before + rest)
        found += [before + letter + rest for letter in _LETTERS]
        if rest:
            found.append(before + rest[0] + after[0] + rest[1:])
    return found
