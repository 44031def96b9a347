"""The two switches that take truth out of the shop, as rewritten parameters, so that the step knows nothing of them."""

from __future__ import annotations

from dataclasses import replace

from kizuna.data.simulation.parameters import Parameters


def effective(parameters: Parameters) -> Parameters:
    """The parameters that the simulation runs on: ``effects`` and ``signal`` applied."""
    if parameters.effects == "none":
        parameters = _without_effects(parameters)
    if parameters.signal == "none":
        parameters = _without_signal(_without_effects(parameters))
    return parameters


def _without_effects(parameters: Parameters) -> Parameters:
    """Whatever the company sends changes nothing: both arms of every experiment live the same days."""
    ratios = replace(
        parameters.ratios,
        company_silent=1.0,
        mail_fatigue=1.0,
        language_mismatch=1.0,
        thanks=1.0,
        follow_up_first_order_points=0.0,
    )
    responses = replace(
        parameters.responses,
        effect_days=0,
        sleeping_opt_out=0.0,
        sure_value_lost=0.0,
        sure_pull_forward_days=0.0,
        service_helps=False,
    )
    contact = replace(parameters.contact, coupon_use_share=0.0)
    return replace(parameters, ratios=ratios, responses=responses, contact=contact)


def _without_signal(parameters: Parameters) -> Parameters:
    """Everybody buys alike and without memory, for ever: no past tells one future from another.

    The rate is the one at which as many eligible customers churn as in the real shop (about .44 before a December).
    """
    first = parameters.markets[0]
    markets = tuple(
        replace(
            market,
            season=first.season,
            payday_factor=first.payday_factor,
            closed_month_days=first.closed_month_days,
            return_share=first.return_share,
        )
        for market in parameters.markets
    )
    buying = replace(
        parameters.buying,
        rate_shape=float("inf"),
        rate_per_year=2.8,
        gap_shape=1.0,
        gift_only_share=0.0,
        sale_only_share=0.0,
        reseller_share=0.0,
    )
    leaving = replace(parameters.leaving, first_order_share=0.0, hazard_per_day=0.0)
    money = replace(parameters.money, between_sd=0.0)
    service = replace(parameters.service, open_complaint_rate_factor=1.0)
    return replace(parameters, markets=markets, buying=buying, leaving=leaving, money=money, service=service)
