"""Standard encodes: from a delivered file to the derivative that every algorithm reads."""
