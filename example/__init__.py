"""The example city: invented department systems, their data and their faults."""
