"""Intake: whatever a partner hands in becomes canonical frames, with findings for what does not fit."""

from crossborder.intake.flat import flatten
from crossborder.intake.limits import Limits
from crossborder.intake.mapping import Mapping, load_mapping, mapping_names
from crossborder.intake.mapping.draft import draft, explain_rows
from crossborder.intake.reader import BLOCK_BYTES, Block, Blocks, open_blocks, read
from crossborder.intake.table import Digest, Intake, SourceTable
from crossborder.intake.write import rows_out, write_rows

__all__ = [
    "BLOCK_BYTES",
    "Block",
    "Blocks",
    "Digest",
    "Intake",
    "Limits",
    "Mapping",
    "SourceTable",
    "draft",
    "explain_rows",
    "flatten",
    "load_mapping",
    "mapping_names",
    "open_blocks",
    "read",
    "rows_out",
    "write_rows",
]
