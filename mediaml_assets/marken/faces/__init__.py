"""Marken's faces: the HTTP API, its Python client, and files for other tools."""
