"""The pytest plugin: fixtures for people who test their bots."""
