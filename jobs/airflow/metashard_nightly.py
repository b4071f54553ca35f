"""The night of Metashard in Airflow 3: a task per stage, by ``spark-submit``.

    route -> ingest -> catalogue -> aggregate -> forecast -> may_move -> plan -> reshard -> verify -> report -> night
        \\-> shadow ------------------------------------------------------------------------->/

Each stage is a group of two tasks. ``submit`` runs the command under Spark and believes the file that the command
writes (``--result``), not Spark: a driver's standard output is out of reach in cluster mode, and on Kubernetes a failed
driver has ended with status 0 (SPARK-26365). ``result`` reads the same file and hands its figures to XCom. What becomes
of a failure is decided by ``exit_code``: 1 (failed) and 4 (the map moved on) are tried again, with back-off; 2 (wrong
configuration or input) and 3 (verify found damage) are not, nobody would see anything else.

All stages of a night have one run id, made of the Dag run's logical date: a retry is the same run, and Metashard
commits it once. The day that is planned (``--date``) is the day in which the data interval begins: the run of the
interval from January 21st 06:15 to 22nd 06:15 plans at the end of the 21st, when its logs have had ``ingest.settle``
(6 h) to arrive.

Bytes move only on nights that are due. A backfill, or a day that ended long ago (``move_within_days``), stops after
``forecast``; so does ``mode`` = shadow, which runs ``nightly --shadow`` instead.

Pools: the stages that write the lake share one of size 1 (METASHARD_LAKE_POOL), so that two nights never meet, whatever
starts them; the stages that only read use METASHARD_SPARK_POOL. A task has one pool: give every lake its own.

``deploy_mode`` says where drivers run; the master stands in the Spark connection. README.md has a connection for each.

============  ==========================================  ==============================================================
deploy_mode   the connection's master                     what the provider does
============  ==========================================  ==============================================================
client        any: local[*], spark://, yarn, k8s://       spark-submit is the driver, in the worker's memory; its exit
                                                          code comes back. A lost worker loses the stage: it is retried.
standalone    spark://host:7077                           the driver is started in the cluster and its status polled;
                                                          ``durable`` (on): a retry after a lost worker asks the
                                                          master's REST port (6066, extra ``rest-port``) for the driver
                                                          that still runs and waits for it instead of starting another.
k8s           k8s://https://host:443, extra namespace     a driver pod. k8s_track_via_api = false: spark-submit waits
                                                          (spark.kubernetes.submission.waitAppCompletion = true).
                                                          true: it leaves, the pod is polled by the API, and ``durable``
                                                          reconnects. Wants apache-airflow-providers-cncf-kubernetes.
yarn          yarn                                        an application. yarn_track_via_rm_api = false: spark-submit
                                                          waits (spark.yarn.submit.waitAppCompletion = true) and
                                                          ``durable`` is off, since the provider refuses it without the
                                                          API. true: it leaves, the ResourceManager is polled (extra
                                                          yarn_resourcemanager_webapp_address), ``durable`` reconnects.
============  ==========================================  ==============================================================

Settings of the scheduler (environment of the Dag processor and the workers): METASHARD_SCHEDULE, METASHARD_SPARK_POOL,
METASHARD_LAKE_POOL, METASHARD_SPARK_CONN_ID, METASHARD_RETRIES, METASHARD_RETRY_SECONDS, and the defaults of the
parameters as METASHARD_CONFIG, METASHARD_JAR, and so on. Reading them is all that importing this file does.
"""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import (
    Asset,
    BaseHook,
    CronDataIntervalTimetable,
    ObjectStoragePath,
    Param,
    TaskGroup,
    XComArg,
    dag,
    task,
)
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

log = logging.getLogger(__name__)

DAG_ID = "metashard_nightly"
MAIN_CLASS = "io.metashard.job.Metashard"

# Changed when the shard map was switched: readers' caches, prefetching and the like can be scheduled by it.
SHARD_MAP = Asset(f"{DAG_ID}/shard_map")

# Exit codes of the command that another attempt does not change: wrong use or configuration, and damage.
FINAL_EXIT_CODES = {2, 3}

# A connection whose password is the address of a web hook; without it, failures are only logged.
ALERT_CONN_ID = "metashard_alert"
ALERT_TIMEOUT_SECONDS = 10

# How long after a day's end its logs may still arrive, where no data interval says which day is meant.
SETTLE = timedelta(hours=6)


def setting(name: str, otherwise: str) -> str:
    return os.environ.get(f"METASHARD_{name.upper()}", otherwise)


LAKE_POOL = setting("lake_pool", "metashard_lake")
SPARK_POOL = setting("spark_pool", "metashard_spark")

PARAMS = {
    "mode": Param(
        setting("mode", "nightly"),
        enum=["nightly", "shadow"],
        description="shadow: forecast and plan as if, move nothing",
    ),
    "deploy_mode": Param(
        setting("deploy_mode", "client"),
        enum=["client", "standalone", "k8s", "yarn"],
        description="where drivers run: see the head of the file",
    ),
    "config": Param(
        setting("config", "file:///etc/metashard/metashard.conf"),
        type="string",
        minLength=1,
        description="Metashard's configuration, as drivers see it: any Hadoop URI; says where the lake is",
    ),
    "jar": Param(
        setting("jar", "/opt/metashard/metashard.jar"),
        type="string",
        minLength=1,
        description="the application's jar, as spark-submit (client) or the cluster sees it",
    ),
    "jars": Param(
        setting("jars", ""),
        type="string",
        description="delta-spark, delta-storage and file system connectors, with commas; empty: the cluster has them",
    ),
    "results": Param(
        setting("results", "file:///var/lib/metashard/results"),
        type="string",
        minLength=1,
        description="folder for results, seen by drivers and by Airflow's workers",
    ),
    "results_conn_id": Param(
        setting("results_conn_id", ""),
        type="string",
        description="Airflow's connection to that folder, such as aws_default",
    ),
    "properties_file": Param(
        setting("properties_file", ""), type="string", description="spark-defaults.conf, as spark-submit sees it"
    ),
    "spark_conf": Param({}, type="object", description="Spark settings, such as spark.driver.memory"),
    "set": Param(
        [], type="array", items={"type": "string", "pattern": "^[^=]+="}, description="Metashard settings, key=value"
    ),
    "date": Param(
        None, type=["null", "string"], format="date", description="the day to plan for, instead of the data interval's"
    ),
    "force": Param(False, type="boolean", description="run stages although they were done before"),
    "allow_missing": Param(0, type="integer", minimum=0, description="objects that may be gone from their roots"),
    "move_within_days": Param(
        int(setting("move_within_days", "2")),
        type="integer",
        minimum=0,
        description="a day that ended longer ago is forecast, and no byte moves",
    ),
    "verify_sample_percent": Param(
        float(setting("verify_sample_percent", "5")),
        type="number",
        minimum=0,
        maximum=100,
        description="meta-shards that are verified at the end, others each night; 0: none",
    ),
    "report_folder": Param(
        setting("report_folder", ""), type="string", description="where the night's page goes; empty: none is made"
    ),
    "yarn_track_via_rm_api": Param(
        setting("yarn_track_via_rm_api", "false") == "true",
        type="boolean",
        description="poll YARN's ResourceManager; false: spark-submit waits",
    ),
    "k8s_track_via_api": Param(
        setting("k8s_track_via_api", "false") == "true",
        type="boolean",
        description="poll the Kubernetes API; false: spark-submit waits",
    ),
}


def night_of(dag_run: Any, params: Mapping[str, Any]) -> date:
    """The day that is planned for: in UTC, as Metashard's days are."""
    if params.get("date"):
        return date.fromisoformat(params["date"])
    if dag_run.data_interval_start is not None:
        return dag_run.data_interval_start.astimezone(UTC).date()
    # Triggered without a logical date: the last day that is over, and its logs settled.
    return (dag_run.run_after.astimezone(UTC) - SETTLE).date() - timedelta(days=1)


def run_id_of(dag_run: Any) -> str:
    """Metashard's run id: the same for all stages and all their retries."""
    moment = (dag_run.logical_date or dag_run.run_after).astimezone(UTC)
    return f"airflow-{moment:%Y%m%dT%H%M%S}" + (f".{moment:%f}" if moment.microsecond else "") + "Z"


def why_nothing_moves(run_type: str, night: date, today: date, params: Mapping[str, Any]) -> str | None:
    """Why this run ends after the forecast; None if bytes may move."""
    if run_type == "backfill":
        return "a backfill moves no bytes"
    if params["mode"] != "nightly":
        return f"mode is {params['mode']}"
    if (today - night).days > params["move_within_days"]:
        return f"the day {night} is more than {params['move_within_days']} days ago (move_within_days)"
    return None


def deploying(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a deploy_mode means to the provider, and to Spark (under ``conf``)."""
    match params["deploy_mode"]:
        case "client":
            return {"deploy_mode": "client", "conf": {}}
        case "standalone":
            return {"deploy_mode": "cluster", "durable": True, "conf": {}}
        case "k8s" if params["k8s_track_via_api"]:
            return {"deploy_mode": "cluster", "track_driver_via_k8s_api": True, "durable": True, "conf": {}}
        case "k8s":
            conf = {"spark.kubernetes.submission.waitAppCompletion": "true"}
            return {"deploy_mode": "cluster", "durable": False, "conf": conf}
        case "yarn" if params["yarn_track_via_rm_api"]:
            return {"deploy_mode": "cluster", "yarn_track_via_rm_api": True, "durable": True, "conf": {}}
        case "yarn":
            conf = {"spark.yarn.submit.waitAppCompletion": "true"}
            return {"deploy_mode": "cluster", "durable": False, "conf": conf}
        case other:
            raise AirflowFailException(
                f"Cannot submit: deploy_mode {other} is unknown; use client, standalone, k8s or yarn"
            )


def result_file(uri: str, conn_id: str) -> ObjectStoragePath:
    return ObjectStoragePath(uri, conn_id=conn_id or None)


def read_result(uri: str, conn_id: str) -> dict[str, Any] | None:
    """What a command wrote; None if it wrote nothing."""
    try:
        return json.loads(result_file(uri, conn_id).read_text())
    except FileNotFoundError:
        return None


def require_done(result: dict[str, Any] | None, uri: str, failure: Exception | None = None) -> dict[str, Any]:
    """Gives a result back that says that the command is done.

    :raises AirflowFailException: another attempt would end the same
    :raises AirflowException: another attempt may do
    """
    if result is None:
        why = f", {failure}" if failure else ""
        raise AirflowException(f"Cannot tell what became of the stage: the driver left no result at {uri}{why}")
    exit_code = result.get("exit_code")
    if exit_code == 0:
        return result
    said = result.get("error") or result.get("reason") or json.dumps(result)
    message = f"metashard {result.get('command')}, run {result.get('run_id')}: {said} (exit code {exit_code})"
    raise AirflowFailException(message) if exit_code in FINAL_EXIT_CODES else AirflowException(message)


class MetashardOperator(SparkSubmitOperator):
    """A command of Metashard as a Spark application; done when its result says so.

    :param stage: names the result
    :param command: of Metashard; the stage's name unless given
    :param arguments: of the command, besides those that all have (templated)
    :param needs: name of a parameter; while it is 0 or empty the task is skipped
    """

    template_fields = (*SparkSubmitOperator.template_fields, "result")

    def __init__(
        self,
        *,
        stage: str,
        command: str | None = None,
        arguments: list[str] | None = None,
        needs: str | None = None,
        **kwargs: Any,
    ):
        self.stage = stage
        self.needs = needs
        self.result = result_of(stage)
        super().__init__(
            conn_id=setting("spark_conn_id", "spark_default"),
            application="{{ params.jar }}",
            java_class=MAIN_CLASS,
            jars="{{ params.jars }}",
            properties_file="{{ params.properties_file }}",
            name=f"metashard {stage} {{{{ night_of(dag_run, params) }}}}",
            application_args=[
                command or stage,
                "--config",
                "{{ params.config }}",
                "--date",
                "{{ night_of(dag_run, params) }}",
                "--run-id",
                "{{ run_id_of(dag_run) }}",
                "--result",
                self.result,
                *(arguments or []),
            ],
            do_xcom_push=False,
            **kwargs,
        )

    def execute(self, context: Any) -> None:
        params = context["params"]
        if self.needs and not params[self.needs]:
            raise AirflowSkipException(f"{self.needs} is {params[self.needs]!r}")
        self._deploy(params)
        failure = None
        try:
            super().execute(context)
        except AirflowFailException:
            raise
        except Exception as e:  # noqa: BLE001
            # spark-submit ended badly, or was not to be started: the result tells more, if there is one.
            failure = e
            log.warning("spark-submit: %s", e)
        result = require_done(read_result(self.result, self.results_conn_id), self.result, failure)
        log.info("metashard %s: %s", self.stage, json.dumps(result))

    def _deploy(self, params: Mapping[str, Any]) -> None:
        # The operator takes these in its constructor, and not as templates: parameters are known only now.
        how = deploying(params)
        self.results_conn_id = params["results_conn_id"]
        self._deploy_mode = how["deploy_mode"]
        self._track_driver_via_k8s_api = how.get("track_driver_via_k8s_api", False)
        self._yarn_track_via_rm_api = how.get("yarn_track_via_rm_api", False)
        self.durable = how.get("durable", False)
        self.conf = {**how["conf"], **(self.conf or {}), **params["spark_conf"]}
        arguments = [*self.application_args]
        for override in params["set"]:
            arguments += ["--set", override]
        if params["force"]:
            arguments.append("--force")
        self.application_args = arguments

    def _get_hook(self) -> Any:
        # Whatever way a driver is started, it is by this hook; a retry that finds the driver of the attempt before
        # alive starts none. So here, and only here, the result of an earlier attempt is in the way: it must not be
        # taken for that of a driver that dies without a word.
        hook = super()._get_hook()
        submit = hook.submit

        def submit_afresh(*args: Any, **kwargs: Any) -> Any:
            result_file(self.result, self.results_conn_id).unlink(missing_ok=True)
            return submit(*args, **kwargs)

        hook.submit = submit_afresh
        return hook


def result_of(command: str) -> str:
    return "{{ params.results.rstrip('/') }}/{{ run_id_of(dag_run) }}/" + command + ".json"


@task
def result(uri: str, params: Any = None) -> dict[str, Any]:
    """The figures of the stage, from its result."""
    return require_done(read_result(uri, params["results_conn_id"]), uri)


class Stage(NamedTuple):
    """The two tasks of a stage."""

    submit: MetashardOperator
    figures: XComArg

    def after(self, *upstream: Any) -> Stage:
        for task_before in upstream:
            task_before >> self.submit
        return self


def stage(name: str, hours: float, pool: str, *, trigger_rule: str = "all_success", **command: Any) -> Stage:
    """A group of two tasks that run one command; ``command`` as ``MetashardOperator`` takes it."""
    with TaskGroup(group_id=name):
        submit = MetashardOperator(
            task_id="submit",
            stage=name,
            pool=pool,
            execution_timeout=timedelta(hours=hours),
            trigger_rule=trigger_rule,
            **command,
        )
        figures = result(result_of(name))
        submit >> figures
    return Stage(submit, figures)


def alert(context: Any) -> None:
    """Tells people that a task failed for good: in the log, and to the web hook of the connection, if there is one."""
    instance = context["ti"]
    dag_run = context["dag_run"]
    facts = {
        "text": f"Metashard: {instance.task_id} of {dag_run.run_id} failed: {context.get('exception')}",
        "dag_id": instance.dag_id,
        "dag_run_id": dag_run.run_id,
        "task_id": instance.task_id,
        "attempts": instance.try_number,
        "date": str(night_of(dag_run, context["params"])),
        "run_id": run_id_of(dag_run),
        "log_url": getattr(instance, "log_url", None),
    }
    log.error("%s", facts["text"])
    try:
        address = BaseHook.get_connection(ALERT_CONN_ID).password
    except AirflowNotFoundException:
        log.info("No connection %s: nobody is told", ALERT_CONN_ID)
        return
    request = urllib.request.Request(
        address, data=json.dumps(facts).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=ALERT_TIMEOUT_SECONDS) as answer:
            log.info("The alert was taken: %s", answer.status)
    except OSError as e:  # the address is a secret, and so is what quotes it
        log.error("Cannot tell anybody by connection %s: %s", ALERT_CONN_ID, type(e).__name__)


@dag(
    dag_id=DAG_ID,
    description="Aggregate request logs, forecast demand, re-encode objects into meta-shards",
    # A bare cron text has no data interval in Airflow 3: it begins where it ends.
    schedule=CronDataIntervalTimetable(setting("schedule", "15 6 * * *"), timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=23),
    params=PARAMS,
    user_defined_macros={"night_of": night_of, "run_id_of": run_id_of},
    default_args={
        "owner": "metashard",
        "retries": int(setting("retries", "3")),
        "retry_delay": timedelta(seconds=float(setting("retry_seconds", "300"))),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(hours=1),
        "execution_timeout": timedelta(minutes=10),
        "on_failure_callback": alert,
    },
    tags=["metashard"],
    doc_md=__doc__,
)
def metashard_nightly() -> None:
    @task.branch
    def route(params: Any = None) -> str:
        return "shadow.submit" if params["mode"] == "shadow" else "ingest.submit"

    @task.short_circuit
    def may_move(dag_run: Any = None, params: Any = None) -> bool:
        run_type = getattr(dag_run.run_type, "value", dag_run.run_type)
        why = why_nothing_moves(run_type, night_of(dag_run, params), datetime.now(UTC).date(), params)
        if why:
            log.info("Nothing moves: %s", why)
        return why is None

    @task(outlets=[SHARD_MAP])
    def shard_map(resharded: dict[str, Any], outlet_events: Any = None) -> None:
        """Says that the map is another one, if it is."""
        # Not whether this attempt did: it may be the retry of one that was lost after its commit.
        if not resharded["map_switched_by_run"]:
            raise AirflowSkipException(f"The map is as it was: {resharded['reason']}")
        outlet_events[SHARD_MAP].extra = {name: resharded[name] for name in ("run_id", "map_sequence")}

    @task(trigger_rule="none_failed_min_one_success")
    def night(dag_run: Any = None, params: Any = None, ti: Any = None) -> dict[str, Any]:
        """What the night came to, in a line; its failure is that of any stage."""
        stages = ["ingest", "catalogue", "aggregate", "forecast", "plan", "reshard", "verify", "shadow", "report"]
        found = {name: ti.xcom_pull(task_ids=f"{name}.result") for name in stages}
        states = {name: value.get("state", "done") for name, value in found.items() if value}
        log.info("Night of %s, run %s: %s", night_of(dag_run, params), run_id_of(dag_run), states)
        return states

    missing = ["--allow-missing", "{{ params.allow_missing }}"]
    start = route()
    ingest = stage("ingest", 4, LAKE_POOL).after(start)
    catalogue = stage("catalogue", 4, LAKE_POOL, arguments=missing).after(ingest.figures)
    aggregate = stage("aggregate", 4, LAKE_POOL).after(catalogue.figures)
    forecast = stage("forecast", 4, LAKE_POOL).after(aggregate.figures)
    due = may_move()
    forecast.figures >> due
    plan = stage("plan", 2, LAKE_POOL).after(due)
    own_plan = ["--plan", "{{ run_id_of(dag_run) }}"]
    reshard = stage("reshard", 12, LAKE_POOL, arguments=[*own_plan, *missing]).after(plan.figures)
    shard_map(reshard.figures)
    sample = ["--sample", "{{ params.verify_sample_percent }}"]
    verify = stage("verify", 6, SPARK_POOL, arguments=sample, needs="verify_sample_percent").after(reshard.figures)
    shadow = stage("shadow", 12, LAKE_POOL, command="nightly", arguments=["--shadow", *missing]).after(start)
    page = ["--out", "{{ params.report_folder.rstrip('/') }}/{{ night_of(dag_run, params) }}.html"]
    report = stage(
        "report",
        1,
        SPARK_POOL,
        arguments=page,
        needs="report_folder",
        trigger_rule="none_failed_min_one_success",
    ).after(reshard.figures, verify.figures, shadow.figures)
    [reshard.figures, verify.figures, shadow.figures, report.figures] >> night()


metashard_nightly()
