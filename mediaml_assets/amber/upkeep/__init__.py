"""Keeping a store whole and tidy: what refers to what, damage found and put right, garbage, forgetting."""
