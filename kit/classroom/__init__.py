"""Lessons in a student's folder, and questions about a run."""
