"""``kizuna init``: a commented config, a playbook and a README for a new shop."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from kizuna.errors import ConfigError
from kizuna.wording.catalog import catalog, languages

_CONFIG = """\
# kizuna: everything but name and data.tables may be left out; what is shown is the default unless marked "example".
name: {name}                       # MLflow experiment; registered models are {name}-churn and {name}-cltv
data:
  timezone: UTC                    # the shop's zone, such as Asia/Tokyo; a day ends at its midnight
  # currency: JPY                  # ISO code, printed beside money
  on_bad_rows: fail                # fail | quarantine (set unreadable rows aside and count them)
  tables:                          # examples: point path at your files, and map ours: theirs
    purchases:
      path: data/orders.csv        # .parquet, .csv(.gz), .duckdb / .sqlite with table:, or uri: with query:
      columns: {{customer_id: user_id, occurred_at: ordered_at, amount: total}}
      # query: select * from source where status = 'paid'     # SQL over the file's own rows
    # customers:  {{path: data/customers.csv, attributes: [tier]}}
    # complaints: {{path: data/tickets.csv}}
    # engagement: {{path: data/web.csv.gz, query: "select user as customer_id, ts as occurred_at from source"}}
    # outreach, surveys, loyalty, referrals, subscriptions, suppressions, features, labels: likewise
snapshots:  {{every_days: 28, min_history_days: 90, max_count: 24}}
churn:      {{definition: inactivity, horizon_days: 90, gap_days: 0, active_within_days: 180}}   # or cancellation, provided
cltv:       {{horizon_days: auto, margin: 1.0}}
evaluation: {{folds: 3, capacity: 500}}
tracking:   {{uri: "sqlite:///models/mlflow.db"}}
at_risk:
  size: 500                        # how many customers you can contact each week
  # per_market: {{JP: 300}}          # at most so many of them in a market
  # quota: {{first: 100}}            # at least so many of a stage: first, second, regular, loyal, lapsing
  # max_silent_share: 0.3          # at most this share silent for longer than the horizon already
  control_share: 0.2               # left alone so that the effect can be measured
  language: en                     # en | ja
  playbook: playbook.yaml          # which action for whom; builtin uses the one that ships
output:     {{dir: exports}}
exports:    [{{to: workbook}}, {{to: report}}]     # also csv, destination, braze, klaviyo, database: see docs/exports.md
"""

_README = """\
# {name}

1. Point `config.yaml` at your purchases (a customer, a day and an amount are enough to begin).
2. `kizuna check config.yaml` says what is wrong or thin in them.
3. `kizuna train config.yaml` trains, compares with simple rules, and promotes the model if it is good enough.
4. `kizuna score config.yaml --as-of YYYY-MM-DD` writes the list to `exports/latest/`.

`playbook.yaml` decides which action each listed customer gets, and when people may be called in which market.
`kizuna schema` prints the config's schema for editors.
"""


def _playbook() -> str:
    """The builtin playbook with its texts written out, so that a shop can put its own in their place."""
    text = (files("kizuna") / "playbook" / "builtin.yaml").read_text(encoding="utf-8")
    own = {language: catalog(language)["playbook"] for language in languages()}
    for code in own["en"]:
        said = "".join(
            f"\n      {language}: {json.dumps(texts[code], ensure_ascii=False)}" for language, texts in own.items()
        )
        text = text.replace(f"\n  {code}:", f"\n  {code}:\n    text:{said}")
    return text


def init_shop(directory: Path) -> list[Path]:
    """The files written: config.yaml, playbook.yaml and README.md. ConfigError if one is there already."""
    name = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-"
        for letter in directory.resolve().name
    )
    name = name[:60].strip("-_") or "shop"
    contents = {
        "config.yaml": _CONFIG.format(name=name),
        "playbook.yaml": _playbook(),
        "README.md": _README.format(name=name),
    }
    there = [file for file in contents if (directory / file).exists()]
    if there:
        raise ConfigError(
            f"kizuna init was asked to write {directory}, but {', '.join(there)} is there already. Choose another folder."
        )
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in contents.items():
        (directory / file).write_text(text, encoding="utf-8")
    return [directory / file for file in contents]
