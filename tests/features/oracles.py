"""The list of all oracles by family: see ``oracle.py`` for the rules."""

from __future__ import annotations

from collections.abc import Callable

from tests.features import oracle_contact as contact
from tests.features import oracle_customer as customer
from tests.features import oracle_habits as habits
from tests.features import oracle_purchases as purchases
from tests.features.oracle import Past, Values
from tests.features.oracle_complaints import complaints

ORACLES: dict[str, Callable[[Past, list[int]], Values]] = {
    "purchases": purchases.purchases,
    "products": purchases.products,
    "deliveries": purchases.deliveries,
    "first_order": purchases.first_order,
    "complaints": complaints,
    "engagement": contact.engagement,
    "outreach": contact.outreach,
    "contact_habits": habits.contact_habits,
    "surveys": contact.surveys,
    "loyalty": customer.loyalty,
    "referrals": contact.referrals,
    "subscriptions": customer.subscriptions,
    "profile": customer.profile,
    "supplied": customer.supplied,
}
