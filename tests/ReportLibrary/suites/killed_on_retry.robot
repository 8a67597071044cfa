*** Settings ***
Resource            report.resource

*** Test Cases ***
Killed On Retry
    [Tags]    test:retry(1)
    Fail Once    Killed On Retry
    Kill This Run
