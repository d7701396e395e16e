"""Truth about near-duplicates: labels of films by eye, copies made of their shots, curves of precision and recall."""
