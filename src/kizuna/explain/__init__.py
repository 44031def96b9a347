"""Why a customer is at risk: contributions by driver, reasons and facts in words."""
