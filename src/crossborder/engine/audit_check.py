"""Check an exported audit trail: `python verify.py [NUMBER:DIGEST …]`. Needs Python 3.8 and nothing else.

NUMBER:DIGEST is a head that was kept from an earlier export: it must be in this one. Exit code 0: whole; 1: it is not.
"""

import hashlib
import json
import pathlib
import sys


def main(folder: pathlib.Path, kept: "dict[str, str]") -> "list[str]":
    """Everything that is wrong."""
    head = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    wrongs, last, before, count, listed = [], 0, "0" * 64, 0, hashlib.sha256()
    with (folder / "entries.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for count, line in enumerate(lines, 1):
            said, _, rest = line.rstrip("\n").rpartition(',"prev":"')
            prev, digest = rest[:64], rest[-66:-2]
            try:
                number = int(json.loads(said + "}")["id"])
            except (ValueError, KeyError, TypeError):
                number = last + 1
            if hashlib.sha256((prev + said + "}").encode()).hexdigest() != digest:
                wrongs.append(f"entry {number} (line {count}) was changed")
            if number == last + 1 and prev != before:
                wrongs.append(f"entry {number} (line {count}) does not follow from the one before")
            elif number <= last or (head["whole"] and number != last + 1):
                wrongs.append(
                    f"entry {number} (line {count}) stands after {last}: missing or moved"
                )
            if kept.pop(str(number), digest) != digest:
                wrongs.append(
                    f"entry {number} is not the head that was kept: history was rewritten"
                )
            last, before = number, digest
            listed.update(digest.encode())
    if head["whole"] and (last, before) != (head["last"], head["digest"]):
        wrongs.append(f"it ends with entry {last}, not with its head {head['last']}")
    if (count, listed.hexdigest()) != (head["entries"], head["list"]):
        wrongs.append("these are not the entries that were exported")
    return wrongs + [f"the head that was kept, {n}, is not in it" for n in kept if n != "0"]


if __name__ == "__main__":
    found = main(pathlib.Path(__file__).parent, dict(w.split(":", 1) for w in sys.argv[1:]))
    sys.stdout.write(
        "\n".join(found or ["whole: no entry was changed, is missing or moved"]) + "\n"
    )
    sys.exit(1 if found else 0)
