"""libxml2 looks at composed documents before they are recorded (promise P1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from crossborder import messages
from crossborder.errors import SchemaError
from crossborder.settings import Endpoint

Verify = Literal["none", "sample", "all"]
SMALL = 500
"""Hand-ins of fewer documents are always looked at in full."""
STEP = 100
"""Of a larger one, a sample is one document in so many."""


def prove(
    documents: pl.DataFrame, message: str, served: Mapping[str, Endpoint], verify: Verify, *, small: bool
) -> None:  # fmt: skip
    """Raise `SchemaError` for a document that is not valid; `documents` has `endpoint, key, xml`.

    `small`: the hand-in has fewer than `SMALL` documents. Which ones a sample holds depends on the position of a
    shipment (`ship`) in the hand-in, for manifests on their order.
    """
    if verify == "sample" and not small:
        at = pl.col("ship") if "ship" in documents.columns else pl.int_range(pl.len())
        documents = documents.filter(at % STEP == 0)
    elif verify == "none" and not small:
        return
    for (name,), group in documents.group_by("endpoint", maintain_order=True):
        bodies = (xml.encode("utf-8") for xml in group["xml"])
        wrong = messages.verify(bodies, message, served[str(name)].form)
        for key, reason in zip(group["key"], wrong, strict=True):
            if reason is not None:
                raise SchemaError(
                    f"the composed document is not valid: {reason}", f"所组报文不符合 XSD：{reason}",
                    place=f"{message} {key}", fix_en="please report this as a fault of crossborder",
                    fix_zh="请作为软件缺陷报告",
                )  # fmt: skip
