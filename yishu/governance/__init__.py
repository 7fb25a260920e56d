"""Governance: what people decide about catalog and data, and the promises that they keep."""
