"""Runs every query of TABLES.md as it stands there, with pyspark and with delta-rs, and compares the two answers.

usage: tables_doc.py TABLES.md        METASHARD_LAKE: the lake, which must have every table with a row in it
Exit status 1 when a query fails, finds nothing, or the engines do not agree; prints what was run.
"""
import datetime
import math
import pathlib
import re
import sys

import pandas as pd
from pyspark.sql import SparkSession

BLOCK = re.compile(r"^```python\n(# (pyspark|delta-rs)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def plain(value):
    """A value as text, the same whichever engine it came from."""
    if value is None or value is pd.NaT or isinstance(value, float) and math.isnan(value):
        return "null"
    if isinstance(value, (datetime.date, pd.Timestamp)):
        moment = pd.Timestamp(value)
        return str(moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment)
    if isinstance(value, (int, float)) and not isinstance(value, bool) or hasattr(value, "dtype"):
        return f"{float(value):.9g}"
    return str(value)


def answer(frame):
    """Columns by name; rows as they were ordered."""
    names = sorted(frame.columns)
    return names, [tuple(plain(value) for value in row) for row in frame[names].itertuples(index=False)]


def main():
    sections = re.split(r"^## ", pathlib.Path(sys.argv[1]).read_text(), flags=re.MULTILINE)
    # The page's own session: this one has its jars from the command line.
    SparkSession.builder.getOrCreate()
    names = {"pyspark": {}, "delta-rs": {}}
    run = 0
    for section in sections:
        title = section.split("\n", 1)[0]
        blocks = {engine: text for text, engine in BLOCK.findall(section)}
        if not blocks:
            continue
        if set(blocks) != {"pyspark", "delta-rs"}:
            sys.exit(f"{title}: a query for {sorted(blocks)} only")
        answers = {}
        for engine, text in blocks.items():
            names[engine].pop("rows", None)
            exec(compile(text, f"TABLES.md, {title}, {engine}", "exec"), names[engine])
            rows = names[engine].get("rows")
            if rows is not None:
                answers[engine] = answer(rows.toPandas() if engine == "pyspark" else rows)
        if not answers:
            continue  # how to begin
        if len(answers) != 2 or not answers["pyspark"][1]:
            sys.exit(f"{title}: no answer by both engines, {answers}")
        if answers["pyspark"] != answers["delta-rs"]:
            sys.exit(f"{title}: the engines do not agree\npyspark:  {answers['pyspark']}\ndelta-rs: {answers['delta-rs']}")
        run += 1
        print(f"{title}: {len(answers['pyspark'][1])} rows")
    print(f"{run} queries, the same by both engines")


main()
