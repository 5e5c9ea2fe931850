"""Which mapping, on which sheet: a table that was opened and the mapping that fits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from crossborder.intake.grid import Piece, Source
from crossborder.intake.mapping import choose as choosing
from crossborder.intake.mapping.load import load_mapping, mapping_names
from crossborder.intake.mapping.model import Mapping
from crossborder.intake.opened import Opened

MappingLike = str | Path | Mapping | None


class Met(NamedTuple):
    """A table and the mapping that fits it; `others` names sheets that would have fitted too."""

    fit: choosing.Fit
    source: Source
    others: tuple[str, ...]

    def pieces(self, size: int) -> Iterator[Piece]:
        """What stands below the header, in parts of about `size` bytes. Raises `InputError`."""
        for piece in self.source.pieces(self.fit.header, size):
            yield piece._replace(grid=replace(piece.grid, others=self.others))


def meet(opened: Opened, mapping: MappingLike, folders: Sequence[Path]) -> Met:
    """The mapping that fits a table and the header it found. Raises `MappingError`."""
    if mapping is not None:
        named = mapping if isinstance(mapping, Mapping) else load_mapping(mapping, folders)
        tries = [_try(opened, [named], sheet) for sheet in _sheets(opened, named)]
        good = [(fits[0], source) for fits, source in tries if fits[0].fits]
        if not good:
            nearest = max((fits[0] for fits, _ in tries), key=lambda f: len(f.found))
            raise choosing.not_fitting(nearest, opened.name)
    else:
        candidates = [load_mapping(name, folders) for name in mapping_names(folders)]
        tries = [_try(opened, candidates, sheet) for sheet in opened.sheets]
        fitting = [t for t in tries if any(f.fits for f in t[0])]
        good = [(choosing.choose(fits, opened.name), source) for fits, source in fitting]
        if not good:
            choosing.choose([f for fits, _ in tries for f in fits], opened.name)
    fit, source = good[0]
    if mapping is None and (fit.mapping.delimiter or fit.mapping.encoding or fit.mapping.sheet):
        return meet(opened, fit.mapping, folders)
    choosing.refuse_twice(fit, opened.name)
    return Met(fit, source, tuple(s.sheet for _, s in good[1:]))


def _sheets(opened: Opened, mapping: Mapping) -> tuple[str, ...]:
    """The sheets a mapping may mean: the one it names, where the user has named none."""
    if mapping.sheet is None or len(opened.sheets) == 1:
        return opened.sheets
    if isinstance(mapping.sheet, int) and mapping.sheet < len(opened.sheets):
        return (opened.sheets[mapping.sheet],)
    return (str(mapping.sheet),)


def _try(
    opened: Opened, mappings: Sequence[Mapping], sheet: str
) -> tuple[list[choosing.Fit], Source]:
    assert opened.table is not None
    source = opened.table(mappings[0] if len(mappings) == 1 else None, sheet)
    return choosing.fits(mappings, source.preview()), source


def may_nest(mapping: MappingLike) -> bool:
    """Whether records read with this mapping may be nested ones."""
    return mapping is None or mapping == "canonical" or getattr(mapping, "name", "") == "canonical"
