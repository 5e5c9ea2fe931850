"""Sample files: believable days of composed shipments, with dirt if wanted. Imports no rule and no check."""

from crossborder.samples.compose import Sample, compose, compose_blocks
from crossborder.samples.dirt import kinds
from crossborder.samples.write import Written, create, write, write_rates

__all__ = [
    "Sample",
    "Written",
    "compose",
    "compose_blocks",
    "create",
    "kinds",
    "write",
    "write_rates",
]
