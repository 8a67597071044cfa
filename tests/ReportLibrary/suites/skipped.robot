*** Settings ***
Resource            report.resource
Suite Setup         Skip    needs two clusters; there is one

*** Test Cases ***
One
    No Operation

Two
    No Operation
