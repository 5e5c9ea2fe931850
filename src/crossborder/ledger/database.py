"""Opening the database: where it lies, its version, its transactions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from crossborder.errors import LedgerError
from crossborder.ledger import dialects, migrations

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
    if url is not None and not url.startswith("sqlite"):
        raise LedgerError(
            "only SQLite ledgers can be opened",
            "目前仅支持 SQLite 台账",
            place=url.split(":", 1)[0],
        )
    engine = dialects.open_engine(url or f"sqlite:///{(home / FILE).as_posix()}")
    try:
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
    except DatabaseError as error:
        engine.dispose()
        raise LedgerError(
            f"this is no ledger, or it is damaged ({type(error.orig).__name__}: {error.orig})",
            f"该文件不是台账或已损坏（{type(error.orig).__name__}：{error.orig}）",
            place=str(home / FILE),
            fix_en="restore it from a backup, or name another home folder",
            fix_zh="请从备份恢复，或改用其他数据目录",
        ) from error
    return engine


def version(engine: Engine) -> str | None:
    """The version of the tables, None for an empty database."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def migrate(engine: Engine, target: str) -> None:
    """Bring the tables to version `target`, up or down (`base`: no tables), in one transaction."""
    present = version(engine)
    if present == target:
        return
    if present is not None and present > migrations.HEAD:
        raise LedgerError(
            f"the ledger was written by a newer version (tables {present}, here {migrations.HEAD})",
            f"台账由更新的版本写入（表版本 {present}，本程序为 {migrations.HEAD}）",
            fix_en="upgrade this program",
            fix_zh="请升级本程序",
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "crossborder.ledger:migrations")
    down = target == "base" or (present is not None and target < present)
    with write_connection(engine) as connection, connection.begin():
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, target)


def write_connection(engine: Engine) -> Connection:
    """A connection whose next transaction takes the write lock at once."""
    return engine.connect().execution_options(**{dialects.IMMEDIATE: True})


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


def _cannot(home: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the home folder cannot be used ({error.strerror or error})",
        f"无法使用数据目录（{error.strerror or error}）",
        place=str(home),
        fix_en="check that it exists, is a folder and can be written",
        fix_zh="请检查该目录是否存在、是否为文件夹、是否可写",
    )
