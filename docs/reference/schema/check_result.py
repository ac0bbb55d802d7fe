#!/usr/bin/env python3
"""Checks every JSON file of result folders, or single files, against the schemas beside this script.

  check_result.py PATH...      a result folder, or one of its files, or a file that flow diff --json,
                               flow export --baseline or flow export --format jsonl wrote
One line per problem; the last line counts. Exit code: 0 all hold, 1 some do not, 2 nothing to check.
Needs the package jsonschema (4.18 or newer); ../requirements.txt names the tested one.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import sys

import jsonschema
import referencing

FOLDER = pathlib.Path(__file__).resolve().parent
BY_NAME = {"experiment.json": "experiment", "trial.json": "trial", "analysis.json": "analysis", "servers.json": "servers",
           "running.json": "running", "intervals.jsonl": "interval"}
BY_FORMAT = {"flow-diff/1": "diff", "flow-baseline/1": "baseline"}


def load_schemas():
    schemas = {path.name.split(".")[0]: json.loads(path.read_text()) for path in FOLDER.glob("*.schema.json")}
    registry = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas.values())
    checkers = {}
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        checkers[name] = jsonschema.Draft202012Validator(schema, registry=registry)
    return checkers


def words_of(error, schema):
    """What is wrong, and for a key that is in no schema what to do about it."""
    where = "/".join(str(part) for part in error.absolute_path) or "the top"
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        unknown = [key for key in error.instance if key not in known]
        if error.validator == "unevaluatedProperties":
            unknown = [key for key in unknown if f"'{key}'" in error.message]
        return (f"{where}: unknown key {', '.join(unknown)}: misspelt, or new and without a line in the "
                f"\"properties\" of that object in {schema}.schema.json")
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{where}: no key {', '.join(missing)}"
    return f"{where}: {error.message[:200]}"


def problems_of(checker, schema, document):
    return [words_of(error, schema) for error in checker.iter_errors(document)]


def schema_of(path, text):
    if path.name in BY_NAME:
        return BY_NAME[path.name]
    if path.suffix == ".jsonl":
        return "export_row"
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return None
    return BY_FORMAT.get(document.get("format")) if isinstance(document, dict) else None


def check(path, checkers):
    text = path.read_text()
    schema = schema_of(path, text)
    if schema is None:
        return [f"{path}: no file of a result, by its name or its \"format\""]
    parts = text.splitlines() if path.suffix == ".jsonl" else [text]
    problems = []
    for number, part in enumerate(parts, 1):
        place = f"{path}:{number}" if len(parts) > 1 else str(path)
        try:
            document = json.loads(part)
        except json.JSONDecodeError as error:
            problems.append(f"{place}: no JSON: {error}")
            continue
        problems += [f"{place}: {words}" for words in problems_of(checkers[schema], schema, document)]
    return problems


def files_of(path):
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.name in BY_NAME)


def main():
    files = [file for argument in sys.argv[1:] for file in files_of(pathlib.Path(argument))]
    if not files:
        print(__doc__, file=sys.stderr)
        return 2
    checkers = load_schemas()
    problems = [problem for file in files for problem in check(file, checkers)]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
