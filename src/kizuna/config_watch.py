"""The config's section watch: where a run tells how it went, whom it calls, and how old things may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class Watch(BaseModel):
    """How runs are watched.

    ``dir``: the local folder of log, metrics and state (default: ``watch`` below ``output.dir``). ``metrics_file``: another
    place for the metrics, such as node_exporter's folder; it may be read by everybody. ``webhook``: the address that is
    told when a state changes, from the environment. ``alert_after_failures``: so many failures in a row of what may pass by
    itself (exit codes 10, 15, 75) make one; anything else is told at once. ``max_model_age_days``: from then on the
    champion counts as old. ``log_megabytes`` and ``log_files``: when the log is turned over, and how many are kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dir: str | None = None
    metrics_file: str | None = None
    webhook: SecretStr | None = None
    alert_after_failures: int = Field(1, ge=1)
    max_model_age_days: int = Field(60, ge=1)
    log_megabytes: float = Field(10.0, gt=0)
    log_files: int = Field(5, ge=1)

    @field_validator("metrics_file")
    @classmethod
    def _collected(cls, value: str | None) -> str | None:
        if value is not None and not value.endswith(".prom"):
            raise ValueError("must end with .prom, as the files do that are collected")
        return value

    @field_validator("webhook")
    @classmethod
    def _web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"https?://[^\s/]", value.get_secret_value()):
            raise ValueError("must begin with https:// or http://")
        return value


def webhook_is_written_out(tree: Mapping[str, Any]) -> bool:
    """Whether the document holds a webhook's address itself and not the name of the variable that holds it."""
    section = tree.get("watch")
    webhook = section.get("webhook") if isinstance(section, Mapping) else None
    return isinstance(webhook, str) and _REFERENCE.fullmatch(webhook) is None
