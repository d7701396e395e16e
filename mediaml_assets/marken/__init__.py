"""Marken: typed, versioned statements about titles, loaded whole, searched by time, space, text, vector."""
