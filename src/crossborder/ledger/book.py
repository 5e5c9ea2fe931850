"""The ledger: batches, attempts, receipts and their history, in a folder of one machine or on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, select

from crossborder.ledger import database, tables
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
from crossborder.ledger.payloads import Overhang
from crossborder.ledger.rotating import Rotating
from crossborder.ledger.verbs import Verbs

_LOOKS = 100
"""How often others may write while one waits to cut off what is left behind; then the next one does it."""
_CUTS = "payload_cuts"


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
            ledger._cut_off()
        return ledger

    def _cut_off(self) -> None:
        """Cut off bytes that no committed row knows.

        Whoever is killed in the middle of a commit of SQLite leaves it in limbo: nobody sees it, and when the log is read
        anew, after all have died, it is there after all and knows those bytes. So a commit of our own comes first, which
        takes its place in the log; then they are cut off, unless somebody has written since.
        """
        before: Overhang = {}
        for _ in range(_LOOKS):
            with self.write() as connection:
                found = self._payloads.overhang(connection)
                if found == before:
                    self._payloads.cut(connection)
                    return
                _commit_something(connection)
            before = found

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


def _commit_something(connection: Connection) -> None:
    """A change, so that there is something to commit: it is counted how often there was something to cut off."""
    facts = tables.facts
    mine = facts.c.name == _CUTS
    count = connection.execute(select(facts.c.value).where(mine)).scalar()
    if count is None:
        connection.execute(facts.insert().values(name=_CUTS, value="1"))
    else:
        connection.execute(facts.update().where(mine).values(value=str(int(count) + 1)))
