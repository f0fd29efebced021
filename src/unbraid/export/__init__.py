"""Results written as files."""
