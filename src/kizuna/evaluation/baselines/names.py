"""What people call the rules and rankings that stand beside the model: in the terminal and in pictures alike."""

from __future__ import annotations

RULE_NAMES = {
    "recency_rule": "longest silent",
    "rate_rule": "purchase rate",
    "rfm_logistic": "RFM logistic",
    "bgnbd": "BG/NBD",
    "base_rate": "base rate",
    "logistic_all": "plain logistic",
    "mean_spend": "highest spend",
    "formula": "formula",
    "btyd_rule": "MBG/NBD × Gamma-Gamma",
    "rfm_logistic_value": "RFM logistic × spend",
    "kizuna_probability": "kizuna, by risk",
}


def rule_name(name: str) -> str:
    """The words for a public name; a name without words of its own stays."""
    return RULE_NAMES.get(name, name)
