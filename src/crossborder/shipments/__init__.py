"""Shipments: the canonical frames and what is declared about them once.

`crossborder.shipments.models` (pydantic models of one shipment) is imported only where it is needed.
"""

from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, Column, FrameName, personal_names
from crossborder.shipments.content import content_digests
from crossborder.shipments.frames import FrameSet
from crossborder.shipments.handed import Shipments
from crossborder.shipments.profile import apply_profile

__all__ = [
    "COLUMNS",
    "FRAME_NAMES",
    "Column",
    "FrameName",
    "FrameSet",
    "Shipments",
    "apply_profile",
    "content_digests",
    "personal_names",
]
