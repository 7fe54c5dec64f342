"""Loops over flows, links and rounds: plain functions on arrays, compiled when the work is large."""
