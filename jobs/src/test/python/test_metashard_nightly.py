"""Facts about the Dag that need no Spark: run by an Airflow environment's Python, with the Dag's folder as argument."""

import importlib.util
import json
import os
import sys
import unittest
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.serialization.encoders import coerce_to_core_timetable

FILE = Path(sys.argv.pop()) / "metashard_nightly.py"
STAGES = ["ingest", "catalogue", "aggregate", "forecast", "plan", "reshard", "verify", "shadow", "report"]
WRITERS = {"ingest", "catalogue", "aggregate", "forecast", "plan", "reshard", "shadow"}


def load():
    spec = importlib.util.spec_from_file_location("metashard_nightly", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nightly = load()
the_dag = nightly.metashard_nightly()


def params(**others):
    return {name: param.value for name, param in nightly.PARAMS.items()} | others


def run(logical_date=None, interval_start=None, run_after=None):
    return SimpleNamespace(
        logical_date=logical_date, data_interval_start=interval_start, run_after=run_after or logical_date
    )


class NightlyTest(unittest.TestCase):
    def test_importing_the_file_reads_and_connects_to_nothing(self):
        code = compile(FILE.read_text(), str(FILE), "exec")
        seen = []
        watch = True

        def hook(event, arguments):
            if watch and (event in ("open", "subprocess.Popen", "os.system") or event.startswith("socket.")):
                seen.append((event, str(arguments[:1])))

        sys.addaudithook(hook)
        exec(code, {"__name__": "again", "__doc__": ""})
        watch = False
        self.assertEqual(seen, [])

    def test_a_data_interval_is_a_day_and_its_run_plans_for_the_day_in_which_it_begins(self):
        timetable = coerce_to_core_timetable(the_dag.timetable)
        began = timetable.infer_manual_data_interval(run_after=datetime(2026, 1, 22, 6, 15, tzinfo=UTC))
        self.assertEqual(began.start, datetime(2026, 1, 21, 6, 15, tzinfo=UTC))
        self.assertEqual(began.end - began.start, timedelta(days=1))
        of_the_interval = run(interval_start=began.start, logical_date=began.start)
        self.assertEqual(nightly.night_of(of_the_interval, params()), date(2026, 1, 21))
        self.assertEqual(nightly.night_of(of_the_interval, params(date="2026-02-03")), date(2026, 2, 3))
        # By then, a day's logs have had six hours to arrive; before, the last day is not over for as long.
        late = run(run_after=datetime(2026, 1, 22, 6, 0, tzinfo=UTC))
        self.assertEqual(nightly.night_of(late, params()), date(2026, 1, 21))
        early = run(run_after=datetime(2026, 1, 22, 5, 59, tzinfo=UTC))
        self.assertEqual(nightly.night_of(early, params()), date(2026, 1, 20))

    def test_the_run_id_is_that_of_the_logical_date_and_one_that_metashard_takes(self):
        logical = datetime(2026, 1, 22, 6, 15, tzinfo=UTC)
        self.assertEqual(nightly.run_id_of(run(logical, run_after=datetime.now(UTC))), "airflow-20260122T061500Z")
        self.assertEqual(
            nightly.run_id_of(run(run_after=logical.replace(microsecond=7))), "airflow-20260122T061500.000007Z"
        )

    def test_only_nights_that_are_due_move_bytes(self):
        night = date(2026, 1, 21)
        today = date(2026, 1, 22)
        self.assertIsNone(nightly.why_nothing_moves("scheduled", night, today, params()))
        self.assertIsNone(nightly.why_nothing_moves("manual", night, night + timedelta(days=2), params()))
        for run_type in ("scheduled", "manual", "asset_triggered"):
            why = nightly.why_nothing_moves(run_type, night, night + timedelta(days=3), params())
            self.assertIn("more than 2 days ago", why)
        self.assertIn("backfill", nightly.why_nothing_moves("backfill", night, today, params()))
        self.assertIn("shadow", nightly.why_nothing_moves("scheduled", night, today, params(mode="shadow")))

    def test_writers_of_the_lake_meet_in_one_pool_and_all_have_retries_and_an_end(self):
        self.assertEqual(the_dag.max_active_runs, 1)
        self.assertFalse(the_dag.catchup)
        for stage in STAGES:
            submit = the_dag.get_task(f"{stage}.submit")
            self.assertIsInstance(submit, SparkSubmitOperator)
            self.assertEqual(submit.pool, nightly.LAKE_POOL if stage in WRITERS else nightly.SPARK_POOL)
            self.assertEqual(the_dag.get_task(f"{stage}.result").upstream_task_ids, {f"{stage}.submit"})
        for task in the_dag.tasks:
            self.assertEqual((task.retries, task.retry_exponential_backoff), (3, 2))
            self.assertGreater(task.execution_timeout, timedelta(0))
            self.assertEqual(task.on_failure_callback, [nightly.alert])
        pools = json.loads((FILE.parent / "pools.json").read_text())
        self.assertEqual(
            {name: pool["slots"] for name, pool in pools.items()}, {"metashard_lake": 1, "metashard_spark": 2}
        )

    def test_nothing_that_moves_is_reached_but_by_the_question_whether_it_may(self):
        for task_id in ("plan.submit", "reshard.submit", "verify.submit"):
            reached = {"route"}
            grown = True
            while grown:
                grown = {
                    below
                    for above in reached
                    for below in the_dag.get_task(above).downstream_task_ids
                    if below != "may_move" and below not in reached
                }
                reached |= grown
            self.assertNotIn(task_id, reached)

    def test_each_deploy_mode_is_what_the_provider_takes(self):
        expected = {
            "client": ("client", False, None),
            "standalone": ("cluster", True, None),
            "k8s": ("cluster", False, "spark.kubernetes.submission.waitAppCompletion"),
            "yarn": ("cluster", False, "spark.yarn.submit.waitAppCompletion"),
        }
        self.assertEqual(set(expected), set(nightly.PARAMS["deploy_mode"].schema["enum"]))
        for mode, (deploy_mode, durable, waits) in expected.items():
            how = nightly.deploying(params(deploy_mode=mode))
            self.assertEqual((how["deploy_mode"], how.get("durable", False)), (deploy_mode, durable))
            self.assertEqual(how["conf"], {waits: "true"} if waits else {})
        tracked = params(yarn_track_via_rm_api=True, k8s_track_via_api=True)
        self.assertTrue(nightly.deploying(tracked | {"deploy_mode": "yarn"})["yarn_track_via_rm_api"])
        self.assertTrue(nightly.deploying(tracked | {"deploy_mode": "k8s"})["track_driver_via_k8s_api"])

    def test_a_driver_is_submitted_as_its_parameters_say(self):
        submit = the_dag.get_task("ingest.submit").prepare_for_execution()
        submit._deploy(params(deploy_mode="yarn", set=["plan.survive=1"], spark_conf={"spark.executor.memory": "2g"}))
        os.environ["AIRFLOW_CONN_SPARK_DEFAULT"] = '{"conn_type": "spark", "host": "yarn"}'
        command = submit._get_hook()._build_spark_submit_command("the.jar")
        self.assertEqual(command[: command.index("the.jar")][:3], ["spark-submit", "--master", "yarn"])
        self.assertIn("spark.yarn.submit.waitAppCompletion=true", command)
        self.assertIn("spark.executor.memory=2g", command)
        self.assertEqual(command[command.index("--deploy-mode") + 1], "cluster")
        self.assertEqual(command[command.index("--class") + 1], "io.metashard.job.Metashard")
        self.assertEqual(command[-2:], ["--set", "plan.survive=1"])

    def test_a_result_decides_whether_a_stage_is_done_tried_again_or_given_up(self):
        done = {"command": "plan", "exit_code": 0}
        self.assertEqual(nightly.require_done(done, "u"), done)
        for code, given_up in ((1, False), (2, True), (3, True), (4, False)):
            result = {"command": "plan", "run_id": "r", "error": "Cannot plan: why", "exit_code": code}
            with self.assertRaises(AirflowException) as caught:
                nightly.require_done(result, "u")
            self.assertEqual(isinstance(caught.exception, AirflowFailException), given_up, code)
            self.assertEqual(str(caught.exception), f"metashard plan, run r: Cannot plan: why (exit code {code})")
        with self.assertRaisesRegex(AirflowException, "left no result at u, killed"):
            nightly.require_done(None, "u", RuntimeError("killed"))

    def test_a_result_of_an_attempt_before_is_not_taken_for_that_of_a_driver_that_died(self):
        with TemporaryDirectory() as folder:
            uri = f"file://{folder}/plan.json"
            Path(folder, "plan.json").write_text('{"exit_code": 0}')
            self.assertEqual(nightly.read_result(uri, ""), {"exit_code": 0})
            silent = Path(folder, "spark-submit")
            silent.write_text("#!/bin/sh\nexit 0\n")
            silent.chmod(0o755)
            os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
            os.environ["AIRFLOW_CONN_SPARK_DEFAULT"] = '{"conn_type": "spark", "host": "local[1]"}'
            submit = the_dag.get_task("plan.submit").prepare_for_execution()
            submit.result, submit.results_conn_id = uri, ""
            submit._get_hook().submit("the.jar")
            self.assertIsNone(nightly.read_result(uri, ""))


if __name__ == "__main__":
    unittest.main()
