import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.exports.past import make_kpi, make_past

from kizuna.exports.report import write_report
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words

CANARY = "<img src=x onerror=alert(1)>"
VOID = {"meta", "input", "line", "path", "rect", "circle"}


class Page(HTMLParser):
    """Tags with their attributes, and the text of every element that has a class or a name worth asking for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[tuple[str, str]] = []
        self.texts: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes.get("class", "")))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((*self.open[-1], data))

    def of(self, tag, css=None):
        return [text for name, classes, text in self.texts if name == tag and css in (None, classes)]


@pytest.fixture
def page(tmp_path, build_pack):
    def written(*args, **changes):
        pack = build_pack(*args, **changes)
        write_report(pack, tmp_path / "report.html")
        return pack, (tmp_path / "report.html").read_text(encoding="utf-8")

    return written


@pytest.mark.parametrize("language", languages())
def test_the_page_is_well_formed_and_in_its_language(page, language):
    pack, text = page(language)
    parsed = Page(text)
    assert parsed.open == []
    assert parsed.tags[0] == ("html", {"lang": language})
    assert len([tag for tag, attributes in parsed.tags if tag == "tr" and "data-place" in attributes]) == len(
        pack.at_risk
    )
    assert [attributes["class"] for tag, attributes in parsed.tags if tag == "svg" and "class" in attributes] == [
        "bar"
    ] * 14


def test_hostile_texts_stay_texts(page, hostile_ids):
    pack, text = page("en")
    parsed = Page(text)
    assert CANARY not in text
    assert not [tag for tag, _ in parsed.tags if tag in ("img", "iframe", "object", "link")]
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert not [
        name for _, attributes in parsed.tags for name in attributes if name.startswith("on") or name == "style"
    ]
    shown = parsed.of("bdi")
    assert shown == pack.at_risk["customer_id"].tolist()
    assert set(hostile_ids) <= set(shown)
    assert CANARY in parsed.of("span", "")
    assert "=cmd|' /C calc'!A0" in parsed.of("summary")


@pytest.mark.parametrize(
    "canary", [CANARY, "</script><script>alert(1)</script>", '"><svg onload=alert(1)>', "{{ 7*7 }}"]
)
def test_every_text_column_is_escaped(page, build_pack, canary):
    pack = build_pack("en", listed=5)
    texts = ["reason_1_text", "action_text", "lifecycle_stage", "customer_id"]
    rows = pack.at_risk.assign(**dict.fromkeys(texts, canary))
    rows["customer_id"] = [f"{canary}{k}" for k in range(5)]
    evaluation = pack.evaluation | {
        "grade": canary,
        "gate_checks": [{"name": canary, "status": "fail", "value": 1.0, "limit": 0.0}],
    }
    _, text = page("en", at_risk=rows, name=canary, evaluation=evaluation, models={"churn": canary})
    parsed = Page(text)
    assert canary in parsed.of("h1")
    assert parsed.of("summary") == [canary] * 5
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert not [tag for tag, attributes in parsed.tags if "onload" in attributes or "onerror" in attributes]


def test_style_and_script_are_allowed_by_their_hashes_alone(page):
    _, text = page("ja")
    policy = next(attributes["content"] for tag, attributes in Page(text).tags if attributes.get("http-equiv"))
    found = {}
    for tag in ("style", "script"):
        body = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        found[tag] = "sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src '{found['style']}'; script-src '{found['script']}'; base-uri 'none'; form-action 'none'"
    )


def test_nothing_is_loaded_from_anywhere(page):
    _, text = page("en")
    targets = [v for _, attributes in Page(text).tags for k, v in attributes.items() if k in ("src", "href", "action")]
    assert targets == ["#list-title", "#week-title", "#reasons-title", "#proof-title", "#trend-title", "#list-title"]
    assert {target[1:] for target in targets} <= {attributes.get("id") for _, attributes in Page(text).tags}
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_customers_who_are_not_listed_are_not_named(page):
    pack, text = page("en")
    named = set(re.findall(r"C\d{6}", text))
    assert named == {name for name in pack.at_risk["customer_id"] if re.fullmatch(r"C\d{6}", name)}


def test_the_top_says_that_the_gate_refused_the_model_in_use(page, build_pack):
    failed = [{"name": "signal", "status": "fail", "value": 0.484, "limit": 0.5}]
    evaluation = build_pack("ja").evaluation | {"grade": "D", "gate_checks": failed}
    said = Page(page("ja", evaluation=evaluation)[1]).of("p", "refused")
    assert said == ["このモデルは採用の判定で不合格でした(偶然との区別)。担当者の判断で使用しています。"]
    assert Page(page("ja")[1]).of("p", "refused") == []


def test_five_figures_two_sentences_and_the_answers(page):
    _, text = page("en")
    parsed = Page(text)
    assert len(parsed.of("strong")) == 6
    assert parsed.of("strong")[5] == "Did it work?"
    assert parsed.of("strong")[3] == "+46"
    assert parsed.of("p", "")[0].startswith("The largest part of the money")
    said = " ".join(piece for _, _, piece in parsed.texts)
    for part in (
        *("Week of 1 Jan 2026", "Order reliable on later days", "level on 2 Oct 2025: 46.1% said, 45.4% happened"),
        *("the coming level may be off by ±4.5 points (season unseen)", "Gate: Passed. To note: calibration"),
        *("Simulated data, no real person", "First result on 1 Apr 2026", "They are not proof of a cause."),
        *("231 (77%)", "new since last list; 31 bought again"),
    ):
        assert part in said, part


def test_a_real_shop_is_not_called_simulated(page):
    assert "Simulated" not in page("en", simulated=False)[1]


def test_the_first_run_has_nothing_to_compare(page):
    _, text = page("en", first_run=True)
    assert Page(text).of("strong")[3] == "–"


def test_the_figures_of_the_list_before_stand_beside_those_of_this_one(page):
    past = make_past()
    text = page("en", past=past)[1]
    before = past.trend.iloc[-2]
    assert Page(text).of("small", "")[:3] == [
        f"last list {before['to_contact']}",
        f"last list ¥{before['value_at_risk'] / 1e6:,.2f} M",
        f"last list {100 * before['expected_share']:.0f}%",
    ]
    unknown = past.trend.astype({"value_at_risk": object})
    unknown.loc[unknown.index[-2], "value_at_risk"] = None
    assert len(Page(page("en", past=replace(past, trend=unknown))[1]).of("small", "")) >= 2


def test_a_past_and_kpis_have_their_sections(page):
    first, full = (
        Page(page("en", **changes)[1]) for changes in ({"first_run": True}, {"past": make_past(), "kpi": make_kpi()})
    )
    assert first.of("h2") == [
        *("This week", "What stands behind the risk", "Did it work?", "Risk over time", "The list", "About this page")
    ]
    assert full.of("h2")[4] == "The business by month"
    said = " ".join(piece for _, _, piece in first.texts)
    for part in ("This is the first list.", "No list was published before this one.", "First result on 1 Apr 2026"):
        assert part in said, part
    said = " ".join(piece for _, _, piece in full.texts)
    for part in (
        *(
            "Yes: a customer to be contacted spent",
            "known on 8 Jan 2026",
            "Older lists not measured for this page: 1.",
        ),
        *("Q4 2025", "Restated since publication: 1", "Money: revenue less returns, over the 90 days"),
    ):
        assert part in said, part


@pytest.mark.parametrize("language", languages())
def test_reasons_stand_beside_the_sentence_that_they_are_no_proof(page, language):
    text = page(language)[1]
    caveat = load_words(language)("caveat")
    for section in ('class="insights"', 'aria-labelledby="reasons-title"', 'aria-labelledby="list-title"', "<footer"):
        assert caveat in text.split(section)[1].split("</section>")[0], section


def test_hostile_names_of_the_past_stay_names(page):
    past, kpi = make_past(), make_kpi()
    groups = past.groups.assign(group=CANARY, period="2025-Q2")
    effects = past.effects.assign(experiment=[CANARY, "</script>", "b"], period=[CANARY, "2025-Q3", "2025-Q4"])
    groups = groups.assign(experiment=CANARY, period=CANARY)
    lists = past.lists.assign(churn_model=[CANARY if place % 2 else "m" for place in range(len(past.lists))])
    numbers = kpi.numbers.assign(group="all")
    text = page(
        "en", past=replace(past, groups=groups, effects=effects, lists=lists), kpi=replace(kpi, numbers=numbers)
    )[1]
    assert CANARY not in text
    assert Page(text).of("h3", "").count(f"{CANARY}  {CANARY}") == 1


def test_without_values_and_without_an_answer(page):
    _, text = page("en", values=False, answer=None)
    parsed = Page(text)
    assert "Value at risk" not in " ".join(parsed.of("button"))
    assert "Was it right before?" in parsed.of("h3")
    assert len([tag for tag, attributes in parsed.tags if tag == "svg" and attributes.get("role") == "img"]) == 1
    assert not parsed.of("td", "value")


def test_labels_without_days_name_no_window_and_tables_without_purchases_no_purchase(page, build_pack):
    bare = build_pack("en", values=False).at_risk.assign(days_since_purchase=float("nan"))
    undated = {"values": False, "answer": None, "definition": "provided", "dated": False, "at_risk": bare}
    text = page("en", **undated)[1]
    assert "By labels without days, so for no given period" in text
    assert "eligible expected to leave" in text
    assert "Churn: a customer who leaves, as the labels say; they name no period." in text
    for wrong in ("Prediction for", "in 90 days", "bought again", "silence itself", "First result", "Value at risk is"):
        assert wrong not in text
    assert "予測期間" not in page("ja", **undated)[1]


def test_an_empty_list_is_a_page_too(page, build_pack):
    _, text = page("ja", listed=0)
    assert "今週、リストに載った顧客はいません。" in text
    assert "<table" not in text
    pack = build_pack("ja", listed=0)
    assert "<h1>shop</h1>" in page("ja", listed=0, scores=pack.scores.head(0), answer=None)[1]


def test_the_same_list_gives_the_same_bytes(tmp_path, build_pack):
    for name in ("a", "b"):
        write_report(build_pack("ja", past=make_past()), tmp_path / f"{name}.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    past = make_past()
    frames = {name: getattr(past, name).iloc[::-1] for name in ("lists", "effects", "groups", "trend")}
    shuffled = build_pack("ja", past=replace(past, **frames))
    shuffled = replace(shuffled, scores=shuffled.scores.iloc[::-1], at_risk=shuffled.at_risk.iloc[::-1])
    write_report(shuffled, tmp_path / "c.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "c.html").read_bytes()
