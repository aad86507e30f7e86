"""Live experiments: small networks that learn while one watches. Each file holds all that its page shows, as plain data."""
