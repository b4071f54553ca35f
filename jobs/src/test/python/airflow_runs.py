"""Prints what an Airflow database (SQLite) knows of the runs of a Dag, as JSON: states, attempts, arguments, XComs, events.

usage: airflow_runs.py DATABASE DAG_ID
"""

import json
import sqlite3
import sys

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
database.row_factory = sqlite3.Row
dag_id = sys.argv[2]


def rows(query, *values):
    return [dict(row) for row in database.execute(query, values)]


runs = {}
for run in rows("select * from dag_run where dag_id = ?", dag_id):
    runs[run["run_id"]] = {
        name: run[name] for name in ("run_type", "state", "logical_date", "data_interval_start", "data_interval_end")
    } | {"tasks": {}}
for task in rows("select * from task_instance where dag_id = ?", dag_id):
    runs[task["run_id"]]["tasks"][task["task_id"]] = {
        "state": task["state"],
        "attempts": task["try_number"],
        "pool": task["pool"],
    }
for task in rows("select * from rendered_task_instance_fields where dag_id = ?", dag_id):
    fields = json.loads(task["rendered_fields"])
    runs[task["run_id"]]["tasks"][task["task_id"]]["arguments"] = fields.get("application_args")
for xcom in rows("select * from xcom where dag_id = ? and key = 'return_value'", dag_id):
    value = xcom["value"]
    while isinstance(value, str) and value[:1] in '{["':
        value = json.loads(value)
    runs[xcom["run_id"]]["tasks"][xcom["task_id"]]["xcom"] = value
for event in rows("select * from asset_event where source_dag_id = ?", dag_id):
    runs[event["source_run_id"]]["tasks"][event["source_task_id"]]["asset_extra"] = json.loads(event["extra"])
print(json.dumps(runs))
