"""Reading films, frame-exact: standard encodes, and any file as it was delivered."""
