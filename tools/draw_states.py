"""The picture of a declaration's states, drawn from `codes/status_codes.csv` and our own states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from crossborder.ledger import states as own
from crossborder.reconcile import Status, StatusTable

OURS_ZH: Mapping[str, str] = {
    own.PREPARED: "已制单",
    own.SUSPENDED: "已挂起",
    own.VOIDED: "已作废",
    own.AWAITING_MANIFEST: "等待舱单",
    own.QUEUED: "已排队",
    own.SENDING: "发送中",
    own.SENT: "已送达",
    own.NOT_RECEIVED: "确未收到",
    own.UNKNOWN: "去向不明",
}

STYLE = """
  .page { fill: #ffffff; stroke: #d0d7de; }
  .band { fill: #f6f8fa; stroke: #d0d7de; }
  .box { fill: #ffffff; stroke: #57606a; stroke-width: 1.2; }
  .good { fill: #dafbe1; stroke: #1a7f37; }
  .bad { fill: #ffebe9; stroke: #cf222e; }
  .ask { fill: #fff8c5; stroke: #9a6700; }
  .name { font: 600 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; }
  .zh { font: 12px "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; fill: #59636e; }
  .head { font: 600 14px "Segoe UI", Helvetica, Arial, "Noto Sans CJK SC", "PingFang SC", sans-serif; fill: #1f2328; }
  .note { font: 12px "Segoe UI", Helvetica, Arial, "Noto Sans CJK SC", "PingFang SC", sans-serif; fill: #59636e; }
  .way { fill: none; stroke: #57606a; stroke-width: 1.5; marker-end: url(#tip); }
  .tip { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d; }
    .band { fill: #161b22; stroke: #30363d; }
    .box { fill: #0d1117; stroke: #9198a1; }
    .good { fill: #12261e; stroke: #3fb950; }
    .bad { fill: #25171c; stroke: #f85149; }
    .ask { fill: #272115; stroke: #d29922; }
    .name, .head { fill: #f0f6fc; }
    .zh, .note { fill: #9198a1; }
    .way { stroke: #9198a1; }
    .tip { fill: #9198a1; }
  }
"""
MARGIN, BOX_W, BOX_H, GAP = 16, 222, 44, 26
PER_ROW = 5
WIDTH = 4 * MARGIN + PER_ROW * BOX_W + (PER_ROW - 1) * GAP
TITLE, BETWEEN = 34, 24


def _left(column: int) -> int:
    return 2 * MARGIN + column * (BOX_W + GAP)


class Picture:
    """Pieces of an SVG and how far down they reach."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.y = MARGIN

    def text(self, x: int, y: int, words: str, kind: str) -> None:
        """A line of text."""
        self.pieces.append(f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>')

    def box(self, x: int, y: int, name: str, words: str, kind: str) -> None:
        """A state with its codes."""
        size = f'width="{BOX_W}" height="{BOX_H}" rx="6"'
        self.pieces.append(f'<rect class="box {kind}" x="{x}" y="{y}" {size}/>')
        self.text(x + 9, y + 18, name, "name")
        self.text(x + 9, y + 35, words, "zh")

    def way(self, path: str) -> None:
        """An arrow."""
        self.pieces.append(f'<path class="way" d="{path}"/>')

    def band(self, title: str, boxes: Sequence[tuple[str, str, str]], *, after: bool) -> None:
        """A titled band of states; `after`: an arrow leads to it from the band above."""
        lines = (len(boxes) + PER_ROW - 1) // PER_ROW
        height = TITLE + lines * (BOX_H + 12) + 4
        self.ground(height, title, after=after)
        for number, (name, words, kind) in enumerate(boxes):
            y = self.y + TITLE + number // PER_ROW * (BOX_H + 12)
            self.box(_left(number % PER_ROW), y, name, words, kind)
        self.y += height

    def ground(self, height: int, title: str, *, after: bool) -> None:
        """The ground of a band with its title."""
        if self.y > MARGIN:
            self.y += BETWEEN if after else 6
        if after:
            self.way(f"M {WIDTH // 2} {self.y - BETWEEN + 1} V {self.y - 3}")
        size = f'width="{WIDTH - 2 * MARGIN}" height="{height}" rx="8"'
        self.pieces.append(f'<rect class="band" x="{MARGIN}" y="{self.y}" {size}/>')
        self.text(2 * MARGIN, self.y + 22, title, "head")

    def whole(self) -> str:
        """The finished SVG."""
        height = self.y + MARGIN
        body = "\n".join(self.pieces)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="States of a declaration">\n'
            "<!-- Written by tools/generate_docs.py from codes/status_codes.csv -->\n"
            f"<style>{STYLE}</style>\n"
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path class="tip" d="M 0 0 L 10 5 L 0 10 z"/></marker></defs>\n'
            f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>\n'
            f"{body}\n</svg>\n"
        )


PLACES: Mapping[str, tuple[int, int]] = {
    own.PREPARED: (0, 0), own.AWAITING_MANIFEST: (1, 0), own.QUEUED: (2, 0), own.SENDING: (3, 0),
    own.SENT: (4, 0), own.SUSPENDED: (0, 1), own.VOIDED: (1, 1), own.NOT_RECEIVED: (2, 1), own.UNKNOWN: (3, 1),
}  # fmt: skip
"""Column and row of our own states."""
KINDS: Mapping[str, str] = {own.UNKNOWN: "bad", own.SUSPENDED: "ask", own.VOIDED: "ask"}
ROW = BOX_H + 52
"""From the upper row of our own states to the lower one."""

BANDS = {
    "platform": "the platform answers (EXP302) · 数据中心",
    "open": "customs, not decided yet (EXP302) · 海关，办理中",
    "released": "decided: released · 放行",
    "again": "decided: free for a new attempt · 可更正后重新申报（黄色：须人工确认）",
    "closed": "decided otherwise · 其他结案",
}
"""Where a state of the port stands, from top to bottom."""


def states_picture() -> str:
    """`docs/img/states.svg`."""
    picture = Picture()
    _draw_ours(picture)
    by_state: dict[str, list[Status]] = {}
    for status in StatusTable.load().of_message("EXP302"):
        if status.state:
            by_state.setdefault(status.state, []).append(status)
    bands: dict[str, list[tuple[str, str, str]]] = {band: [] for band in BANDS}
    for state, said in by_state.items():
        bands[_band(said)].append((state, _codes(said), _colour(said)))
    for band, title in BANDS.items():
        picture.band(title, bands[band], after=band in ("platform", "open", "released"))
    return picture.whole()


def _band(said: Sequence[Status]) -> str:
    first = said[0]
    if first.released:
        return "released"
    if any(s.fresh_attempt != "no" for s in said):
        return "again"
    if first.stage == "platform":
        return "platform"
    return "closed" if first.terminal else "open"


def _colour(said: Sequence[Status]) -> str:
    if said[0].released:
        return "good"
    if any(s.fresh_attempt == "yes" for s in said):
        return "bad"
    return "ask" if any(s.fresh_attempt == "person" for s in said) else ""


def _codes(said: Sequence[Status]) -> str:
    """The codes of a state; with the Chinese label where there is one code."""
    if len(said) == 1:
        label = said[0].label_zh
        return f"{said[0].code} {label if len(label) <= 12 else label[:11] + '…'}"
    return " ".join(s.code for s in said)


def _draw_ours(picture: Picture) -> None:
    height = TITLE + 6 + ROW + BOX_H + 14
    picture.ground(height, "ours, until the port answers · 本软件", after=False)
    top = picture.y + TITLE + 6
    at = {state: (_left(column), top + row * ROW) for state, (column, row) in PLACES.items()}
    for state in own.OURS:
        picture.box(*at[state], state, OURS_ZH[state], KINDS.get(state, ""))
    half, right, low = BOX_H // 2, BOX_W, BOX_H
    row = (own.PREPARED, own.AWAITING_MANIFEST, own.QUEUED, own.SENDING, own.SENT)
    for a, b in pairwise(row):
        picture.way(f"M {at[a][0] + right} {top + half} H {at[b][0] - 2}")
    (sx, sy), (tx, _) = at[own.SENDING], at[own.SENT]
    (nx, ny), (ux, uy) = at[own.NOT_RECEIVED], at[own.UNKNOWN]
    picture.way(f"M {sx + 120} {sy + low} V {uy - 2}")
    picture.text(sx + 128, sy + low + 30, "answer lost", "note")
    picture.way(f"M {sx + 64} {sy + low} V {sy + low + 30} H {nx + 170} V {ny - 2}")
    picture.text(nx + right - 4, sy + low + 46, "nothing left", "note")
    picture.way(f"M {ux} {uy + half} H {nx + right + 2}")
    picture.way(f"M {nx + 120} {ny} V {sy + low + 16} H {sx + 30} V {sy + low + 2}")
    picture.text(nx + 14, sy + low + 34, "the same bytes", "note")
    picture.way(f"M {ux + right} {uy + half} H {tx + 104} V {top + low + 2}")
    picture.text(tx + 4, uy + half + 18, "receipt, look-up or a person", "note")
    picture.y += height
