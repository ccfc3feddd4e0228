"""The handler chain: one file per filter; `chain.py` is the order."""
