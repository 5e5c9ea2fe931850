"""Build the wheel, install it into an empty environment outside the repository, and test what was installed.

Run by `make wheel` (part of `make test`). Runs `tests/wheel` with the environment's own interpreter, from a folder
outside the checkout, so that nothing of the checkout can be imported by accident.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command; its failure is ours."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CROSSBORDER_"))}
    print("+", *map(str, command), flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, env=clean, check=True)


def main() -> int:
    """The stage: build, install, test."""
    with tempfile.TemporaryDirectory(prefix="crossborder-wheel-") as name:
        away = Path(name)
        run(
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            away / "dist",
            ROOT,
            cwd=away,
        )
        wheel = next((away / "dist").glob("*.whl"))
        run(sys.executable, "-m", "venv", away / "env", cwd=away)
        python = away / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=away)
        run(*pip, "--no-deps", wheel, cwd=away)
        run(
            python, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", os.devnull,
            "--rootdir", ROOT / "tests" / "wheel", ROOT / "tests" / "wheel", cwd=away,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
