"""How good the answers are: against rendered truth, hand labels, a baseline and published labels."""
