def test_the_guide_speaks_in_this_list_s_numbers(read_workbook):
    rows = dict(read_workbook("en")[1]["How to read"].iter_rows(values_only=True))
    assert rows["Churn"] == "A customer who does not buy in 1 Jan – 31 Mar 2026 (90 days)."
    assert rows["Risk"] == (
        "High from 60%, medium from 30%, low below. Listed are customers from 46% on, ranked by value at risk."
    )
    assert rows["Day of the list"].startswith("Thu 1 Jan 2026, time zone Asia/Tokyo.")
    assert rows["Reasons"] == "Reasons are what the model used for its prediction. They are not proof of a cause."
    assert {"Summary", "This week", "Service first", "Do not contact", "Personal data"} <= set(rows)
