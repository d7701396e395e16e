"""The ways for two shots to match, one a module."""
