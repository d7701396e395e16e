"""The feature store: Amber Features, their keys, values, ledger and orchestration."""
