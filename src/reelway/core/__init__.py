"""Words and rules of the gateway, free of I/O: videos, jobs, their lifecycle, failures, money, ids, schedules."""
