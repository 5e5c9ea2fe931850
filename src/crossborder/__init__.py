"""crossborder: from shipment file to customs decision.

The pure half needs no home folder and no settings: `check`, `tax`, `compose`, `read_receipts`. The ledger half is
`Engine`. Everything exported here is part of the public interface (see README, what SemVer covers).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossborder.engine import (
        Checked,
        Composed,
        Engine,
        Receipts,
        Taxed,
        check,
        compose,
        read_receipts,
        tax,
    )
    from crossborder.errors import CrossborderError
    from crossborder.settings import Operator, Profile
    from crossborder.shipments import Shipments

__version__ = "0.1.0"
_HOME = {
    "Checked": "crossborder.engine",
    "Composed": "crossborder.engine",
    "CrossborderError": "crossborder.errors",
    "Engine": "crossborder.engine",
    "Operator": "crossborder.settings",
    "Profile": "crossborder.settings",
    "Receipts": "crossborder.engine",
    "Shipments": "crossborder.shipments",
    "Taxed": "crossborder.engine",
    "check": "crossborder.engine",
    "compose": "crossborder.engine",
    "read_receipts": "crossborder.engine",
    "tax": "crossborder.engine",
}
__all__ = [
    "Checked",
    "Composed",
    "CrossborderError",
    "Engine",
    "Operator",
    "Profile",
    "Receipts",
    "Shipments",
    "Taxed",
    "__version__",
    "check",
    "compose",
    "read_receipts",
    "tax",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import crossborder` itself stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'crossborder' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
