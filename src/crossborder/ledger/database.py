"""Opening the database: where it lies, its version, its transactions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from crossborder.errors import LedgerError
from crossborder.ledger import dialects, migrations, postgres
from crossborder.ledger.dialects import is_shared
from crossborder.ledger.postgres import HOLD

FILE = "ledger.sqlite3"
_LOCK = "ledger.lock"
_LOCK_SECONDS = 120
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "9p", "davfs"}
    | {"fuse.sshfs", "fuse.davfs", "fuse.glusterfs", "ceph", "glusterfs", "lustre", "webdav"}
)
_WINDOWS_REMOTE = 4


def connect(home: Path, url: str | None) -> Engine:
    """An engine on the ledger of `home`, its tables brought to this package's version.

    Raises `LedgerError`: the folder cannot be written, lies on a network share, holds a file that is no ledger
    or one written by a newer version.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(home, error) from error
    refuse_network_share(home)
    place, engine = _open(home, url)
    try:
        if is_shared(engine.dialect):
            _refuse_encoding(engine, place)
            migrate(engine, migrations.HEAD)
        else:
            with FileLock(str(home / _LOCK), timeout=_LOCK_SECONDS):
                migrate(engine, migrations.HEAD)
    except Timeout as error:
        engine.dispose()
        raise LedgerError(
            "another process has been upgrading the ledger for two minutes",
            "另一进程正在升级台账，等待已超过两分钟",
            place=str(home / _LOCK),
        ) from error
    except OSError as error:
        engine.dispose()
        raise _cannot(home, error) from error
    except OperationalError as error:
        engine.dispose()
        if is_shared(engine.dialect):
            raise unusable(home, engine, error) from error
        raise _damaged(place, error) from error
    except DatabaseError as error:
        engine.dispose()
        raise _damaged(place, error) from error
    except LedgerError:
        engine.dispose()
        raise
    return engine


def _open(home: Path, url: str | None) -> tuple[str, Engine]:
    """Where the ledger lies, for people, and an engine on it that has not connected yet."""
    if not url:
        file = home / FILE
        return str(file), dialects.open_engine(f"sqlite:///{file.as_posix()}")
    try:
        where = make_url(url)
    except ArgumentError:
        where = None
    if where is None or where.get_backend_name() not in ("sqlite", "postgresql"):
        raise LedgerError(
            "a ledger lies in a SQLite file or on PostgreSQL",
            "台账只能使用 SQLite 文件或 PostgreSQL",
            place="[ledger] url",
            fix_en='url = "postgresql://USER@HOST/DATABASE", or leave it empty for the home folder',
            fix_zh='请设 url = "postgresql://用户@主机/数据库"，或留空以使用数据目录',
        )
    return shown(where), dialects.open_engine(url)


def shown(url: URL) -> str:
    """An address without password and options, for people."""
    bare = URL.create(url.get_backend_name(), url.username, None, url.host, url.port, url.database)
    return bare.render_as_string()


def describe(engine: Engine) -> str:
    """The back end with its version and where it lies, in one line and without password."""
    with engine.connect() as connection:
        number = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    if is_shared(engine.dialect):
        return f"PostgreSQL {number}, {shown(engine.url)}"
    return f"SQLite {number}, {engine.url.database}"


def _refuse_encoding(engine: Engine, place: str) -> None:
    with engine.connect() as connection:
        found = connection.execute(text("SHOW server_encoding")).scalar_one()
    if found != "UTF8":
        raise LedgerError(
            f"the database holds text as {found}, not as UTF8",
            f"该数据库的编码为 {found}，而不是 UTF8",
            place=place,
            fix_en="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            fix_zh="请用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 建库",
        )


def version(engine: Engine) -> str | None:
    """The version of the tables, None for an empty database."""
    with engine.connect() as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def migrate(engine: Engine, target: str) -> None:
    """Bring the tables to version `target`, up or down (`base`: no tables), in one transaction.

    Processes that are started together wait for each other: the version is looked at again under the write lock.
    """
    if version(engine) == target:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "crossborder.ledger:migrations")
    with write_connection(engine) as connection, connection.begin():
        present = _version(connection)
        if present == target:
            return
        if present is not None and present > migrations.HEAD:
            raise LedgerError(
                f"the ledger was written by a newer version (tables {present}, here {migrations.HEAD})",
                f"台账由更新的版本写入（表版本 {present}，本程序为 {migrations.HEAD}）",
                fix_en="upgrade this program",
                fix_zh="请升级本程序",
            )
        down = target == "base" or (present is not None and target < present)
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, target)


def write_connection(engine: Engine, hold: str = dialects.EVERYTHING) -> Connection:
    """A connection whose next transaction takes the write lock at once (see `Base.write`)."""
    return engine.connect().execution_options(**{HOLD: hold})


def refuse_network_share(home: Path, mounts: str | None = None) -> None:
    """Raise `LedgerError` if `home` lies on a network share, where file locks cannot be trusted.

    Known on Linux by the kernel's list of mounts (`mounts` replaces it in tests), on Windows by UNC names and
    mapped drives; elsewhere it is not noticed.
    """
    if sys.platform == "win32":
        remote = _windows_remote(home)
    else:
        remote = _file_system(home, mounts) in _NETWORK
    if remote:
        raise LedgerError(
            "the ledger cannot lie on a network share",
            "台账不能放在网络共享盘上",
            place=str(home),
            fix_en="name a home folder on a local disk",
            fix_zh="请将数据目录设在本机磁盘",
        )


def _file_system(home: Path, mounts: str | None) -> str:
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    place = os.path.realpath(home)
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def _windows_remote(home: Path) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    drive = os.path.splitdrive(home.resolve())[0]
    return drive.startswith("\\\\") or (
        ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _WINDOWS_REMOTE
    )


def unusable(home: Path, engine: Engine, error: DatabaseError) -> LedgerError:
    """What a person is told when the database cannot be read or written; no values, no password."""
    if not is_shared(engine.dialect):
        return LedgerError(
            f"the ledger cannot be read or written ({error.orig})",
            f"台账无法读写（{error.orig}）",
            place=str(home / FILE),
            fix_en="close other programs that hold it, make room on the disk, then run the command again",
            fix_zh="请关闭占用它的其他程序，清理磁盘空间，然后重新执行",
        )
    busy = postgres.is_busy(error)
    return (LedgerBusy if busy else LedgerError)(
        f"the ledger cannot be read or written ({error.orig})",
        f"台账无法读写（{error.orig}）",
        place=shown(engine.url),
        fix_en="others have held it for too long: nothing was changed, run the command again" if busy
        else "check that the server runs, that this user may write the database, and that there is room on its disk",
        fix_zh="被其他进程占用过久，未作任何更改，请重新执行" if busy
        else "请检查数据库服务是否运行、该用户是否可写、磁盘是否有空间",
    )  # fmt: skip


class LedgerBusy(LedgerError):
    """Others held what was needed for too long. Nothing was changed; the same may be tried again."""


def _damaged(place: str, error: DatabaseError) -> LedgerError:
    return LedgerError(
        f"this is no ledger, or it is damaged ({type(error.orig).__name__}: {error.orig})",
        f"该文件不是台账或已损坏（{type(error.orig).__name__}：{error.orig}）",
        place=place,
        fix_en="restore it from a backup, or name another home folder",
        fix_zh="请从备份恢复，或改用其他数据目录",
    )


def _cannot(home: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the home folder cannot be used ({error.strerror or error})",
        f"无法使用数据目录（{error.strerror or error}）",
        place=str(home),
        fix_en="check that it exists, is a folder and can be written",
        fix_zh="请检查该目录是否存在、是否为文件夹、是否可写",
    )
