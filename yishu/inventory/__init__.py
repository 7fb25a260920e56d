"""Inventory: what department systems there are, how they stand, and what is in their tables.

``probe`` asks one system; ``profile`` and ``draft`` turn one of its tables into a draft catalog
entry; ``register`` lists all docked systems with their last success and missing deliveries.
"""
