"""What the customer base does, month by month: the KPIs, their definitions, and what was published of them."""
