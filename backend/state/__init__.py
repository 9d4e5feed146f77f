"""What is kept, and where: Redis, and only Redis."""
