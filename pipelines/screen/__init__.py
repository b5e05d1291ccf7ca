"""What a person sees in a terminal, under cron or in a pipe."""
