"""The engine on PostgreSQL servers with pgvector, sharded by scope."""
