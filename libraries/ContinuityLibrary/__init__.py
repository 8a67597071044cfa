"""Witnesses and verdicts: did the process go on?"""
