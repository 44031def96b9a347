"""Products: how many kinds of things are bought, what is bought again, what is new, how many items, at what unit price."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings
from kizuna.features.purchases import is_purchase, on_order_day, order_day, order_rows

TABLE = "purchases"
NEW_PRODUCT_DAYS = 90
_EVER_DAYS = 1_000_000


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of categories, products, items per order and unit price."""
    bought = is_purchase(h)
    if h.has("category"):
        new = h.first_of("category", bought & (h.texts("category").codes >= 0))
        yield Feature("categories", "VARIETY", "count", h.count(where=new))
        if settings.fits(365):
            yield Feature("new_categories_365d", "VARIETY", "count", h.count(365, new))
            yield Feature("top_category_share_365d", "VARIETY", "share", h.top_share("category", 365, bought))
    if settings.fits(365):
        if h.has("product_id"):
            lines = on_order_day(h, bought, bought)
            again = lines.repeats("product_id", _EVER_DAYS, lines.all_events())
            yield Feature("repeat_products_365d", "VARIETY", "count", lines.count(365, again))
        if h.has("launched_at"):
            launched = on_order_day(h, bought, _of_new_product(h, bought))
            yield Feature("new_product_orders_365d", "VARIETY", "count", launched.count(365))
    if h.has("quantity"):
        yield from _quantities(h, settings, bought)


def _of_new_product(h: History, bought: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One row of each order with a product launched 0 … 90 days before the order's day."""
    launched = h.days("launched_at")
    age = order_day(h, bought) - np.where(launched == NEVER, 0, launched)
    return h.first_of("order_id", bought & (launched != NEVER) & (age >= 0) & (age <= NEW_PRODUCT_DAYS))


def _quantities(h: History, settings: Settings, bought: NDArray[np.bool_]) -> Iterator[Feature]:
    """Items per order, each row on the day of its order; a row without a quantity is one item."""
    order = order_rows(h)
    lines = on_order_day(h, bought, bought)
    quantity = lines.numbers("quantity")
    items = np.where(np.isnan(quantity), 1.0, quantity)
    if settings.fits(365):
        per_order = ratio(lines.sum(items, 365), h.count(365, order))
        yield Feature("items_per_order_365d", "VARIETY", "ratio", per_order)
    if settings.fits(360):
        now = ratio(lines.sum(items, 180), h.count(180, order))
        then = ratio(lines.sum(items, (-360, -180)), h.count((-360, -180), order))
        yield Feature("items_per_order_change_180d", "VARIETY", "ratio", now - then)
        pieces = h.numbers("quantity")
        price = ratio(h.numbers("amount"), np.where(pieces > 0, pieces, np.nan))
        priced = bought & ~np.isnan(price)
        before = ratio(h.sum(price, (-360, -180), priced), h.count((-360, -180), priced))
        change = ratio(h.sum(price, 180, priced), h.count(180, priced)) - before
        yield Feature("unit_price_change_180d", "PRICE", "money", change)
