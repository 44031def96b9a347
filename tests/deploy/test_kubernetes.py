"""The CronJobs: what the API documents, who may do what, and days that cannot slip."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from tests.deploy.codes import CODES, DEPLOY

NAMES = ("score", "monitor", "train")
# batch/v1 CronJobSpec, JobSpec and v1 PodSpec, Container, as far as the files may use them.
KNOWN = {
    "CronJob": {"apiVersion", "kind", "metadata", "spec"},
    "CronJobSpec": {
        *("schedule", "timeZone", "concurrencyPolicy", "startingDeadlineSeconds", "suspend", "jobTemplate"),
        *("successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    },
    "JobSpec": {"backoffLimit", "activeDeadlineSeconds", "podFailurePolicy", "template", "ttlSecondsAfterFinished"},
    "PodSpec": {
        *("restartPolicy", "terminationGracePeriodSeconds", "automountServiceAccountToken", "securityContext"),
        *("containers", "volumes", "serviceAccountName", "nodeSelector"),
    },
    "Container": {"name", "image", "command", "args", "env", "envFrom", "resources", "securityContext", "volumeMounts"},
}


def cron_job(name: str) -> dict[str, Any]:
    (tree,) = yaml.safe_load_all((DEPLOY / f"kubernetes/{name}.yaml").read_text())
    return tree


def parts(name: str) -> dict[str, dict[str, Any]]:
    tree = cron_job(name)
    job = tree["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    return {"CronJob": tree, "CronJobSpec": tree["spec"], "JobSpec": job, "PodSpec": pod, "Container": container}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_one_that_the_api_knows(name: str) -> None:
    found = parts(name)
    assert (found["CronJob"]["apiVersion"], found["CronJob"]["kind"]) == ("batch/v1", "CronJob")
    for kind, tree in found.items():
        assert set(tree) <= KNOWN[kind], kind


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("name", NAMES)
def test_the_schema_of_kubernetes_agrees(name: str, version: str) -> None:
    kubernetes_validate = importlib.import_module("kubernetes_validate")  # Of the slow suite: 108 MB.
    kubernetes_validate.validate(cron_job(name), version, strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_one_run_at_a_time_in_the_shop_s_zone(name: str) -> None:
    found = parts(name)
    assert found["CronJobSpec"]["concurrencyPolicy"] == "Forbid"
    assert found["CronJobSpec"]["timeZone"] == "Asia/Tokyo"
    assert found["Container"]["env"] == [
        {"name": "KIZUNA_ZONE", "value": "Asia/Tokyo"},
        {"name": "KIZUNA_LOG", "value": "json"},
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_late_start_and_every_retry_end_within_the_week(name: str) -> None:
    found = parts(name)
    minute, hour = (int(part) for part in found["CronJobSpec"]["schedule"].split()[:2])
    latest = found["CronJobSpec"]["startingDeadlineSeconds"] + found["JobSpec"]["activeDeadlineSeconds"]
    assert (hour * 60 + minute) * 60 + latest < 7 * 86400


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_pod_is_judged_by_the_job_and_only_its_exit_code(name: str) -> None:
    found = parts(name)
    moved, refused = found["JobSpec"]["podFailurePolicy"]["rules"]
    assert moved == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert refused["action"] == "FailJob"
    codes = refused["onExitCodes"]
    assert codes["containerName"] == found["Container"]["name"]
    assert codes["operator"] == "NotIn"
    assert codes["values"] == sorted(set(codes["values"]) & set(CODES) - {0})
    assert found["PodSpec"]["restartPolicy"] == "Never"
    assert found["JobSpec"]["backoffLimit"] >= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_pod_is_not_root_and_writes_to_its_two_mounts_alone(name: str) -> None:
    found = parts(name)
    pod, container = found["PodSpec"]["securityContext"], found["Container"]
    assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, 10001)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert found["PodSpec"]["automountServiceAccountToken"] is False
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"shop": "/shop", "tmp": "/tmp"}
    assert {volume["name"] for volume in found["PodSpec"]["volumes"]} == set(mounts)


@pytest.mark.parametrize("name", NAMES)
def test_secrets_come_by_the_environment_and_resources_are_named(name: str) -> None:
    container = parts(name)["Container"]
    assert container["envFrom"] == [{"secretRef": {"name": "kizuna-shop"}}]
    assert set(container["resources"]) == {"requests", "limits"}
    assert "memory" in container["resources"]["limits"]


def test_each_runs_its_command_and_training_promotes_nothing() -> None:
    assert {name: parts(name)["Container"]["command"] for name in NAMES} == {
        "score": ["weekly.sh", "score", "/shop/shop.yaml"],
        "monitor": ["weekly.sh", "monitor", "/shop/shop.yaml"],
        "train": ["kizuna", "train", "/shop/shop.yaml", "--no-promote"],
    }
    assert {name: parts(name)["CronJobSpec"]["schedule"] for name in NAMES} == {
        "score": "0 6 * * 1",
        "monitor": "0 9 * * 1",
        "train": "0 2 1 * *",
    }
