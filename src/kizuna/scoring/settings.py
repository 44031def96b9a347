"""Whether a config's playbook and exports can work, before anything is scored."""

from __future__ import annotations

from kizuna.config import Config
from kizuna.scoring.rows import AT_RISK_COLUMNS


def refuse_list_settings(config: Config) -> None:
    """ConfigError where the playbook or the exports cannot work, long before anything is scored."""
    from kizuna.exports.destinations.settings import refuse_exports
    from kizuna.playbook import load_playbook

    load_playbook(config.playbook_path)
    refuse_exports(config, AT_RISK_COLUMNS)
