"""Reading the YAML file: overrides, the environment, and words for what is wrong.

Unknown keys are refused with the nearest valid name; relative paths are relative to the file; ``${NAME}`` reads the
environment and is never written anywhere: what is logged is the document as it was written.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from kizuna.config import Config, Export, TableSource
from kizuna.errors import ConfigError, nearest


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """The checked config of a YAML file, with ``KEY=VALUE`` overrides; ConfigError says what to mend and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"The config {path} was asked for, but there is no such file. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The config {path} cannot be read: {error}. It must be a UTF-8 text file.") from None
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ConfigError(f"{path} is not valid YAML{line}: {getattr(error, 'problem', error)}.") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold keys and values, beginning with 'name:'; found {type(tree).__name__}.")
    for override in overrides:
        _override(tree, override)
    return parse_config(tree, folder=path.resolve().parent, where=str(path))


def parse_config(tree: dict[str, Any], folder: Path | None = None, where: str = "config") -> Config:
    """The checked config of a plain tree; relative paths are taken from ``folder`` (default: the working directory)."""
    try:
        config = Config.model_validate(_read_environment(tree, ""))
    except ValidationError as error:
        raise ConfigError("\n".join(_say(where, item) for item in error.errors()[:3])) from None
    return config.placed(folder or Path.cwd(), tree)


def _override(tree: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign or not key.strip():
        raise ConfigError(f"--set asks for KEY=VALUE, such as churn.horizon_days=60; found {override!r}.")
    node = tree
    *parents, last = key.strip().split(".")
    for name in parents:
        child = node.setdefault(name, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {key}: '{name}' holds a value, not a section.")
        node = child
    try:
        node[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {key}: {value!r} cannot be read as a YAML value. Quote it.") from None


def _read_environment(node: Any, path: str) -> Any:
    if isinstance(node, dict):
        return {key: _read_environment(value, f"{path}.{key}" if path else str(key)) for key, value in node.items()}
    if isinstance(node, list):
        return [_read_environment(value, f"{path}[{index}]") for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(
                f"{path} reads the environment variable {match[1]}, which is not set. Set it and run again."
            )
        return os.environ[match[1]]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value_of, node)


def _say(where: str, item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"] if not str(part).startswith(("function-", "literal[", "list[")))
    if item["type"] == "extra_forbidden":
        parent, name = _section_at(item["loc"][:-1]), str(item["loc"][-1])
        known = list(parent.model_fields) if parent else []
        return f"{where}: unknown key '{path}'.{nearest(name, known)} Keys here are {', '.join(known)}."
    if item["type"] == "missing":
        return f"{where}: '{path}' is missing. Add it."
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    found = item.get("input")
    shown = f" (found {found!r})" if isinstance(found, (str, int, float, bool, type(None))) else ""
    return f"{where}: {path + ' ' if path else ''}{message}{shown}."


def _section_at(location: tuple[Any, ...]) -> type[BaseModel] | None:
    section: type[BaseModel] = Config
    for part in location:
        field = section.model_fields.get(str(part))
        if field is None:
            continue
        if str(part) == "tables":
            section = TableSource
        elif str(part) == "exports":
            section = Export
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            section = field.annotation
    return section
