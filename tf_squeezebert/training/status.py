"""The exit status of a process of a training run that lost another one."""

LOST = 75  # EX_TEMPFAIL of sysexits.h: to be tried again
