"""What a request costs, next to what it costs others: ``python -m benchmarks``."""
