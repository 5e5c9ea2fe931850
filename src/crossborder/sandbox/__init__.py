"""The simulated port, for demonstrations and tests; an independent judge, and never called customs.

It imports nothing of the engine but `errors` and `resources`, judges with libxml2 on the XSD files and with
filling rules of its own, and keeps its own memory. See `docs/sandbox.md`.
"""

from crossborder.sandbox.command import announcement, main, parse_endpoint, serve
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.mix import Mix
from crossborder.sandbox.sandbox import DEFAULT_ENDPOINTS, EndpointSpec, Sandbox

__all__ = [
    "DEFAULT_ENDPOINTS",
    "EndpointSpec",
    "Faults",
    "Mix",
    "Sandbox",
    "announcement",
    "main",
    "parse_endpoint",
    "serve",
]
