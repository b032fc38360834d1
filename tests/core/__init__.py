"""Tests of the core: synchronous, without mocks, without the shell."""
