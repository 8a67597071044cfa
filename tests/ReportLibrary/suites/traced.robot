*** Settings ***
Resource            report.resource
Library             called.py

*** Test Cases ***
Asking
    GROUP    Asking around
        Call The Propagator
    END
    Log    the secret is ${SECRET}

Refused
    Fail    Expected: a token that is good\nSeen: ${SECRET}\nCause: auth (service)
