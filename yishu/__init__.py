"""The machinery: it carries out what catalog, expectations, transforms and sql say."""
