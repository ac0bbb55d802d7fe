#!/usr/bin/env python3
"""Checks the CI recipes of docs/guides/ci: valid YAML with the parts that their system asks for, shell that bash
parses, and of ./flow only subcommands and options that FLOW knows.

  check_recipes.py FLOW        the program; one line per problem, exit code 1 where there is one
"""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/guides/ci"


def scripts_of_github(recipe):
    return [step["run"] for job in recipe["jobs"].values() for step in job["steps"] if "run" in step]


def scripts_of_gitlab(recipe):
    jobs = [job for job in recipe.values() if isinstance(job, dict)]
    return ["\n".join(job[part]) for job in jobs for part in ("before_script", "script") if part in job]


def shape_problems(name, recipe):
    # YAML 1.1 reads the key "on" as true.
    wanted = {"github-actions.yml": ["name", True, "permissions", "jobs"], "gitlab-ci.yml": [".flow", "check", "baseline"]}[name]
    return [f"{name}: no key {key}" for key in wanted if key not in recipe]


def help_of(flow, subcommand):
    done = subprocess.run([flow, subcommand, "--help"], capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else None


def call_problems(name, script, flow):
    problems = []
    for call in re.findall(r"\./flow ([a-z]+)([^|&;\n>]*)", script):
        text = help_of(flow, call[0])
        if text is None:
            problems.append(f"{name}: ./flow {call[0]}: no such subcommand")
            continue
        for option in re.findall(r"--[a-z-]+", call[1]):
            if not re.search(rf"{option}\b", text):
                problems.append(f"{name}: ./flow {call[0]} {option}: no such option")
    return problems


def shell_problems(name, script):
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    return [f"{name}: {line}" for line in done.stderr.splitlines()]


def problems_of(path, flow):
    try:
        recipe = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        return [f"{path.name}: {error}"]
    problems = shape_problems(path.name, recipe)
    if problems:
        return problems
    scripts = scripts_of_github(recipe) if path.name.startswith("github") else scripts_of_gitlab(recipe)
    for script in scripts:
        problems += shell_problems(path.name, script) + call_problems(path.name, script, flow)
    for name in re.findall(r"(?:experiments|servers)/[\w./-]+\.(?:yaml|sha256)", path.read_text()):
        if not (ROOT / name).exists():
            problems.append(f"{path.name}: {name}: no such file")
    return problems


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    problems = [problem for path in sorted(FOLDER.glob("*.yml")) for problem in problems_of(path, sys.argv[1])]
    print("\n".join(problems) if problems else "the recipes hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
