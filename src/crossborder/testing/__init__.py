"""For tests of your own: the contract of a transport, and small far sides to run it against."""

from crossborder.testing.boxes import ImportClient
from crossborder.testing.gateway import Fault, Gateway, Taken
from crossborder.testing.transport_contract import CHECKS, FarSide, message

__all__ = ["CHECKS", "FarSide", "Fault", "Gateway", "ImportClient", "Taken", "message"]
