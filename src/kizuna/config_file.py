"""Reading the YAML file: overrides, the environment, and words for what is wrong.

Unknown keys are refused with the nearest valid name; relative paths are relative to the file; ``${NAME}`` reads the
environment and is never written anywhere: what is logged is the document as it was written.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from kizuna.config import Config, TableSource
from kizuna.config_exports import export_section
from kizuna.config_watch import webhook_is_written_out
from kizuna.errors import ConfigError, nearest
from kizuna.secret import held_secrets, remember

_NO_SECTION = ("model_type", "model_attributes_type")


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """The checked config of a YAML file, with ``KEY=VALUE`` overrides; ConfigError says what to mend and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"The config {path} was asked for, but there is no such file. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The config {path} cannot be read: {error}. It must be a UTF-8 text file.") from None
    try:
        tree = yaml.load(text, Loader=_OneOfEach)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ConfigError(
            f"{path} is not valid YAML{line}: {getattr(error, 'problem', error)}. Mend that line; indent with blanks."
        ) from None
    if not isinstance(tree, dict):
        found = "nothing" if tree is None else f"a {type(tree).__name__}"
        raise ConfigError(f"{path} must hold keys and values, beginning with 'name:'; found {found}.")
    for key, what in held_secrets(tree):
        raise ConfigError(
            f"{path}: {key} holds {what}; write ${{NAME}} in its place, and put it into the environment as NAME."
        )
    for override in overrides:
        _override(tree, override)
    return parse_config(tree, folder=path.resolve().parent, where=str(path))


def parse_config(tree: dict[str, Any], folder: Path | None = None, where: str = "config") -> Config:
    """The checked config of a plain tree; relative paths are taken from ``folder`` (default: the working directory)."""
    if webhook_is_written_out(tree):
        raise ConfigError(
            f"{where}: watch.webhook must name the environment variable that holds the address, such as ${{ALERT_WEBHOOK}}: "
            "whoever knows the address can write there. Set the variable, and name it here."
        )
    try:
        config = Config.model_validate(_read_environment(tree, ""))
    except ValidationError as error:
        raise ConfigError("\n".join(_say_all(where, error.errors(), tree)[:3])) from None
    return config.placed(folder or Path.cwd(), tree)


class _OneOfEach(yaml.SafeLoader):
    """A loader that refuses a key written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' is there twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


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
        remember(match[1], os.environ[match[1]])
        return os.environ[match[1]]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value_of, node)


def _say_all(where: str, items: list[Any], tree: dict[str, Any]) -> list[str]:
    """A line for each mistake; where a key may be one of several types, one line with all of them."""
    lines: dict[str, list[str]] = {}
    for item in items:
        path = ".".join(str(part) for part in _keys(item["loc"]))
        lines.setdefault(path, []).append(_say(where, path, item, _written(tree, item)))
    return [
        " Or it ".join([said[0], *(line.split(f"{path} ", 1)[-1] for line in said[1:])]) for path, said in lines.items()
    ]


def _keys(location: tuple[Any, ...]) -> list[Any]:
    """A location without what is pydantic's name of a type, and no key: an export's kind stands behind its number."""
    parts = (*location[:2], *location[3:]) if location[:1] == ("exports",) else location
    return [part for part in parts if not _is_type(str(part))]


def _is_type(part: str) -> bool:
    return part in ("int", "float", "str", "bool") or part.startswith(("function-", "literal[", "list["))


def _written(tree: Any, item: Any) -> Any:
    """What the document says there: never what the environment put in its place, which may be a password."""
    node = tree
    for part in _keys(item["loc"]):
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _say(where: str, path: str, item: Any, found: Any) -> str:
    if item["type"] == "extra_forbidden":
        parent, name = _section_at(item["loc"][:-1]), str(item["loc"][-1])
        known = list(parent.model_fields) if parent else []
        return f"{where}: unknown key '{path}'.{nearest(name, known)} Keys here are {', '.join(known)}."
    if item["type"] == "missing":
        return f"{where}: '{path}' is missing. Add it."
    if item["loc"][-1:] == ("[key]",):
        section = ".".join(path.split(".")[:-2])
        return f"{where}: {section} has a key that YAML reads as {item['input']!r}. Put it in quotes."
    if item["type"] == "union_tag_not_found":
        return f"{where}: '{path}.to' is missing. Add it."
    if item["type"] == "union_tag_invalid":
        return f"{where}: {path}.to should be one of {item['ctx']['expected_tags']} (found {item['ctx']['tag']!r})."
    if item["type"] in _NO_SECTION and found is None:
        return f"{where}: {path} is empty. Write its keys under it, or leave the line out."
    if item["type"] in _NO_SECTION:
        return f"{where}: {path} must be a section of keys (found {found!r})."
    if item["type"] == "string_pattern_mismatch":
        return f"{where}: {path} must be letters, digits, '_', '-' and '.', at most 100 of them (found {found!r})."
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    shown = f" (found {found!r})" if isinstance(found, (str, int, float, bool, type(None))) else ""
    quoted = " Put it in quotes." if item["type"] == "string_type" and found is not None else ""
    return f"{where}: {path + ' ' if path else ''}{message}{shown}.{quoted}"


def _section_at(location: tuple[Any, ...]) -> type[BaseModel] | None:
    section: type[BaseModel] = Config
    for part in location:
        field = section.model_fields.get(str(part))
        if field is None:
            section = export_section(str(part)) or section if location[0] == "exports" else section
        elif str(part) == "tables":
            section = TableSource
        else:
            kinds = (field.annotation, *get_args(field.annotation))
            section = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), section)
    return section
