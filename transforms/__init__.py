"""What is standard: pure functions from raw to standard values."""
