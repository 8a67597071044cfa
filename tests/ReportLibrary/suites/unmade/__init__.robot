*** Settings ***
Resource            ../report.resource
Suite Setup         Bring Up

*** Keywords ***
Bring Up
    Fail    Expected: a\nSeen: pods are forbidden: exceeded quota: small\nCause: install-timeout (environment)
    [Teardown]    Collect Diagnostics    failure=${KEYWORD_MESSAGE}
