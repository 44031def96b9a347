"""The playbook: what is done for whom, over which channel, by when, and what it may cost."""

from kizuna.playbook.actions import BANDS, OWED, STAGES, Action, Playbook, Rule
from kizuna.playbook.file import load_playbook, parse_playbook
from kizuna.playbook.planning import plan_actions

__all__ = [
    "BANDS",
    "OWED",
    "STAGES",
    "Action",
    "Playbook",
    "Rule",
    "load_playbook",
    "parse_playbook",
    "plan_actions",
]
