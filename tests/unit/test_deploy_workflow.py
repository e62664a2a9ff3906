"""The workflow that deploys: who may what in it, and that its stages are samconfig.toml's."""

import re
import subprocess
import tomllib
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.environment import ROOT
from local.template import load

STAGES = ("dev", "prod")


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    told: dict[str, Any] = yaml_parse(text)
    return told


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    return tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def test_only_the_stages_may_ask_for_an_identity_of_aws(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        told = job.get("permissions", {})
        assert ("id-token" in told) is (name in STAGES), name
        assert "write-all" not in told


def test_no_key_of_aws_is_kept(workflow: dict[str, Any]) -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")

    assert "secrets." not in text
    assert "AWS_SECRET" not in text
    assert "role-to-assume: ${{ vars.AWS_ROLE_ARN }}" in text
    assert workflow["jobs"]["dev"]["steps"] == workflow["jobs"]["prod"]["steps"]


def test_prod_gets_what_dev_was_tried_with_after_somebody_approved(
    workflow: dict[str, Any],
) -> None:
    jobs = workflow["jobs"]

    assert jobs["prod"]["needs"] == "dev"
    assert set(jobs["dev"]["needs"]) == {"check", "build"}
    for stage in STAGES:
        assert jobs[stage]["environment"] == stage
        assert jobs[stage]["if"] == "github.ref == 'refs/heads/main'"
        runs = [step["run"].split()[0] for step in jobs[stage]["steps"] if "run" in step]
        assert runs == [".ci/deploy", ".ci/smoke"]


def test_every_action_is_a_commit_that_nobody_can_move(workflow: dict[str, Any]) -> None:
    used = [
        step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step
    ]

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


def test_every_stage_gives_parameters_that_there_are(stages: dict[str, Any]) -> None:
    known = load()["Parameters"]

    for stage in ("default", *STAGES):
        told = stages[stage]["deploy"]["parameters"]["parameter_overrides"]
        for pair in told:
            name, value = pair.split("=", 1)
            allowed = known[name].get("AllowedValues")
            assert allowed is None or value in map(str, allowed), pair


def test_prod_survives_the_loss_of_a_zone_and_keeps_its_database(stages: dict[str, Any]) -> None:
    told = stages["prod"]["deploy"]["parameters"]["parameter_overrides"]

    assert {"DatabaseMultiAz=true", "Nat=each-zone", "Canary=true"} <= set(told)
    assert "DatabaseDeletionProtection=false" not in told


@pytest.mark.parametrize("script", ["run", "deploy", "smoke"])
def test_a_script_of_the_workflow_can_be_run_and_parsed(script: str) -> None:
    path = ROOT / ".ci" / script

    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
