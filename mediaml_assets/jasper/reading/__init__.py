"""Reading standard encodes, frame-exact."""
