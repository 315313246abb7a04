"""A sweeper that also knows the jobs of the tests, and starts no periodic work among them."""

from tests.jobs import functions
from workers import schedule, sweeper

if __name__ == "__main__":
    assert functions.KINDS
    sweeper.start_due_work = lambda: schedule.start_due_work(schedule=())
    raise SystemExit(sweeper.main())
