"""Facts of a hand-in that are wanted once all of it is known, kept beside the ledger while its blocks pass.

A block leaves a narrow frame behind, and a wide one that is only looked into for few shipments; in the end shipments that have something in common (a master waybill, an identity
number) come back together, in lots of bounded size, however far apart they stood. The first frames stay in memory, which
is all that a hand-in of some ten thousand shipments needs; the others go to the disk. What is kept is personal data: the
files are encrypted with a key that is never written anywhere, so that nobody can read what a killed process left; the
folder is its owner's alone, is emptied at the end, and what a killed process left is emptied when the next one starts.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
from filelock import FileLock, Timeout

from crossborder.errors import LedgerError
from crossborder.ledger import PassingKey

FOLDER = "spool"
LOT = 20_000
"""Shipments that come back at once; more only where more have the same thing in common."""
MEMORY = 32 * 1024 * 1024
"""Bytes of frames that are not written to the disk."""
_Kept = Path | pl.DataFrame


class Spool:
    """Frames of one hand-in in a folder of their own; use it as a context manager.

    One thread fills it; what stands in it may be read by another meanwhile.

    Raises `LedgerError` if the folder cannot be written.
    """

    def __init__(self, home: Path) -> None:
        self._home = home / FOLDER
        self._folder = self._home / uuid.uuid4().hex
        self._lock = FileLock(str(self._folder) + ".lock")
        self._blocks: list[_Kept] = []
        self._wide: list[tuple[Path, int, int]] = []
        self._marks: list[_Kept] = []
        self._kept: list[_Kept] = []
        self._room = MEMORY
        self._key = PassingKey()

    def __enter__(self) -> Self:
        with _writable(self._home):
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._home.chmod(0o700)
            forget_dead(self._home)
            self._lock.acquire(timeout=0)
            self._folder.mkdir(mode=0o700)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()
        with contextlib.suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._home.rmdir()  # only if no other hand-in has anything here

    def add(
        self, block: pl.DataFrame, wide: pl.DataFrame | None = None, marks: pl.DataFrame | None = None
    ) -> None:  # fmt: skip
        """The facts of the next block: `ship`, and columns that later lots are asked by.

        `wide` has a row for each `ship` as well and is never kept in memory; `marks` are wanted all at once.
        """
        self._blocks.append(self._put(block, f"block-{len(self._blocks):06d}"))
        if wide is not None and wide.height:
            name = f"wide-{len(self._wide):06d}"
            first, last = wide.select(
                pl.col("ship").min().alias("a"), pl.col("ship").max().alias("b")
            ).row(0)
            self._wide.append((self._written(wide, name), first, last))
        if marks is not None:
            self._marks.append(self._put(marks, f"marks-{len(self._marks):06d}"))

    def correct(self, block: pl.DataFrame, marks: pl.DataFrame | None = None) -> None:
        """The last block is another one after all, and so are its marks."""
        self._blocks.pop()
        self._blocks.append(self._put(block, f"block-{len(self._blocks):06d}-again"))
        if marks is not None:
            self._marks.pop()
            self._marks.append(self._put(marks, f"marks-{len(self._marks):06d}-again"))

    def marks(self) -> pl.DataFrame | None:
        """The marks of all blocks; None where no block has any."""
        return pl.concat([self._read(one, None) for one in self._marks]) if self._marks else None

    def where(self, wanted: pl.Expr, columns: Collection[str]) -> pl.DataFrame:
        """Some columns of the facts, where a condition over them holds."""
        return pl.concat([self._read(one, columns).filter(wanted) for one in self._blocks])

    def wide(self, ships: pl.Series) -> pl.DataFrame:
        """The wide rows of some shipments, of at least one."""
        parts = []
        for path, first, last in self._wide:
            here = ships.filter(ships.is_between(first, last))
            if len(here):
                rows = self._read(path, None)
                parts.append(rows.filter(pl.col("ship").is_in(here.implode())))
        return pl.concat(parts)

    def lots(self, by: str, columns: Collection[str], *, least: int = 1) -> Iterator[pl.DataFrame]:
        """Rows of all blocks that have the number `by` in common with `least` rows or more, by `ship`.

        Rows with the same number are in the same lot; those without one (null) are in none.
        """
        marks = [self._read(one, [by]) for one in self._blocks]
        every = pl.concat(marks) if marks else pl.DataFrame({by: []})
        wanted = every[by].is_not_null()
        if least > 1:
            wanted &= every[by].is_duplicated()
        count = wanted.sum()
        if 0 < count <= LOT:
            yield self._all(wanted, columns)
            return
        numbers = [pl.repeat(n, one.height, eager=True) for n, one in enumerate(marks)]
        del marks
        if count:
            yield from self._parted(
                every.with_columns(block=pl.concat(numbers)).filter(wanted), by, columns
            )

    def without(self, by: str, columns: Collection[str]) -> Iterator[pl.DataFrame]:
        """Rows without a number `by`, block by block."""
        for block in self._blocks:
            if self._read(block, [by])[by].null_count():
                found = self._read(block, [by, *columns]).filter(pl.col(by).is_null())
                yield found.select(columns)

    def keep(self, frame: pl.DataFrame) -> None:
        """Something else to be had back as it is, frame by frame."""
        if frame.height:
            self._kept.append(self._put(frame, f"kept-{len(self._kept):06d}"))

    def kept(self) -> Iterator[pl.DataFrame]:
        """What `keep` was given, in that order."""
        for one in self._kept:
            yield self._read(one, None)

    def _all(self, wanted: pl.Series, columns: Collection[str]) -> pl.DataFrame:
        """Some rows of all blocks."""
        parts, first = [], 0
        for block in self._blocks:
            own = self._read(block, columns)
            parts.append(own.filter(wanted.slice(first, own.height)))
            first += own.height
        return pl.concat(parts)

    def _parted(
        self, every: pl.DataFrame, by: str, columns: Collection[str]
    ) -> Iterator[pl.DataFrame]:
        """Rows in lots; `every` has the number and the block of each."""
        groups = (
            every.group_by(by, maintain_order=True)
            .agg(pl.len())
            .select(by, lot=(pl.col("len").cum_sum() - pl.col("len")) // LOT)
        )
        where = every.join(groups, on=by).select("lot", "block").unique().sort("lot", "block")
        del every
        for (lot,), group in groups.group_by("lot", maintain_order=True):
            blocks = where.filter(pl.col("lot") == lot)["block"]
            yield self._gathered([self._blocks[n] for n in blocks], by, group[by], columns)

    def _gathered(
        self, blocks: Sequence[_Kept], by: str, wanted: pl.Series, columns: Collection[str]
    ) -> pl.DataFrame:
        parts = [
            self._read(block, [by, *columns])
            .filter(pl.col(by).is_in(wanted.implode()))
            .select(columns)
            for block in blocks
        ]
        return pl.concat(parts)

    def _read(self, kept: _Kept, columns: Collection[str] | None) -> pl.DataFrame:
        names = None if columns is None else list(dict.fromkeys(columns))
        if isinstance(kept, pl.DataFrame):
            return kept if names is None else kept.select(names)
        with _writable(kept):
            plain = self._key.opened(kept.read_bytes())
        return pl.read_ipc_stream(io.BytesIO(plain), columns=names)

    def _put(self, frame: pl.DataFrame, name: str) -> _Kept:
        size = frame.estimated_size()
        if size <= self._room:
            self._room -= int(size)
            return frame
        return self._written(frame, name)

    def _written(self, frame: pl.DataFrame, name: str) -> Path:
        path = self._folder / f"{name}.arrow"
        written = io.BytesIO()
        frame.write_ipc_stream(written, compression="lz4")
        with _writable(path):
            path.write_bytes(self._key.sealed(written.getbuffer()))
        return path


def forget_dead(home: Path) -> None:
    """Empty what processes that are no more left in a spool folder."""
    for lock in home.glob("*.lock"):
        held = FileLock(str(lock))
        with contextlib.suppress(Timeout, OSError), held.acquire(timeout=0):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)


@contextlib.contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, Timeout) as error:
        raise LedgerError(
            f"facts of the hand-in cannot be kept while it is read ({type(error).__name__})",
            f"处理清单时无法暂存数据（{type(error).__name__}）",
            place=str(path),
            fix_en="make room on the disk or check the folder's permissions, then run the command again",
            fix_zh="请清理磁盘空间或检查目录权限，然后重新执行",
        ) from error
