"""Data that commands copy out: the demo project, the systemd unit. Nothing here is imported."""
