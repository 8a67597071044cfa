*** Settings ***
Resource            report.resource

*** Test Cases ***
Stopped
    GROUP    Being stopped
        Stop This Run
    END
    [Teardown]    Clean Up

*** Keywords ***
Clean Up
    GROUP    Cleaning up
        No Operation
    END
