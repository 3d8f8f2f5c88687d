"""The only package that knows SQLAlchemy: records, engine, repositories and migrations."""
