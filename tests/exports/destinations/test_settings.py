from __future__ import annotations

import pytest

from kizuna.config_exports import DestinationExport
from kizuna.config_file import parse_config
from kizuna.errors import ConfigError
from kizuna.exports.destinations.kinds import KINDS
from kizuna.exports.destinations.settings import refuse_exports
from kizuna.scoring.rows import AT_RISK_COLUMNS

CUSTOMERS = {"path": "c.csv", "attributes": ["store"]}


def refusal(*exports: dict) -> str:
    tree = {"name": "shop", "data": {"tables": {"customers": CUSTOMERS}}, "exports": list(exports)}
    with pytest.raises(ConfigError) as caught:
        refuse_exports(parse_config(tree), AT_RISK_COLUMNS)
    assert caught.value.exit_code == 2
    return str(caught.value)


def crm(**changes: object) -> dict:
    return {"to": "destination", "name": "crm", "columns": {"No": "customer_id", "Risk": "risk_band"}} | changes


def test_every_kind_of_the_config_has_one_entry() -> None:
    kinds = DestinationExport.model_fields["to"].annotation.__args__  # type: ignore[union-attr]
    assert [rules.name for rules in KINDS] == list(kinds)


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (
            crm(columns={"No": "customer_idd"}),
            "makes No of 'customer_idd', which the list does not have. "
            "Did you mean 'customer_id'?\nexports: crm has no key. Map a column to customer_id, or name it with key.",
        ),
        (crm(key="Noo"), "has the key 'Noo', which is none of its columns. Did you mean 'No'?"),
        (crm(columns={"Risk": "risk_band"}), "has no key. Map a column to customer_id, or name it with key."),
        (
            crm(constants={"No": 1}),
            "has No among columns and constants.",
        ),
        (
            crm(columns={"No": "customer_id", "Risk ": "risk_band"}),
            "has a heading 'Risk ' that is empty or begins or ends in a blank.",
        ),
        (crm(columns={"No": "customer_id", "NO": "market"}), "has two headings 'no' but for case."),
        (crm(clear={"Risk": 1, "Rsk": 1}), "clears Rsk, which is none of its columns. Did you mean 'Risk'?"),
        (
            crm(changed_only=True),
            "needs a value in clear for Risk: it stands for nothing any more, for a blank cell would "
            "leave the old value standing.",
        ),
        (crm(attributes=["x"]), "has attributes, which only braze knows. Leave them out."),
    ],
)
def test_a_destination_that_cannot_work(export: dict, said: str) -> None:
    assert refusal(export) == f"exports: crm {said}"


def test_exports_that_get_in_each_other_s_way() -> None:
    assert refusal(crm(), crm()) == "exports: two destinations are called 'crm'. Give one another name."
    there, elsewhere = ({"to": "database", "uri": f"postgresql://{host}/shop"} for host in ("there", "elsewhere"))
    assert refusal(there, elsewhere) == (
        "exports: two destinations are called 'database-at_risk'. Give one another name."
    )
    assert refusal({"to": "csv"}, {"to": "csv", "rows": "contact"}) == (
        "exports: two of csv utf-8-sig would write the same files. Keep one of them."
    )


def test_a_split_by_what_customers_do_not_have() -> None:
    assert refusal({"to": "workbook", "split_by": "stor"}) == (
        "exports: workbook has split_by 'stor'; customers have market, language, store. Did you mean 'store'?"
    )


def test_attributes_and_market_may_be_mapped() -> None:
    columns = {"No": "customer_id", "Market": "market", "Store": "store"}
    tree = {
        "name": "shop",
        "data": {"tables": {"customers": CUSTOMERS}},
        "exports": [crm(columns=columns, changed_only=True)],
    }
    refuse_exports(parse_config(tree), AT_RISK_COLUMNS)
