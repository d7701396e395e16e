"""How feature values become annotations: the types of this package, the sink, and encoders for queries."""
