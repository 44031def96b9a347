"""What ``kizuna forget`` says: what was erased and searched, and what is left to people. Never who."""

from __future__ import annotations

from kizuna.privacy.forget import Proof


def forget_lines(proof: Proof) -> list[str]:
    """The proof for a reader."""
    places = ", ".join(f"{count:,} in {kind}" for kind, count in proof.erased.items())
    if proof.dry_run:
        lines = [f"Trial: {proof.rows:,} rows would be erased{': ' + places if places else ''}. Nothing was changed."]
    elif proof.rows:
        lines = [f"Erased {proof.rows:,} rows: {places}. {proof.revisions_rewritten:,} revisions were written anew."]
    else:
        lines = [
            "Nothing of this customer was found. The customer is on record all the same, and stays out of later runs."
        ]
    if proof.already_forgotten:
        lines.append("The customer was forgotten before.")
    if not proof.dry_run:
        searched = f"{proof.files:,} files" + (f" and {proof.tables:,} tables" if proof.tables else "")
        lines.append(f"Searched afterwards: {searched}; {proof.remaining:,} rows of this customer are left.")
    if proof.told:
        lines.append(
            f"These destinations were handed rows of this customer; delete them there: {', '.join(proof.told)}."
        )
    lines += [f"Not finished: {failure} Run again." for failure in proof.failed]
    if proof.unread:
        shown = ", ".join(proof.unread[:5]) + (", …" if len(proof.unread) > 5 else "")
        lines.append(f"Not searched, for kizuna cannot read them: {shown}. Look at them yourself, or remove them.")
    return [*lines, *_about_models(proof)]


def _about_models(proof: Proof) -> list[str]:
    if proof.models is None:
        return [
            "The registry could not be asked. Models hold no rows and no ids; train again to have one without the customer."
        ]
    if not proof.models:
        return []
    return [
        f"Models hold no rows and no ids, but {', '.join(proof.models)} may have learned from this customer. "
        "Train again to have one that has not; an estimator named by its import path may hold rows without ids."
    ]
