"""How runs are watched from outside: a log, metrics, and one message when a state changes. No customer is in any of them."""
