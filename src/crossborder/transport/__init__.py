"""How endpoints are spoken to: one small port, the transports `http` and `folder`, and plug-ins."""

from crossborder.transport.closing import close_transport
from crossborder.transport.dialect import Dialect, load_dialect
from crossborder.transport.folder import FolderTransport
from crossborder.transport.http import HttpTransport
from crossborder.transport.open import open_late, open_transport, probe
from crossborder.transport.port import (
    SAYINGS,
    Incoming,
    LookedUp,
    Outgoing,
    Refusal,
    Submitted,
    Transport,
    detail,
    say,
    shown,
)

__all__ = [
    "SAYINGS",
    "Dialect",
    "FolderTransport",
    "HttpTransport",
    "Incoming",
    "LookedUp",
    "Outgoing",
    "Refusal",
    "Submitted",
    "Transport",
    "close_transport",
    "detail",
    "load_dialect",
    "open_late",
    "open_transport",
    "probe",
    "say",
    "shown",
]
