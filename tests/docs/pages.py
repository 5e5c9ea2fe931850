"""The documents of the project, cut into the pieces that tests look at."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "schemas").rglob("*.md"),
     *(ROOT / "mappings").rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")]
)  # fmt: skip
_FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[a-z]*)[ ]*\n(?P<text>.*?)^(?P=ticks)\s*$", re.DOTALL | re.MULTILINE)  # fmt: skip
_COMMENT = re.compile(r"<!--\s*(?P<words>[^>]*?)\s*-->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block. `mark` is the comment right above it; `output` the `text` block right below it."""

    page: Path
    line: int
    language: str
    text: str
    mark: str
    output: str | None

    @property
    def name(self) -> str:
        """`docs/library.md:25`."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = read(page)
    found = list(_FENCE.finditer(text))
    made = []
    for number, block in enumerate(found):
        mark = _COMMENT.search(text[: block.start()].rstrip("\n"))
        after = found[number + 1] if number + 1 < len(found) else None
        close = after is not None and not text[block.end() : after.start()].strip()
        said = after["text"] if after and close and after["language"] == "text" else None
        line = text[: block.start()].count("\n") + 1
        made.append(
            Block(page, line, block["language"], block["text"], mark["words"] if mark else "", said)
        )
    return made


def files(page: Path) -> dict[str, str]:
    """Name → text of the blocks of a page that are marked `file: NAME`."""
    marked = (b for b in blocks(page) if b.mark.startswith("file: "))
    return {b.mark.removeprefix("file: "): b.text for b in marked}


def of_language(*languages: str) -> list[Block]:
    """Blocks of some languages on all pages."""
    return [b for page in PAGES for b in blocks(page) if b.language in languages]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def commands(block: Block) -> Iterator[list[str]]:
    """Words of each `$ crossborder …` line of a console block; comments and redirections left out."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        for part in re.split(r"\s(?:&&|\|)\s", line[2:]):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words and Path(words[0]).name == "crossborder":
                yield [w for w in words[1:] if w != "&"]


def inline_commands(page: Path) -> Iterator[list[str]]:
    """Words of each `crossborder …` written inside a sentence, as far as the first placeholder."""
    for said in re.findall(r"(?<!`)`crossborder ([^`\n]+)`(?!`)", prose(page)):
        words = shlex.split(said.replace("…", " "))
        yield words
