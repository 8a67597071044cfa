*** Settings ***
Resource            ../report.resource

*** Test Cases ***
Never Begun
    Log    not reached
