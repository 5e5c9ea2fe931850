"""What a rule may be set to, and what then follows from its findings."""

from __future__ import annotations

GRADES = ("off", "note", "hold", "reject")
"""What a rule may be set to, weakest first."""


def action_of(grade: str, own: str, severity: str, action: str) -> tuple[str, str]:
    """(severity, action) of a case of a rule whose own action is `own`, where the rule is set to `grade`."""
    if not grade or grade == "off":
        return severity, action
    if severity == "not_evaluated":
        return severity, "mark" if grade == "note" else "hold"
    if _rank(action) < _rank(own):
        grade = min(grade, action, key=_rank)
    return ("reject" if grade == "reject" else "warn"), grade


def _rank(action: str) -> int:
    return GRADES.index("note" if action == "mark" else action)
