"""What somebody asks of a run: by options, by configurations, by both in layers; and what that means."""
