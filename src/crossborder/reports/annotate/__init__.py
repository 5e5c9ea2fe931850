"""The user's own workbook back, with what is wrong marked in it: the step that closes the loop of a correction.

`marks` gathers findings, `rows` passes a sheet through and changes only what must change, `comments` says at each
faulty cell what is wrong, `sheets` adds a summary and a list, `package` and `styles` know the file format, `table`
makes a workbook of a table that was none, `writing` does it all in order.
"""

from __future__ import annotations

from crossborder.reports.annotate import table
from crossborder.reports.annotate.marks import Marks, Place
from crossborder.reports.annotate.sheets import FINDINGS, SUMMARY, Told
from crossborder.reports.annotate.writing import annotate

__all__ = ["FINDINGS", "SUMMARY", "Marks", "Place", "Told", "annotate", "table"]
