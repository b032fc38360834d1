"""Tests of the trainer; `made` makes their recordings."""
