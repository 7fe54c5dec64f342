"""Collective communication: schedules as data, cost models, lower bounds."""
