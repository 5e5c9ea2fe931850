"""Partner mappings: the model, finding the one that fits, drafting a new one."""

from crossborder.intake.mapping.load import load_mapping, mapping_names
from crossborder.intake.mapping.model import ColumnRule, HeaderRule, Mapping, TotalsRule, WordTable

__all__ = [
    "ColumnRule",
    "HeaderRule",
    "Mapping",
    "TotalsRule",
    "WordTable",
    "load_mapping",
    "mapping_names",
]
