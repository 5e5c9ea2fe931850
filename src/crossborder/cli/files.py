"""Writing a small text file with a clear error."""

from __future__ import annotations

from pathlib import Path

from crossborder.errors import InputError


def write_text(file: Path, text: str) -> None:
    """Write UTF-8. Raises `InputError` naming the file and the remedy."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror})", f"文件无法写入（{error.strerror}）",
            place=str(file), fix_en="choose a folder you may write to", fix_zh="请选择有写权限的文件夹",
        ) from error  # fmt: skip
