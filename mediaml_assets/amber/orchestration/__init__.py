"""The half that knows Dagster: assets, the IO manager, conditions, sensors, and runs that are asked for."""
