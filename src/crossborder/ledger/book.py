"""The ledger: batches, attempts, receipts and their history, in a folder of one machine or on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from crossborder.ledger import database
from crossborder.ledger.accepting import Accepting
from crossborder.ledger.applying import Applying
from crossborder.ledger.auditing import Auditing
from crossborder.ledger.batches import Batches
from crossborder.ledger.decisions import Decisions
from crossborder.ledger.erasing import Erasing
from crossborder.ledger.inbox import Inbox
from crossborder.ledger.keyring import KeyRing
from crossborder.ledger.looking import Looking
from crossborder.ledger.outbox import Outbox
from crossborder.ledger.partners import Partners
from crossborder.ledger.rotating import Rotating
from crossborder.ledger.verbs import Verbs


class Ledger(
    Batches, Outbox, Inbox, Applying, Decisions, Verbs, Accepting, Looking, Partners, Auditing, Erasing, Rotating
):  # fmt: skip
    """One per process; its methods may be called from several threads. Open it with `Ledger.open`.

    Every method is one transaction (or none, if it only looks): what it answers is on the disk. Moments are
    handed in, never asked for. Several processes may open the same folder at once; it must lie on a local disk. On
    PostgreSQL processes of several hosts, each with a home folder of its own, may open the same database.
    """

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        url: str | None = None,
        checkpoint: Callable[[str], None] = lambda _: None,
        ring: KeyRing | None = None,
    ) -> Ledger:
        """Open (or make) the ledger of a home folder, bring its tables up to date, cut off unfinished writes.

        `url` replaces the database file `home/ledger.sqlite3`: another file (`sqlite:///…`) or a database on PostgreSQL
        (`postgresql://USER:PASSWORD@HOST/DATABASE`), where the bytes lie in a table. `checkpoint` is called with a name at
        each point where a test may want the process to die. `ring` holds the keys of what is encrypted; without one
        nothing is. Raises `LedgerError`, and `SettingsError` if a key that is needed is missing or another one; nothing
        is changed then.
        """
        engine = database.connect(home, url)
        ledger = cls(home, engine, checkpoint, ring)
        try:
            ledger._keys.open(lambda: database.write_connection(engine))
        except BaseException:
            engine.dispose()
            raise
        with ledger.read() as connection:
            unfinished = ledger._payloads.overhang(connection)
        if unfinished:
            with ledger.write() as connection:
                ledger._payloads.cut(connection)
        return ledger

    @property
    def place(self) -> str:
        """Back end, version and place in one line; no password."""
        return database.describe(self._engine)

    def close(self) -> None:
        """Give up connections and this process's name."""
        self._engine.dispose()
        self._owners.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
