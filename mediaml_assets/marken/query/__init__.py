"""CQL2 filters: parsed, checked against the types' properties, rendered as SQL with bound parameters."""
