"""The worker: jobs, the turn of one project, maintenance."""
