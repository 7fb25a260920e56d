"""What is right: a catalog entry as Great Expectations checks, their verdict, the quarantine."""
