"""Drain the outbox, resolve unknowns, take receipts in: step functions, and the one place with threads."""

from crossborder.filing.filer import Filer
from crossborder.filing.jobs import endpoint_jobs, job, queue_job, read_job, transport_job
from crossborder.filing.lock import filing_lock
from crossborder.filing.policy import EndpointPolicy, Tally
from crossborder.filing.queuer import Queuer
from crossborder.filing.receiver import Reader, ReceiptPoller
from crossborder.filing.resolver import Resolver
from crossborder.filing.run import Ended, Job, Step, drain

__all__ = [
    "Ended",
    "EndpointPolicy",
    "Filer",
    "Job",
    "Queuer",
    "Reader",
    "ReceiptPoller",
    "Resolver",
    "Step",
    "Tally",
    "drain",
    "endpoint_jobs",
    "filing_lock",
    "job",
    "queue_job",
    "read_job",
    "transport_job",
]
