"""Catalog entries in and out: tables that people fill in, and formats of other systems."""
