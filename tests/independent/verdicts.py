"""An independent reading of a few rules, row by row, from the law and the schema text alone.

Imports nothing of crossborder. Reads a flat `elements` CSV and prints, per house waybill, which of these rules it
breaks: ID-01 (GB 11643, ISO 7064 MOD 11-2), LIM-02 (CNY 2,000 for class B imports since 2024-12-01), CLS-04
(CNY 5,000 for class C), EXP-13 (gross not below net), EXP-15 (country pair), EXP-18 (no code in class A),
EXP-21 (TradeTotal = DeclTotal), EXP-22 (line numbers from 1 without gaps), EXP-44 (head within 5 % of the sum of
lines, one currency). Amounts in other currencies than CNY are not judged: no rate is at hand here.
"""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from itertools import groupby
from pathlib import Path

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CNY = "142"
CHINA = "142"
Row = dict[str, str]


def identity_is_good(number: str) -> bool:
    """Eighteen characters whose last is the check character of the first seventeen."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return number[17] == "10X98765432"[total % 11]


def broken(lines: list[Row]) -> list[str]:
    """Rules that one house waybill breaks."""
    head = lines[0]
    kind = head["EntryType"]
    value = sum(Decimal(line["DeclTotal"]) for line in lines)
    in_cny = all(line["TradeCurr"] == CNY for line in lines)
    one_article = len(lines) == 1 and Decimal(lines[0]["GQty"]) == 1
    rules = {
        "ID-01": kind == "B" and head["SendIdType"] == "1" and not identity_is_good(head["SendId"]),
        "LIM-02": kind == "B" and head["IEFlag"] == "I" and head["IEDate"] >= "20241201" and in_cny
        and value > 2000 and not one_article,
        "CLS-04": kind == "C" and in_cny and value > 5000,
        "EXP-13": Decimal(head["GrossWt"]) < Decimal(head["NetWt"]),
        "EXP-15": head["IEFlag"] == "I" and (head["ReceiveCountry"] != CHINA or head["SendCountry"] == CHINA),
        "EXP-18": kind == "A" and any(line["CodeTS"] for line in lines),
        "EXP-21": any(Decimal(line["TradeTotal"]) != Decimal(line["DeclTotal"]) for line in lines),
        "EXP-22": [line["GNo"] for line in lines] != [str(n) for n in range(1, len(lines) + 1)],
        "EXP-44": all(line["TradeCurr"] == head["CurrCode"] for line in lines)
        and abs(value - Decimal(head["TotalValue"])) > value * Decimal("0.05"),
    }  # fmt: skip
    return sorted(rule for rule, fails in rules.items() if fails)


def verdicts(file: Path) -> dict[str, list[str]]:
    """House waybill → rules it breaks."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {
        house: broken(list(lines))
        for house, lines in groupby(rows, key=lambda row: row["AssBillNo"])
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(verdicts(Path(sys.argv[1])), indent=1) + "\n")
