"""Files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crossborder.errors import InputError


def write_whole(file: Path, body: bytes) -> None:
    """Write under a temporary name in the same folder, then rename. Raises `InputError` with the remedy."""
    with opened_whole(file) as part:
        part.write(body)


@contextmanager
def opened_whole(file: Path) -> Iterator[IO[bytes]]:
    """The same for a file that is written bit by bit: it is renamed at the end, and gone if there is an error."""
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as opened:
            yield opened
        part.replace(file)
    except BrokenPipeError:  # that is not this file: nobody reads the answer any more
        raise
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror})", f"文件无法写入（{error.strerror}）", place=str(file),
            fix_en="close it in other programs, or choose another name or folder",
            fix_zh="请先在其他程序中关闭该文件，或另选文件名、文件夹",
        ) from error  # fmt: skip
    finally:
        _forget(part)


def _forget(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return
