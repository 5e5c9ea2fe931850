"""Messages: compiled from schema, filling conditions and mapping; composed column by column; receipts read."""

from crossborder.messages.compare import differing, elements_from
from crossborder.messages.compose import Form, compose, compose_declarations
from crossborder.messages.envelope import message_id
from crossborder.messages.manifest import (
    Manifests,
    Operation,
    compose_manifests,
    manifest_findings,
    manifest_groups,
    survey_manifests,
)
from crossborder.messages.manifest_survey import Survey
from crossborder.messages.manifest_survey import columns_needed as manifest_columns
from crossborder.messages.plan import Elements, Plan, compile_plan
from crossborder.messages.read import ReceiptSet, read_receipts
from crossborder.messages.stamp import stamp
from crossborder.messages.unanswered import UNANSWERED, summed, told
from crossborder.messages.unproject import read_declarations
from crossborder.messages.verify import verify

__all__ = [
    "UNANSWERED",
    "Elements",
    "Form",
    "Manifests",
    "Operation",
    "Plan",
    "ReceiptSet",
    "Survey",
    "compile_plan",
    "compose",
    "compose_declarations",
    "compose_manifests",
    "differing",
    "elements_from",
    "manifest_columns",
    "manifest_findings",
    "manifest_groups",
    "message_id",
    "read_declarations",
    "read_receipts",
    "stamp",
    "summed",
    "survey_manifests",
    "told",
    "verify",
]
