"""What a training found, as the lines that ``kizuna train`` prints: one screen, whatever was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.evaluation.baselines.names import rule_name
from kizuna.evaluation.gate.evidence import best_baseline
from kizuna.evaluation.measures.intervals import Interval, decimals
from kizuna.evaluation.value_assessment import LEVEL_LIMIT
from kizuna.timeline import date_of
from kizuna.training.fitting import no_lift

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuna.evaluation.gate.decision import Check
    from kizuna.evaluation.money import MoneyAssessment
    from kizuna.evaluation.value_assessment import ValueAssessment
    from kizuna.labels.definition import Definition
    from kizuna.models.learners.tuning import Tuned
    from kizuna.training.fitting import Trained
    from kizuna.training.train import TrainResult

_MOST_NAMED = 3
# What three decimals show.
_VISIBLE = 0.0005
_KINDS = {
    "inactivity": "no purchase in {} days",
    "cancellation": "cancelled within {} days",
    "provided": "labels given",
}
_RANKED = {"value_at_risk": "value at risk", "churn_probability": "risk"}
_TO_DO = {
    "baseline": "let model.churn.estimator be auto, or bring more tables",
    "log_loss": "read percentages as an order, or choose that rule's kind of model",
    "calibration": "until more days have matured, read percentages as an order",
    "level": "churn itself has changed; read percentages as an order",
    "leak": "put what only the outcome could have told into features.exclude",
    "champion": "the champion stays; look at what its tables had that these have not",
    "segments": "evaluation/segments names them",
}


# Without days none will mature, and nothing changes over them.
_TO_DO_UNDATED = {
    "signal": "more customers or other columns are needed",
    "calibration": "read percentages as an order",
    "level": "read percentages as an order",
}


def training_lines(result: TrainResult, config_path: str) -> list[str]:
    """About twenty lines: both models beside the rules, the list in money, the gate, and what was done with the version."""
    trained, capacity = result.trained, result.config.evaluation.capacity
    return [
        _opening(result),
        "",
        *_churn_lines(trained, capacity),
        *_value_lines(trained),
        *_money_lines(trained.value.money if trained.value else None, result.config.data.currency or ""),
        *_gate_lines(trained),
        *_next_lines(trained),
        *_tuning_lines(trained),
        _closing(result, config_path),
    ]


def _opening(result: TrainResult) -> str:
    training = result.trained.training
    knew = f"what was known before {date_of(training.train_day)}" if training.dated else "labels without days"
    features, days = len(training.frame.plan.columns), len(training.days)
    counts = [_many(len(training.y), "row"), _many(features, "feature"), _many(days, "snapshot")]
    return f"{result.config.name}, trained on {knew}: {', '.join(counts)}"


def _churn_lines(trained: Trained, capacity: int) -> list[str]:
    """The model and every rule on the same rows, best rule first; how far ahead; and how those not yet lost are found."""
    customers = f"{trained.assessment.evidence.customers:,} customers"
    tests = f"{_evaluation(trained.evaluation)}, {_many(trained.tests, _test(trained.evaluation))}, {customers}"
    rules = trained.assessment.baselines
    order = sorted(rules, key=lambda name: (-_ranked(rules[name]["auc"]), name))
    model = f"kizuna ({trained.churn.estimator_name_.rsplit('.', 1)[-1]})"
    width = max(len(model), *(len(rule_name(name)) for name in order), 18)
    heads = f"{'AUC [95 %]':<20}  {'log loss':>8}  {f'lift@{capacity}':>8}"
    lines = [f"CHURN {_meaning(trained.training.definition)} | {tests}", f"{'':<{width}}  {heads}"]
    auc = trained.comparison.model["auc"]
    rows = [(model, _between(auc), trained.assessment.metrics)]
    rows += [(rule_name(name), _number(rules[name]["auc"]), rules[name]) for name in order]
    for name, ranked, metrics in rows:
        loss, lift = _number(metrics.get("log_loss")), _number(metrics["lift_at_capacity"], "{:.2f}".format)
        lines.append(f"{name:<{width}}  {ranked:<20}  {loss:>8}  {lift:>8}")
    lines.append(_beside_best(trained))
    if why := no_lift(trained, capacity):
        lines.append(f"  no lift: {why}")
    return lines + _headline_lines(trained, capacity)


def _beside_best(trained: Trained) -> str:
    """How far the model is ahead of the best rule, and its one calibration error: the gate's, free of sampling noise."""
    evidence = trained.assessment.evidence
    best, calibrated = best_baseline(evidence), f"calibration error {evidence.calibration}"
    if best is None:
        return f"  no rule could be measured on these rows | {calibrated}"
    ahead = evidence.differences[best]
    side = f"{'ahead of' if ahead.estimate > 0 else 'behind'} {rule_name(best)} by {decimals(abs(ahead.estimate))}"
    if abs(ahead.estimate) < _VISIBLE:
        side = f"level with {rule_name(best)}"
    return f"  {side} {_ends(ahead)} | {calibrated}"


def _headline_lines(trained: Trained, capacity: int) -> list[str]:
    """How well those are found who are not yet lost, and how early; nothing where it was not measured."""
    found, horizon_days = trained.headline, trained.training.definition.horizon_days
    ranked = found.get("auc_silent_below_horizon", float("nan"))
    if ranked != ranked:
        return []
    recall = found["recall_at_capacity_silent_below_horizon"]
    days = found["median_silence_days_at_first_listing"]
    early = f", median silence when first listed {days:.0f} days" if days == days else ""
    listed = f"by {_RANKED[trained.answer['ranked_by']]} recall@{capacity} {decimals(recall)}{early}"
    return [f"  silent < {horizon_days} days: AUC {decimals(ranked)} | {listed}"]


def _value_lines(trained: Trained) -> list[str]:
    window, value = trained.training.value_window, trained.value
    if trained.cltv is None or window is None:
        return [f"VALUE no model: {trained.training.no_value or 'too few rows with a value'}"]
    model = f"VALUE {window.horizon_days} days, {trained.cltv.estimator.rsplit('.', 1)[-1]}"
    if value is None:
        return [f"{model} | too few customers to test it"]
    out_of_time = value.evaluation == "out_of_time"
    gini, ratio = value.comparison.model["normalised_gini"], value.comparison.model["total_ratio"]
    beside, best = "", value.best_baseline
    if best is not None:
        ahead = value.comparison.differences[best]["normalised_gini"]
        beside = f", {_signed(ahead.estimate)} {_ends(ahead)} on {rule_name(best)}"
    total = f"; predicted / actual total {ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return [
        f"{model} | {_evaluation(value.evaluation)}{'' if out_of_time else ': level untested'}",
        f"  Gini {_between(gini)}{beside}{total if out_of_time else ''}",
        *_value_remarks(value),
    ]


def _value_remarks(value: ValueAssessment) -> list[str]:
    """What a warning of the value check asks for."""
    remarks = []
    if value.check.value < value.check.limit and value.best_baseline:
        remarks.append(f"rank by {rule_name(value.best_baseline)} where the order of values matters")
    if value.evaluation == "out_of_time" and not abs(value.metrics["total_ratio"] - 1) <= LEVEL_LIMIT:
        remarks.append("read values as an order, not as amounts")
    return [f"  {'; '.join(remarks)}"] if value.check.status == "warn" and remarks else []


def _money_lines(found: MoneyAssessment | None, currency: str) -> list[str]:
    """What the list held, and would have earned, beside the best rule; nothing where nothing was at stake."""
    if found is None:
        return []
    table, best = found.table.set_index("ranking").to_dict("index"), found.best_rule
    row = table["kizuna"]
    by = "value at risk" if "kizuna_probability" in table else "risk"
    lines = []
    for metric in ("value_caught_at_capacity", "profit_at_capacity"):
        if metric not in row:
            continue
        amount, unit = _scale([row[metric], *([table[best][metric]] if best else [])], currency)
        if metric == "profit_at_capacity":
            lines.append(f"  profit under the assumed costs and save rate: {amount(row[metric])}{unit}")
        else:
            share, lift = row["value_share_at_capacity"], row["value_lift_at_capacity"]
            held = f" ({100 * share:.0f} %, lift {lift:.2f})" if share == share else ""
            lines.append(
                f"LIST  {found.capacity:,} named by {by}, spent in the year before by those who left: "
                f"{amount(row[metric])}{unit}{held}"
            )
        if best:
            ahead = found.comparison.differences[best][metric]
            told = f"{amount(ahead.estimate, '+')} [{amount(ahead.low, '+')}, {amount(ahead.high, '+')}]{unit}"
            verdict = "no proven gain" if not ahead.excludes(0.0) else "a gain" if ahead.low > 0 else "a loss"
            lines.append(f"  {rule_name(best)}: {amount(table[best][metric])}, difference {told}: {verdict}")
    return lines


def _gate_lines(trained: Trained) -> list[str]:
    """The decision; a line for each check that failed, and for few that warned; leaks, odd columns, the season."""
    decision, checks = trained.decision, trained.decision.checks
    failed = [check for check in checks if check.status == "fail"]
    warned = [check for check in checks if check.status == "warn"]
    leaks = len(trained.findings)
    beside = f"{_many(len(warned), 'warning')}, {_many(leaks, 'leak')}"
    first = f"GATE  passed, grade {decision.grade} ({_many(len(checks), 'check')}, {beside})"
    if not decision.passed:
        first = f"GATE  refused: {len(failed)} of {_many(len(checks), 'check')} failed ({beside})"
    few = len(warned) < _MOST_NAMED
    told = [
        f"  {check.name}: {check.short}; {_to_do(check, trained)}" for check in (failed + warned if few else failed)
    ]
    if not few:
        told.append(f"  warnings: {', '.join(check.name for check in warned)}; in full: evaluation/gate.txt")
    # What it probably means, and what to do, stands once in the check's line.
    told += [f"  LEAK {found.evidence.split(': ')[0]}" for found in trained.findings[:_MOST_NAMED]]
    if leaks > _MOST_NAMED:
        told.append(f"  and {leaks - _MOST_NAMED} more: evaluation/leaks.json")
    late = dict.fromkeys(
        name.partition("=")[0] for found in trained.warnings if found.kind == "overwritten" for name in found.features
    )
    if late:
        others = f" and {len(late) - _MOST_NAMED} more" if len(late) > _MOST_NAMED else ""
        named = ", ".join(list(late)[:_MOST_NAMED])
        told.append(f"  left out: {named}{others}, written over after the churn; give customers valid_from")
    if trained.warnings:
        kinds = ", ".join(dict.fromkeys(warning.kind for warning in trained.warnings))
        told.append(f"  {_many(len(trained.warnings), 'remark')} on the columns ({kinds}): evaluation/leaks.json")
    season = [f"  {trained.season.text.split(' (')[0]}"] if trained.training.dated else []
    return [first, *told, *season]


def _to_do(check: Check, trained: Trained) -> str:
    if check.name == "signal":
        best = best_baseline(trained.assessment.evidence)
        if best and trained.assessment.evidence.baselines[best].low > 0.5:
            return f"{rule_name(best)} can tell who leaves: {check.text.rsplit(': ', 1)[-1]}"
        if trained.training.dated:
            return "more customers, a longer history or other tables are needed"
    known = _TO_DO if trained.training.dated else _TO_DO | _TO_DO_UNDATED
    return known.get(check.name, check.text)


def _next_lines(trained: Trained) -> list[str]:
    dates = trained.next_purchase
    if dates is None:
        return []
    if dates.coverage is None:
        return ["NEXT  purchase dates: too little history to test them"]
    return [f"NEXT  purchase dates: {100 * dates.coverage:.0f} % of {dates.tested:,} inside the 80 % interval"]


def _tuning_lines(trained: Trained) -> list[str]:
    return [
        f"TUNED {name}: {_search(tuned)}"
        for name, tuned in (("churn", trained.tuned), ("value", trained.value_tuned))
        if tuned is not None
    ]


def _search(tuned: Tuned) -> str:
    if not tuned.trials:
        return tuned.text
    verdict = "used" if tuned.helped else "no help, the defaults stay"
    gain = f"{tuned.gain:+.4f} [{tuned.low:+.4f}, {tuned.high:+.4f}]"
    return f"{_many(len(tuned.trials), 'setting')} tried, better by {gain} on the test that none saw: {verdict}"


def _closing(result: TrainResult, config_path: str) -> str:
    version, run = result.versions["churn"], f"run {result.run_id[:8]}"
    if result.promoted:
        day = date_of(result.trained.training.train_day)
        return f"version {version} promoted to champion | {run} | kizuna score {config_path} --as-of {day}"
    then = (
        f"kizuna promote {config_path} {version}" if result.trained.decision.passed else "in full: evaluation/gate.txt"
    )
    return f"version {version} not promoted: {result.not_promoted} | {run} | {then}"


def _meaning(definition: Definition) -> str:
    ahead = f", from {definition.gap_days} days ahead" if definition.gap_days else ""
    return _KINDS[definition.kind].format(definition.horizon_days) + ahead


def _evaluation(name: str) -> str:
    return "out of time" if name == "out_of_time" else "by customer, not out of time"


def _test(evaluation: str) -> str:
    return "test day" if evaluation == "out_of_time" else "fold"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _ranked(value: float) -> float:
    return value if value == value else float("-inf")


def _number(value: float | None, written: Callable[[float], str] = decimals) -> str:
    return "-" if value is None or value != value else written(value)


def _between(found: Interval) -> str:
    return "-" if found.estimate != found.estimate else str(found)


def _signed(difference: float) -> str:
    return f"+{decimals(difference)}" if difference >= _VISIBLE else decimals(difference)


def _ends(found: Interval) -> str:
    return f"[{_signed(found.low)}, {_signed(found.high)}]"


def _scale(amounts: list[float], currency: str) -> tuple[Callable[..., str], str]:
    """How to write amounts that stand together, all with the same digits, and their unit."""
    largest = max((abs(amount) for amount in amounts if amount == amount), default=0.0)
    size, letter = next(
        ((size, letter) for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if largest >= size), (1, "")
    )
    places = 0 if size == 1 and largest >= 100 else 2
    unit = " ".join(part for part in (letter, currency) if part)

    def written(amount: float, sign: str = "") -> str:
        if amount != amount:
            return "-"
        return f"{round(amount / size, places) + 0.0:{sign},.{places}f}"

    return written, f" {unit}" if unit else ""
