"""How Marken is used from elsewhere: HTTP, a Python client of it, and exports."""
