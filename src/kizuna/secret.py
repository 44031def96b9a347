"""Passwords, keys and tokens: found where a config should not hold them, and blotted out of whatever is said or kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_BLOT = "***"
_SHORTEST = 5
_SECRET_NAME = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|AUTH|WEBHOOK|SIGNATURE|SAS|DSN", re.IGNORECASE)
_PASSWORD = re.compile(r"(\w://[^/\s:@'\"]*):([^/\s@'\"]+)@")
_SETTING = re.compile(
    r"(?i)\b((?:ssl)?password|passwd|pwd|(?:\w+_)?secret|(?:\w+_)?token|api_?key|access_?key|account_?key|sig|signature)"
    r"(\s*=\s*)([^&;\s'\",]+)"
)
# What large services hand out: cloud and code-host keys, chat tokens and hooks, a private key in PEM.
_KEYS = (
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an access key"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|dapi|xox[abprs]-|sk-|sk_live_)[A-Za-z0-9_-]{16,}"), "a token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"hooks\.slack\.com/services/\w+"), "a webhook's token"),
)
_TOKEN_IN_ADDRESS = re.compile(r"https?://\S*[/=]((?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,})")
_known: set[str] = set()


def remember(name: str, value: str) -> None:
    """Keeps what an environment variable holds that must never be repeated: a secret by its name, or an address's password."""
    found = {match[2] for match in _PASSWORD.finditer(value)} | {match[3] for match in _SETTING.finditer(value)}
    if _SECRET_NAME.search(name):
        found.add(value)
    _known.update(one for secret in found for one in (secret, unquote(secret)) if len(one) >= _SHORTEST)


def without_secrets(text: str) -> str:
    """The text without what is remembered, the passwords of addresses (``https://ana:***@host``), and known kinds of keys."""
    for secret in sorted(_known, key=lambda one: (-len(one), one)):
        text = text.replace(secret, _BLOT)
    text = _PASSWORD.sub(rf"\1:{_BLOT}@", text)
    text = _SETTING.sub(lambda found: found[0] if found[3].startswith("${") else f"{found[1]}{found[2]}{_BLOT}", text)
    for pattern, _ in _KEYS:
        text = pattern.sub(_BLOT, text)
    return text


def held_secrets(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(key, what it holds) of every text in a config that holds a secret instead of naming a variable: ``${NAME}``."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from held_secrets(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from held_secrets(value, f"{path}[{index}]")
    elif isinstance(tree, str) and (what := _held(tree)):
        yield path, what


def _held(text: str) -> str:
    """What kind of secret a text holds; empty where it holds none."""
    bare = re.sub(r"\$\{\w+\}", "", text)
    if _PASSWORD.search(bare):
        return "a password"
    for pattern, what in _KEYS:
        if pattern.search(bare):
            return what
    if "://" in text and (found := _SETTING.search(bare)):
        return "a password" if "pass" in found[1].lower() or "pwd" in found[1].lower() else "a token"
    return "a token" if _TOKEN_IN_ADDRESS.search(bare) else ""
