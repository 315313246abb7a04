"""What these tests share with those about logins."""

from tests.accounts.conftest import redis_keys, rows_of, without_redis

__all__ = ["redis_keys", "rows_of", "without_redis"]
