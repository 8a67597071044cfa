*** Settings ***
Resource            ../report.resource

*** Test Cases ***
Imports It
    Record Measurement    a    1
