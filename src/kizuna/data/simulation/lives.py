"""Who the customers are: everything about them that is drawn once and never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kizuna.data.simulation.calendar import GIFT_ONLY, SALE_ONLY
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Keys, Purpose, uniform
from kizuna.data.simulation.parameters import Parameters

LANGUAGES = ("ja", "en", "de")
RESPONSES = ("sleeping_dog", "lost_cause", "sure_thing", "persuadable")
SLEEPING, LOST, SURE, PERSUADABLE = range(4)
CATEGORIES = ("kitchen", "tea", "textiles", "stationery", "beauty", "garden")


@dataclass(frozen=True)
class Lives:
    """One entry per customer, in order of acquisition; days count from the first written day.

    ``pace``: orders per day of the customer's own time. ``leave_at`` and ``fade_at``: the accumulated hazards (in units of
    one) at which the customer leaves and begins to fade. ``first_order_draw``: leaves after the first order when it lies
    below the share that does. ``birthday`` is month × 100 + day.
    """

    acquired: Ints
    market: Ints
    language: Ints
    mail_language: Ints
    age_years: Floats
    birthday: Ints
    channel: Ints
    buyer: Ints
    reseller: Bools
    pace: Floats
    frailty: Floats
    first_order_draw: Floats
    fade_at: Floats
    leave_at: Floats
    log_amount: Floats
    visits_per_day: Floats
    open_share: Floats
    auto_opens: Bools
    satisfaction: Floats
    response: Ints
    hold_out: Bools
    member: Bools
    opts_in: Bools
    heavy_mail: Bools
    store_buyer: Bools
    category: Ints
    survey_day: Ints


def lives_of(parameters: Parameters, keys: Keys, customers_per_day: float) -> Lives:
    """The lives of all customers of ``keys``, who come at an even pace."""
    from scipy.special import gammaincinv, ndtri

    def draw(purpose: Purpose) -> Floats:
        return uniform(keys, purpose)

    def normal(purpose: Purpose) -> Floats:
        scores: Floats = ndtri(draw(purpose))
        return scores

    buying, leaving, contact = parameters.buying, parameters.leaving, parameters.contact
    engagement, responses, voice = parameters.engagement, parameters.responses, parameters.voice
    count = len(keys.customers)
    arrival = (np.arange(count) + draw(Purpose.ARRIVAL)) / customers_per_day - parameters.acquisition.prehistory_days
    market = pick(draw(Purpose.MARKET), [market.share for market in parameters.markets])
    language, mail_language = _languages(parameters, market, draw(Purpose.LANGUAGE), draw(Purpose.MAIL_LANGUAGE))

    rate_draw = draw(Purpose.RATE)
    relative = np.ones(count)
    if np.isfinite(buying.rate_shape):
        relative = gammaincinv(buying.rate_shape, rate_draw) / buying.rate_shape
    buyer = pick(
        draw(Purpose.BUYER),
        [1 - buying.gift_only_share - buying.sale_only_share, buying.gift_only_share, buying.sale_only_share],
    )
    reseller = (draw(Purpose.RESELLER) < buying.reseller_share) & (buyer == 0)
    factor = np.where(reseller, buying.reseller_factor, 1.0)
    factor = np.where(buyer == GIFT_ONLY, buying.gift_rate_factor, factor)
    factor = np.where(buyer == SALE_ONLY, buying.sale_rate_factor, factor)

    frailty_draw, shape = draw(Purpose.FRAILTY), 1 / leaving.frailty_variance
    correlation = voice.satisfaction_frailty_correlation
    content = correlation * ndtri(frailty_draw) + np.sqrt(1 - correlation**2) * normal(Purpose.SATISFACTION)
    visit_score, age_score = normal(Purpose.VISIT_LEVEL), normal(Purpose.AGE)
    seen = (visit_score - 0.5 * age_score + 1.0 * (buyer == SALE_ONLY) - 0.12) / np.sqrt(1.36)
    index = np.sqrt(responses.predictable_variance) * seen + np.sqrt(1 - responses.predictable_variance) * normal(
        Purpose.RESPONSE_INDEX
    )
    survey_every_days = 365 // voice.invitations_per_year
    return Lives(
        acquired=np.floor(arrival).astype(np.int64),
        market=market,
        language=language,
        mail_language=mail_language,
        age_years=np.clip(44 + 13 * age_score, 18, 90),
        birthday=_month_days()[np.floor(draw(Purpose.BIRTHDAY) * 365).astype(np.int64)],
        channel=pick(draw(Purpose.CHANNEL), [share for _, share in parameters.acquisition.channel_shares]),
        buyer=buyer,
        reseller=reseller,
        pace=relative * factor * buying.rate_per_year / 365,
        frailty=gammaincinv(shape, frailty_draw) / shape,
        first_order_draw=draw(Purpose.FIRST_ORDER),
        fade_at=-np.log(draw(Purpose.BEGIN_FADING)),
        leave_at=-np.log(draw(Purpose.LEAVE)),
        log_amount=np.log(parameters.money.median_amount) + parameters.money.between_sd * normal(Purpose.AMOUNT_LEVEL),
        visits_per_day=engagement.visits_per_year
        / 365
        * np.exp(engagement.visits_sd * visit_score - engagement.visits_sd**2 / 2)
        * relative**engagement.visits_rate_power,
        open_share=1
        / (1 + np.exp(-engagement.open_logit_mean - engagement.open_logit_sd * normal(Purpose.OPEN_LEVEL))),
        auto_opens=draw(Purpose.AUTO_OPEN) < engagement.auto_open_share,
        satisfaction=voice.satisfaction_sd * content,
        response=_response_types(parameters, index),
        hold_out=draw(Purpose.HOLD_OUT) < contact.offer_hold_out_share,
        member=draw(Purpose.MEMBER) < parameters.loyalty.member_share,
        opts_in=draw(Purpose.OPT_IN) < contact.opt_in_share,
        heavy_mail=draw(Purpose.HEAVY_MAIL) < contact.heavy_share,
        store_buyer=draw(Purpose.STORE) < buying.store_buyer_share,
        category=np.floor(draw(Purpose.CATEGORY) * len(CATEGORIES)).astype(np.int64),
        survey_day=np.floor(draw(Purpose.SURVEY_DAY) * survey_every_days).astype(np.int64),
    )


def _month_days() -> Ints:
    """Month × 100 + day of the days of a common year: nobody is born on 29 February."""
    return np.array([day.month * 100 + day.day for day in (date(2023, 1, 1) + timedelta(days=k) for k in range(365))])


def pick(draws: Floats, shares: list[float]) -> Ints:
    """The position of the share in which each draw falls; the shares are read as proportions of their sum."""
    edges = np.cumsum(shares)[:-1] / np.sum(shares)
    return np.searchsorted(edges, draws, side="right").astype(np.int64)


def _languages(parameters: Parameters, market: Ints, draws: Floats, mail_draws: Floats) -> tuple[Ints, Ints]:
    """The customer's own language and the one that the company writes in."""
    own, market_language = np.zeros(len(market), dtype=np.int64), np.zeros(len(market), dtype=np.int64)
    for number, country in enumerate(parameters.markets):
        rows = market == number
        choice = pick(draws[rows], [share for _, share in country.languages])
        own[rows] = np.array([LANGUAGES.index(name) for name, _ in country.languages])[choice]
        market_language[rows] = LANGUAGES.index(country.language)
    return own, np.where(mail_draws < parameters.contact.own_language_share, own, market_language)


def _response_types(parameters: Parameters, index: Floats) -> Ints:
    """Types by where a standard normal index falls: sleeping dogs lowest, then lost causes, sure things, persuadables."""
    from scipy.special import ndtri

    responses = parameters.responses
    edges = ndtri(np.cumsum([responses.sleeping_share, responses.lost_share, responses.sure_share]))
    return np.searchsorted(edges, index, side="right").astype(np.int64)
