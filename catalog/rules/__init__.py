"""The rules that cross the borders of one value: small pure functions, catalog in, findings out."""
