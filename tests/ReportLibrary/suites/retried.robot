*** Settings ***
Resource            report.resource
Test Tags           test:retry(1)

*** Test Cases ***
Fails Once
    GROUP    Restoring pod via API
        Fail Once    Fails Once
    END

Fails Always
    GROUP    Restoring pod via API
        Fail    Expected: a\nSeen: ${SECRET}\nCause: restore-failed (product)
    END

Passes At Once
    No Operation
