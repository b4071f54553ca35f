"""Checks files for clusters against the schemas of those who read them: Kubernetes' own and those of the AWS APIs.

usage: check_conf.py FILE...

A .yaml is one or more Kubernetes objects; pod templates inside a ConfigMap are checked too. A .json is the input of the
API call that its name says. Prints a line per file, "ok" or everything that is wrong; exit status 1 if anything is.
"""

import json
import re
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# The oldest that Spark 4.1 names, and the newest of the validator.
KUBERNETES = ["1.32", "1.37"]

API_CALLS = {
    "add-steps.json": ("emr", "AddJobFlowSteps"),
    "serverless-job-run.json": ("emr-serverless", "StartJobRun"),
}


def kubernetes_problems(text):
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    if not documents:
        yield "no objects"
    for document in documents:
        for version in KUBERNETES:
            try:
                # strict: what the schema does not know is wrong; the API server would drop it.
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                yield f"{document.get('kind')} of {document.get('apiVersion')} is unknown (Kubernetes {version})"
            except kubernetes_validate.ValidationError as e:
                yield f"{document.get('kind')} at {'.'.join(map(str, e.path))}: {e.message} (Kubernetes {version})"
        if document.get("kind") == "ConfigMap":
            for name, value in document["data"].items():
                if name.endswith(".yaml"):
                    yield from kubernetes_problems(value)


def api_problems(text, service, operation):
    value = json.loads(text)
    model = Loader().load_service_model(service, "service-2")
    call = ServiceModel(model, service).operation_model(operation)
    shape = call.input_shape
    for name in call.idempotent_members:
        value.setdefault(name, "made-by-the-client")  # as the AWS CLI does
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield report.generate_report()
    else:
        yield from words_outside(model["shapes"], shape.name, value, operation)


def words_outside(shapes, name, value, where):
    """What botocore leaves to the service: patterns, and lists of words."""
    shape = shapes[name]
    if shape["type"] == "structure":
        for key, below in value.items():
            yield from words_outside(shapes, shape["members"][key]["shape"], below, f"{where}.{key}")
    elif shape["type"] == "list":
        for i, below in enumerate(value):
            yield from words_outside(shapes, shape["member"]["shape"], below, f"{where}[{i}]")
    elif shape["type"] == "map":
        for key, below in value.items():
            yield from words_outside(shapes, shape["key"]["shape"], key, f"{where}.{key}")
            yield from words_outside(shapes, shape["value"]["shape"], below, f"{where}.{key}")
    elif shape["type"] == "string":
        if value not in shape.get("enum", [value]):
            yield f"{where}: {value!r} is none of {shape['enum']}"
        pattern = shape.get("pattern", ".*")
        # Those with halves of surrogate pairs are for "any text", and not Python's.
        if "\\uD800" not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{where}: {value!r} does not match {pattern}"


def problems(file):
    text = file.read_text()
    if file.suffix == ".yaml":
        return list(kubernetes_problems(text))
    return list(api_problems(text, *API_CALLS[file.name]))


wrong = 0
for argument in sys.argv[1:]:
    found = problems(Path(argument))
    wrong += bool(found)
    print(f"{argument}: {' | '.join(' '.join(problem.split()) for problem in found) or 'ok'}")
sys.exit(1 if wrong or len(sys.argv) < 2 else 0)
