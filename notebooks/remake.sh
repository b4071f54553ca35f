#!/usr/bin/env bash
# Makes the sample lake of the committed notebooks (a few minutes) and executes the notebooks into place.
#   notebooks/remake.sh [FOLDER]    FOLDER keeps the lake, and is used as it is if it has one; default: a temporary one
# PYTHON: a Python that has jobs/src/test/python/requirements-spark.txt (default python3).
set -euo pipefail

notebooks="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$notebooks")"
python="${PYTHON:-python3}"
"$python" -c 'import papermill, pyspark, deltalake, matplotlib' ||
  { echo "Cannot execute notebooks: $python lacks a package; install jobs/src/test/python/requirements-spark.txt and set PYTHON" >&2; exit 2; }
if [ $# -gt 0 ]; then
  mkdir -p "$1" && folder="$(cd "$1" && pwd)"
else
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
fi

metashard() {
  local command="$1"
  shift
  echo "notebooks: metashard $command $*" >&2
  "$home/jobs/metashard" "$command" --config "$home/conf/local.conf" --quiet "$@" >/dev/null
}

# Paths of conf/local.conf are relative, so the lake is in FOLDER/data.
cd "$folder"
if [ ! -e data/lake ]; then
  "$home/jobs/metashard" generate --out data --days 28 >/dev/null
  # What if, before anything is encoded.
  metashard nightly --date 2026-01-14 --dry-run --run-id first-look
  metashard plan --date 2026-01-14 --run-id what-if-balanced
  metashard plan --date 2026-01-14 --run-id what-if-balanced-1.35 --set plan.storage-budget=1.35
  metashard plan --date 2026-01-14 --run-id what-if-balanced-survive-1 --set plan.survive=1
  metashard plan --date 2026-01-14 --run-id what-if-random-rs --set plan.policy=weighted-random
  metashard plan --date 2026-01-14 --run-id what-if-random-xor --set plan.policy=weighted-random \
    --set plan.weighted-random.code=xor --set plan.survive=1
  for day in 15 16 17 18 19 20 21; do
    metashard nightly --date "2026-01-$day"
  done
  # And later, when everything is.
  metashard plan --date 2026-01-21 --run-id what-if-later-balanced-2 --set plan.storage-budget=2
  metashard plan --date 2026-01-21 --run-id what-if-later-random-rs-2 --set plan.policy=weighted-random
fi

# Executed beside the lake, so that lake_root keeps its default and no path of this machine gets into a notebook.
mkdir -p notebooks
unset SPARK_HOME SPARK_CONF_DIR
jars="$(tr ':' '\n' <"$home/jobs/target/classpath.txt" | grep -E '/(delta-spark_|delta-storage)' | paste -sd, -)"
export PYSPARK_PYTHON="$python" PYSPARK_SUBMIT_ARGS="--master local[2] --jars $jars --conf spark.ui.enabled=false \
  --conf spark.ui.showConsoleProgress=false --conf spark.sql.shuffle.partitions=2 --conf spark.sql.codegen.wholeStage=false \
  --conf spark.databricks.delta.snapshotPartitions=1 pyspark-shell"
for notebook in "$notebooks"/*.ipynb; do
  echo "notebooks: executing $(basename "$notebook")" >&2
  "$python" -m papermill --no-progress-bar --cwd notebooks "$notebook" "notebooks/$(basename "$notebook")" >papermill.log 2>&1 ||
    { cat papermill.log >&2; exit 1; }
done

# Keeps what a reader looks at: no moments of execution, no greetings of Spark on stderr; plots in 128 colours, a third of the bytes.
"$python" - "$notebooks" notebooks/*.ipynb <<'END'
import base64
import io
import json
import pathlib
import sys

from PIL import Image


def smaller(png):
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    out = io.BytesIO()
    image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


for path in map(pathlib.Path, sys.argv[2:]):
    notebook = json.loads(path.read_text())
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    count = 0
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags")
        cell["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr"]
            for output in cell["outputs"]:
                if "execution_count" in output:
                    output["execution_count"] = count
                if "image/png" in output.get("data", {}):
                    output["data"]["image/png"] = smaller(output["data"]["image/png"])
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    (pathlib.Path(sys.argv[1]) / path.name).write_text(text)
    print(f"{path.name}: {len(text) // 1024} KB")
END
