"""The published match-cutting labels: pairs, the metric, published rows, and scorers trained on them."""
