*** Settings ***
Suite Setup         Fail    set-up failed\nCause: auth (service)

*** Test Cases ***
Does Not Import It Either
    No Operation
