"""Measuring engines: the loads, the engines, and what came out."""
