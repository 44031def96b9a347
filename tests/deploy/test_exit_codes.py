"""Every exit code is told in the runbook and met alike by every scheduler."""

from __future__ import annotations

import ast
import re

import pytest
import yaml
from tests.deploy.codes import CODES, DEPLOY, RETRIED, ROOT

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
# What each paragraph says, in its own words and in this order.
SAYS = [
    "Readers",
    "Look |be looked at",
    r"Mend|mend|run\s+again|Run\s+again|Wait|Nothing is to be done",
    "Tried again: ",
]


def paragraphs() -> dict[int, str]:
    """The first paragraph under the heading of each exit code."""
    found = re.findall(r"^## (\d+): [^\n]+\n\n(.+?)(?:\n\n|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    return {int(code): " ".join(text.split()) for code, text in found}


def in_runbook() -> set[int]:
    return {code for code, text in paragraphs().items() if "**Tried again: yes" in text}


def in_systemd() -> set[int]:
    text = (DEPLOY / "systemd/kizuna-score.service").read_text()
    assert re.findall("^Restart=.*", text, re.MULTILINE) == ["Restart=no"]
    (line,) = re.findall("^RestartForceExitStatus=(.*)", text, re.MULTILINE)
    return {int(code) for code in line.split()}


def in_airflow() -> set[int]:
    tree = ast.parse((DEPLOY / "airflow/kizuna_score.py").read_text())
    (found,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETRIED"
    )
    return set(ast.literal_eval(found))


def in_cron() -> set[int]:
    (line,) = re.findall(r"^ +([\d |]+)\) ;;$", (DEPLOY / "weekly.sh").read_text(), re.MULTILINE)
    return {int(code) for code in line.split(" | ")}


def in_kubernetes(name: str) -> set[int]:
    tree = yaml.safe_load((DEPLOY / f"kubernetes/{name}.yaml").read_text())
    rules = tree["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    return set(rules[-1]["onExitCodes"]["values"])


def test_the_codes_are_those_of_the_contract() -> None:
    assert CODES == [0, 2, 10, 11, 12, 13, 14, 15, 20, 75, 143]


def test_every_code_has_its_paragraph_in_order_and_no_other_has() -> None:
    assert list(paragraphs()) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_paragraph_says_what_readers_see_where_to_look_and_what_to_do(code: int) -> None:
    text, place = paragraphs()[code], 0
    for words in SAYS:
        found = re.compile(words).search(text, place)
        assert found, (words, text[place:])
        place = found.start()


def test_every_scheduler_and_the_runbook_try_the_same_codes_again() -> None:
    everywhere = [in_runbook(), in_systemd(), in_airflow(), in_cron()]
    everywhere += [in_kubernetes(name) for name in ("score", "monitor", "train")]
    assert everywhere == [RETRIED] * 7


def test_the_runbook_is_where_schedulers_say_it_is() -> None:
    for place in ("airflow/kizuna_score.py", "README.md"):
        assert "docs/runbook.md" in (DEPLOY / place).read_text()


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", RUNBOOK):
        assert (ROOT / "docs" / target).exists(), target
